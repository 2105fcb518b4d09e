"""A table as data: one TOML file in `tables/` says what it asks, of which records, and by which
statistics.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from hpc import shipped
from hpc.errors import UserError, unknown_name
from hpc.files import is_there, listing
from hpc.settings import FILE_NAME, Line, Range, decode, read_toml
from stilts import tasks
from stilts.run.records import SCHEMAS
from stilts.study import regimes

BUILDERS = Path(__file__).parent / "builders"
NOT_TABLES = ("published",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """What the table may claim."""

    level: Annotated[float, Range(least=0.5, below=1)] = 0.95
    correction: Literal["holm", "bh", "none"] = "none"
    """Of p-values over all comparisons of a table: Holm's, or Benjamini and Hochberg's for a map."""
    margin: Annotated[float, Range(above=0, below=1)] = 0.02
    """Ratios within this margin of 1 count as equivalent; fixed before measuring."""
    min_processes: Annotated[int, Range(least=1, most=10_000)] = 5
    """Fewer processes than this are reported with a warning."""
    max_invalid: Annotated[float, Range(least=0, most=1)] = 0.05
    """A row that lost a larger share of its timings is marked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What one file in `tables/` says."""

    id: Annotated[str, FILE_NAME]
    question: Annotated[str, Line()]
    builder: str
    """Name of a module in `stilts/report/builders/`."""
    inputs: tuple[str, ...]
    """Record types it cannot be built without."""
    optional: tuple[str, ...] = ()
    """Record types that add intervals or columns where there are any."""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    metric: Annotated[str, Line()] = ""
    """What the numbers are, in the caption's words."""
    direction: Literal["higher", "lower"] = "higher"
    split: Literal["dev", "test"] = "test"
    against: str = "direct"
    """The row that changes are measured against."""
    standard: bool = True
    """Made when nobody names tables; others by name, or by `--all`."""
    main: bool = False
    """Printed on the terminal at the end."""
    stats: Stats = Stats()


def table_names() -> list[str]:
    """Tables and figures that can be asked for."""
    return [name for name in shipped.names("tables") if name not in NOT_TABLES]


def load_spec(name_or_path: str) -> Spec:
    """Reads a table's file by its name, in `tables/` here or beside the package, or by its path.

    Raises:
        UserError: no such table, an unknown key, builder, row, column or record type.
    """
    is_path = name_or_path.endswith(".toml")
    path = Path(name_or_path) if is_path else shipped.find("tables", name_or_path)
    if path is None or not is_there(path):
        raise unknown_name("table", name_or_path, table_names())
    spec: Spec = decode(Spec, read_toml(path), str(path))
    if spec.id != path.stem:
        raise UserError(f"{path}: id = {spec.id!r} should be the file's name, {path.stem!r}")
    known = [module.stem for module in listing(BUILDERS, "[!_]*.py")]
    if spec.builder not in known:
        raise unknown_name("builder", spec.builder, known, where=str(path))
    for kind in (*spec.inputs, *spec.optional):
        if kind not in SCHEMAS:
            raise unknown_name("record type", kind, SCHEMAS, where=str(path))
    _check_names(spec, path)
    return spec


def _check_names(spec: Spec, path: Path) -> None:
    """Rows, columns and what they are compared with are those that the builder can make."""
    builder = importlib.import_module(f"stilts.report.builders.{spec.builder}")
    rows = getattr(builder, "ROWS", ("all", *regimes.names()))
    # A regime with several phases may be narrowed to one of them, as in single/mnli.
    phases = [*tasks.names(), *regimes.names()]
    for what, names in (("row", spec.rows), ("column", spec.columns)):
        if not names:
            raise UserError(f"{path}: {what}s is empty")
        twice = [name for n, name in enumerate(names) if name in names[:n]]
        if twice:
            raise UserError(f"{path}: {what}s has {twice[0]!r} twice")
    for name in spec.rows:
        regime, slash, phase = name.partition("/")
        if regime not in rows or (slash and phase not in phases):
            raise unknown_name("row", name, rows, where=str(path))
    columns = (*builder.COLUMNS, *(tasks.names() if "targets" in builder.COLUMNS else ()))
    for name in spec.columns:
        if name not in columns:
            raise unknown_name("column", name, columns, where=str(path))
    against = getattr(builder, "AGAINST", regimes.names())
    if spec.against not in against:
        what = "row" if hasattr(builder, "AGAINST") else "regime"
        raise unknown_name(what, spec.against, against, where=f"{path}: against")
