"""Tokenised data sets: built once into a cache of Arrow files that every process maps into its memory."""

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from hpc.files import build_once, is_there, naming
from hpc.reasons import number_of
from stilts import tasks
from stilts.data import versions
from stilts.data.entries import is_whole, made_by, seal
from stilts.data.reading import examples_of, labels
from stilts.data.sources import Chosen, choose
from stilts.tasks import Example, Task, types as task_types
from stilts.tasks.coding.pieces import open_tokenizer
from stilts.tasks.coding.ragged import Ragged, concatenate
from stilts.tasks.types import Coding, Columns

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from tokenizers import Tokenizer

_STEP = 2000
"""Examples tokenised at a time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """A set of a task in one language, as text and as tokens."""

    task: str
    type: str
    language: str
    split: str
    version: str
    """Source and version of the data."""
    labels: tuple[str, ...]
    """Names by index, of `classify` and `tag`."""
    num_full: int
    """Examples the set has without a limit, as far as its source knows; else those that are here."""
    examples: "Dataset"
    """In the schema of the kind."""
    features: "Dataset"
    """Token columns, one row an item (see `stilts.tasks.types`), as numpy arrays."""
    columns: Mapping[str, Ragged | NDArray[np.int32]]
    """The same token columns as flat arrays over the mapped file: what batches are made of."""

    @property
    def num_tokens(self) -> NDArray[np.int32]:
        """Tokens by item."""
        column = self.columns["num_tokens"]
        assert not isinstance(column, Ragged)
        return column


def load(
    task: Task | str,
    *,
    language: str,
    split: str,
    tokenizer_file: Path,
    max_length: int,
    sources: Sequence[str],
    cache: Path,
    limit: int | None = None,
    seed: int = 0,
) -> Encoded:
    """A set of a task, tokenised; from the cache when it was asked for before.

    Args:
        task: the task or its name.
        language: one of the task's.
        split: train, dev or test; a task with a single evaluation set has it under both names.
        tokenizer_file: a `tokenizer.json`.
        max_length: tokens of a sequence at most.
        sources: names of sources, tried in this order.
        cache: folder of the cache.
        limit: largest number of rows read.
        seed: of the data, where a source draws them.

    Raises:
        UserError: no such language or split, no source that has it, no tokenizer, or nothing in the set.
    """
    import pyarrow as pa

    task = tasks.load(task) if isinstance(task, str) else task
    actual = task.set_of(split=split, language=language)
    chosen = choose(task, language=language, split=actual, sources=sources)
    names = labels(task, sources=sources, seed=seed)
    if not is_there(tokenizer_file):
        raise UserError(f"no tokenizer at {tokenizer_file}; prepare the model first", code=3)
    identity: dict[str, Any] = {
        "task": task.name,
        "language": language,
        "set": actual,
        "limit": limit,
        "seed": seed,
        "source": chosen.name,
        "version": chosen.version,
        "labels": list(names),
        "tokenizer": versions.of_file(tokenizer_file),
        "max_length": max_length,
        **made_by(task),
    }

    def build(folder: Path) -> None:
        examples = examples_of(chosen, task, language=language, split=actual, limit=limit, seed=seed)
        tokenizer = _tokenizer(tokenizer_file, identity["tokenizer"])
        coding = Coding(tokenizer=tokenizer, max_length=max_length, labels=names)
        if not _write(folder, task.type, examples, coding):
            raise UserError(f"{chosen.name} has no {task.name} {language} {actual} examples", code=3)
        seal(folder, identity)

    name = f"{task.name}.{language}.{actual}-{versions.of_value(identity)[:20]}"
    folder = build_once(cache / name, build, is_whole=is_whole)
    try:
        with naming(folder):
            return _open(folder, task, language, split, names, chosen)
    except (pa.ArrowException, OSError, ValueError) as error:
        if number_of(error):
            raise
        _log.warning("the cache entry %s cannot be read (%s): it is built anew", folder, error)
        shutil.rmtree(folder, ignore_errors=True)
        folder = build_once(cache / name, build, is_whole=is_whole)
        return _open(folder, task, language, split, names, chosen)


@lru_cache(maxsize=2)
def _tokenizer(path: Path, digest: str) -> "Tokenizer":  # noqa: ARG001
    """Opening one takes a second: once for all languages of an evaluation."""
    return open_tokenizer(path)


def _open(
    folder: Path, task: Task, language: str, split: str, names: tuple[str, ...], chosen: Chosen
) -> Encoded:
    from datasets import Dataset

    examples = Dataset.from_file(str(folder / "examples.arrow"))
    features = Dataset.from_file(str(folder / "features.arrow"))
    table = features.data.table
    full = chosen.source.size(task, language=language, split=task.splits[split])
    return Encoded(
        task=task.name,
        type=task.type,
        language=language,
        split=split,
        version=f"{chosen.name} {chosen.version}",
        labels=names,
        num_full=len(examples) if full is None else full,
        examples=examples,
        features=features.with_format("numpy"),
        columns={name: _flat(table.column(name)) for name in table.column_names},
    )


def _write(folder: Path, kind_name: str, examples: Iterable[Example], coding: Coding) -> int:
    """Writes both files; returns the number of examples."""
    import pyarrow as pa

    kind = task_types.load(kind_name)
    parts: list[Columns] = []
    count = 0
    with pa.OSFile(str(folder / "examples.arrow"), "wb") as file, pa.ipc.new_stream(file, kind.schema) as out:
        for some in _groups(examples, _STEP):
            out.write_batch(pa.RecordBatch.from_pylist(some, schema=kind.schema))
            part = kind.encode(some, coding)
            parts.append(part | {"example": np.asarray(part["example"]) + np.int32(count)})
            count += len(some)
    if count:
        _write_features(folder / "features.arrow", parts)
    return count


def _write_features(path: Path, parts: Sequence[Columns]) -> None:
    """One record batch: each column is then one array of the mapped file, and rows are cut out by offsets."""
    import pyarrow as pa

    columns = {name: _joined([part[name] for part in parts]) for name in parts[0]}
    batch = pa.RecordBatch.from_pydict({name: _arrow(column) for name, column in columns.items()})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, batch.schema) as out:
        out.write_batch(batch)


def _joined(parts: Sequence[Ragged | NDArray[np.int32]]) -> Ragged | NDArray[np.int32]:
    ragged = [part for part in parts if isinstance(part, Ragged)]
    return concatenate(ragged) if ragged else np.concatenate([np.asarray(part) for part in parts])


def _arrow(column: Ragged | NDArray[np.int32]) -> "pa.Array":
    import pyarrow as pa

    if not isinstance(column, Ragged):
        return pa.array(column)
    return pa.ListArray.from_arrays(pa.array(column.offsets.astype(np.int32)), pa.array(column.values))


def _flat(column: Any) -> Ragged | NDArray[np.int32]:
    """A column as views of the mapped file: nothing is copied."""
    import pyarrow as pa

    (chunk,) = column.chunks
    if isinstance(chunk, pa.ListArray):
        return Ragged(chunk.values.to_numpy(), chunk.offsets.to_numpy())
    numbers: NDArray[np.int32] = chunk.to_numpy()
    return numbers


def _groups(examples: Iterable[Example], size: int) -> Iterator[list[Example]]:
    remaining = iter(examples)
    while group := list(islice(remaining, size)):
        yield group
