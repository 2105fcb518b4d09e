"""Evidence that was changed, swapped, torn or copied after it was measured: no table takes it in silence."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from stilts import tables
from stilts.report.evidence import Evidence
from stilts.run import records
from stilts.study.loading import load_study

EVAL = "direct-s1.xnli.eval"
OTHER = "direct-s2.xnli.eval"


def flipped(study: Any, kind: str, run: str) -> None:
    shard = study.shards(kind, run)[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)


def edited_score(study: Any) -> None:
    study.rewrite("scores", EVAL, lambda row: row | {"value": 99.0}, seal=False)


def edited_prediction(study: Any) -> None:
    study.rewrite("predictions", EVAL, lambda row: row | {"pred": row["gold"], "score": 1.0}, seal=False)


def swapped_runs(study: Any) -> None:
    first, second = (study.root / run / "records" / "scores" for run in (EVAL, OTHER))
    first.rename(study.root / "aside")
    second.rename(first)
    (study.root / "aside").rename(second)


def copied_done(study: Any) -> None:
    shutil.copy(study.root / OTHER / "done.json", study.root / EVAL / "done.json")


def other_seed_in_the_spec(study: Any) -> None:
    path = study.root / EVAL / "spec.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))


def torn_spec(study: Any) -> None:
    path = study.root / EVAL / "spec.json"
    path.write_text(path.read_text()[:-20])


def removed_shard(study: Any) -> None:
    study.shards("scores", EVAL)[0].unlink()


def added_shard(study: Any) -> None:
    shard = study.shards("scores", EVAL)[0]
    shutil.copy(shard, shard.with_name("more.arrow"))


def truncated_shard(study: Any) -> None:
    shard = study.shards("scores", EVAL)[0]
    shard.write_bytes(shard.read_bytes()[:-100])


def edited_training_cost(study: Any) -> None:
    study.rewrite("training", "mnli-s1", lambda row: row | {"seconds": 0.001}, seal=False)


def edited_latency(study: Any) -> None:
    study.rewrite("latency", "latency.p1", lambda row: row | {"wall_ns": row["wall_ns"] // 2}, seal=False)


DAMAGE = [
    (edited_score, EVAL),
    (edited_prediction, EVAL),
    (swapped_runs, EVAL),
    (copied_done, EVAL),
    (other_seed_in_the_spec, EVAL),
    (torn_spec, EVAL),
    (removed_shard, EVAL),
    (truncated_shard, EVAL),
    (added_shard, EVAL),
    (edited_training_cost, "mnli-s1"),
    (edited_latency, "latency.p1"),
    (lambda study: flipped(study, "scores", EVAL), EVAL),
    (lambda study: flipped(study, "predictions", EVAL), EVAL),
    (lambda study: flipped(study, "serving", "deploy.p1"), "deploy.p1"),
]


@pytest.mark.parametrize(("plant", "run"), DAMAGE)
def test_what_was_changed_after_its_run_was_done_is_damage(
    study: Any, plant: Callable[[Any], None], run: str
) -> None:
    plant(study)
    said = study.tables("--strict")
    assert "DAMAGED: nothing of" in said
    assert run in said
    assert said.endswith("exit code 1")


def test_a_run_that_is_not_done_is_told(study: Any) -> None:
    (study.root / EVAL / "done.json").unlink()
    assert "47 of 48 runs done" in study.status()


def test_two_copies_that_contradict_each_other(study: Any) -> None:
    shard = study.shards("scores", EVAL)[0]
    rows = study.rows_of(shard)
    records.write_shard(shard.parent, "scores", [row | {"value": 1.0} for row in rows], name="again")
    study.seal(EVAL)
    said = study.tables()
    assert said.endswith("exit code 3")
    assert "again.arrow" in said
    assert shard.name in said


@pytest.mark.parametrize(
    ("kind", "run", "column", "value"),
    [
        ("scores", EVAL, "value", 101.0),
        ("scores", EVAL, "value", -1.0),
        ("scores", EVAL, "value", float("nan")),
        ("scores", EVAL, "n", -3),
        ("latency", "latency.p1", "wall_ns", -5),
        ("training", "mnli-s1", "seconds", -1.0),
        ("predictions", EVAL, "score", 2.0),
    ],
)
def test_values_that_cannot_be_are_not_written(
    study: Any, kind: str, run: str, column: str, value: Any
) -> None:
    """Nor read: `tests/stilts/run/test_records.py`."""
    with pytest.raises(ValueError, match=column):
        study.rewrite(kind, run, lambda row: row | {column: value})


def test_a_prediction_that_its_score_belies(study: Any) -> None:
    """Sealed, as if an evaluation had written it so: scoring again says what the predictions are worth."""
    study.rewrite("predictions", EVAL, lambda row: row | {"pred": row["gold"], "score": 1.0})
    before = study.evaluate("score", str(study.root / EVAL))
    assert "is not as it was written" in before


def test_explained_cells_come_from_what_is_there(study: Any) -> None:
    flipped(study, "scores", EVAL)
    evidence = Evidence(load_study("small.toml"), study.root)
    assert EVAL in evidence.damaged
    said = study.say(tables.main, "--study", "small.toml", "--explain", "scores/direct/xnli")
    assert EVAL in said
