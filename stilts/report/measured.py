"""Figures that were measured elsewhere and are kept with the program, each with card, versions and date."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hpc import shipped
from hpc.files import listing


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What the benchmarks of the kernels and the encoder found on one device."""

    name: str
    """Of the file."""
    content: dict[str, Any]

    @property
    def title(self) -> str:
        """Device, versions and date."""
        machine = self.content["machine"]
        versions = ", ".join(f"{name} {machine[name]}" for name in ("torch", "triton") if name in machine)
        return f"{machine.get('gpu', self.name)}, {versions}, {self.content['date']}"


def cards() -> list[Card]:
    """Devices there are figures of."""
    # Found without being imported: planning loads no torch.
    spec = find_spec("kernels")
    folders = (spec.submodule_search_locations if spec else None) or []
    places = [Path(folder) / "measured" for folder in folders]
    found = {path.stem: path for place in places for path in listing(place, "*.json")}
    return [
        Card(name=name, content=json.loads(path.read_text(encoding="utf-8"))) for name, path in found.items()
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """A kept table of ways to serve."""

    study: str
    about: dict[str, Any]
    cells: dict[str, dict[str, Any]]
    """By `row/column`."""


def serving(study: str) -> Serving | None:
    """The kept figures of a serving study; None where there are none."""
    for folder in shipped.folders("tables"):
        place = folder / "measured" / study
        if (place / "deploy.json").is_file():
            table = json.loads((place / "deploy.json").read_text(encoding="utf-8"))
            cells = {
                f"{row['key']}/{column}": cell
                for block in table["blocks"]
                for row in block["rows"]
                for column, cell in zip(block["columns"], row["cells"], strict=True)
            }
            about = json.loads((place / "about.json").read_text(encoding="utf-8"))
            return Serving(study=study, about=about, cells=cells)
    return None
