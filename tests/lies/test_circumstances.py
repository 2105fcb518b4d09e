"""Settings, data, code, machines and trainings that are not what a table would have them be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EVAL = "direct-s1.xnli.eval"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def with_last(path: Path, **changes: Any) -> None:
    found = lines(path)
    found[-1] |= changes
    path.write_text("".join(json.dumps(line) + "\n" for line in found))


def other_rate(study: Any) -> None:
    path = study.folder / "small.toml"
    path.write_text(path.read_text().replace("epochs = 1.0", "epochs = 2.0"))


def other_labels(study: Any) -> None:
    text = study.test_set.read_text()
    study.test_set.write_text(text.replace("\tneutral\t", "\tentailment\t", 3))


def other_order(study: Any) -> None:
    header, *rows = study.test_set.read_text().splitlines()
    study.test_set.write_text("\n".join([header, *rows[1:], rows[0]]) + "\n")


def a_row_less(study: Any) -> None:
    study.test_set.write_text("\n".join(study.test_set.read_text().splitlines()[:-1]) + "\n")


def other_device(study: Any) -> None:
    with_last(study.root / EVAL / "provenance.jsonl", cpu="An Abacus")


def other_code(study: Any) -> None:
    with_last(study.root / EVAL / "provenance.jsonl", git={"sha": "f" * 40, "diff": ""})


def unknown_origin(study: Any) -> None:
    (study.root / EVAL / "provenance.jsonl").write_text("{not json\n{}\n")


def skipped_updates(study: Any) -> None:
    study.rewrite("training", "mnli-s1", lambda row: row | {"skipped": 3})


def noted_trouble(study: Any) -> None:
    study.rewrite("training", "mnli-s1.xnli", lambda row: row | {"notes": "loss spiked to 19"})


def trained_nothing(study: Any) -> None:
    study.rewrite("training", "mnli-s1.xnli", lambda row: row | {"steps": 0})


def half_a_set(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: row | {"n": 4})


def one_language_less(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: None if row["language"] == "de" else row)


def one_seed_less(study: Any) -> None:
    study.rewrite("scores", "direct-s2.xnli.eval", lambda row: None if row["split"] == "test" else row)


def other_weights(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: row | {"model": "0" * 64})


def other_regime(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: row | {"regime": "multi", "intermediate": "multi"})


def other_seed(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: row | {"seed": 2})


def unnamed_data(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: row | {"data": "embedded 0000"})


LIES = [
    (other_rate, "STALE: ", "launched with other settings"),
    (other_labels, "STALE: the data of", "xnli"),
    (other_order, "STALE: the data of", "xnli"),
    (a_row_less, "STALE: the data of", "xnli"),
    (other_device, "MIXED: devices", "An Abacus"),
    (other_code, "MIXED: code versions", "ffffffffffff"),
    (unknown_origin, "MIXED: code versions", f"unknown, since the provenance of {EVAL} is damaged"),
    (skipped_updates, "SKIPPED: 3 update(s) were left out", "mnli-s1"),
    (noted_trouble, "UNHEALTHY", "mnli-s1.xnli: loss spiked to 19"),
    (trained_nothing, "UNHEALTHY", "mnli-s1.xnli: took no step"),
    (half_a_set, "LIMITED: scored on as few as 4 of", ""),
    (one_language_less, "Fewer seeds than planned", ""),
    (one_seed_less, "Fewer seeds than planned", ""),
    (other_weights, "CONTRADICTED: 1 evaluation(s), as", f"{EVAL}: its scores are of other weights"),
    (
        other_regime,
        "CONTRADICTED: 1 evaluation(s), as",
        f"{EVAL}: its scores name regime multi/multi, seed 1",
    ),
    (other_seed, "CONTRADICTED: 1 evaluation(s), as", f"{EVAL}: its scores name regime direct, seed 2"),
    (unnamed_data, "CONTRADICTED: 1 evaluation(s), as", f"{EVAL}: its scores name data of xnli"),
]


IN_DATA = (other_labels, other_order, a_row_less)


@pytest.mark.parametrize(("plant", "mark", "name"), LIES, ids=[lie[0].__name__ for lie in LIES])
def test_it_is_marked_by_name(study: Any, plant: Callable[[Any], None], mark: str, name: str) -> None:
    plant(study)
    said = study.fresh_tables() if plant in IN_DATA else study.tables("--strict")
    assert mark in said
    assert name in said
    assert said.endswith("exit code 1")


def test_an_honest_study_has_none_of_these_marks(study: Any) -> None:
    said = study.fresh_tables()
    for _, mark, name in LIES:
        assert mark not in said or name not in said, mark
