"""Shards: what is refused on writing, what survives torn files, requeues and new columns on reading."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hpc.errors import UserError
from stilts.run import records
from stilts.run.records.write import arrow_schema

PREDICTION = {"run_id": "a", "cell_id": "b", "example_id": "1", "score": 1.0}


def score(**changes: Any) -> dict[str, Any]:
    row = {
        "run_id": "direct-s1.xnli.eval",
        "study": "mini",
        "regime": "direct",
        "intermediate": "",
        "seed": 1,
    }
    row |= {"target": "xnli", "language": "sw", "split": "test", "metric": "accuracy", "value": 61.5}
    return row | {"n": 200, "n_full": 5010} | changes


def test_round_trip_keeps_values_and_order(tmp_path: Path) -> None:
    rows = [score(language=language, value=float(n)) for n, language in enumerate(("th", "ar", "en"))]
    path = records.write_shard(tmp_path, "scores", rows, name="a", metadata={"git_sha": "abc"})
    assert path == tmp_path / "a.arrow"
    assert [p.name for p in tmp_path.iterdir()] == ["a.arrow"]
    table = records.read("scores", [tmp_path])
    assert table["language"].to_pylist() == ["th", "ar", "en"]
    assert table["value"].to_pylist() == [0.0, 1.0, 2.0]
    assert table["note"].to_pylist() == [None] * 3
    stored = pa.ipc.open_file(path).schema
    assert stored.metadata[b"stilts.schema"] == b"scores"
    assert stored.metadata[b"git_sha"] == b"abc"


def test_columns_may_be_given_instead_of_rows(tmp_path: Path) -> None:
    records.write_shard(
        tmp_path,
        "predictions",
        {"run_id": ["a", "b"], "cell_id": ["x", "y"], "example_id": ["1", "2"], "score": [0.5, 1.0]},
        name="p",
    )
    assert records.read("predictions", [tmp_path], columns=["score"]).to_pydict() == {"score": [0.5, 1.0]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": None}, "column target has 1 nulls"),
        ({"value": float("nan")}, "NaN"),
        ({"lang": "sw"}, "Did you mean 'language'"),
        ({"n": 1 << 40}, "too large"),
        ({"n": "many"}, "many"),
    ],
)
def test_a_wrong_row_is_refused_and_leaves_no_file(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        records.write_shard(tmp_path, "scores", [score(), score(language="en", **changes)], name="a")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_required_column_and_an_empty_shard_are_refused(tmp_path: Path) -> None:
    row = score()
    del row["metric"]
    with pytest.raises(ValueError, match="column metric"):
        records.write_shard(tmp_path, "scores", [row], name="a")
    with pytest.raises(ValueError, match="at least one row"):
        records.write_shard(tmp_path, "scores", [], name="a")


def test_torn_and_foreign_shards_are_left_out_aloud_at_every_reading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = records.write_shard(tmp_path, "scores", [score()], name="whole")
    (tmp_path / "torn.arrow").write_bytes(whole.read_bytes()[:-40])
    (tmp_path / ".being-written.arrow").write_bytes(b"half")
    records.write_shard(tmp_path, "predictions", [PREDICTION], name="foreign")
    before = sorted(tmp_path.rglob("*"))
    for _ in range(2):
        assert len(records.read("scores", [tmp_path])) == 1
        told = capsys.readouterr().err
        assert told.count("EXCLUDED") == 2
        assert "holds predictions records, not scores" in told
    assert sorted(tmp_path.rglob("*")) == before


def test_nulls_that_arrow_lets_pass_are_caught_on_reading(tmp_path: Path) -> None:
    schema = arrow_schema("predictions")
    table = pa.table(
        {name: pa.array([None], schema.field(name).type) for name in schema.names}, schema=schema
    )
    table.validate(full=True)
    with pa.ipc.new_file(str(tmp_path / "null.arrow"), schema) as writer:
        writer.write_table(table)
    assert len(records.read("predictions", [tmp_path])) == 0


def test_a_shard_of_an_older_layout_reads_with_nulls(tmp_path: Path) -> None:
    whole = arrow_schema("predictions")
    schema = whole.remove(whole.get_field_index("aux"))
    old = pa.table({name: [PREDICTION.get(name)] for name in schema.names}, schema=schema)
    with pa.ipc.new_file(str(tmp_path / "old.arrow"), schema) as writer:
        writer.write_table(old)
    records.write_shard(tmp_path, "predictions", [PREDICTION | {"run_id": "c", "aux": 9.0}], name="zz")
    assert records.read("predictions", [tmp_path])["aux"].to_pylist() == [None, 9.0]


def test_a_newer_layout_is_refused_not_set_aside(tmp_path: Path) -> None:
    newer = arrow_schema("predictions", {"stilts.schema_version": "99"})
    with pa.ipc.new_file(str(tmp_path / "new.arrow"), newer) as writer:
        writer.write_table(newer.empty_table())
    with pytest.raises(UserError, match="update it"):
        records.read("predictions", [tmp_path])
    assert (tmp_path / "new.arrow").exists()


def test_copies_of_an_observation_count_once(tmp_path: Path) -> None:
    records.write_shard(tmp_path, "scores", [score(), score(language="ar")], name="attempt0")
    records.write_shard(tmp_path, "scores", [score(value=99.0), score(language="de")], name="attempt1")
    table = records.read("scores", [tmp_path], columns=["value", "language"])
    assert table.to_pydict() == {"language": ["sw", "ar", "de"], "value": [61.5, 61.5, 61.5]}


def test_cell_id_depends_on_every_field_and_on_nothing_else() -> None:
    fields = {"task": "xnli", "dtype": "bf16", "batch": 8}
    name = records.cell_id(**fields)
    assert name == records.cell_id(**dict(reversed(fields.items())))
    changed = [
        fields | change for change in ({"task": "pawsx"}, {"dtype": "fp32"}, {"batch": 32}, {"heads": 2})
    ]
    assert len({name, *(records.cell_id(**other) for other in changed)}) == 5


def test_unknown_kind_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'latency'"):
        records.read("latencies", [tmp_path])


def test_importing_records_loads_no_pyarrow() -> None:
    code = "import sys, stilts.run.records; sys.exit('pyarrow' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
