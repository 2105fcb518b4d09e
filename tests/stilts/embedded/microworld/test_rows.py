"""The rows of every task: alike everywhere, readable by the task, balanced, and train apart from test."""

import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from hpc.errors import UserError
from stilts import tasks as readers
from stilts.embedded.microworld import languages, rows, tasks
from stilts.embedded.microworld.__main__ import main
from stilts.embedded.microworld.languages import load

INTERMEDIATE = {
    "anli_plus",
    "mnli",
    "qqp",
    "squad_v1",
    "squad_v2",
    "hellaswag",
    "ccg",
    "cosmosqa",
    "commonsenseqa",
}
TARGETS = ["xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa"]
NAMES = {
    piece.text
    for entry in load("en").words.values()
    if entry.kind in {"person", "city", "org"}
    for piece in entry.forms["nom"]
} | {str(year) for year in range(1931, 2020)}
SETS = [
    (task, code, split)
    for task in tasks()
    for code in languages(task)
    for split in ("train", "dev", "test")
    if code == "en" or split == "test"
]


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]


def test_every_task_is_there() -> None:
    assert set(tasks()) == INTERMEDIATE | set(TARGETS)


@pytest.mark.parametrize("task", TARGETS)
def test_targets_have_six_languages_that_xtreme_has(task: str) -> None:
    assert len(languages(task)) >= 6
    assert set(languages(task)) <= set(readers.load(task).languages)


@pytest.mark.parametrize(("task", "code", "split"), SETS)
def test_the_task_reads_its_rows(task: str, code: str, split: str) -> None:
    found = rows(task, language=code, split=split, limit=30, seed=1)
    examples = [readers.load(task).read(row) for row in found]
    assert all(examples)
    for example in examples:
        assert example is not None
        assert all(text.strip() for text in strings({k: v for k, v in example.items() if k != "id"}))
        for answer in example.get("answers", ()):
            assert example["context"][answer["start"] :].startswith(answer["text"])
    language_of = readers.load(task).language_of
    assert language_of is None or {language_of(row) for row in found} == {code}


@pytest.mark.parametrize("task", tasks())
def test_a_longer_list_begins_with_the_shorter(task: str) -> None:
    assert rows(task, language="en", split="test", limit=40, seed=2)[:15] == rows(
        task, language="en", split="test", limit=15, seed=2
    )


def test_rows_do_not_depend_on_the_process() -> None:
    program = (
        "import json; from stilts.embedded.microworld import rows, tasks; "
        "print(json.dumps([rows(t, language='en', split='train', limit=20, seed=1) for t in tasks()]))"
    )
    here = [rows(task, language="en", split="train", limit=20, seed=1) for task in tasks()]
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    there = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(there.stdout) == here


@pytest.mark.parametrize("task", tasks())
def test_other_seeds_and_splits_give_other_rows(task: str) -> None:
    sets = [("train", 1), ("train", 2), ("dev", 1), ("test", 1)]
    shown = [
        json.dumps(rows(task, language="en", split=split, limit=20, seed=seed)).replace(split, "")
        for split, seed in sets
    ]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("task", tasks())
def test_no_sentence_of_train_comes_back(task: str) -> None:
    seen = {split: sentences(task, split) for split in ("train", "dev", "test")}
    assert not seen["train"] & seen["dev"]
    assert not seen["train"] & seen["test"]


def sentences(task: str, split: str) -> set[str]:
    """All that is told or asked; not the options to choose from."""
    found = set()
    for row in rows(task, language="en", split=split, limit=600, seed=1):
        if "tokens" in row:
            told = [" ".join(row["tokens"])]
        else:
            keys = ("sentence1", "sentence2", "premise", "hypothesis", "question1", "question2")
            told = [row[key] for key in (*keys, "context", "question", "ctx_a") if key in row]
        found |= {part for text in told for part in re.split(r"(?<=[.?]) ", text)}
    # What names nobody and no place of either side may come back: "Who works as a cook?"
    return {text for text in found if NAMES & set(re.findall(r"\w+", text))}


@pytest.mark.parametrize(
    "task", ["anli_plus", "mnli", "qqp", "xnli", "pawsx", "hellaswag", "cosmosqa", "commonsenseqa"]
)
def test_labels_are_balanced(task: str) -> None:
    found = rows(task, language="en", split="train", limit=1200, seed=1)
    labels = Counter(row.get("gold_label", row.get("label", row.get("answerKey"))) for row in found)
    assert max(labels.values()) - min(labels.values()) < 0.2 * 1200 / len(labels)


@pytest.mark.parametrize("code", [code for code in languages("xnli") if code != "en"])
def test_xnli_is_parallel(code: str) -> None:
    english, other = (rows("xnli", language=each, split="test", limit=200, seed=1) for each in ("en", code))
    assert [row["gold_label"] for row in english] == [row["gold_label"] for row in other]
    stops = re.compile("[.。]")
    assert [len(stops.findall(row["sentence1"])) for row in english] == [
        len(stops.findall(row["sentence1"])) for row in other
    ]


@pytest.mark.parametrize("code", [code for code in languages("tydiqa") if code != "en"])
def test_questions_are_parallel_in_their_years(code: str) -> None:
    def years(row: dict[str, str]) -> Counter[str]:
        return Counter(re.findall(r"\d{4}", row["context"] + row["question"]))

    english, other = (rows("tydiqa", language=each, split="test", limit=200, seed=1) for each in ("en", code))
    assert [years(row) for row in english] == [years(row) for row in other]
    assert sum(bool(years(row)) for row in english) > 20


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match="Did you mean 'xnli'"):
        rows("xnil", language="en", split="test", limit=1, seed=1)
    with pytest.raises(UserError, match="unknown language 'fi'"):
        rows("xnli", language="fi", split="test", limit=1, seed=1)
    with pytest.raises(UserError, match="unknown split 'valid'"):
        rows("xnli", language="en", split="valid", limit=1, seed=1)
    with pytest.raises(UserError, match="train rows in English only"):
        rows("pawsx", language="de", split="train", limit=1, seed=1)
    with pytest.raises(UserError, match="dev rows in English only"):
        rows("tydiqa", language="fi", split="dev", limit=1, seed=1)


def test_shown_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--show", "xnli", "--language", "de", "--limit", "2"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows(
        "xnli", language="de", split="test", limit=2, seed=1
    )
    assert main(["--show", "nothing"]) == 2
    assert "unknown task" in capsys.readouterr().err
