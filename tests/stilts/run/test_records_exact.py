"""What readers and writers of records promise, to the letter: bounds, projections, messages, digests."""

import hashlib
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hpc.errors import UserError
from stilts.run import records
from stilts.run.records.read import THREADS, _check_layout, _read_shard, _report, stream
from stilts.run.records.schemas import SCHEMA_VERSION
from stilts.run.records.write import arrow_schema, schema_of
from tests.stilts.run.test_records import PREDICTION, score


def store(path: Path, type_: str, rows: list[dict[str, Any]], **changes: Any) -> Path:
    """Writes what no writer of ours would."""
    schema = arrow_schema(type_)
    for name, kind in changes.items():
        schema = schema.set(schema.get_field_index(name), pa.field(name, kind))
    arrays = [pa.array([row.get(field.name) for row in rows], type=field.type) for field in schema]
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.ipc.new_file(str(path), schema) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return path


@pytest.mark.parametrize("value", [0.0, 100.0])
def test_the_ends_of_a_range_are_in_it(tmp_path: Path, value: float) -> None:
    records.write_shard(tmp_path, "scores", [score(value=value, n=0)], name="a")
    assert records.read("scores", [tmp_path])["value"].to_pylist() == [value]


@pytest.mark.parametrize("value", [-0.5, 100.5])
def test_what_is_out_of_its_range_is_told_with_the_range(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: float
) -> None:
    said = f"column value holds {value}, and is from 0 to 100"
    with pytest.raises(ValueError, match=f"^scores shard a: {said}$"):
        records.write_shard(tmp_path, "scores", [score(value=value)], name="a")
    path = store(tmp_path / "b.arrow", "scores", [score(value=value)])
    assert len(records.read("scores", [tmp_path])) == 0
    assert f"records: {path} is not a sound scores shard ({said}); EXCLUDED\n" == capsys.readouterr().err


def test_a_count_may_have_a_range_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stilts.run.records.write.BOUNDS", {"scores": {"n": (1, 10)}})
    with pytest.raises(ValueError, match="column n holds 11, and is from 1 to 10"):
        records.write_shard(tmp_path, "scores", [score(n=11)], name="a")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("column", ["aux", "score"])
def test_what_is_no_number_is_refused_where_none_is_needed_too(
    tmp_path: Path, column: str, value: float
) -> None:
    rows = [PREDICTION | {column: value}, PREDICTION | {"example_id": "2"}]
    with pytest.raises(ValueError, match=f"column {column} holds NaN or infinity"):
        records.write_shard(tmp_path, "predictions", rows, name="a")


def test_a_column_behind_one_that_is_absent_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="column example_id has 1 nulls but is required"):
        records.write_shard(tmp_path, "predictions", [PREDICTION | {"example_id": None}], name="a")
    with pytest.raises(ValueError, match="column score holds 2, and is from 0 to 1"):
        records.write_shard(tmp_path, "predictions", [PREDICTION | {"score": 2.0}], name="a")
    # Of no interest to a reader that does not ask for it.
    store(tmp_path / "b.arrow", "predictions", [PREDICTION | {"score": 2.0}])
    assert len(records.read("predictions", [tmp_path], columns=["pred"])) == 1


def test_only_what_is_wanted_is_read_and_what_is_lacking_is_null_of_its_type(tmp_path: Path) -> None:
    records.write_shard(tmp_path, "predictions", [PREDICTION], name="a")
    target = pa.schema([arrow_schema("predictions").field(name) for name in ("score", "aux")])
    schema = schema_of("predictions")
    table = _read_shard(tmp_path / "a.arrow", schema, target, proven=False)
    assert table.schema == target
    assert table.to_pydict() == {"score": [1.0], "aux": [None]}
    old = arrow_schema("predictions").remove(arrow_schema("predictions").get_field_index("aux"))
    with pa.ipc.new_file(str(tmp_path / "old.arrow"), old) as writer:
        writer.write_table(pa.table({name: [PREDICTION.get(name)] for name in old.names}, schema=old))
    table = _read_shard(tmp_path / "old.arrow", schema, target, proven=False)
    assert table.schema == target
    assert table.to_pydict() == {"score": [1.0], "aux": [None]}
    # A type that holds as much is cast.
    path = store(tmp_path / "wide.arrow", "predictions", [PREDICTION], score=pa.float64())
    assert _read_shard(path, schema, target, proven=True)["score"].type == pa.float32()


def test_what_was_proven_is_not_looked_through_again(tmp_path: Path) -> None:
    store(tmp_path / "a.arrow", "predictions", [PREDICTION | {"score": 2.0}])
    assert len(records.read("predictions", [tmp_path])) == 0
    assert len(records.read("predictions", [tmp_path], proven=True)) == 1
    made = list(stream("predictions", [tmp_path], ["score"], then=len))
    assert made == []


def test_a_stream_is_in_order_and_reads_a_few_ahead(tmp_path: Path) -> None:
    count = 4 * THREADS + 3
    for number in range(count):
        records.write_shard(
            tmp_path, "predictions", [PREDICTION | {"aux": float(number)}], name=f"{number:03}"
        )
    store(tmp_path / "empty.arrow", "predictions", [])
    begun: list[float] = []
    lock = threading.Lock()

    def then(table: pa.Table) -> float:
        with lock:
            begun.append(table["aux"][0].as_py())
        return table["aux"][0].as_py()

    made = stream("predictions", [tmp_path], ["aux"], then=then)
    assert next(made) == 0.0
    time.sleep(0.2)
    assert len(begun) <= THREADS + 1
    assert list(made) == [float(number) for number in range(1, count)]


