"""What sacct tells of jobs that have left, read from its own lines, and what of it the next job is told."""

import time

import pytest

from hpc.slurm import history
from hpc.slurm.history import Attempt

# Job, state, exit code, seconds, processors, trackable resources, start.
LINES = """\
7|COMPLETED|0:0|3600|4|billing=4,cpu=4,mem=8G,node=1|2026-11-02T10:00:00
8|REQUEUED|0:0|1800|2|cpu=2|2026-11-02T10:00:00
8|TIMEOUT|0:0|7200|2|cpu=2,gres/gpu=2,gres/gpu:h100=2,node=1|2026-11-02T12:00:00
8|PENDING|0:0|0|2||Unknown
9_0|CANCELLED by 1000|0:15|0|||None
9_[1,3-5%2]|PENDING|0:0||1||Unknown
10|FAILED|1:0|36|1|gres/gpu:a100=1|2026-11-02T09:00:00
sacct: a line of something else
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []

    def run(command: list[str]) -> str:
        commands.append(command)
        return LINES

    monkeypatch.setattr(history, "run", run)
    return commands


def test_attempts_are_told_in_their_order_with_what_they_took(asked: list[list[str]]) -> None:
    found = history.attempts(["7", "8", "9_0", "9_1", "9_4", "10"], since=1000.0)
    assert found == {
        "7": [Attempt(job_id="7", state="COMPLETED", exit_code="0:0", cpu_hours=4.0, gpu_hours=0.0)],
        "8": [
            Attempt(job_id="8", state="REQUEUED", exit_code="0:0", cpu_hours=1.0, gpu_hours=0.0),
            Attempt(job_id="8", state="TIMEOUT", exit_code="0:0", cpu_hours=4.0, gpu_hours=4.0),
            Attempt(job_id="8", state="PENDING", exit_code="0:0", cpu_hours=0.0, gpu_hours=0.0),
        ],
        "9_0": [Attempt(job_id="9_0", state="CANCELLED", exit_code="0:15", cpu_hours=0.0, gpu_hours=0.0)],
        "9_1": [Attempt(job_id="9_1", state="PENDING", exit_code="0:0", cpu_hours=0.0, gpu_hours=0.0)],
        "9_4": [Attempt(job_id="9_4", state="PENDING", exit_code="0:0", cpu_hours=0.0, gpu_hours=0.0)],
        "10": [Attempt(job_id="10", state="FAILED", exit_code="1:0", cpu_hours=0.01, gpu_hours=0.01)],
    }
    (command,) = asked
    assert command[:5] == ["sacct", "--allocations", "--duplicates", "--noheader", "--parsable2"]
    assert command[5] == f"--starttime={time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(940))}"
    assert command[6:] == [
        "--jobs=10,7,8,9",
        "--format=JobID,State,ExitCode,ElapsedRaw,NCPUS,AllocTRES,Start",
    ]


def test_nobody_is_asked_about_no_jobs(asked: list[list[str]]) -> None:
    assert history.attempts([], since=0.0) == {}
    assert asked == []


def test_jobs_that_were_not_asked_about_are_left_out(asked: list[list[str]]) -> None:
    assert set(history.attempts(["7", "9_2"], since=0.0)) == {"7"}
    assert set(history.ended(["7", "8", "9_0", "9_1"], since=0.0)) == {"7", "9_0"}, "8 and 9_1 are pending"
    assert history.ended(["10"], since=0.0)["10"].exit_code == "1:0"
    assert asked[-1][5] == f"--starttime={time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(-60))}"


@pytest.mark.parametrize(
    ("row", "jobs"),
    [
        ("7", ["7"]),
        ("7_3", ["7_3"]),
        ("7_[0-2]", ["7_0", "7_1", "7_2"]),
        ("7_[1,4-5%3]", ["7_1", "7_4", "7_5"]),
        ("7_[2-...]", []),
        ("7_[x,3]", ["7_3"]),
    ],
)
def test_a_row_tells_of_elements_that_never_started(row: str, jobs: list[str]) -> None:
    assert list(history._elements(row)) == jobs


def attempt(state: str) -> Attempt:
    return Attempt(job_id="8", state=state, exit_code="2:0", cpu_hours=0.0, gpu_hours=0.0)


@pytest.mark.parametrize(
    ("state", "cause", "said", "over", "cut"),
    [
        ("TIMEOUT", "time_limit", "met its time limit", True, True),
        ("OUT_OF_MEMORY", "out_of_memory", "ran out of memory (memory_gb of its shape)", True, True),
        ("NODE_FAIL", "node_lost", "lost its node", True, True),
        ("BOOT_FAIL", "node_lost", "lost its node", True, True),
        ("PREEMPTED", "preempted", "was preempted", True, True),
        ("DEADLINE", "", "met its deadline", True, True),
        ("COMPLETED", "", "has ended, but the run is not done", True, False),
        ("FAILED", "", "ended failed with code 2:0", True, True),
        ("CANCELLED", "", "was cancelled", True, True),
        ("REQUEUED", "", "ended requeued with code 2:0", False, True),
        ("RUNNING", "", "ended running with code 2:0", False, False),
    ],
)
def test_how_a_job_ended_is_told_in_words(state: str, cause: str, said: str, over: bool, cut: bool) -> None:
    found = attempt(state)
    assert (found.cause, found.said, found.is_over, found.is_cut_short) == (cause, f"job 8 {said}", over, cut)
    assert found.is_cancelled == (state == "CANCELLED")


def test_the_next_job_is_told_of_those_before() -> None:
    first = {"token": "t", "job_id": "8", "submitted_unix": 50.0}
    told = history.carried_over(first, attempt("TIMEOUT"), 4.0)
    assert told == {"earlier": ["8"], "retried": {"time_limit": 1}, "memory_gb": 4.0, "first_unix": 50.0}
    second = {"token": "u", "job_id": "9", "submitted_unix": 90.0, **told}
    again = history.carried_over(second, attempt("TIMEOUT"), 4.0)
    assert again["retried"] == {"time_limit": 2}
    assert again["earlier"] == ["8", "9"]
    assert again["first_unix"] == 50.0
    assert told["retried"] == {"time_limit": 1}, "the note before is left as it was"
    assert history.carried_over(second, None, 4.0)["retried"] == {"time_limit": 1}
    assert history.carried_over(second, attempt("FAILED"), 4.0)["retried"] == {"time_limit": 1}
    assert history.carried_over({}, None, 4.0) == {"earlier": [], "retried": {}, "memory_gb": 4.0}


def test_a_job_that_ran_out_of_memory_gets_more_and_keeps_it() -> None:
    short = attempt("OUT_OF_MEMORY")
    told = history.carried_over({"job_id": "8", "memory_gb": 4.0}, short, 4.0)
    assert (told["memory_gb"], told["retried"]) == (6.0, {"out_of_memory": 1})
    assert history.carried_over({"job_id": "9", **told}, attempt("TIMEOUT"), 4.0)["memory_gb"] == 6.0
    assert history.carried_over({"job_id": "9", **told}, short, 4.0)["memory_gb"] == 9.0
    assert history.carried_over({"job_id": "9", **told}, short, 16.0)["memory_gb"] == 16.0, "its shape grew"
    assert history.carried_over({"job_id": "8"}, short, 4.0)["memory_gb"] == 4.0, "nobody knows what it had"


def test_since_when_accounting_is_asked() -> None:
    assert history.first_unix({"first_unix": 5, "submitted_unix": 9.0}) == 5.0
    assert history.first_unix({"submitted_unix": 9.0}) == 9.0
    assert history.first_unix({}) == 0.0
