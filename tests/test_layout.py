"""The shape of the house: imports point downwards, planning is light, names that bite stay away."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up: a room imports only rooms that stand before it.
FLOORS = (
    ("errors", "files", "decode", "command"),
    ("config", "runs", "provenance", "records", "kinds", "metrics", "stats"),
    ("tasks", "catalogue", "microworld", "pretrained"),
    ("data", "mixing"),
    ("attention", "encoder", "model", "retrieval"),
    ("predict",),
    ("train", "evaluate", "latency", "prepare", "baselines"),
    ("stages", "grid", "estimate"),
    ("plan", "progress", "live", "report", "launch", "status", "tables"),
)
ORDER = [room for floor in FLOORS for room in floor]


def modules(package):
    return sorted(
        path
        for path in (ROOT / package).rglob("*.py")
        if "languages" not in path.parts or path.name == "__init__.py"
    )


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules("stilts"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    if name == "stilts":
        return
    room = name.split(".")[1]
    assert room in ORDER, f"stilts.{room} has no place yet: give it one here and in the README"
    # A command shows what it found by tables and figures, in whatever room it stands.
    shows = ("report",) if path.name == "__main__.py" else ()
    for other in imported(path):
        parts = other.split(".")
        if parts[0] == "stilts" and len(parts) > 1 and parts[1] in ORDER and parts[1] not in (room, *shows):
            assert ORDER.index(parts[1]) < ORDER.index(room), f"{name} imports {other}"


@pytest.mark.parametrize("package", ["hpc", "kernels"])
def test_ground_floor_knows_nobody(package):
    other = {"hpc": "kernels", "kernels": "hpc"}[package]
    for path in modules(package):
        for name in imported(path):
            assert name.split(".")[0] not in ("stilts", other), f"{path} imports {name}"


@pytest.mark.parametrize(
    "module",
    [
        "stilts.config",
        "stilts.runs",
        "stilts.tasks",
        "stilts.grid",
        "stilts.stages",
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
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    assert {name.split("/")[0] for name in tracked} <= {
        ".ci",
        ".gitignore",
        ".pre-commit-config.yaml",
        "LICENSE",
        "Makefile",
        "README.md",
        "constraints.txt",
        "hpc",
        "kernels",
        "pyproject.toml",
        "setup.cfg",
        "slurm",
        "stilts",
        "tables",
        "tests",
    }
