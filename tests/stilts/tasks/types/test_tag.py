import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tokenizers import Tokenizer

from stilts.tasks.types import IGNORED, Coding, tag

LABELS = ("NOUN", "VERB", "PUNCT")
WORDS = ["cat", "Matte", "München", "北京", "แมว", "\u200b", "x" * 40, "1 000", "قطة", "\x00", "."]


class Given:
    def __init__(self, columns, examples, labels=LABELS) -> None:
        self.columns, self.examples, self.labels = columns, examples, labels


def sentence(words: list[str], tags: list[str] | None = None) -> dict:
    return {"id": "", "tokens": words, "tags": tags or [LABELS[n % 3] for n in range(len(words))]}


def naive(example: dict, tokenizer: Tokenizer, limit: int) -> list[tuple[list[int], list[int], list[str]]]:
    """Items of one sentence, word by word: (token numbers, positions, tags)."""
    unknown, start, end = (tokenizer.token_to_id(token) for token in ("<unk>", "<s>", "</s>"))
    items: list[tuple[list[int], list[int], list[str]]] = [([start], [], [])]
    for word, name in zip(example["tokens"], example["tags"], strict=True):
        pieces = (tokenizer.encode(word, add_special_tokens=False).ids or [unknown])[: limit - 2]
        if len(items[-1][0]) + len(pieces) + 1 > limit:
            items.append(([start], [], []))
        ids, positions, tags = items[-1]
        positions.append(len(ids))
        ids.extend(pieces)
        tags.append(name)
    return [([*ids, end], positions, tags) for ids, positions, tags in items]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), min_size=1, max_size=5),
    st.integers(4, 30),
)
def test_sentences_are_tokenised_and_split_word_by_word(
    tokenizer: Tokenizer, sentences: list[list[str]], limit: int
) -> None:
    examples = [sentence(words) for words in sentences]
    columns = tag.encode(examples, Coding(tokenizer=tokenizer, max_length=limit, labels=LABELS))
    expected = [(n, item) for n, example in enumerate(examples) for item in naive(example, tokenizer, limit)]
    assert [row.tolist() for row in columns["input_ids"].rows()] == [ids for _, (ids, _, _) in expected]
    assert [row.tolist() for row in columns["positions"].rows()] == [places for _, (_, places, _) in expected]
    assert [[LABELS[i] for i in row] for row in columns["tags"].rows()] == [
        tags for _, (_, _, tags) in expected
    ]
    assert columns["example"].tolist() == [n for n, _ in expected]
    assert columns["num_tokens"].max() <= limit

    # Decoding the gold tags gives them back, whole sentences again.
    outputs = np.full((int(tag.sizes(columns).sum()), 3), -5, np.float32)
    outputs[np.arange(len(outputs)), columns["tags"].values] = 5
    decoded = tag.decode(outputs, Given(columns, {"tokens": sentences}))
    assert decoded.values == [example["tags"] for example in examples]
    assert len(decoded.scores) == len(examples)
    assert decoded.scores == pytest.approx(1 / (1 + 2 * np.exp(-10)))


def test_a_word_that_vanishes_stands_as_unknown(tokenizer: Tokenizer) -> None:
    columns = tag.encode(
        [sentence(["cat", " ", "."])], Coding(tokenizer=tokenizer, max_length=32, labels=LABELS)
    )
    position = columns["positions"].values[1]
    assert tokenizer.encode(" ", add_special_tokens=False).ids == []
    assert columns["input_ids"].values[position] == tokenizer.token_to_id("<unk>")
    assert len(columns["tags"].values) == 3


def test_a_tag_without_an_index_is_ignored_in_training(tokenizer: Tokenizer) -> None:
    example = sentence(["cat", "."], ["NEW", "PUNCT"])
    columns = tag.encode([example], Coding(tokenizer=tokenizer, max_length=32, labels=LABELS))
    assert columns["tags"].values.tolist() == [IGNORED, 2]


def test_positions_of_a_batch_count_through_all_its_tokens(tokenizer: Tokenizer) -> None:
    examples = [sentence(["cat", "sat"]), sentence(["Maria"]), sentence(["the", "mat", "."])]
    columns = tag.encode(examples, Coding(tokenizer=tokenizer, max_length=32, labels=LABELS))
    rows = np.asarray([2, 0])
    targets = tag.targets(columns, rows)
    stream = columns["input_ids"].take(rows).values
    firsts = [
        tokenizer.encode(word, add_special_tokens=False).ids[0] for word in ["the", "mat", ".", "cat", "sat"]
    ]
    assert stream[targets["positions"]].tolist() == firsts
    assert targets["tags"].tolist() == [0, 1, 2, 0, 1]
