"""Parquet, as the Hub has it: numbers of a class label are turned into the names the file itself declares."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stilts.data.formats import Record, refuse
from stilts.data.formats._text import refuse_pages, unreadable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_STEP = 2000
"""Rows taken from a file at a time."""


def rows(paths: Sequence[Path], *, language: str) -> Iterator[Record]:  # noqa: ARG001
    """Rows of all files; a class label outside its names, such as -1, stays a number."""
    for path in paths:
        yield from _rows(path)


def count(paths: Sequence[Path]) -> int:
    """Number of rows, from the files' footers."""
    return sum(_open(path).metadata.num_rows for path in paths)


def _rows(path: Path) -> Iterator[Record]:
    import pyarrow as pa

    file = _open(path)
    named = _class_labels(path, file.schema_arrow)
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_STEP):
            for row in batch.to_pylist():
                number += 1
                values = {key: named[key](value) if key in named else value for key, value in row.items()}
                yield Record(values, path=path, number=number)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno:
            raise unreadable(path, error) from error
        raise refuse(path, number + 1, f"damaged parquet file: {_first_line(error)}") from error


def _open(path: Path) -> "pq.ParquetFile":
    import pyarrow as pa
    import pyarrow.parquet as pq

    refuse_pages(path)
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, ValueError) as error:
        raise refuse(path, None, f"not a whole parquet file: {_first_line(error)}") from error
    except OSError as error:
        raise unreadable(path, error) from error


def _class_labels(path: Path, schema: "pa.Schema") -> Mapping[str, Callable[[Any], Any]]:
    """How to name the labels of each column that the `datasets` library declared as a class label.

    Raises:
        UserError: what it declared cannot be read.
    """
    declared = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(declared).get("info", {}).get("features", {})
        found = {column: _names(feature) for column, feature in features.items()}
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise refuse(path, None, "damaged parquet file: its features cannot be read") from error
    return {column: _naming(names) for column, names in found.items() if names}


def _names(feature: Any) -> list[str]:
    """Names of a class label, or of a list of them; empty for all else."""
    if isinstance(feature, list):
        return _names(feature[0]) if feature else []
    if not isinstance(feature, dict):
        return []
    if feature.get("_type") == "ClassLabel":
        return list(map(str, feature.get("names") or ()))
    inner = feature.get("feature")
    return _names(inner) if feature.get("_type") in ("Sequence", "List", "LargeList") else []


def _naming(names: Sequence[str]) -> Callable[[Any], Any]:
    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(item) for item in value]
        return names[value] if isinstance(value, int) and 0 <= value < len(names) else value

    return name


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
