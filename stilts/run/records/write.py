"""Writing a shard: checked against its schema, in Arrow's file format with zstd, whole or not at all."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc.errors import unknown_name
from hpc.files import replacing
from stilts.run.records.schemas import BOUNDS, SCHEMA_VERSION, SCHEMAS, Column, Schema

if TYPE_CHECKING:
    import pyarrow

_NUMBERED = ("round", "block")
"""Columns in which -1 has a meaning: what came before the first."""

Rows = Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]]


def schema_of(type_: str) -> Schema:
    """The schema of a record type, with a did-you-mean for a wrong name."""
    if type_ not in SCHEMAS:
        raise unknown_name("record type", type_, SCHEMAS)
    return SCHEMAS[type_]


def arrow_schema(type_: str, metadata: Mapping[str, str] | None = None) -> "pyarrow.Schema":
    """The Arrow schema of a record type."""
    import pyarrow as pa

    called = {"bool": "bool_"}
    fields = [
        pa.field(
            column.name,
            getattr(pa, called.get(column.type, column.type))(),
            nullable=not column.required,
        )
        for column in schema_of(type_).columns
    ]
    own = {"stilts.schema": type_, "stilts.schema_version": str(SCHEMA_VERSION)}
    return pa.schema(fields, metadata=own | dict(metadata or {}))


def write_shard(
    folder: Path, type_: str, rows: Rows, *, name: str, metadata: Mapping[str, str] | None = None
) -> Path:
    """Writes `folder/name.arrow`, replacing a shard of that name.

    Args:
        folder: the folder of one record type in a run, such as
            `runs/mini/direct-s1.xnli/records/training`.
        type_: a key of `SCHEMAS`.
        rows: one mapping a row, or one sequence a column; optional columns may be left out.
        name: without suffix, unique among the writers of the folder.
        metadata: what describes the shard to a person, such as `run_id` and `git_sha`; never read back as
            data.

    Raises:
        ValueError: an unknown column, a null or NaN where none may be, a value its column cannot hold, or no
            row.
    """
    import pyarrow as pa

    columns = _as_columns(rows, schema_of(type_))
    described = {"created_unix_ns": str(time.time_ns())} | dict(metadata or {})
    schema = arrow_schema(type_, described)
    count = len(next(iter(columns.values()), ()))
    if not count:
        raise ValueError(f"a {type_} shard needs at least one row")
    arrays = [pa.array(columns.get(field.name, [None] * count), type=field.type) for field in schema]
    table = pa.Table.from_arrays(arrays, schema=schema)
    problem = missing_values(table, schema_of(type_))
    if problem:
        raise ValueError(f"{type_} shard {name}: {problem}")
    path = folder / f"{name}.arrow"
    with replacing(path) as temporary:
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with (
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, schema, options=options) as writer,
        ):
            writer.write_table(table)
    return path


def missing_values(table: "pyarrow.Table", schema: Schema) -> str:
    """Names what is null, not finite or below zero against the schema, which Arrow does not enforce; empty
    when all is well. Times, counts and numbers of things are never negative.
    """
    bounds = BOUNDS.get(schema.type, {})
    for column in schema.columns:
        if column.name in table.column_names:
            values = table[column.name]
            if column.required and values.null_count:
                return f"column {column.name} has {values.null_count} nulls but is required"
            problem = _untrue(column, values, bounds.get(column.name))
            if problem:
                return f"column {column.name} {problem}"
    return ""


def _untrue(column: Column, values: "pyarrow.ChunkedArray", bounds: tuple[float, float] | None) -> str:
    """What a column holds that it cannot."""
    import pyarrow.compute as pc

    if values.null_count == len(values):
        return ""
    # Extremes pass over what is no number.
    if column.type.startswith("float") and not math.isfinite(pc.sum(values).as_py()):
        return "holds NaN or infinity"
    if column.type.startswith("int") and column.name not in _NUMBERED:
        least = pc.min(values).as_py()
        if least < 0:
            return f"holds {least}, and is never negative"
    if bounds:
        low, high = bounds
        for found in pc.min_max(values).as_py().values():
            if not low <= found <= high:
                return f"holds {found:g}, and is from {low:g} to {high:g}"
    return ""


def _as_columns(rows: Rows, schema: Schema) -> Mapping[str, Sequence[Any]]:
    if isinstance(rows, Mapping):
        columns = rows
    else:
        names = {name: None for row in rows for name in row}
        columns = {name: [row.get(name) for row in rows] for name in names}
    for name in columns:
        if name not in schema.names:
            raise ValueError(str(unknown_name("column", name, schema.names, where=f"{schema.type} records")))
    return columns
