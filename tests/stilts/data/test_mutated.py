"""Files that are damaged or made to harm: read as their task promises, or refused in one line, in bounds."""

import gzip
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from hpc import children
from hpc.errors import UserError
from stilts.data.formats import _text
from stilts.data.reading import read

MUTANTS = Path(__file__).with_name("mutants.py")


def try_mutants(*, seed: int, count: int) -> None:
    result = subprocess.run(
        [sys.executable, MUTANTS, str(seed), str(count)],
        env=children.environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, f"{result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-2000:]}"
    assert "'read'" in result.stdout
    assert "'refused'" in result.stdout


def test_mutated_files_are_read_or_refused() -> None:
    try_mutants(seed=1, count=150)


@pytest.mark.slow
def test_ten_thousand_mutants_of_every_reader() -> None:
    try_mutants(seed=2, count=10_000)


def told(name: str, language: str = "en", split: str = "dev") -> str:
    with pytest.raises(UserError) as caught:
        list(read(name, language=language, split=split, sources=("folder",)))
    assert caught.value.code == 3
    return str(caught.value)


HELLASWAG = {"ind": 1, "ctx_a": "A cat sits.", "ctx_b": "it", "endings": ["a", "b", "c", "d"], "label": 1}
PAIR = {"sentence1": "A.", "sentence2": "B.", "gold_label": "neutral", "pairID": "1"}


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("endings", "abcd", "endings holds str where a list is expected"),
        ("endings", ["a", 5], "endings holds int where text is expected"),
        ("ctx_a", ["a"], "ctx_a holds list where text is expected"),
        ("ctx_b", None, "ctx_b holds nothing where text is expected"),
        ("label", True, "label holds bool where a label is expected"),
        ("label", 1.0, "label holds float where a label is expected"),
        ("label", "1e0", "label 1e0 of 4"),
        ("ind", {"a": 1}, "ind holds dict where a label is expected"),
    ],
)
def test_values_of_a_wrong_type_are_told(own_folder, column: str, value: object, message: str) -> None:
    path = own_folder / "hellaswag/hellaswag_val.jsonl"
    path.write_text(json.dumps(HELLASWAG) + "\n" + json.dumps(HELLASWAG | {column: value}) + "\n")
    assert f"hellaswag_val.jsonl row 2: {message}" in told("hellaswag")


@pytest.mark.parametrize("value", [5, ["a"], None])
def test_a_sentence_is_text(own_folder, value: object) -> None:
    path = own_folder / "mnli/multinli_1.0/multinli_1.0_dev_matched.jsonl"
    path.write_text(json.dumps(PAIR | {"sentence1": value}) + "\n")
    assert "dev_matched.jsonl row 1: sentence1 holds" in told("mnli")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": "\\ud800"}', "a text with half a character"),
        ("[" * 100_000, "JSON that is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "JSON with a number that is too long"),
        ('{"a": "' + "x" * (1 << 24) + '"}', "a line of over 16,777,216 characters"),
    ],
    ids=("surrogate", "depth", "number", "length"),
)
def test_json_within_bounds(own_folder, line: str, message: str) -> None:
    path = own_folder / "hellaswag/hellaswag_val.jsonl"
    path.write_text(json.dumps(HELLASWAG) + "\n" + line + "\n")
    assert f"hellaswag_val.jsonl row 2: {message}" in told("hellaswag")


def test_a_whole_pair_of_surrogates_is_a_character(own_folder) -> None:
    path = own_folder / "hellaswag/hellaswag_val.jsonl"
    path.write_text(json.dumps(HELLASWAG | {"ctx_a": "\U0001f600"}))
    assert "\\ud83d" in path.read_text()
    (example,) = read("hellaswag", language="en", split="dev", sources=("folder",))
    assert example["prompt"] == "\U0001f600"


def test_compressed_files_within_bounds(own_folder, monkeypatch) -> None:
    for path in own_folder.glob("bucc2018/de-en.training.*"):
        path.unlink()
    path = own_folder / "bucc2018/de-en/test.json.gz"
    path.parent.mkdir()
    whole = gzip.compress(b'{"sentence1": ["A."], "sentence2": ["B."], "gold": [[1, 1]]}' + b" " * 100_000)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        os.utime(path, ns=(place, place))
        with suppress(UserError):
            (example,) = read("bucc2018", language="de", split="test", sources=("folder",))
            assert (example["english"], example["foreign"]) == ("B.", "A.")
    monkeypatch.setattr(_text, "LARGEST_DOCUMENT", 10_000)
    path.write_bytes(whole)
    assert "test.json.gz: over 10,000 bytes of JSON" in told("bucc2018", "de", "test")


def test_a_pipe_in_place_of_a_file_is_told_at_once(own_folder) -> None:
    path = own_folder / "hellaswag/hellaswag_val.jsonl"
    path.unlink()
    os.mkfifo(path)
    assert "hellaswag_val.jsonl is not a file" in told("hellaswag")


def test_links_in_a_circle_are_walked_once(own_folder) -> None:
    folder = own_folder / "snli"
    for name in "abcdef":
        (folder / name).symlink_to(own_folder / "snli", target_is_directory=True)
    assert list(read("anli_plus", language="en", split="dev", sources=("folder",)))


def squad(context: str, answers: list[tuple[str, int]]) -> str:
    questions = [
        {"id": str(n), "question": "?", "answers": [{"text": text, "answer_start": start}]}
        for n, (text, start) in enumerate(answers)
    ]
    return json.dumps({"data": [{"title": "", "paragraphs": [{"context": context, "qas": questions}]}]})


CONTEXT = "Кот спал. Потом кот ел. " * 12 + "Ещё раз: кот ушёл."


def test_starts_in_bytes_are_understood(own_folder) -> None:
    """Every answer is another mention of the same word: moved to the nearest one, most would be wrong."""
    places = [place for place in range(len(CONTEXT)) if CONTEXT.startswith("кот", place)]
    for unit in ("characters", "bytes"):
        starts = [p if unit == "characters" else len(CONTEXT[:p].encode()) for p in places]
        text = squad(CONTEXT, [("кот", start) for start in starts])
        (own_folder / "tydiqa/tydiqa-goldp-v1.1-dev.json").write_text(
            text.replace('"id": "', '"id": "russian-')
        )
        found = read("tydiqa", language="ru", split="test", sources=("folder",))
        assert [example["answers"][0]["start"] for example in found] == places, unit


def test_an_answer_is_not_moved_to_another_mention(own_folder) -> None:
    """A few characters are what stripping moves; further away stands another answer."""
    context = "A cat sat. " + "x" * 60 + " A cat ran."
    (own_folder / "squad/dev-v1.1.json").write_text(squad(context, [("cat", 0), ("cat", 40), ("ran", 77)]))
    found = read("squad_v1", language="en", split="dev", sources=("folder",))
    assert [example["answers"][0]["start"] for example in found] == [2, -1, 78]
