import io
import json
import time
from pathlib import Path

import pytest

from hpc.cluster import Cluster, Pace
from hpc.jobs import Event
from hpc.usage import Usage
from stilts.launching import progress
from stilts.launching.estimate import learn, say_seconds
from stilts.launching.progress import PlainView, Tally, last_line, seconds_to_end
from stilts.run.folder import RunFolder
from stilts.run.outputs import write_done
from stilts.run.settings import Model
from stilts.run.specs import BaselineSpec, PrepareSpec, RunSpec
from stilts.study.loading import load_study


def tell(folder: RunFolder, done: int, total: int, unix: float) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    line = {"unix": unix, "done": done, "total": total, "unit": "steps", "note": ""}
    with open(folder.progress, "a") as file:
        file.write(json.dumps(line) + "\n")


def test_the_last_whole_line_is_found_in_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    assert last_line(path) == {}
    path.write_text(
        "".join(json.dumps({"done": n, "note": "x" * 50}) + "\n" for n in range(1000)) + '{"done": 1'
    )
    assert last_line(path)["done"] == 999
    path.write_text("not json\n")
    assert last_line(path) == {}


def test_time_left_follows_the_pace_so_far(tmp_path: Path) -> None:
    now = time.time()
    tally = Tally({"a": 10.0, "b": 10.0, "c": 20.0}, lambda name: RunFolder(tmp_path / name))
    assert tally.seconds_left() is None
    tally.take(Event(name="a", state="running", unix=now - 60))
    tally.take(Event(name="a", state="done", unix=now - 20))
    tally.take(Event(name="b", state="running", unix=now - 20))
    tell(RunFolder(tmp_path / "b"), 1, 2, now - 100)
    assert tally.seconds_left() == pytest.approx(60 * 30 / 10, rel=0.02), "an earlier attempt does not count"
    tell(RunFolder(tmp_path / "b"), 1, 2, now)
    assert tally.seconds_left() == pytest.approx(60 * 25 / 15, rel=0.02)
    tally.take(Event(name="b", state="failed", unix=now))
    tally.take(Event(name="c", state="blocked", unix=now))
    assert tally.seconds_left() == 0.0
    assert tally.ended == 3


def test_one_that_is_tried_again_is_not_over(tmp_path: Path) -> None:
    tally = Tally({"a": 1.0, "b": 1.0}, lambda name: RunFolder(tmp_path / name))
    for state in ("running", "cancelled", "waiting", "running"):
        tally.take(Event(name="a", state=state))
    assert tally.ended == 0
    for state in ("cancelled", "done"):
        tally.take(Event(name="a", state=state))
    assert tally.ended == 1, "once, however often it ended"


def test_a_run_tells_when_it_will_be_through(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    assert seconds_to_end(folder.progress) is None
    tell(folder, 90, 90, 1000.0)  # of another phase
    tell(folder, 10, 100, 2000.0)
    assert seconds_to_end(folder.progress) is None
    tell(folder, 20, 100, 2005.0)
    tell(folder, 30, 100, 2010.0)
    assert seconds_to_end(folder.progress) == pytest.approx(35.0)


def test_lines_for_logs(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(progress, "_HEARTBEAT_SECONDS", 0.1)
    out = io.StringIO()
    tally = Tally({f"r{n}": 1.0 for n in range(10)}, lambda name: RunFolder(tmp_path / name))
    now = time.time()
    with PlainView(tally, lambda event: f"because {event.detail}", out) as view:
        view.watch(Event(name="r0", state="running", unix=now - 30))
        tell(RunFolder(tmp_path / "r0"), 3, 9, now)
        time.sleep(0.25)
        view.watch(Event(name="r0", state="done", unix=now))
        view.watch(Event(name="r1", state="failed", detail="of x", log=tmp_path / "log"))
        view.watch(Event(name="r2", state="submitted", detail="job 7"))
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("[ 0/10] running: r0 3/9 steps; about ")
    assert lines[-3:] == [
        "[ 1/10] done r0 in 30 s",
        f"[ 2/10] failed r1: because of x; log {tmp_path / 'log'}",
        "[ 3/10] submitted r2: job 7",
    ]


def test_estimates_are_corrected_by_what_is_done(tmp_path: Path) -> None:
    asked = {
        "prepare": PrepareSpec(model=Model(source="random")),
        "baseline": BaselineSpec(methods=("majority",), train_task="mnli"),
    }

    def spec(name: str, stage: str, tokens: int) -> RunSpec:
        return RunSpec(study="s", id=name, asked=asked[stage], tokens=tokens)

    cluster = Cluster(scheduler="local", pace={"prepare": Pace(seconds=10, tokens_per_second=100)})
    study = load_study("tiny")
    fresh = learn([], study, cluster)
    assert fresh.seconds(spec("t", "prepare", 1000)) == 20
    assert fresh.seconds(spec("l", "baseline", 0)) is None
    assert fresh.cost(spec("l", "baseline", 0)) > 0
    done = []
    for name, stage, tokens, seconds in (("t", "prepare", 1000, 60.0), ("l", "baseline", 0, 33.0)):
        folder = RunFolder(tmp_path / name)
        folder.path.mkdir()
        usage = Usage(
            seconds=seconds, cpu_seconds=0.0, peak_rss=1, gpu_peak=None, gpu_seconds=None, energy_j=None
        )
        write_done(folder.path, "", usage)
        done.append((spec(name, stage, tokens), folder))
    learned = learn(done, study, cluster)
    assert learned.seconds(spec("u", "prepare", 3000)) == pytest.approx(3 * 40)
    assert learned.seconds(spec("m", "baseline", 0)) == pytest.approx(33)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.04, "0.0 s"), (9.4, "9.4 s"), (70, "70 s"), (130, "2 min"), (86400, "24.0 h")]
)
def test_durations_are_said_shortly(seconds: float, said: str) -> None:
    assert say_seconds(seconds) == said


def test_a_clock_that_is_set_does_not_make_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for jump in (-3e5, 3e7):
        tally = Tally({"a": 1.0}, lambda name: RunFolder(tmp_path / name))
        tally.take(Event(name="a", state="running"))
        now = time.time
        monkeypatch.setattr("time.time", lambda now=now, jump=jump: now() + jump)
        took = tally.take(Event(name="a", state="done", unix=time.time()))
        monkeypatch.setattr("time.time", now)
        assert took is not None
        assert 0 <= took < 5
