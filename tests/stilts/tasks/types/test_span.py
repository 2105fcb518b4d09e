from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tokenizers import Tokenizer, pre_tokenizers

from stilts.tasks.coding.ragged import Ragged
from stilts.tasks.types import Coding, _spans, span

CASES = {
    "english": ("Maria lives in  Paris, France.", "Paris"),
    "english, begins with space": ("  Maria lives in Paris.", "Maria"),
    "german": ("Die Frau wohnt in München (Bayern).", "München"),
    "chinese": ("我们住在北京，因为天气很好。", "北京"),
    "thai": ("ใครอาศัยอยู่ในกรุงเทพ เพราะอบอุ่น", "กรุงเทพ"),
    "thai, sara am": ("น้ำในคลองเย็น", "น้ำ"),
    "hindi": ("दिल्ली में कौन रहता है?", "दिल्ली"),
    "arabic": ("من يعيش في باريس؟ ماريا.", "باريس"),
    "korean": ("고양이는 서울에 산다.", "서울"),
    "ligature": ("The ﬁsh swam ½ mile.", "½"),
    "whole": ("Paris", "Paris"),
}


class Given:
    labels = ()

    def __init__(self, columns, examples) -> None:
        self.columns, self.examples = columns, examples


def question(context: str, answer: str = "", *, text: str = "Who lives in Paris?") -> dict:
    start = context.find(answer) if answer else -1
    answers = [{"text": answer, "start": start}] if answer else []
    return {"id": "", "cluster": "", "question": text, "context": context, "answers": answers}


def encode(examples: list[dict], tokenizer: Tokenizer, max_length: int = 64) -> dict:
    return span.encode(examples, Coding(tokenizer=tokenizer, max_length=max_length))


def decode(outputs, columns, examples) -> list[str]:
    by_column = {"context": [example["context"] for example in examples]}
    return span.decode(outputs, Given(columns, by_column)).values


def gold_outputs(columns) -> np.ndarray:
    """Scores of a model that knows the targets and abstains where a window has none."""
    outputs = np.zeros((int(columns["num_tokens"].sum()), 2), np.float32)
    firsts = columns["input_ids"].offsets[:-1]
    outputs[firsts + columns["start"], 0] = 9
    outputs[firsts + columns["end"], 1] = 9
    return outputs


@pytest.fixture(params=["split at white space", "white space inside the piece"])
def either(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> Tokenizer:
    """XLM-R tokenizers differ in whether a piece's characters include the space before it."""
    own = Tokenizer.from_str(tokenizer.to_str())
    if request.param != "split at white space":
        own.pre_tokenizer = pre_tokenizers.Metaspace()
    return own


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("max_length", [24, 384])
def test_the_gold_span_decodes_to_the_answer_in_every_script(
    either: Tokenizer, case: str, max_length: int
) -> None:
    context, answer = CASES[case]
    example = question(context, answer, text="谁?")
    columns = encode([example], either, max_length)
    assert columns["num_tokens"].max() <= max_length
    has_answer = columns["start"] > 0
    assert has_answer.any()
    text = decode(gold_outputs(columns), columns, [example])[0]
    # A piece may reach beyond the answer, but never into white space, and the answer is all there.
    assert answer in text
    assert text == text.strip()
    assert text in context
    pieces = either.encode(context, add_special_tokens=False)
    edges = {edge for begin, end in pieces.offsets for edge in (begin, end)}
    start = context.find(answer)
    if {start, start + len(answer)} <= edges:
        assert text == answer


def test_a_chinese_answer_stays_exact_without_spaces(tokenizer: Tokenizer) -> None:
    context = "我们在北京。他去了上海，因为天气很好。谁住在北京？"
    example = question(context, "上海，因为天气")
    columns = encode([example], tokenizer, 128)
    assert decode(gold_outputs(columns), columns, [example]) == ["上海，因为天气"]


def test_sequences_are_the_tokenizers_own_pairs(tokenizer: Tokenizer) -> None:
    example = question("Maria lives in Paris.", "Paris")
    columns = encode([example], tokenizer)
    encoding = tokenizer.encode(example["question"], example["context"])
    assert columns["input_ids"].values.tolist() == encoding.ids
    inside = [n for n, place in enumerate(encoding.sequence_ids) if place == 1]
    offsets = columns["offsets"].values.reshape(-1, 2)
    assert (offsets[inside] >= 0).all()
    assert (np.delete(offsets, inside, axis=0) == -1).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.integers(1, 400), st.integers(1, 90), st.integers(12, 400), st.data())
