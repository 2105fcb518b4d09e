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


def test_what_goes_wrong_with_a_sound_shard_is_not_laid_to_it(tmp_path: Path) -> None:
    records.write_shard(tmp_path, "scores", [score()], name="a")

    def fail(table: pa.Table) -> None:
        table["value"].cast("int8")

    with pytest.raises(pa.ArrowInvalid):
        list(records.stream("scores", [tmp_path], ["value"], then=fail))


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
    records.write_shard(tmp_path, "scores", [score(), score(language="de")], name="attempt1")
    table = records.read("scores", [tmp_path], columns=["value", "language"])
    assert table.to_pydict() == {"language": ["sw", "ar", "de"], "value": [61.5, 61.5, 61.5]}


def test_copies_that_contradict_each_other_are_an_error_that_names_both(tmp_path: Path) -> None:
    first = records.write_shard(tmp_path, "scores", [score(), score(language="ar")], name="attempt0")
    second = records.write_shard(tmp_path, "scores", [score(value=99.0)], name="attempt1")
    records.write_shard(tmp_path, "scores", [score(language="de")], name="attempt2")
    with pytest.raises(UserError, match="different values for one observation") as caught:
        records.read("scores", [tmp_path], columns=["value", "language"])
    assert f"{first} and {second} have" in str(caught.value)
    assert "attempt2" not in str(caught.value)
    assert caught.value.code == 3


@pytest.mark.parametrize("n", [-3, -1])
def test_what_is_never_negative_is_neither_written_nor_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], n: int
) -> None:
    with pytest.raises(ValueError, match=f"holds {n}, and is never negative"):
        records.write_shard(tmp_path, "scores", [score(n=n)], name="a")
    schema, row = arrow_schema("scores"), score(n=n)
    columns = {name: pa.array([row.get(name)], schema.field(name).type) for name in schema.names}
    with pa.ipc.new_file(str(tmp_path / "b.arrow"), schema) as writer:
        writer.write_table(pa.table(columns, schema=schema))
    assert len(records.read("scores", [tmp_path])) == 0
    assert "never negative" in capsys.readouterr().err


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_no_damage_ends_the_process_or_passes_for_whole(tmp_path: Path, count: int) -> None:
    """One flipped bit a shard, anywhere: reading it is safe, and its digest tells it from the whole one."""
    program = f"""
import random, sys
from pathlib import Path
from stilts.run import records
from hpc.files import digest
folder, chance = Path({str(tmp_path)!r}), random.Random(3)
same = {{"run_id": "a", "cell_id": "c", "target": "xnli", "language": "de", "split": "test", "gold": "1"}}
rows = [
    same | {{"example_id": f"{{n:03}}", "cluster_id": f"p{{n // 4}}", "pred": str(n % 2), "score": n % 2}}
    for n in range(200)
]
whole = records.write_shard(folder / "whole", "predictions", rows, name="a")
content, expected = whole.read_bytes(), digest(whole)
for number in range({count}):
    damaged = bytearray(content)
    damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    place = folder / "damaged" / "a.arrow"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(damaged)
    try:
        table = records.read("predictions", [place.parent])
        table.to_pylist()
        table.group_by(["example_id"]).aggregate([("score", "sum")])
    except Exception as error:
        if type(error).__name__ != "UserError":
            raise
    if digest(place) == expected:
        sys.exit("a flipped bit has the digest of the whole")
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "done\n"


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
