"""A whole XTREME submission: all nine tasks, all languages, as many examples as were published."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stilts import data, tasks
from stilts.data.sources import choose
from stilts.evaluate.averages import COUNTED
from stilts.evaluate.scoring import StoredPredictions
from stilts.evaluate.store import Cell, StoredCell
from stilts.evaluate.submission.reading import score_submission
from stilts.evaluate.submission.writing import export
from stilts.tasks import Task, types as task_types
from stilts.tasks.metrics.pairs import gold_pairs
from stilts.tasks.tatoeba import ISO3
from stilts.tasks.tydiqa import CODES
from stilts.tasks.types import Given

NLI = ("entailment", "neutral", "contradiction")


def write(path: Path, lines: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def squad(prefix: str, count: int) -> dict[str, Any]:
    questions = [
        {
            "id": f"{prefix}{n}",
            "question": "Who?",
            "answers": [{"text": f"N{n % 7}", "answer_start": 3 * (n % 7)}],
        }
        for n in range(count)
    ]
    context = " ".join(f"N{n}" for n in range(7))
    return {"data": [{"title": "", "paragraphs": [{"context": context, "qas": questions}]}]}


def write_full(folder: Path) -> None:
    """Files with as many examples as the published ones, in the formats of their authors."""

    def sizes(name: str) -> Iterator[tuple[str, int]]:
        task = tasks.load(name)
        for code in task.languages:
            size = task.scored_of(split="test", language=code)
            assert size is not None, (name, code)
            yield code, size

    rows = [f"{c}\tA {c} {n}.\tB {n}.\t{NLI[n % 3]}" for c, size in sizes("xnli") for n in range(size)]
    write(folder / "xnli/xnli.test.tsv", ["language\tsentence1\tsentence2\tgold_label", *rows])
    for code, size in sizes("pawsx"):
        pairs = [f"{n}\tA {n}.\tB {n}.\t{n % 2}" for n in range(size)]
        write(folder / f"pawsx/{code}/test_2k.tsv", ["id\tsentence1\tsentence2\tlabel", *pairs])
    for code, size in sizes("udpos"):
        write(folder / f"udpos/test-{code}.tsv", ["Go\tVERB\nhome\tNOUN\n"] * size)
    for code, size in sizes("panx"):
        write(folder / f"panx/test-{code}.tsv", ["In\tO\nRome\tB-LOC\n"] * size)
    for name, pattern in (
        ("xquad", "xquad/xquad.{0}.json"),
        ("mlqa", "mlqa/test/test-context-{0}-question-{0}.json"),
        ("tydiqa", "tydiqa/tydiqa.goldp.{0}.dev.json"),
    ):
        spoken = {code: word for word, code in CODES.items()}
        for code, size in sizes(name):
            prefix = f"{spoken[code]}-" if name == "tydiqa" else ""
            write(folder / pattern.format(code), [json.dumps(squad(prefix, size))])
    for code, size in sizes("bucc2018"):
        others = 2000
        place = folder / "bucc2018"
        write(place / f"{code}-en.training.{code}", [f"{code}-{n}\tF{n}" for n in range(size + others)])
        write(place / f"{code}-en.training.en", [f"en-{n}\tE{n}" for n in range(size + others)])
        write(place / f"{code}-en.training.gold", [f"{code}-{n}\ten-{n}" for n in range(size)])
    for code, size in sizes("tatoeba"):
        name = f"tatoeba/tatoeba.{ISO3[code]}-eng"
        write(folder / f"{name}.{ISO3[code]}", [f"F{n}" for n in range(size)])
        write(folder / f"{name}.eng", [f"E{(n * 7919) % 100_000} {n}" for n in range(size)])


def answered(task: Task, language: str) -> StoredPredictions:
    """Right answers to a whole set, as an evaluation stores them."""
    chosen = choose(task, language=language, split="test", sources=("folder",))
    kind = task_types.load(task.type)
    examples: dict[str, list[Any]] = {name: [] for name in kind.schema.names}
    for example in data.read(task, language=language, split="test", sources=("folder",)):
        for name in kind.schema.names:
            examples[name].append(example[name])
    if kind.sides:
        values = sorted(gold_pairs(examples))
    elif task.type == "span":
        values = [answers[0]["text"] for answers in examples["answers"]]
    else:
        values = examples["tags" if task.type == "tag" else "label"]
    scores = np.ones(len(values), np.float32)
    given = Given(
        examples=examples, labels=task.labels or (), values=values, confidences=scores, by_example=scores
    )
    cell = Cell(
        task=task.name, language=language, split="test", limit="", model="m", head="h", dtype="fp32",
        max_length=task.max_length, source=chosen.name, version=chosen.version,
    )  # fmt: skip
    kept = StoredCell(cell=cell, sources=("folder",), rows=None, dev_rows=None, num_full=0, common={})
    return StoredPredictions(kept=kept, predictions=[{"aux": None} | row for row in kind.rows(kind, given)])


@pytest.mark.slow
def test_perfect_answers_are_a_complete_submission(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "data"))
    write_full(tmp_path / "data")
    found = [answered(task, code) for task in map(tasks.load, COUNTED) for code in task.languages]
    assert export(found, what="perfect", to=tmp_path / "out", incomplete="refuse") == 0
    assert capsys.readouterr().out == f"162 files in {tmp_path / 'out'}\n"
    assert json.loads((tmp_path / "out/manifest.json").read_text())["is_complete"]
    assert score_submission(tmp_path / "out", ("folder",)) == 0
    said = capsys.readouterr().out
    assert "XTREME average: 100.00, the mean of nine tasks\n" in said
    assert "NOT THE BENCHMARK" not in said
