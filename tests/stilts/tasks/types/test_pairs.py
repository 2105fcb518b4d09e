"""Classification, choice and retrieval: sequences as the tokenizer itself would build them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st
from tokenizers import Tokenizer

from hpc.errors import UserError
from stilts.tasks import types as task_types
from stilts.tasks.coding.pieces import open_tokenizer
from stilts.tasks.coding.sequences import longest_first
from stilts.tasks.types import Coding, choice, classify, retrieve

LONG = "The cat sat on the mat because it was warm and Maria lives in Paris"


class Given:
    """Encoded examples without a cache."""

    def __init__(self, columns, examples, labels=()) -> None:
        self.columns, self.examples, self.labels = columns, examples, labels


def sequences(columns) -> list[list[int]]:
    edges = np.append(0, np.cumsum(columns["lengths"].values))
    ids = columns["input_ids"].values
    return [ids[first:last].tolist() for first, last in pairwise(edges)]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(2, 30))
def test_longest_first_is_what_the_tokenizers_library_does(first: int, second: int, room: int) -> None:
    tokenizer = Tokenizer.from_str(
        '{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,'
        '"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":null,'
        '"model":{"type":"WordLevel","vocab":{"a":0,"b":1,"u":2},"unk_token":"u"}}'
    )
    tokenizer.enable_truncation(max_length=room, strategy="longest_first")
    ids = tokenizer.encode("a " * first, "b " * second).ids
    kept = longest_first(np.asarray([first]), np.asarray([second]), room)
    assert [side.tolist() for side in kept] == [[ids.count(0)], [ids.count(1)]]


@pytest.mark.parametrize("max_length", [12, 20, 64])
def test_pairs_are_the_tokenizers_own(tokenizer: Tokenizer, max_length: int) -> None:
    pairs = [
        ("Who?", LONG),
        (LONG, "Who?"),
        (LONG, LONG),
        ("我们在北京。", "Maria lives in Paris."),
        ("", "x"),
    ]
    examples = [{"id": "", "first": a, "second": b, "label": n % 3} for n, (a, b) in enumerate(pairs)]
    columns = classify.encode(examples, Coding(tokenizer=tokenizer, max_length=max_length))
    own = Tokenizer.from_str(tokenizer.to_str())
    own.enable_truncation(max_length=max_length, strategy="longest_first")
    assert sequences(columns) == [own.encode(a, b).ids for a, b in pairs]
    assert columns["num_tokens"].tolist() == [len(own.encode(a, b).ids) for a, b in pairs]
    assert columns["label"].tolist() == [0, 1, 2, 0, 1]
    assert columns["example"].tolist() == [0, 1, 2, 3, 4]


def test_a_class_is_the_largest_score() -> None:
    columns = {"example": np.arange(2, dtype=np.int32)}
    decoded = classify.decode(np.float32([[0, 2, 1], [5, 0, 0]]), Given(columns, {}))
    assert decoded.values == [1, 0]
    exponents = np.exp([[0, 2, 1], [5, 0, 0]])
    np.testing.assert_allclose(
        decoded.scores, (exponents / exponents.sum(1, keepdims=True)).max(1), rtol=1e-6
    )


def test_choices_lose_the_start_of_the_prompt(tokenizer: Tokenizer) -> None:
    examples = [
        {"id": "", "prompt": LONG, "choices": ["warm", "Paris is a city"], "label": 1},
        {"id": "", "prompt": "Who?", "choices": ["Maria", "the cat", "we"], "label": 2},
    ]
    limit = 16
    columns = choice.encode(examples, Coding(tokenizer=tokenizer, max_length=limit))
    found = sequences(columns)
    assert len(found) == 5
    assert choice.sizes(columns).tolist() == [2, 3]
    prompt = tokenizer.encode(LONG, add_special_tokens=False).ids
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    for sequence, text in zip(found[:2], examples[0]["choices"], strict=True):
        answer = tokenizer.encode(text, add_special_tokens=False).ids
        room = limit - 4 - len(answer)
        assert 0 < room < len(prompt)
        assert sequence == [start, *prompt[-room:], end, end, *answer, end]
    assert found[4] == tokenizer.encode("Who?", "we").ids
    assert columns["num_tokens"].tolist() == [32, sum(map(len, found[2:]))]


def test_a_choice_longer_than_a_sequence_is_cut_at_its_end(tokenizer: Tokenizer) -> None:
    example = {"id": "", "prompt": "Who?", "choices": [LONG], "label": 0}
    (sequence,) = sequences(choice.encode([example], Coding(tokenizer=tokenizer, max_length=10)))
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    assert sequence == [start, end, end, *tokenizer.encode(LONG, add_special_tokens=False).ids[:6], end]


def test_a_choice_is_taken_among_its_own_question(tokenizer: Tokenizer) -> None:
    examples = [{"id": "", "prompt": "", "choices": ["a"] * n, "label": 0} for n in (2, 3)]
    columns = choice.encode(examples, Coding(tokenizer=tokenizer, max_length=16))
    decoded = choice.decode(np.float32([0, 1, -3, -9, -2]), Given(columns, {}))
    assert decoded.values == [1, 2]
    assert decoded.scores[0] == pytest.approx(np.e / (1 + np.e))


def test_targets_of_a_batch_follow_its_rows(tokenizer: Tokenizer) -> None:
    examples = [{"id": "", "prompt": "", "choices": ["a"] * n, "label": n - 1} for n in (2, 3, 4)]
    columns = choice.encode(examples, Coding(tokenizer=tokenizer, max_length=16))
    targets = choice.targets(columns, np.asarray([2, 0]))
    assert {name: value.tolist() for name, value in targets.items()} == {"label": [3, 1], "counts": [4, 2]}


def test_each_side_of_a_translation_is_a_sentence_of_its_own(tokenizer: Tokenizer) -> None:
    examples = [
        {"id": "", "english": "The cat sat.", "foreign": "Кошка сидела."},
        {"id": "", "english": "", "foreign": "我们在北京。"},
        {"id": "", "english": LONG, "foreign": ""},
    ]
    columns = retrieve.encode(examples, Coding(tokenizer=tokenizer, max_length=12))
    assert columns["example"].tolist() == [0, 0, 1, 2]
    assert columns["side"].tolist() == [
        retrieve.ENGLISH,
        retrieve.FOREIGN,
        retrieve.FOREIGN,
        retrieve.ENGLISH,
    ]
    assert sequences(columns)[2] == tokenizer.encode("我们在北京。").ids
    pieces = tokenizer.encode(LONG, add_special_tokens=False).ids
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    assert sequences(columns)[3] == [start, *pieces[:10], end]
    assert (retrieve.TYPE.head, retrieve.TYPE.decode) == (None, None)


def test_unknown_kinds_and_tokenizers_are_refused(tmp_path) -> None:
    with pytest.raises(UserError, match="Did you mean 'classify'"):
        task_types.load("classifi")
    with pytest.raises(UserError, match="no tokenizer at"):
        open_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="is no tokenizer"):
        open_tokenizer(tmp_path / "tokenizer.json")
    bare = Tokenizer.from_str(
        '{"version":"1.0","added_tokens":[],"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}'
    )
    with pytest.raises(UserError, match="START text BETWEEN text END"):
        classify.encode(
            [{"id": "", "first": "a", "second": "a", "label": 0}], Coding(tokenizer=bare, max_length=8)
        )


def test_settings_left_in_a_tokenizer_file_do_not_cut_texts(tokenizer: Tokenizer, tmp_path) -> None:
    cutting = Tokenizer.from_str(tokenizer.to_str())
    cutting.enable_truncation(max_length=4)
    cutting.enable_padding(length=4)
    cutting.save(str(tmp_path / "tokenizer.json"))
    opened = open_tokenizer(tmp_path / "tokenizer.json")
    assert opened.encode(LONG).ids == tokenizer.encode(LONG).ids
