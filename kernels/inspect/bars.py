"""Bars for the figures of compiled kernels: `kernels/bars.toml`, which explains itself."""

import itertools
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kernels.compilation import Compilation

PATH = Path(__file__).parents[1] / "bars.toml"
Sense = Literal["at_least", "at_most", "exactly"]
_SIGNS: dict[Sense, str] = {"at_least": ">=", "at_most": "<=", "exactly": "="}


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """What one bar asks of one figure."""

    figure: str
    sense: Sense
    bound: float
    bar: str
    """Name of the bar that asks it."""

    def met(self, value: float | None) -> bool:
        """Whether the figure is good enough; one that could not be taken is not."""
        if value is None:
            return False
        if self.sense == "exactly":
            return value == self.bound
        return value >= self.bound if self.sense == "at_least" else value <= self.bound

    def __str__(self) -> str:
        return f"{_SIGNS[self.sense]} {self.bound:g}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """What is asked of all configurations of which some facts hold."""

    name: str
    where: Mapping[str, Any] = field(default_factory=dict)
    tile: Mapping[str, Any] = field(default_factory=dict)
    cover: Mapping[str, list[Any]] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    exactly: Mapping[str, float] = field(default_factory=dict)

    @property
    def conditions(self) -> dict[str, Any]:
        """What has to be true of a configuration for the bar to apply."""
        return {**self.where, **self.tile, **self.cover}

    def applies(self, facts: Mapping[str, Any]) -> bool:
        """Whether a configuration agrees."""
        return all(facts.get(key) in _values(wanted) for key, wanted in self.conditions.items())

    def missing(self, archs: Collection[str], all_facts: Iterable[Mapping[str, Any]]) -> list[str]:
        """What has to have been compiled for these architectures and was not, in words."""
        if not self.cover:
            return []
        wanted = {"arch": _values(self.where.get("arch", [])), **self.cover}
        there = [tuple(facts[key] for key in wanted) for facts in all_facts if self.applies(facts)]
        if not there:
            return ["anything"] if set(wanted["arch"]) & set(archs) else []
        return [
            " ".join(f"{key}={value}" for key, value in zip(wanted, values, strict=True))
            for values in itertools.product(*wanted.values())
            if values[0] in archs and values not in there
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """The whole file."""

    chips: Mapping[str, Mapping[str, Any]]
    bars: tuple[Bar, ...]
    triton: str
    """The version that the figures were measured with."""
    slack_share: float
    slack_figures: tuple[str, ...]

    def limits(self, facts: Mapping[str, Any], triton: str) -> list[Limit]:
        """What is asked of a configuration, when compiled by this version of Triton."""
        share = 0.0 if triton.split("+")[0] == self.triton else self.slack_share
        found = []
        senses: tuple[Sense, ...] = ("at_least", "at_most", "exactly")
        for bar, sense in itertools.product(self.bars, senses):
            if not bar.applies(facts):
                continue
            for figure, bound in getattr(bar, sense).items():
                slack = share if figure in self.slack_figures else 0.0
                factor = {"at_least": 1 - slack, "at_most": 1 + slack, "exactly": 1.0}[sense]
                found.append(Limit(figure=figure, sense=sense, bound=bound * factor, bar=bar.name))
        return found


def facts_of(compilation: Compilation, arch: str) -> dict[str, Any]:
    """What `where` may ask about a configuration."""
    return {
        "arch": arch,
        "vendor": "nvidia" if arch.startswith("sm_") else "amd",
        "kernel": compilation.kernel,
        "warps": compilation.warps,
        "stages": compilation.stages,
        **compilation.facts,
    }


def load(path: Path = PATH) -> Bars:
    """Reads a file of bars.

    Raises:
        ValueError: an unknown key, or a bar with nothing to ask.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    known = set(Bar.__dataclass_fields__)
    bars = []
    for table in content["bar"]:
        if table.keys() - known:
            names = ", ".join(sorted(table.keys() - known))
            raise ValueError(f"{path}: bar {table.get('name')}: unknown {names}; there are {sorted(known)}")
        bar = Bar(**table)
        if not (bar.at_least or bar.at_most or bar.exactly):
            raise ValueError(f"{path}: bar {bar.name} asks nothing")
        bars.append(bar)
    return Bars(
        chips=content["chip"],
        bars=tuple(bars),
        triton=content["measured"]["triton"],
        slack_share=content["slack"]["share"],
        slack_figures=tuple(content["slack"]["figures"]),
    )


def _values(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]
