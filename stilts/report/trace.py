"""Where a number comes from: how it was worked out, from which values, of which runs, in which files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stilts.report.evidence import Evidence
from stilts.report.form import Cell
from stilts.report.spec import Spec
from stilts.run import records

Lines = Callable[[], Sequence[str]]
_FIELDS = ("value", "low", "high", "change", "change_low", "change_high", "p_value", "count", "state", "note")


def of_values(formula: str, values: Mapping[str, float]) -> Lines:
    """A formula and the values it is of, by name."""

    def lines() -> list[str]:
        return [formula, *(f"  {name}: {value:.10g}" for name, value in values.items())]

    return lines


def lines_of(cell: Cell, address: str, spec: Spec, evidence: Evidence) -> list[str]:
    """All that is known of a cell, for a person and for a program that wants to work it out again."""
    found = [f"{address}: {cell.text or '--'} {cell.detail}".rstrip()]
    for name in _FIELDS:
        shown = getattr(cell, name)
        if shown not in (None, ""):
            found.append(f"  {name:12} {shown}")
    if cell.trace is not None:
        found += [f"  {line}" for line in cell.trace()]
    for run in dict.fromkeys((*cell.runs, *cell.other_runs)):
        found.append(f"  run {run}")
        for kind in dict.fromkeys((*spec.inputs, *spec.optional)):
            place = evidence.folder / run
            shards = records.shards_of(place / kind if kind == "predictions" else place / "records" / kind)
            found += [f"    {shard}" for shard in _about(shards, address, spec.split)]
    return found


def _about(shards: Sequence[Path], address: str, split: str) -> Sequence[Path]:
    """The shards that are named after the cell's target and language, or its target; all when none is."""
    words = set(address.replace("-", "/").split("/"))
    named = [shard.stem.split("-") for shard in shards]
    exact = [shard for shard, name in zip(shards, named, strict=True) if set(name) <= words]
    other = "dev" if split == "test" else "test"
    loose = [
        shard for shard, name in zip(shards, named, strict=True) if name[0] in words and name[-1] != other
    ]
    return exact or loose or shards
