import os
import signal
from pathlib import Path

import pytest

from hpc import stopping
from hpc.errors import Stopped
from hpc.jobs import Call, Node, Shape
from hpc.stopping import StopRequest, shield_worker


@pytest.fixture
def in_job(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGUSR2, signal.SIGTERM)}
    yield
    for signum, handler in before.items():
        signal.signal(signum, handler)


@pytest.mark.parametrize(
    ("signals", "decision"),
    [
        ([], "go on"),
        ([signal.SIGUSR2], "requeue"),
        ([signal.SIGTERM], "end"),
        ([signal.SIGTERM, signal.SIGUSR2], "end"),
    ],
)
def test_signals_are_noted_and_the_stronger_one_counts(in_job, signals: list[int], decision: str) -> None:
    with StopRequest() as stop:
        for signum in signals:
            os.kill(os.getpid(), signum)
        assert stop.agreed() == decision


def test_leaving_for_the_queue_calls_the_handler_that_was_there(in_job) -> None:
    def requeue(signum: int, _) -> None:
        raise SystemExit(f"requeued by {signum}")

    signal.signal(signal.SIGUSR2, requeue)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGUSR2)
        with pytest.raises(SystemExit, match=f"requeued by {signal.SIGUSR2:d}"):
            stop.leave()
    assert signal.getsignal(signal.SIGUSR2) is requeue


def test_a_cancelled_job_waits_for_its_end_and_never_requeues(in_job, monkeypatch) -> None:
    signal.signal(signal.SIGUSR2, lambda *_: pytest.fail("requeued"))
    slept = []
    monkeypatch.setattr(stopping.time, "sleep", slept.append)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(SystemExit):
            stop.leave()
    assert slept == [600.0]


def test_outside_slurm_the_run_ends_after_saving(monkeypatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    before = [signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGUSR2)]
    with StopRequest() as stop:
        assert signal.getsignal(signal.SIGUSR2) is before[1]
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.agreed() == "end"
        with pytest.raises(Stopped) as caught:
            stop.leave()
    assert caught.value.signum == signal.SIGTERM
    assert [signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGUSR2)] == before


def test_workers_ignore_the_job_signals(in_job) -> None:
    shield_worker()
    os.kill(os.getpid(), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


RANKS = """
import os, signal, time
from pathlib import Path
import torch.distributed as distributed
from hpc import ranks
from hpc.stopping import StopRequest

def train(out):
    place = ranks.setup()
    distributed.init_process_group("gloo")
    os.environ["SLURM_JOB_ID"] = "1"
    with StopRequest() as stop:
        for step in range(1, 50):
            if place.rank == 1 and step == 7:
                os.kill(os.getpid(), signal.SIGUSR2)
            if stop.agreed() != "go on":
                break
    (Path(out) / f"{place.rank}").write_text(str(step))
    distributed.destroy_process_group()
"""


def test_all_ranks_stop_at_the_step_in_which_one_was_told(toys, monkeypatch) -> None:
    (toys.path / "ranks_toy.py").write_text(RANKS)
    node = Node(
        name="train",
        call=Call("ranks_toy:train", {"out": str(toys.out)}),
        shape=Shape(tasks_per_node=2),
        folder=Path(toys.path / "runs/train"),
    )
    assert toys.run(node).ok, (node.folder / "log-1.txt").read_text()
    assert [(toys.out / rank).read_text() for rank in "01"] == ["7", "7"]
