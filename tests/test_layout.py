"""The shape of the house: imports point downwards, planning is light, names that bite stay away."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROOMS = 18
"""Most modules and packages at the top of `stilts`."""


def test_imports_follow_the_contracts():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_catch_an_upward_import(tmp_path):
    """A planted import from the top in the lowest room, checked by the same contracts."""
    for package in ("hpc", "stilts"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with open(tmp_path / "stilts" / "run" / "folder.py", "a", encoding="utf-8") as file:
        file.write("from stilts import launch\n")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "stilts.run.folder -> stilts.launch" in done.stdout


def test_few_rooms_at_the_top():
    rooms = {path.stem for path in (ROOT / "stilts").iterdir() if (path / "__init__.py").exists()}
    rooms |= {path.stem for path in (ROOT / "stilts").glob("*.py")} - {"__init__", "__main__"}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    floors = " | ".join(contracts["contracts"][0]["layers"]).split(" | ")
    assert {f"stilts.{room}" for room in rooms} <= set(floors), "a room has no floor yet"
    assert len(rooms) <= ROOMS, sorted(rooms)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_kernels_know_nobody():
    # No package, by the name that bites: import-linter cannot look into it.
    for path in sorted((ROOT / "kernels").rglob("*.py")):
        for name in imported(path):
            assert name.split(".")[0] not in ("stilts", "hpc"), f"{path} imports {name}"


def test_what_is_withheld_is_not_taken_for_absent():
    """By `hpc.files`, not by what passes over it; what hardware tells of itself may be withheld anywhere."""
    found = []
    for path in sorted(path for room in ("hpc", "stilts") for path in (ROOT / room).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name in ("hpc/energy.py", "hpc/telemetry.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("exists", "glob", "rglob", "iterdir"):
                found.append(f"{name}:{node.lineno} {node.attr}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.walk":
                is_sweep = name == "hpc/files/atomic.py"
                if not is_sweep and "onerror" not in {one.arg for one in node.keywords}:
                    found.append(f"{name}:{node.lineno} os.walk")
    assert not found


@pytest.mark.parametrize(
    "module",
    [
        "stilts.study.config",
        "stilts.run.folder",
        "stilts.tasks",
        "stilts.study.grid",
        "stilts.run.stages",
        "stilts.launch",
        "stilts.status",
        "stilts.tables",
    ],
)
def test_planning_loads_nothing_heavy(module):
    heavy = ["torch", "transformers", "datasets", "deepspeed", "submitit", "pyarrow", "sklearn", "triton"]
    code = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_transformers_does_not_take_our_kernels_for_its_own():
    code = "from transformers import XLMRobertaModel; print(XLMRobertaModel.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "XLMRobertaModel", done.stderr


@pytest.mark.parametrize("folder", ["kernels", "tests", "tables"])
def test_folders_that_must_not_be_packages(folder):
    assert not (ROOT / folder / "__init__.py").exists()
    if folder == "tables":
        assert not list((ROOT / folder).rglob("*.py"))


def test_the_top_level_is_fixed():
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    assert {name.split("/")[0] for name in tracked} <= {
        ".ci",
        ".gitignore",
        ".pre-commit-config.yaml",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "SECURITY.md",
        "constraints.txt",
        "docs",
        "hpc",
        "kernels",
        "pyproject.toml",
        "setup.cfg",
        "slurm",
        "stilts",
        "tables",
        "tests",
    }
