"""A launcher around a stage that only sleeps: everything else is the real thing."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stilts import launch
from stilts.run.folder import RunFolder
from stilts.study.grid import expand
from stilts.study.loading import load_study

ROOT = Path(__file__).parents[3]
STUDY = """
name = "toys"
summary = "small, and of no consequence"
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "panx", "tatoeba"]
model = { source = "random" }
intermediate = { tasks = ["mnli", "squad_v1"], single_tasks = ["mnli"] }
languages = { default = ["en", "de"] }
baselines = ["majority"]
optimisation.default = { learning_rate = 2e-4 }
limits.default = { train = 1000, dev = 100, test = 100 }
latency = { processes = 1, targets = ["xnli"], regimes = ["direct", "joint"] }
"""

TOY = """
import json, os, time
from pathlib import Path
from hpc.errors import UserError
from hpc.files import append_json_line, write_json
from hpc.usage import measured
from stilts.run.outputs import write_done
from stilts.run.folder import RunFolder
from stilts.run.progress import Progress

def run(folder):
    here = RunFolder(Path(folder))
    with here.locked():
        here.read_spec()
        append_json_line(here.provenance, {})
        here.failed.unlink(missing_ok=True)
        for need in here.read_spec().needs:
            assert here.sibling(need).done.exists(), need
        orders = here.path.parents[1] / f"{here.id}.order"
        order = json.loads(orders.read_text()) if orders.exists() else {}
        if "fail" in order:
            write_json(here.failed, {"error": order["fail"], "code": order.get("code", 1), "traceback": ""})
            raise UserError(order["fail"])
        progress = Progress(here, total=4, unit="steps")
        for step in range(4):
            progress.at(step, "loss 0.5")
            time.sleep(order.get("seconds", 0.02) / 4)
        append_json_line(here.path / "attempts.jsonl", {"unix": time.time()})
        with measured() as meter:
            time.sleep(0.1)
        write_done(here.path, here.read_spec().fingerprint, meter.usage)
"""

PROGRAM = """
import sys, stilts.launch, stilts.launching.plan
stilts.launching.plan.STAGE, stilts.launch.PRELOAD = "toy_stage:run", ("toy_stage",)
sys.exit(stilts.launch.main())
"""


class Launching:
    """A runs folder, and ways to launch into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs = path / "runs"
        self.runs.mkdir()
        self.study = path / "toys.toml"
        self.study.write_text(STUDY)
        self.num_runs = len(expand(load_study(str(self.study)), "all"))
        self.arguments = ["--grid", "all", "--study", str(self.study), "--runs", str(self.runs)]

    def here(self, *more: str) -> int:
        return launch.main([*self.arguments, *more])

    def apart(self, *more: str, **streams) -> subprocess.Popen:
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{self.path}", "TERM": "xterm", "COLUMNS": "120"}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *self.arguments, *more], env=environment, cwd=ROOT, **streams
        )

    def order(self, run_id: str, **order) -> None:
        (self.runs / f"{run_id}.order").write_text(json.dumps(order))

    def folder(self, run_id: str) -> RunFolder:
        return RunFolder(self.runs / "toys" / run_id)

    def done(self) -> set[str]:
        return {path.parent.name for path in self.runs.glob("toys/*/done.json")}

    def processes(self) -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != os.getpid():
                try:
                    content = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                except OSError:
                    continue
                if str(self.path).encode() in content:
                    found.append(int(folder.name))
        return found


@pytest.fixture
def launching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Launching:
    (tmp_path / "toy_stage.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("stilts.launching.plan.STAGE", "toy_stage:run")
    monkeypatch.setattr(launch, "PRELOAD", ("toy_stage",))
    return Launching(tmp_path)


@pytest.fixture
def wait_for() -> Callable[..., None]:
    def wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the condition never came true"
            time.sleep(0.02)

    return wait
