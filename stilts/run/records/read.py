"""Reading shards: one schema for all, torn files left out with a warning, second copies left out."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hpc.errors import UserError
from hpc.files import listing, naming
from hpc.reasons import number_of
from stilts.run.records.schemas import SCHEMA_VERSION, Schema
from stilts.run.records.write import arrow_schema, missing_values, schema_of

if TYPE_CHECKING:
    import pyarrow


Made = TypeVar("Made")
THREADS = min(4, os.cpu_count() or 1)


def record_folders(study_folder: Path, type_: str) -> list[Path]:
    """The folders of all runs of a study that may hold shards of a type."""
    inside = Path(type_) if type_ == "predictions" else Path("records", type_)
    return [run / inside for run in listing(study_folder, "[!.]*") if (run / inside).is_dir()]


def shards_of(folder: Path) -> list[Path]:
    """The shards in a folder by name; temporary files begin with a dot."""
    return listing(folder, "[!.]*.arrow")


def read(
    type_: str, folders: Iterable[Path], columns: Sequence[str] | None = None, *, proven: bool = False
) -> "pyarrow.Table":
    """Reads every shard in `folders` into one table, in the order of the file names.

    A shard that is torn, of another type, short of required values or beyond what they can be is left out and
    reported on standard error. A column that a shard lacks is null. Two copies of an observation count once,
    where they say the same.

    Args:
        type_: a key of `SCHEMAS`.
        folders: folders that hold shards directly, see `record_folders`.
        columns: those wanted; all when absent. Timings have 38, so tables name theirs.
        proven: as for `stream`.

    Raises:
        UserError: a shard was written by a newer version of this package, or two shards have different
            values for one observation (code 3).
    """
    import pyarrow as pa

    folders = list(folders)
    schema = schema_of(type_)
    wanted = [name for name in schema.names if columns is None or name in columns or name in schema.key]
    empty = pa.schema([arrow_schema(type_).field(name) for name in wanted]).empty_table()
    whole = pa.concat_tables(
        [empty, *stream(type_, folders, wanted, then=lambda table: table, proven=proven)]
    )
    table = _without_copies(whole, schema)
    if len(table) < len(whole):
        _refuse_contradictions(whole, schema, folders)
    return table.select([name for name in wanted if columns is None or name in columns])


def stream(
    type_: str,
    folders: Iterable[Path],
    columns: Sequence[str],
    *,
    then: "Callable[[pyarrow.Table], Made]",
    proven: bool = False,
) -> "Iterator[Made]":
    """What is made of each shard that is not empty, one after the other.

    They are read as `read` does, but with second copies of observations. Several threads read ahead; memory
    holds a few shards.

    Args:
        type_: a key of `SCHEMAS`.
        folders: folders that hold shards directly.
        columns: those wanted.
        then: makes something of a shard, in the thread that reads it.
        proven: whether the files have been held against their digests: what is in them is then what was
            written, and is not looked through again.
    """
    import pyarrow as pa

    schema = schema_of(type_)
    target = pa.schema([arrow_schema(type_).field(name) for name in columns])
    shards = [shard for folder in folders for shard in shards_of(folder)]
    torn: list[tuple[Path, Exception]] = []

    def read_one(path: Path) -> "Made | None":
        try:
            with naming(path):
                table = _read_shard(path, schema, target, proven=proven)
        except (pa.ArrowException, OSError, ValueError) as error:
            # Damage may ask for any amount of memory, what is proven asks for its own.
            if number_of(error) or (proven and isinstance(error, MemoryError)):
                raise
            torn.append((path, error))
            return None
        # What goes wrong from here on is no fault of the shard.
        return then(table) if len(table) else None

    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[Made | None]] = deque()
        for shard in (*shards, *[None] * THREADS):
            if shard is not None:
                waiting.append(pool.submit(read_one, shard))
            if len(waiting) > THREADS or (shard is None and waiting):
                made = waiting.popleft().result()
                if made is not None:
                    yield made
    _report(sorted(torn, key=lambda one: one[0]), type_)


def _read_shard(path: Path, schema: Schema, target: "pyarrow.Schema", *, proven: bool) -> "pyarrow.Table":
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        stored = pa.ipc.open_file(source).schema
        _check_layout(path, stored, schema)
        wanted = [n for n, name in enumerate(stored.names) if name in target.names]
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        present = pa.ipc.open_file(source, options=options).read_all()
    if not proven:
        # Offsets that a flipped bit moved would be followed into nowhere later.
        present.validate(full=True)
    problem = "" if proven else missing_values(present, schema)
    if problem:
        raise ValueError(problem)
    if present.schema.equals(target):
        return present
    arrays = [
        present[field.name].cast(field.type)
        if field.name in present.column_names
        else pa.nulls(len(present), field.type)
        for field in target
    ]
    return pa.Table.from_arrays(arrays, schema=target)


def _check_layout(path: Path, stored: "pyarrow.Schema", schema: Schema) -> None:
    metadata = {key.decode(): value.decode() for key, value in (stored.metadata or {}).items()}
    version = int(metadata.get("stilts.schema_version", "0"))
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema version {version}; this stilts reads up to {SCHEMA_VERSION}: update it"
        )
    if metadata.get("stilts.schema") != schema.type:
        raise ValueError(f"holds {metadata.get('stilts.schema', 'no known')} records, not {schema.type}")
    for column in schema.columns:
        if column.required and column.name not in stored.names:
            raise ValueError(f"lacks column {column.name}")


def _report(torn: list[tuple[Path, Exception]], type_: str) -> None:
    """Names what was left out, at every reading: nothing is moved or changed."""
    for path, error in torn:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        print(f"records: {path} is not a sound {type_} shard ({reason}); EXCLUDED", file=sys.stderr)


def _refuse_contradictions(table: "pyarrow.Table", schema: Schema, folders: Iterable[Path]) -> None:
    """Makes sure that copies of an observation say the same."""
    distinct = table.group_by(table.column_names, use_threads=False).aggregate([])
    keys = distinct.group_by(list(schema.key), use_threads=False).aggregate([([], "count_all")])
    twice = next((row for row in keys.to_pylist() if row["count_all"] > 1), None)
    if twice is None:
        return
    key = {name: twice[name] for name in schema.key}
    holders = [shard for folder in folders for shard in shards_of(folder) if _holds(shard, key)]
    named = ", ".join(f"{name} {value}" for name, value in key.items())
    raise UserError(
        f"{' and '.join(map(str, holders))} have different values for one observation ({named}); "
        "which of them is true cannot be told: remove the wrong one",
        code=3,
    )


def _holds(shard: Path, key: Mapping[str, object]) -> bool:
    """Whether a shard has a row with this key."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(shard)) as source:
            rows = pa.ipc.open_file(source).read_all().select(list(key)).to_pylist()
    except (pa.ArrowException, OSError, KeyError):
        return False
    return any(row == key for row in rows)


def _without_copies(table: "pyarrow.Table", schema: Schema) -> "pyarrow.Table":
    import numpy as np
    import pyarrow as pa

    if "order_pos" in schema.key and len(np.unique(table["order_pos"].to_numpy())) == len(table):
        return table
    position = pa.array(np.arange(len(table)))
    numbered = table.select(list(schema.key)).append_column("position", position)
    first = numbered.group_by(list(schema.key), use_threads=False).aggregate([("position", "min")])
    if len(first) == len(table):
        return table
    return table.take(first["position_min"].sort())