def test_windows_cover_all_tokens_and_step_by_the_stride(
    tokenizer: Tokenizer, size: int, asked: int, max_length: int, data: st.DataObject
) -> None:
    words = [f"{n % 10}" for n in range(size)]
    answer_at = data.draw(st.integers(0, size - 1))
    context = " ".join(words)
    example = question(context, text="Who " * asked)
    example["answers"] = [{"text": words[answer_at], "start": 2 * answer_at}]
    columns = encode([example], tokenizer, max_length)
    assert columns["num_tokens"].max() <= max_length
    covered: list[list[int]] = []
    for row in columns["offsets"].rows():
        begins = row.reshape(-1, 2)[:, 0]
        covered.append(sorted(set(begins[begins >= 0].tolist())))
    starts = [window[0] for window in covered]
    assert starts == sorted(set(starts))
    assert sorted({begin for window in covered for begin in window}) == list(range(0, 2 * size, 2))
    for before, after in pairwise(covered):
        assert after[0] <= before[-1] + 2
    holds = [2 * answer_at in window for window in covered]
    assert any(columns["start"] > 0)
    for found, held in zip(columns["start"] > 0, holds, strict=True):
        assert held or not found


def test_windows_of_a_long_passage_start_128_tokens_apart(tokenizer: Tokenizer) -> None:
    context = " ".join("7" for _ in range(500))
    pieces = len(tokenizer.encode(context, add_special_tokens=False).ids)
    columns = encode([question(context)], tokenizer, 384)
    asked = len(tokenizer.encode("Who lives in Paris?", add_special_tokens=False).ids)
    room = 384 - 4 - asked
    assert len(columns["example"]) == 1 + -(-(pieces - room) // 128)
    assert columns["num_tokens"].tolist()[:-1] == [384] * (len(columns["example"]) - 1)


def test_a_question_is_cut_and_an_unanswerable_one_points_at_the_start(tokenizer: Tokenizer) -> None:
    columns = encode([question("Maria lives in Paris.", text="Who " * 200)], tokenizer, 384)
    context = len(tokenizer.encode("Maria lives in Paris.", add_special_tokens=False).ids)
    assert columns["num_tokens"].tolist() == [64 + 4 + context]
    assert columns["start"].tolist() == columns["end"].tolist() == [0]


def slow_best(outputs, columns, example_count, contexts) -> list[tuple[float, str]]:
    """Every pair of the 20 best starts and ends of every window, tried one by one."""
    found = [(-np.inf, "")] * example_count
    edges = columns["input_ids"].offsets
    spans = columns["offsets"].values.reshape(-1, 2)
    for window, owner in enumerate(columns["example"]):
        tokens = range(edges[window], edges[window + 1])
        usable = [t for t in tokens if spans[t, 0] < spans[t, 1]]
        starts = sorted(usable, key=lambda t: -outputs[t, 0])[:20]
        ends = sorted(usable, key=lambda t: -outputs[t, 1])[:20]
        for start in starts:
            for end in ends:
                if start <= end < start + 30:
                    total = outputs[start, 0] + outputs[end, 1]
                    if total > found[owner][0]:
                        found[owner] = (total, contexts[owner][spans[start, 0] : spans[end, 1]])
    return found


@pytest.mark.parametrize("seed", range(5))
def test_decoding_equals_trying_every_pair(tokenizer: Tokenizer, seed: int, monkeypatch) -> None:
    monkeypatch.setattr(_spans, "_BLOCK", 3)
    contexts = ["Maria lives in Paris. " * 9, "我们在北京。", "Кошка сидела на коврике. " * 4, "."]
    examples = [question(context) for context in contexts]
    columns = encode(examples, tokenizer, 48)
    assert len(columns["example"]) > 8
    random = np.random.default_rng(seed)
    outputs = random.normal(size=(int(columns["num_tokens"].sum()), 2)).astype(np.float32)
    decoded = span.decode(outputs, Given(columns, {"context": contexts}))
    expected = slow_best(outputs, columns, 4, contexts)
    assert decoded.values == [text for _, text in expected]
    firsts = outputs[columns["input_ids"].offsets[:-1]].sum(axis=1)
    for number, (best, _) in enumerate(expected):
        none = firsts[columns["example"] == number].min()
        assert decoded.scores[number] == pytest.approx(best - none, abs=1e-5)


def has_most_context(spans: list[tuple[int, int]], which: int, position: int) -> bool:
    """Whether a window, (first token, tokens), has more context around a position than any other."""
    best, winner = -1.0, -1
    for number, (start, size) in enumerate(spans):
        if start <= position < start + size:
            value = min(position - start, start + size - 1 - position) + 0.01 * size
            if value > best:
                best, winner = value, number
    return winner == which


def best_as_published(outputs, columns, contexts, tokenizer) -> list[str]:
    """SQuAD's own procedure: lists of the 20 best tokens of a window, filtered, sorted, the first taken."""
    edges = columns["input_ids"].offsets
    spans = columns["offsets"].values.reshape(-1, 2)
    found = []
    for number, context in enumerate(contexts):
        windows = np.flatnonzero(columns["example"] == number).tolist()
        passages = span._tokenize_passages([context], tokenizer)
        places = {
            pair: n for n, pair in enumerate(zip(passages.begins.values, passages.ends.values, strict=True))
        }
        held = [[t for t in range(edges[w], edges[w + 1]) if spans[t, 0] >= 0] for w in windows]
        docs = [(places[tuple(spans[tokens[0]])], len(tokens)) for tokens in held]
        candidates = []
        for which, window in enumerate(windows):
            tokens = range(edges[window], edges[window + 1])
            for start in sorted(tokens, key=lambda t: outputs[t, 0], reverse=True)[:20]:
                for end in sorted(tokens, key=lambda t: outputs[t, 1], reverse=True)[:20]:
                    if spans[start, 0] >= spans[start, 1] or spans[end, 0] >= spans[end, 1]:
                        continue
                    at = docs[which][0] + start - held[which][0]
                    if start <= end < start + 30 and has_most_context(docs, which, at):
                        candidates.append((outputs[start, 0] + outputs[end, 1], start, end))
        candidates.sort(key=lambda one: one[0], reverse=True)
        found.append(context[spans[candidates[0][1], 0] : spans[candidates[0][2], 1]] if candidates else "")
    return found


@pytest.mark.parametrize("seed", range(8))
def test_decoding_as_published_equals_the_published_procedure(tokenizer: Tokenizer, seed: int) -> None:
    contexts = ["Maria lives in Paris. " * 9, "我们在北京。" * 30, "Кошка сидела на коврике. " * 4, "."]
    columns = encode([question(context) for context in contexts], tokenizer, 48)
    outputs = (
        np.random.default_rng(seed).normal(size=(int(columns["num_tokens"].sum()), 2)).astype(np.float32)
    )
    given = Given(columns, {"context": contexts})
    expected = best_as_published(outputs, columns, contexts, tokenizer)
    assert _spans.decode_as_published(outputs, given).values == expected
    assert span.TYPE.decoders["xtreme"] is _spans.decode_as_published


def test_the_two_rules_of_decoding_differ(tokenizer: Tokenizer) -> None:
    """Or the test above would compare nothing."""
    contexts = ["Maria lives in Paris. " * 9]
    columns = encode([question(contexts[0])], tokenizer, 48)
    given, differ = Given(columns, {"context": contexts}), 0
    for seed in range(20):
        outputs = (
            np.random.default_rng(seed).normal(size=(int(columns["num_tokens"].sum()), 2)).astype(np.float32)
        )
        differ += span.decode(outputs, given).values != _spans.decode_as_published(outputs, given).values
    assert differ > 3


def letters(windows: int, size: int) -> dict:
    """Windows of one passage whose tokens cover one letter each, the first token none."""
    spans = np.stack([np.arange(size) - 1, np.arange(size)], axis=1)
    spans[0] = -1
    return {
        "num_tokens": np.full(windows, size, np.int32),
        "example": np.zeros(windows, np.int32),
        "offsets": Ragged(
            np.tile(spans.ravel(), windows).astype(np.int32), np.arange(windows + 1) * 2 * size
        ),
    }


def test_an_answer_has_at_most_thirty_tokens() -> None:
    outputs = np.zeros((60, 2), np.float32)
    outputs[10, 0] = 9
    outputs[39, 1], outputs[40, 1] = 5, 6
    (text,) = decode(outputs, letters(1, 60), [question("abcdefghij" * 6)])
    assert text == ("abcdefghij" * 6)[9:39]
    assert len(text) == 30


def test_the_first_of_equal_windows_answers() -> None:
    outputs = np.zeros((20, 2), np.float32)
    outputs[3], outputs[17] = 4, 4
    (text,) = decode(outputs, letters(2, 10), [question("abcdefghij")])
    assert text == "c"


def test_a_lone_word_mark_covers_nothing(either: Tokenizer) -> None:
    mark = either.token_to_id("\u2581")
    columns = encode([question("我们 在 北京")], either)
    inside = columns["offsets"].values[::2] >= 0
    marks = (columns["input_ids"].values == mark) & inside
    assert marks.sum() == 3
    spans = columns["offsets"].values.reshape(-1, 2)
    assert (spans[marks][:, 0] == spans[marks][:, 1]).all()
    assert spans[marks][:, 0].tolist() == [0, 3, 5]


def test_ten_thousand_windows_are_decoded_in_seconds() -> None:
    lengths = np.full(10_000, 384)
    offsets = np.tile(np.arange(384).repeat(2) + np.tile([0, 1], 384), 10_000).astype(np.int32)
    columns = {
        "num_tokens": lengths.astype(np.int32),
        "example": np.repeat(np.arange(5000), 2).astype(np.int32),
        "offsets": Ragged(offsets, np.append(0, np.cumsum(2 * lengths))),
    }
    outputs = np.random.default_rng(0).normal(size=(int(lengths.sum()), 2)).astype(np.float32)
    decoded = span.decode(outputs, Given(columns, {"context": ["x" * 400] * 5000}))
    assert len(decoded.values) == 5000
