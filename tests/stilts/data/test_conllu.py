"""Fused words against a second writing of XTREME's rules, on its own library of graphs."""

from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings, strategies as st

from stilts.data.formats import conllu
from stilts.tasks.udpos import LABELS

LISTED = ("VERB", "AUX", "PRON", "ADP", "DET")
TAGS = (*LISTED, "NOUN", "SYM")


@st.composite
def sentences(draw) -> tuple[list[str], list[int], list[tuple[int, int]]]:
    """Tags and heads of a tree in any order, and stretches that do not overlap."""
    size = draw(st.integers(1, 9))
    order = draw(st.permutations(range(1, size + 1)))
    heads = [0] * size
    for place, word in enumerate(order[1:], start=1):
        heads[word - 1] = order[draw(st.integers(0, place - 1))]
    spans, first = [], 1
    while first < size:
        last = draw(st.integers(first + 1, size))
        if draw(st.booleans()):
            spans.append((first, last))
        first = last + 1
    return draw(st.lists(st.sampled_from(TAGS), min_size=size, max_size=size)), heads, spans


def expected(tags: list[str], heads: list[int], spans: list[tuple[int, int]]) -> list[str]:
    graph = networkx.DiGraph((head, word) for word, head in enumerate(heads, start=1))
    left = {word: tags[word - 1] for word in range(1, len(tags) + 1)}
    for first, last in spans:
        words = range(first, last + 1)
        above = {word: len(networkx.ancestors(graph, word)) for word in words}
        top = [word for word in words if above[word] == min(above.values())]
        listed = [word for tag in LISTED for word in top if tags[word - 1] == tag]
        best = (listed or top)[0]
        for word in words:
            if word != best:
                del left[word]
    return [left[word] for word in sorted(left)]


@settings(max_examples=1000)
@given(sentences())
def test_a_fused_word_gets_the_tag_of_its_highest_word(tmp_path_factory, sentence) -> None:
    tags, heads, spans = sentence
    lines = []
    for word, (tag, head) in enumerate(zip(tags, heads, strict=True), start=1):
        lines += [f"{first}-{last}\tfused{first}" + "\t_" * 8 for first, last in spans if first == word]
        lines.append(f"{word}\tw{word}\t_\t{tag}\t_\t_\t{head}" + "\t_" * 3)
    path: Path = tmp_path_factory.getbasetemp() / "es_own-ud-test.conllu"
    path.write_text("\n".join(lines) + "\n\n")
    (row,) = conllu.rows([path], language="es")
    assert row["pos_tags"] == expected(tags, heads, spans)
    fused = {f"fused{first}" for first, _ in spans}
    assert [token for token in row["tokens"] if token in fused] == [f"fused{first}" for first, _ in spans]
    (split,) = conllu.rows([path], language="es", words="syntactic")
    assert (split["pos_tags"], len(split["tokens"])) == (tags, len(tags))


def test_lists_name_parts_of_speech_only() -> None:
    listed = {tag for tags in conllu.PRECEDENCE.values() for tag in tags}
    assert listed - {"CONJ"} <= set(LABELS)  # version 1 of Universal Dependencies called CCONJ so


@pytest.mark.parametrize(
    ("forms", "kept"),
    [(("_", "_", "."), False), (("_", "a", "."), True), (("a\u200cb", "c d"), True), (("_",), False)],
)
def test_withheld_sentences_are_left_out(tmp_path: Path, forms, kept) -> None:
    path = tmp_path / "ar_own-ud-test.conllu"
    rest = "\t_\tNOUN\t_\t_\t0" + "\t_" * 3
    path.write_text("".join(f"{n}\t{form}{rest}\n" for n, form in enumerate(forms, start=1)) + "\n")
    found = [row["tokens"] for row in conllu.rows([path], language="ar")]
    assert found == ([[form.replace("\u200c", "").replace(" ", "") for form in forms]] if kept else [])
