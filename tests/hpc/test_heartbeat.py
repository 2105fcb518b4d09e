import re
import signal
import time
from pathlib import Path

import pytest

from tests.starting import run_ranks, start_ranks

WORKER = Path(__file__).parent / "heartbeat_worker.py"


@pytest.mark.parametrize("how", ["behind", "alike"])
def test_the_rank_that_hangs_is_named_with_its_place(tmp_path: Path, how: str) -> None:
    ended = run_ranks([WORKER, tmp_path, how, 0.5], world=2, timeout=30)
    assert [code for code, _ in ended] == [1, 1]
    (told,) = {path.read_text() for path in tmp_path.glob("told-1")}
    assert re.fullmatch(
        r"rank 1 on \S+ made no step for 0\.0167 minutes, in heartbeat_worker\.py:\d+ \(stuck\)", told
    )
    assert "in stuck" in ended[1][1], "its stack is in its log"


def test_where_all_wait_all_are_named(tmp_path: Path) -> None:
    ended = run_ranks([WORKER, tmp_path, "both", 0.5], world=2, timeout=30)
    assert 1 in [code for code, _ in ended]
    told = next(tmp_path.glob("told-*")).read_text()
    assert told.startswith("all ranks made no step for 0.0167 minutes, in heartbeat_worker.py:")


def test_a_rank_that_is_stopped_is_named_by_the_others(tmp_path: Path) -> None:
    first, second = start_ranks([WORKER, tmp_path, "first waits", 60], world=2)
    try:
        end = time.monotonic() + 20
        while not (tmp_path / "beats" / "1.json").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        # As long as one works nobody hangs.
        time.sleep(2)
        assert first.poll() is None
        second.send_signal(signal.SIGSTOP)
        assert first.wait(20) == 1
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
    told = (tmp_path / "told-0").read_text()
    assert re.fullmatch(r"rank 1 on \S+ no longer answered: stopped, or its machine is lost", told)


def test_ranks_that_work_are_left_alone(tmp_path: Path) -> None:
    ended = run_ranks([WORKER, tmp_path, "work", 3.0], world=2, timeout=30)
    assert [code for code, _ in ended] == [0, 0], ended
    assert not list(tmp_path.iterdir()), "nothing is left behind"
