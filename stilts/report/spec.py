"""A table as data: one TOML file in `tables/` says what it asks, of which records, and by which
statistics.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hpc.errors import UserError, unknown_name
from hpc.settings import decode, read_toml
from stilts.run.records import SCHEMAS

TABLES = Path(__file__).resolve().parents[2] / "tables"
BUILDERS = Path(__file__).parent / "builders"
NOT_TABLES = ("published",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """What the table may claim."""

    unit: Literal["seed", "process", "none"] = "none"
    """What is repeated. With one seed the items take its place, and the caption says so."""
    level: float = 0.95
    correction: Literal["holm", "none"] = "none"
    """Of p-values, within the family that the caption names."""
    margin: float = 0.02
    """Ratios within this margin of 1 count as equivalent; fixed before measuring."""
    resamples: int = 2000
    min_processes: int = 5
    """Fewer processes than this are reported with a warning."""
    max_invalid: float = 0.05
    """A row that lost a larger share of its timings is marked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What one file in `tables/` says."""

    id: str
    question: str
    builder: str
    """Name of a module in `stilts/report/builders/`."""
    inputs: tuple[str, ...]
    """Kinds of record it cannot be built without."""
    optional: tuple[str, ...] = ()
    """Kinds of record that add intervals or columns where there are any."""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    metric: str = ""
    """What the numbers are, in the caption's words."""
    direction: Literal["higher", "lower"] = "higher"
    split: Literal["dev", "test"] = "test"
    against: str = "direct"
    """The row that changes are measured against."""
    main: bool = False
    """Printed on the terminal at the end."""
    block: int = 9
    """Most columns side by side, for tables that are split."""
    stats: Stats = Stats()


def table_names(folder: Path = TABLES) -> list[str]:
    """Tables and figures that can be asked for."""
    return sorted(path.stem for path in folder.glob("*.toml") if path.stem not in NOT_TABLES)


def load_spec(name_or_path: str, folder: Path = TABLES) -> Spec:
    """Reads a table's file by its name or its path.

    Raises:
        UserError: no such table, an unknown key, builder or kind of record.
    """
    path = Path(name_or_path) if name_or_path.endswith(".toml") else folder / f"{name_or_path}.toml"
    if not path.exists():
        raise unknown_name("table", name_or_path, table_names(folder))
    spec: Spec = decode(Spec, read_toml(path), str(path))
    if spec.id != path.stem:
        raise UserError(f"{path}: id = {spec.id!r} should be the file's name, {path.stem!r}")
    known = [module.stem for module in BUILDERS.glob("[!_]*.py")]
    if spec.builder not in known:
        raise unknown_name("builder", spec.builder, known, where=str(path))
    for kind in (*spec.inputs, *spec.optional):
        if kind not in SCHEMAS:
            raise unknown_name("kind of record", kind, SCHEMAS, where=str(path))
    return spec
