"""What was found: figures of every configuration, what was asked of them, and where they fall short."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernels.inspect.bars import Bars, Limit

SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One compiled configuration."""

    name: str
    facts: Mapping[str, Any]
    """arch, kernel, warps and so on: what bars ask about."""
    figures: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    """Why it could not be compiled."""

    @property
    def title(self) -> str:
        """Names it among all architectures."""
        return f"{self.facts['arch']} {self.name}"

    def short(self, bars: Bars, triton: str) -> list[tuple[Limit, float | None]]:
        """The limits that are not met, with the figure found."""
        pairs = [(limit, self.figures.get(limit.figure)) for limit in bars.limits(self.facts, triton)]
        return [(limit, value) for limit, value in pairs if not limit.met(value)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All of them."""

    triton: str
    """Version of the compiler."""
    findings: Sequence[Finding]

    def complaints(self, bars: Bars) -> list[str]:
        """One line a shortfall: configuration, figure, bar. Empty if all is well."""
        lines = []
        for finding in self.findings:
            if finding.problem:
                lines.append(f"{finding.title}: does not compile: {finding.problem}")
                continue
            for limit, value in finding.short(bars, self.triton):
                said = "not there" if value is None else f"{value:g}"
                lines.append(f"{finding.title}: {limit.figure} is {said}, bar {limit.bar} asks {limit}")
        archs = {finding.facts["arch"] for finding in self.findings}
        facts = [finding.facts for finding in self.findings]
        return lines + [
            f"bar {bar.name} is for what was not compiled: {what}"
            for bar in bars.bars
            for what in bar.missing(archs, facts)
        ]

    def write(self, path: Path) -> None:
        """As JSON, for a later `--against`."""
        content = {
            "schema": SCHEMA,
            "triton": self.triton,
            "configurations": [
                {"name": one.name, "facts": one.facts, "figures": one.figures, "problem": one.problem}
                for one in self.findings
            ],
        }
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Report:
    """What `Report.write` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{path} was not written by --output of this version")
    findings = [Finding(**one) for one in content["configurations"]]
    return Report(triton=content["triton"], findings=findings)
