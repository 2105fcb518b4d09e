"""The packages this one needs, and whether those that are there fit."""

import configparser
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from hpc.finding import Finding

INSTALL = "python -m pip install -c constraints.txt -e . in the folder of stilts"
"""What mends a package that is missing or does not fit."""


def _requirements() -> list[str]:
    """What this package needs: as it was installed, or as its checkout says; else nothing."""
    try:
        return requires("stilts") or []
    except PackageNotFoundError:
        about = configparser.ConfigParser()
        about.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")
        lines = about.get("options", "install_requires", fallback="").splitlines()
        return [line for line in lines if line]


def packages() -> Finding:
    """Versions of what is needed, held against what this package asks for."""
    from packaging.requirements import Requirement

    needs = [Requirement(line) for line in _requirements()]
    if not needs:
        return Finding(
            what="packages",
            told="not looked at: stilts was not installed, and no setup.cfg beside it says what it needs",
            is_well=False,
            matters=False,
            advice=INSTALL,
        )
    shown, wrong = [], []
    for need in needs:
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            there = version(need.name)
        except PackageNotFoundError:
            wrong.append(f"{need.name} is missing")
            continue
        if not need.specifier.contains(there, prereleases=True):
            wrong.append(f"{need.name} {there} is there, {need.specifier} is needed")
        elif need.name in ("torch", "triton", "deepspeed", "transformers"):
            shown.append(f"{need.name} {there}")
    return Finding(
        what="packages",
        told="; ".join(wrong) or ", ".join(shown),
        is_well=not wrong,
        advice=INSTALL,
    )
