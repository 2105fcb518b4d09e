"""A submission is read by a second writing of XTREME's rules, and scores what we say it scores."""

import json
import shutil
import string
from collections import Counter
from pathlib import Path

import pytest

from stilts import data
from stilts.run import records

EMBEDDED = ("--sources", "embedded", "--limit", "12")


@pytest.fixture(scope="module")
def answered(with_heads, tmp_path_factory):
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("answered") / "out"
    names = "xnli,udpos,xquad,mlqa,tatoeba,bucc2018"
    subprocess.run(
        [
            *(sys.executable, "-m", "stilts.evaluate", "run", "--model", with_heads, "--tasks", names),
            *("--languages", "de", "--output", folder, *EMBEDDED),
        ],
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def exported(answered, evaluate, tmp_path):
    said = evaluate("export", answered, "--output", tmp_path / "xtreme", "--incomplete", "allow")
    assert said.code == 0, said.err
    return tmp_path / "xtreme"


def score_of(folder, task, metric):
    rows = records.read("scores", [folder / "records" / "scores"]).to_pylist()
    (value,) = {
        row["value"] for row in rows if (row["target"], row["metric"], row["split"]) == (task, metric, "test")
    }
    return value


def examples_of(task):
    return list(data.read(task, language="de", split="test", sources=("embedded",), limit=12))


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_the_files_are_named_as_the_benchmark_names_them(exported):
    found = sorted(str(path.relative_to(exported)) for path in exported.rglob("*.*"))
    assert found == [
        "bucc2018/test-de.tsv",
        "manifest.json",
        "mlqa/test-de.json",
        "tatoeba/test-de.tsv",
        "udpos/test-de.tsv",
        "xnli/test-de.tsv",
        "xquad/test-de.json",
    ]


def test_labels_one_a_line(exported, answered):
    gold = [("entailment", "neutral", "contradiction")[example["label"]] for example in examples_of("xnli")]
    got = lines(exported / "xnli" / "test-de.tsv")
    right = sum(a == b for a, b in zip(gold, got, strict=True))
    assert score_of(answered, "xnli", "accuracy") == pytest.approx(100 * right / len(gold), abs=1e-4)


def test_tags_one_a_line_and_sentences_apart(exported, answered):
    sentences, sentence = [], []
    for line in lines(exported / "udpos" / "test-de.tsv"):
        if line.strip():
            sentence.append(line.strip())
        else:
            sentences.append(sentence)
            sentence = []
    sentences.append(sentence)
    gold = [example["tags"] for example in examples_of("udpos")]
    assert [len(tags) for tags in sentences] == [len(tags) for tags in gold]
    pairs = [(a, b) for s, g in zip(sentences, gold, strict=True) for a, b in zip(s, g, strict=True)]
    right = 100 * sum(a == b for a, b in pairs) / len(pairs)
    assert score_of(answered, "udpos", "accuracy") == pytest.approx(right, abs=1e-9)


def test_answers_by_id(exported, answered):
    def tokens(text):
        plain = "".join(letter for letter in text.lower() if letter not in string.punctuation)
        return [word for word in plain.split() if word not in ("a", "an", "the")]

    got = json.loads((exported / "xquad" / "test-de.json").read_text(encoding="utf-8"))
    total = 0.0
    for example in examples_of("xquad"):
        best = 0.0
        for answer in example["answers"]:
            wanted, found = tokens(answer["text"]), tokens(got[example["id"]])
            shared = sum((Counter(wanted) & Counter(found)).values())
            best = max(best, 2 * shared / (len(wanted) + len(found)) if shared else 0.0)
        total += best
    assert len(got) == 12
    assert score_of(answered, "xquad", "f1") == pytest.approx(100 * total / 12, abs=1e-9)


def test_pairs_of_ids(exported, answered):
    got = {tuple(line.split("\t")) for line in lines(exported / "bucc2018" / "test-de.tsv")}
    assert got
    assert all(foreign.startswith("de-") and english.startswith("en-") for foreign, english in got)
    gold = {
        tuple(example["id"].split("/"))
        for example in examples_of("bucc2018")
        if example["english"] and example["foreign"]
    }
    right = len(gold & got)
    expected = 200 * right / (len(gold) + len(got))
    assert score_of(answered, "bucc2018", "f1") == pytest.approx(expected, abs=1e-9)


def test_foreign_sentences_by_number_for_english_ones_in_the_order_of_their_text(exported, answered):
    got = [int(line) for line in lines(exported / "tatoeba" / "test-de.tsv")]
    english = [example["english"] for example in examples_of("tatoeba")]
    gold = [place for _, place in sorted((text, place) for place, text in enumerate(english))]
    right = sum(a == b for a, b in zip(gold, got, strict=True))
    assert score_of(answered, "tatoeba", "accuracy") == pytest.approx(100 * right / len(gold), abs=1e-4)


def test_what_is_incomplete_is_refused_and_named(answered, evaluate, tmp_path):
    said = evaluate("export", answered, "--output", tmp_path / "xtreme")
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "xnli is missing in ar, bg, el" in said.err
    assert "pawsx is missing;" in said.err
    assert "--incomplete allow" in said.err
    assert not (tmp_path / "xtreme").exists()
    said = evaluate("export", answered, "--output", tmp_path / "xtreme", "--incomplete", "allow")
    assert "INCOMPLETE: xnli-de: embedded data, which is not XTREME's" in said.out
    assert said.out.count("which is not XTREME's") == 6


def test_predictions_that_were_edited_are_neither_scored_nor_exported(answered, evaluate, tmp_path):
    again = tmp_path / "out"
    shutil.copytree(answered, again)
    rows = records.read("predictions", [again / "predictions"]).to_pylist()
    mended = [row | {"pred": row["gold"]} for row in rows if row["target"] == "xnli"]
    records.write_shard(again / "predictions", "predictions", mended, name="xnli-de")
    for asked in (("score", again), ("export", again, "--output", tmp_path / "x", "--incomplete", "allow")):
        said = evaluate(*asked)
        assert (said.code, said.err.count("\n")) == (3, 1)
        assert "xnli-de.arrow is not as it was written" in said.err
    assert not (tmp_path / "x").exists()


def test_counts_must_agree_with_the_data(answered, evaluate, rewrite, tmp_path):
    again = tmp_path / "out"
    shutil.copytree(answered, again)
    rows = records.read("predictions", [again / "predictions"]).to_pylist()
    xnli = [row for row in rows if row["target"] == "xnli"]
    rewrite(again, "xnli-de", xnli[:-1])
    said = evaluate("export", again, "--output", tmp_path / "xtreme", "--incomplete", "allow")
    assert said.code == 0, said.err
    assert "INCOMPLETE: xnli-de: 1 of 12 examples have no prediction" in said.out
    assert len(lines(tmp_path / "xtreme" / "xnli" / "test-de.tsv")) == 12
    udpos = [row for row in rows if row["target"] == "udpos"]
    udpos[0]["pred"] += " NOUN"
    rewrite(again, "udpos-de", udpos)
    said = evaluate("export", again, "--output", tmp_path / "other", "--incomplete", "allow")
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "udpos-de" in said.err
    assert not (tmp_path / "other").exists()
