"""A study by its name or from a file: read strictly, and checked whole."""

from pathlib import Path
from typing import Any

from hpc.errors import UserError, unknown_name
from hpc.files import is_there, listing
from hpc.settings import decode, read_toml
from stilts.run.settings import BATCH_SIZES
from stilts.study.check import check
from stilts.study.config import Study

STUDIES = Path(__file__).parent / "studies"


def study_names() -> list[str]:
    """Studies that ship with the package."""
    return [path.stem for path in listing(STUDIES, "*.toml")]


def load_study(name_or_path: str) -> Study:
    """Reads a study by its name or by the path of a TOML file.

    Raises:
        UserError: no such study, not TOML, an unknown key or task, or a setting that cannot work.
    """
    given = Path(name_or_path)
    if given.suffix == ".toml" or "/" in name_or_path:
        if not is_there(given):
            raise UserError(f"no study file at {given}")
        path = given
    else:
        path = STUDIES / f"{name_or_path}.toml"
        if not is_there(path):
            raise unknown_name("study", name_or_path, study_names())
    study: Study = decode(Study, _inherit_defaults(read_toml(path), path), str(path))
    if path.resolve().parent != STUDIES.resolve() and study.name in study_names():
        raise UserError(f"{path}: name = {study.name!r} is the name of a study that ships; choose another")
    check(study)
    return study


def _inherit_defaults(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fills each `[optimisation.X]` and `[limits.X]` with the values of its `default` table."""
    for section in ("optimisation", "limits"):
        tables = table.get(section, {})
        if not isinstance(tables, dict) or not all(isinstance(entry, dict) for entry in tables.values()):
            raise UserError(f"{path}: {section} should hold one table a task")
        default = tables.get("default", {})
        table[section] = {"default": default} | {
            key: _inherited(default, entry) | entry for key, entry in tables.items()
        }
    return table


def _inherited(default: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """What an entry takes from the default table: not the size of a batch where it gives one of its own."""
    if entry is default or not set(BATCH_SIZES) & set(entry):
        return default
    return {key: value for key, value in default.items() if key not in BATCH_SIZES}
