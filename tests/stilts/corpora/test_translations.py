"""Translations held against their English set: right ones pass, wrong ones are told with file and row."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts import data, tasks
from stilts.corpora.translations import compare
from stilts.embedded.microworld import abroad, rows

COUNT = 120
ENGLISH = {
    "mnli": "mnli/multinli_1.0_train.jsonl",
    "hellaswag": "hellaswag/hellaswag_train.jsonl",
    "squad_v2": "squad_v2/train-v2.0.json",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def mnli(folder: Path) -> Callable[..., list[str]]:
    """Writes an English MNLI and its German translation, changed by a function, and compares them."""
    (folder / "mnli").mkdir()
    english = rows("mnli", language="en", split="train", limit=COUNT, seed=1)
    names = ("entailment", "neutral", "contradiction")
    lines = [
        {
            "gold_label": names[row["label"]],
            "sentence1": row["premise"],
            "sentence2": row["hypothesis"],
            "pairID": str(row["idx"]),
        }
        for row in english
    ]
    write(folder / ENGLISH["mnli"], lines)

    def call(change: Callable[[list[dict]], object] = lambda _: None, language: str = "de") -> list[str]:
        german = abroad.translations("mnli", language="de", limit=COUNT, seed=1)
        change(german)
        write(folder / f"translated/mnli/{language}.jsonl", german)
        return list(compare("mnli", language, sources=["folder"]).faults)

    return call


def write(path: Path, lines: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def test_faithful_translations_pass_and_are_read(mnli, folder: Path) -> None:
    assert mnli() == []
    examples = list(data.read(tasks.translated("mnli"), language="de", split="train", sources=["folder"]))
    english = list(data.read("mnli", language="en", split="train", sources=["folder"]))
    assert [(one["id"], one["label"]) for one in examples] == [(one["id"], one["label"]) for one in english]
    assert examples[0]["first"] != english[0]["first"]


def swap_label(rows: list[dict]) -> None:
    rows[6]["label"] = (rows[6]["label"] + 1) % 3


def leave_english(rows: list[dict]) -> None:
    english = abroad.translations("mnli", language="en", limit=COUNT, seed=1)
    rows[2:5] = english[2:5]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows[3].update(source_id="none"), "row 4: source_id 'none' is no English row"),
        (lambda rows: rows[4].update(source_id="3"), "row 5: source_id '3' came before"),
        (swap_label, "row 7: labelled"),
        (lambda rows: rows[5].update(hypothesis="  "), "row 6: an empty text"),
        (leave_english, "row 3: the English text itself (3 such)"),
        (lambda rows: rows.__delitem__(slice(100, None)), "100 of 120 English rows are translated"),
    ],
    ids=["unknown", "twice", "label", "empty", "english", "missing"],
)
def test_what_is_wrong_is_told_with_file_and_row(mnli, change, told: str) -> None:
    faults = mnli(change)
    assert any(told in fault for fault in faults), faults
    if told.startswith("row"):
        assert all("translated/mnli/de.jsonl" in fault for fault in faults if told in fault)


def test_one_row_in_a_hundred_may_be_missing_or_the_same(mnli, folder: Path) -> None:
    assert mnli(lambda rows: rows.pop()) == []
    found = compare("mnli", "de", sources=["folder"])
    assert found.notes == ("1 of 120 English rows are not translated",)
    assert (found.count, found.english) == (119, 120)


def test_a_file_in_another_language_is_told(mnli) -> None:
    assert any("in the script of 'ru'" in fault for fault in mnli(language="ru"))


def test_answers_must_stand_in_their_passage(folder: Path) -> None:
    for code, name in (("en", "squad_v2/train-v2.0.json"), ("de", "")):
        made = abroad.translations("squad_v2", language=code, limit=COUNT, seed=1)
        if not name:
            answered = [row for row in made if row["answers"]["text"]]
            answered[0]["answers"]["text"] = ["nirgends zu finden"]
            answered[1]["answers"] = {"text": [], "answer_start": []}
            write(folder / "translated/squad_v2/de.jsonl", made)
            continue
        questions = [
            {
                "context": row["context"],
                "qas": [
                    {
                        "id": row["id"],
                        "question": row["question"],
                        "is_impossible": not row["answers"]["text"],
                        "answers": [
                            {"text": text, "answer_start": start}
                            for text, start in zip(*row["answers"].values(), strict=True)
                        ],
                    }
                ],
            }
            for row in made
        ]
        (folder / "squad_v2").mkdir()
        (folder / name).write_text(
            json.dumps({"version": "v2.0", "data": [{"title": "", "paragraphs": questions}]})
        )
    faults = compare("squad_v2", "de", sources=["folder"]).faults
    assert len(faults) == 2
    assert any("the answer is not in its passage" in fault for fault in faults)
    assert any("no answer, unlike the English row" in fault for fault in faults)


def test_a_row_without_its_source_is_refused(mnli) -> None:
    with pytest.raises(UserError, match=r"translated/mnli/de.jsonl row 2: no column 'source_id'"):
        mnli(lambda rows: rows[1].pop("source_id"))


def test_tags_are_not_translated() -> None:
    with pytest.raises(UserError, match="ccg cannot be trained on translations"):
        tasks.load("ccg.translated")
    with pytest.raises(UserError, match="unknown task 'mnlii'"):
        tasks.load("mnlii.translated")


@pytest.mark.parametrize("name", abroad.TRANSLATED)
def test_the_microworld_translates_without_fault(name: str) -> None:
    for language in ("de", "zh", "ar"):
        found = compare(name, language, sources=["embedded"], limit=60)
        assert (found.faults, found.notes, found.count) == ((), (), 60)
