"""Settings, data, code, machines and trainings that are not what a table would have them be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EVAL = "direct-s1.xnli.eval"
TRAINED = "mnli-s1.udpos"


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


def other_files(study: Any) -> None:
    with_last(study.root / EVAL / "provenance.jsonl", code="f" * 16)


def other_version(study: Any) -> None:
    """Installed from a wheel, which knows no commit."""
    path = study.root / EVAL / "provenance.jsonl"
    with_last(path, git={}, versions=lines(path)[-1]["versions"] | {"stilts": "0.0.1"})


def other_torch(study: Any) -> None:
    path = study.root / TRAINED / "provenance.jsonl"
    with_last(path, versions=lines(path)[-1]["versions"] | {"torch": "1.0"})


def trained_by_other_code(study: Any) -> None:
    with_last(study.root / TRAINED / "provenance.jsonl", code="f" * 16)


def gone_on_with_other_code(study: Any) -> None:
    an_attempt_before(study.root / TRAINED, resumed=3)


def unknown_difference(study: Any) -> None:
    path = study.root / EVAL / "provenance.jsonl"
    with_last(path, git={"sha": "f" * 40, "diff": "unknown"})


def half_scored_by_other_code(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: row | {"code": "0.0.1"} if row["language"] == "de" else row)


def no_origin(study: Any) -> None:
    (study.root / EVAL / "provenance.jsonl").unlink()


def an_attempt_before(run: Path, *, resumed: int) -> None:
    """By other code, and gone on from at a step."""
    (last,) = lines(run / "provenance.jsonl")
    both = [last | {"code": "f" * 16}, last]
    (run / "provenance.jsonl").write_text("".join(json.dumps(line) + "\n" for line in both))
    first = run / "attempts" / "0001.json"
    spent = json.loads(first.read_text())
    (run / "attempts" / "0002.json").write_text(json.dumps(spent | {"resumed": resumed}))


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
    (other_files, "MIXED: code versions", "(files ffffffff)"),
    (other_version, "MIXED: code versions", "0.0.1"),
    (other_torch, "MIXED: torch versions: 1.0", ""),
    (trained_by_other_code, "MIXED: code versions", "(files ffffffff)"),
    (gone_on_with_other_code, "MIXED: code versions", "(files ffffffff)"),
    (unknown_difference, "MIXED: code versions", "ffffffffffff with changes unknown"),
    (half_scored_by_other_code, "MIXED: code versions: 0.0.1", ""),
    (no_origin, "MIXED: code versions", f"unknown, since {EVAL} has no provenance"),
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


def test_an_attempt_that_nothing_is_left_of_is_no_mixture(study: Any) -> None:
    """As after a mistake that was mended."""
    an_attempt_before(study.root / TRAINED, resumed=0)
    assert "MIXED" not in study.tables()
