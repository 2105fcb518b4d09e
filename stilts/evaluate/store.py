"""The folder of an evaluation: what was answered by which model, and never the answers of two.

evaluation.json       the model and the settings, for a person
cells/TASK-LANG.json  identity of a cell: written after its predictions, so that it marks them whole
predictions/          Arrow, one shard a task and language
records/scores/       Arrow, the same; one more for the development set that a threshold was tuned on
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

from hpc.errors import UserError
from hpc.files import digest, is_there, listing, read_json, write_json
from hpc.settings import decode
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.provenance import code_version
from stilts.tasks.metrics import Scored

Overwrite = Literal["missing", "all"]

# What all cells of a folder share, and what all languages of a task share.
_OF_FOLDER = ("model", "dtype")
_OF_TASK = ("limit", "split", "layer", "pooling", "neighbours", "head", "rules")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A task in one language as it is to be answered, or was: all that can change the numbers."""

    task: str
    language: str
    split: str
    limit: str
    """As asked: a number of rows, a share of them, or empty for all."""
    model: str
    """Digest of its files."""
    head: str
    dtype: str
    max_length: int
    source: str
    version: str
    """Which data the source served."""
    layer: int | None = None
    """Layer, pooling and neighbourhood count in retrieval only."""
    pooling: str | None = None
    neighbours: int | None = None
    rules: tuple[str, ...] = ()
    """Those that hold and are not ours, as `aspect=whose`."""

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.task}-{self.language}"

    @property
    def id(self) -> str:
        """Hash of everything above."""
        return records.cell_id(**asdict(self))


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredCell:
    """A cell on disk."""

    cell: Cell
    sources: tuple[str, ...]
    """Where its data were looked for."""
    rows: int | None
    """Rows read at most."""
    dev_rows: int | None
    """Those of the development set, where a threshold is tuned on it."""
    num_full: int
    common: dict[str, Any]
    """What every row of its scores says: run, study, regime, intermediate, seed, note."""
    sha256: str = ""
    """Of its predictions."""


class Store:
    """Reads and writes the folder of an evaluation."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._cells = folder.path / "cells"

    def kept(self) -> dict[str, StoredCell]:
        """Cells with whole predictions, by name."""
        found = {}
        for path in listing(self._cells, "*.json"):
            if is_there(self.folder.predictions / f"{path.stem}.arrow"):
                found[path.stem] = decode(StoredCell, read_json(path), str(path))
        return found

    def is_scored(self, name: str) -> bool:
        """Whether the scores of a cell are there."""
        return is_there(self._scores / f"{name}.arrow")

    def refuse_mixture(self, wanted: Sequence[Cell], overwrite: Overwrite) -> None:
        """Makes sure that the folder will hold answers of one model and one way of asking.

        Raises:
            UserError: what is there was asked otherwise; how, and what to do.
        """
        asked = {cell.name: cell for cell in wanted}
        for name, kept in self.kept().items():
            if name in asked and overwrite == "missing":
                lines = differences(kept.cell, asked[name])
                if lines:
                    raise UserError(
                        f"{self.folder.path} holds {name} asked otherwise ({'; '.join(lines[:4])}): "
                        "--overwrite all computes it anew, another --output leaves it alone"
                    )
            elif name not in asked:
                self._refuse_neighbour(kept.cell, wanted)

    def put_answers(self, kept: StoredCell, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes predictions; whatever the cell had before is gone first."""
        cell = kept.cell
        for path in (self._cells / f"{cell.name}.json", *listing(self._scores, f"{cell.name}*.arrow")):
            if path.stem in (cell.name, f"{cell.name}-dev"):
                path.unlink(missing_ok=True)
        common = {
            "run_id": self.folder.id,
            "cell_id": cell.id,
            "target": cell.task,
            "language": cell.language,
            "split": cell.split,
            "data": f"{cell.source} {cell.version}",
            "model": cell.model,
            "code": code_version(),
        }
        full = [common | dict(row) for row in rows]
        shard = records.write_shard(self.folder.predictions, "predictions", full, name=cell.name)
        write_json(self._cells / f"{cell.name}.json", asdict(replace(kept, sha256=digest(shard))))

    def put_scores(self, name: str, rows: Sequence[Mapping[str, Any]], *, split: str = "") -> None:
        """Writes the scores of a cell, or of the other `split` that was looked at for it."""
        shard = f"{name}-{split}" if split else name
        records.write_shard(self._scores, "scores", rows, name=shard)

    @cached_property
    def _scores(self) -> Any:
        return self.folder.records / "scores"

    def predictions(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """All rows by task and language.

        Raises:
            UserError: a shard is not the one that was written (code 3).
        """
        for name, kept in self.kept().items():
            shard = self.folder.predictions / f"{name}.arrow"
            if kept.sha256 and digest(shard) != kept.sha256:
                raise UserError(
                    f"{shard} is not as it was written: it is damaged, or was edited; answer it again with "
                    "--overwrite all, or restore it",
                    code=3,
                )
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        table = records.read("predictions", [self.folder.predictions])
        for row in table.to_pylist():
            found.setdefault((row["target"], row["language"]), []).append(row)
        return found

    def _refuse_neighbour(self, cell: Cell, wanted: Sequence[Cell]) -> None:
        for other in wanted:
            names = (*_OF_FOLDER, *(_OF_TASK if other.task == cell.task else ()))
            lines = [line for line in differences(cell, other) if line.split(":")[0] in names]
            if lines:
                raise UserError(
                    f"{self.folder.path} also holds {cell.name}, asked otherwise ({'; '.join(lines)}), and a "
                    "folder holds the answers of one model only: give another --output, or delete it"
                )


def differences(stored: Cell, asked: Cell) -> list[str]:
    """Lines `what: stored -> asked`; long digests are cut."""
    before, after = asdict(stored), asdict(asked)
    return [
        f"{name}: {str(before[name])[:12]} -> {str(after[name])[:12]}"
        for name in before
        if before[name] != after[name] and name not in ("task", "language")
    ]


def score_rows(
    kept: StoredCell, scored: Scored, *, split: str, data: str, num_full: int
) -> list[dict[str, Any]]:
    """Records of the scores of a cell, one a value.

    Args:
        kept: the cell.
        scored: what the metric found.
        split: the set that was scored.
        data: source and version of that set.
        num_full: examples of the whole set.
    """
    count = len(scored.by_example)
    common: Mapping[str, Any] = {
        **kept.common,
        "target": kept.cell.task,
        "language": kept.cell.language,
        "split": split,
        "data": data,
        "model": kept.cell.model,
        "code": code_version(),
        "n": count,
        "n_full": max(count, num_full),
    }
    return [{**common, "metric": name, "value": value} for name, value in scored.values.items()]
