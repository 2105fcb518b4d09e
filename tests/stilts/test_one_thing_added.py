"""What a new regime and a new stage cost in files, tried on a copy of the checkout."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Checkout:
    """A copy of the program that may be changed; it counts the files that were."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.touched: set[str] = set()
        for name in ("hpc", "stilts", "kernels", "slurm", "tables"):
            shutil.copytree(
                ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__", "rendered")
            )

    def change(self, file: str, before: str, after: str) -> None:
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{file} has {before!r} {text.count(before)} times"
        (self.path / file).write_text(text.replace(before, after), encoding="utf-8")
        self.touched.add(file)

    def add(self, file: str, text: str) -> None:
        (self.path / file).write_text(text, encoding="utf-8")
        self.touched.add(file)

    def run(self, *arguments: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(self.path)}
        command = [sys.executable, "-m", "stilts", *map(str, arguments), "--study", "tiny"]
        done = subprocess.run(
            command, cwd=self.path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def table(self, name: str) -> dict[tuple[str, str], str]:
        """Row and column to printed text of a rendered table."""
        path = self.path / "tables" / "rendered" / "tiny" / f"{name}.csv"
        with open(path, encoding="utf-8") as file:
            return {(row["row"], row["column"]): row["text"] for row in csv.DictReader(file)}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_regime_is_one_entry_in_the_table_of_regimes(checkout: Checkout) -> None:
    """Joint training from the raw encoder: planned, trained, evaluated, in the tables, its cost with it."""
    entry = """    Regime(
        name="joint-raw",
        label="joint, raw encoder",
        summary="all English target sets together, without an intermediate phase",
        then="joint",
    ),
    Regime(
        name="random","""
    checkout.change("stilts/study/regimes.py", '    Regime(\n        name="random",', entry)
    assert checkout.touched == {"stilts/study/regimes.py"}

    checkout.run("launch", "--grid", "all", "--only", "joint-raw*")
    checkout.run("tables", "--formats", "csv")
    scores, costs = checkout.table("scores"), checkout.table("training")
    assert float(scores["joint-raw", "xnli"]) >= 0
    assert costs["joint-raw", "models"] == "1"
    assert float(costs["joint-raw", "target"]) > 0
    assert costs["joint-raw", "intermediate"] == "0"


STAGE = '''

@dataclass(frozen=True, kw_only=True, slots=True)
class CopySpec(Stage):
    """Weights as they are, at a price."""

    name: ClassVar[str] = "copy"
    entry: ClassVar[str] = "stilts.copying:copy"
    is_training: ClassVar[bool] = True
    regime: str
    intermediate: str
    seed: int


def stages() ->'''

MODULE = '''"""A stage that hands on what it got."""

import shutil

from stilts.run import records


def copy(run, spec, asked):
    shutil.copytree(run.sibling(spec.needs[0]).weights, run.weights, dirs_exist_ok=True)
    row = {
        "run_id": spec.id,
        "regime": asked.regime,
        "intermediate": asked.intermediate,
        "seed": asked.seed,
        "stage": "copy",
        "device_class": "cpu",
        "seconds": 5000.0,
        "tokens": 7,
    }
    records.write_shard(run.records / "training", "training", [row], name="training")
'''

PLACE = """    trained = add_training(builder, f"{phase}-s{seed}", parent, "single", [phase])
    copied = CopySpec(regime=regime, intermediate=phase, seed=seed)
    builder.add(f"{trained.id}+copy", copied, [trained.id])
    return replace(trained, id=f"{trained.id}+copy")
"""


def test_a_stage_is_three_files_and_its_cost_is_in_the_table(checkout: Checkout) -> None:
    """A stage between an intermediate task and its targets."""
    checkout.change("stilts/run/specs.py", "\n\ndef stages() ->", STAGE)
    checkout.add("stilts/copying.py", MODULE)
    place = "stilts/study/grid/intermediate.py"
    checkout.change(
        place, '    return add_training(builder, f"{phase}-s{seed}", parent, "single", [phase])\n', PLACE
    )
    checkout.change(
        place, "from stilts.run.specs import Text\n", "from stilts.run.specs import CopySpec, Text\n"
    )
    checkout.change(place, "from collections.abc import Callable, Mapping\n", IMPORTS)
    assert len(checkout.touched) == 3

    checkout.run("launch", "--grid", "all", "--only", "mnli-s1*")
    assert "mnli-s1+copy" in os.listdir(checkout.path / "runs" / "tiny")
    assert "copy" in checkout.run("status")
    checkout.run("tables", "--formats", "csv")
    costs = checkout.table("training")
    assert float(costs["single/mnli", "intermediate"].replace(",", "")) > 5000
    assert costs["direct", "intermediate"] in ("0", "--", "")


IMPORTS = "from collections.abc import Callable, Mapping\nfrom dataclasses import replace\n"
