"""Counts of a set against a plain count with the same tokenizer; the table, and the figure."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from stilts import tasks
from stilts.corpora.__main__ import main
from stilts.corpora.required import RequiredSet
from stilts.corpora.statistics import count, quantile
from stilts.data.reading import read


def counted(name: str, language: str, split: str, tokenizer, **changes):
    task = tasks.load(name)
    if changes:
        from dataclasses import replace

        task = replace(task, **changes)
    return count(
        RequiredSet(task=task, language=language, split=split), tokenizer=tokenizer, sources=("folder",)
    ), list(read(task, language=language, split=split, sources=("folder",)))


def pieces(tokenizer, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def test_pairs_are_counted_as_one_would(data_folder, tokenizer) -> None:
    found, examples = counted("xnli", "de", "test", tokenizer, max_length=24)
    texts = [example[side] for example in examples for side in ("first", "second")]
    lengths = [
        4 + pieces(tokenizer, example["first"]) + pieces(tokenizer, example["second"]) for example in examples
    ]
    assert found.examples == len(examples) == found.items
    assert found.words == sum(len(text.split()) for text in texts)
    assert found.subwords == sum(pieces(tokenizer, text) for text in texts)
    assert found.fertility == pytest.approx(found.subwords / found.words)
    assert found.cut == sum(length > 24 for length in lengths)
    assert found.cut > 0
    kept = [min(length, 24) for length in lengths]
    assert np.repeat(np.arange(25), found.counts).tolist() == sorted(kept)
    assert found.mean == pytest.approx(np.mean(kept))
    assert found.windows is None


def test_passages_are_counted_by_window(data_folder, tokenizer) -> None:
    whole, (example,) = counted("xquad", "zh", "test", tokenizer)
    assert (whole.windows, whole.cut, whole.items) == (1, 0, 1)
    characters = "".join((example["question"] + example["context"]).split())
    assert (whole.unit, whole.words) == ("character", len(characters))
    short, _ = counted("xquad", "zh", "test", tokenizer, max_length=8)
    assert short.windows == short.items > 1
    assert short.cut == 1
    assert short.counts[-1] > 0
    assert whole.subwords == short.subwords


def test_tagged_sentences_bring_their_words_and_are_split(data_folder, tokenizer) -> None:
    whole, examples = counted("udpos", "zh", "test", tokenizer)
    assert (whole.unit, whole.words) == ("word", sum(len(example["tokens"]) for example in examples))
    assert whole.cut == 0
    short, _ = counted("udpos", "zh", "test", tokenizer, max_length=5)
    assert short.cut == short.examples
    assert short.items > short.examples


def test_choices_are_one_item_with_several_sequences(data_folder, tokenizer) -> None:
    found, examples = counted("commonsenseqa", "en", "dev", tokenizer)
    assert found.items == len(examples)
    assert found.counts.sum() == 5 * len(examples)
    short, _ = counted("commonsenseqa", "en", "dev", tokenizer, max_length=10)
    assert short.cut == len(examples)
    assert short.quantile(1.0) == 10


def test_retrieval_counts_the_foreign_side_only(data_folder, tokenizer) -> None:
    found, examples = counted("bucc2018", "de", "test", tokenizer)
    foreign = [example["foreign"] for example in examples if example["foreign"]]
    assert len(foreign) < len(examples)
    assert found.examples == len(foreign)
    assert found.subwords == sum(pieces(tokenizer, text) for text in foreign)


def test_quantiles_are_numpy_s(tokenizer) -> None:
    values = np.random.default_rng(1).integers(1, 60, 1237)
    counts = np.bincount(values, minlength=70)
    for share in (0.05, 0.25, 0.5, 0.95, 1.0):
        assert quantile(counts, share) == np.quantile(values, share, method="inverted_cdf")


@pytest.fixture
def stats(data_folder, tokenizer_file: Path, capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["stats", "--study", "xlmr-large", "--tokenizer", str(tokenizer_file), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_three_formats_say_the_same(stats) -> None:
    asked = ("--sources", "folder", "--tasks", "xquad,udpos", "--languages", "zh,de", "--split", "test")
    code, text, _ = stats(*asked, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0
    assert [(row["task"], row["language"], row["split"]) for row in rows] == [
        ("udpos", "de", "test"), ("udpos", "zh", "test"), ("xquad", "de", "test"), ("xquad", "zh", "test"),
    ]  # fmt: skip
    sets = json.loads(stats(*asked, "--format", "json")[1])["sets"]
    assert [{key: "" if value is None else str(value) for key, value in one.items()} for one in sets] == rows
    table = stats(*asked)[1]
    for row in rows:
        assert f"| {row['language']} {row['split']} |" in table
        mark = r"\*" * (row["unit"] == "character")
        assert f"{float(row['fertility']):.2f}{mark} |" in table


def test_the_figure_is_drawn_beside_the_table(stats, tmp_path) -> None:
    path = tmp_path / "figures" / "mix.pdf"
    code, _, err = stats("--sources", "folder", "--tasks", "xquad,tatoeba,udpos", "--figure", str(path))
    assert code == 0
    assert path.read_bytes().startswith(b"%PDF")
    assert path.with_suffix(".png").exists()
    assert f"wrote {path}" in err


def test_sets_that_are_missing_are_named(stats, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path))
    code, out, err = stats("--sources", "folder", "--tasks", "xquad", "--languages", "de,zh")
    assert (code, out) == (3, "")
    assert "left out: xquad de test" in err
    assert err.splitlines()[-1] == "stilts: none of these sets is there"