def test_torn_shards_are_told_in_the_order_of_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("c", "a", "b"):
        (tmp_path / f"{name}.arrow").write_bytes(b"torn")
    assert len(records.read("predictions", [tmp_path])) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" is not a sound predictions shard (")[0] for line in lines] == [
        f"records: {tmp_path / name}.arrow" for name in "abc"
    ]


def test_text_whose_ends_were_moved_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They would be followed into nowhere."""
    rows = [PREDICTION | {"pred": "aaaaa"}, PREDICTION | {"example_id": "2", "pred": "bb"}]
    path = store(tmp_path / "a.arrow", "predictions", rows)
    content, ends = path.read_bytes(), struct.pack("<3i", 0, 5, 7)
    assert content.count(ends) == 1
    path.write_bytes(content.replace(ends, struct.pack("<3i", 0, 5, 1 << 28)))
    assert len(records.read("predictions", [tmp_path])) == 0
    assert f"records: {path} is not a sound predictions shard" in capsys.readouterr().err


def test_an_error_without_words_is_told_by_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    _report([(Path("a.arrow"), OSError())], "scores")
    assert capsys.readouterr().err == "records: a.arrow is not a sound scores shard (OSError); EXCLUDED\n"


def test_a_type_without_ranges_is_written_and_read(tmp_path: Path) -> None:
    row = {"run_id": "a", "process_rep": 0, "t_ns": 5, "foreign_cpu": 0.5, "stolen_cpu": 0.0}
    records.write_shard(tmp_path, "telemetry", [row], name="a")
    assert records.read("telemetry", [tmp_path], columns=["t_ns"]).to_pylist() == [{"t_ns": 5}]


def test_what_is_said_of_other_layouts(tmp_path: Path) -> None:
    schema = schema_of("scores")
    bare = pa.schema([pa.field("n", pa.int32())])
    with pytest.raises(ValueError, match=r"^holds no known records, not scores$"):
        _check_layout(tmp_path, bare, schema)
    with pytest.raises(ValueError, match=r"^holds gate records, not scores$"):
        _check_layout(tmp_path, bare.with_metadata({"stilts.schema": "gate"}), schema)
    mine = {"stilts.schema": "scores", "stilts.schema_version": str(SCHEMA_VERSION)}
    with pytest.raises(ValueError, match=r"^lacks column run_id$"):
        _check_layout(tmp_path, bare.with_metadata(mine), schema)
    newer = mine | {"stilts.schema_version": str(SCHEMA_VERSION + 1)}
    with pytest.raises(UserError, match=f"has schema version {SCHEMA_VERSION + 1}; this stilts reads up to"):
        _check_layout(tmp_path, bare.with_metadata(newer), schema)


def test_the_schema_in_a_file_says_what_it_is(tmp_path: Path) -> None:
    before = time.time_ns()
    path = records.write_shard(tmp_path, "scores", [score()], name="a", metadata={"host": "x"})
    stored = pa.ipc.open_file(path).schema
    told = {key.decode(): value.decode() for key, value in stored.metadata.items()}
    assert before <= int(told.pop("created_unix_ns")) <= time.time_ns()
    assert told == {"stilts.schema": "scores", "stilts.schema_version": str(SCHEMA_VERSION), "host": "x"}
    required = {column.name for column in schema_of("scores").columns if column.required}
    assert {field.name for field in stored if not field.nullable} == required
    assert "note" not in required
    assert stored.field("language").type == pa.utf8()
    assert arrow_schema("gate").field("passed").type == pa.bool_()


def test_shards_are_small(tmp_path: Path) -> None:
    rows = [PREDICTION | {"example_id": str(n), "pred": "entailment" * 20} for n in range(2000)]
    assert records.write_shard(tmp_path, "predictions", rows, name="a").stat().st_size < 60_000


def test_observations_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    first = records.write_shard(tmp_path, "scores", [score()], name="a")
    second = records.write_shard(tmp_path, "scores", [score(value=3.0)], name="b")
    (tmp_path / "c.arrow").write_bytes(b"torn")
    with pytest.raises(UserError) as caught:
        records.read("scores", [tmp_path])
    key = "run_id direct-s1.xnli.eval, regime direct, intermediate , seed 1, target xnli, language sw"
    assert str(caught.value) == (
        f"{first} and {second} have different values for one observation ({key}, split test, metric "
        "accuracy); which of them is true cannot be told: remove the wrong one"
    )


def test_a_name_that_is_unknown_is_told_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^unknown record type 'score'\. Did you mean 'scores'"):
        schema_of("score")
    with pytest.raises(ValueError, match=r"^unknown column 'lang' in scores records\. Did you mean"):
        records.write_shard(tmp_path, "scores", [score(lang="sw")], name="a")


def test_folders_of_records_are_those_of_all_runs(tmp_path: Path) -> None:
    for run in ("b", "a"):
        (tmp_path / run / "records" / "scores").mkdir(parents=True)
        (tmp_path / run / "predictions").mkdir()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "predictions").write_text("no folder")
    assert records.record_folders(tmp_path, "scores") == [tmp_path / r / "records" / "scores" for r in "ab"]
    assert records.record_folders(tmp_path, "predictions") == [tmp_path / r / "predictions" for r in "ab"]


def test_a_cell_is_the_digest_of_its_fields_as_compact_json() -> None:
    """Written out: an id that changes makes all that was measured be measured again."""
    written = '{"batch":8,"language":"żółw","task":{"a":1}}'
    assert (
        records.cell_id(task={"a": 1}, language="żółw", batch=8)
        == hashlib.sha256(written.encode()).hexdigest()
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        records.cell_id(rate=float("nan"))
    assert (
        records.latency_shard_name(run_id="l", cell="0123456789", rank=1, process=2, restart=3, sequence=4)
        == "lat-l-01234567-r1-p2-a3-00004"
    )
