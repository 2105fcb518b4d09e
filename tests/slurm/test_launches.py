"""A second launch, whatever became of the first: no run twice, none forgotten, none before its parent."""

import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hpc.errors import UserError
from hpc.jobs import Call, Node, Shape
from hpc.slurm import history, queue
from tests.slurm import launcher
from tests.slurm.conftest import down, up

pytestmark = pytest.mark.slurm
ROOT = Path(__file__).parents[2]


def launch(folder: Path, step: int = 0) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "tests.slurm.launcher", str(folder), str(step)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120)


def all_once(folder: Path) -> None:
    out = folder / "out"
    assert not list(out.glob("*.orphan")), "a child began before its parent had ended"
    assert {path.stem for path in out.glob("*.ended")} == set(launcher.PLAN), "a run was forgotten"
    begun = {path.stem: path.read_text().count("x") for path in out.glob("*.begun")}
    assert begun == dict.fromkeys(launcher.PLAN, 1), "a run was done twice"


def steps(tmp_path: Path, dev_cluster) -> int:
    done = launch(tmp_path / "whole")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize(
    "every", [pytest.param(7, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_a_launcher_killed_at_any_step_is_made_good_by_the_next(dev_cluster, tmp_path, every) -> None:
    total = steps(tmp_path, dev_cluster)
    assert total == 2 * (3 + 2 * len(launcher.PLAN)), "two notes a run and three sbatch calls"
    folders = [tmp_path / "whole"]
    for step in range(1, total + 1, every):
        folders.append(tmp_path / f"step-{step}")
        assert launch(folders[-1], step).returncode == 99
        again = launch(folders[-1])
        assert again.returncode == 0, again.stderr
    dev_cluster.until_empty(900)
    for folder in folders:
        all_once(folder)


def node(tmp_path: Path, name: str, *needs: str, shape: Shape = launcher.SHAPE, **how) -> Node:
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    call = Call("tests.slurm.toys:work", {"out": str(out), "name": name, "needs": list(needs), **how})
    return Node(name=name, call=call, needs=needs, shape=shape, folder=tmp_path / name)


def run(tmp_path: Path, *nodes: Node) -> dict[str, str]:
    """Detail of each submission."""
    events = []
    assert launcher.executor(tmp_path).run(nodes, events.append).ok
    return {event.name: event.detail for event in events}


def test_children_are_submitted_under_a_running_parent(dev_cluster, tmp_path) -> None:
    first = run(tmp_path, node(tmp_path, "a", seconds=6))
    dev_cluster.until(lambda: "RUNNING" in dev_cluster.queue()[0])
    again = run(tmp_path, node(tmp_path, "a", seconds=6), node(tmp_path, "b", "a"))
    assert again["a"] == f"{first['a']}, running"
    dev_cluster.until_empty()
    assert (tmp_path / "out/b.ended").exists()
    assert (tmp_path / "out/a.begun").read_text() == "x\n"


def test_a_job_that_can_never_start_is_replaced_with_its_children(dev_cluster, tmp_path) -> None:
    large = replace(launcher.SHAPE, nodes=2)
    dev_cluster.say("scontrol", "update", "nodename=127.0.0.2", "state=drain", "reason=test")
    try:
        first = run(tmp_path, node(tmp_path, "a", shape=large), node(tmp_path, "b", "a"))
        # What fitted when it was submitted fits no more.
        dev_cluster.say("scontrol", "update", "partitionname=main", "nodes=127.0.0.1")
        dev_cluster.until(lambda: any("Partition" in line for line in dev_cluster.queue()))
        again = run(tmp_path, node(tmp_path, "a"), node(tmp_path, "b", "a"))
    finally:
        dev_cluster.say("scontrol", "update", "partitionname=main", "nodes=ALL")
        dev_cluster.say("scontrol", "update", "nodename=127.0.0.2", "state=resume")
    assert not set(first.values()) & set(again.values())
    dev_cluster.until_empty()
    assert (tmp_path / "out/b.ended").exists()
    assert not (tmp_path / "out/b.orphan").exists()


def test_a_job_of_the_same_number_is_another_job(dev_cluster, tmp_path) -> None:
    other = dev_cluster.say("sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 5").strip()
    queue.write_job(tmp_path / "a", {"token": "hpc-of-another-cluster", "element": "", "job_id": other})
    found = run(tmp_path, node(tmp_path, "a"))
    assert found["a"] != f"job {other}, queued before"
    dev_cluster.until_empty()
    assert (tmp_path / "out/a.ended").exists()


def test_a_held_job_is_kept_and_told(dev_cluster, tmp_path) -> None:
    dev_cluster.say("scontrol", "update", "partitionname=main", "state=down")
    run(tmp_path, node(tmp_path, "a"))
    job = queue.queued()[0].job_id
    dev_cluster.say("scontrol", "hold", job)
    dev_cluster.say("scontrol", "update", "partitionname=main", "state=up")
    said = run(tmp_path, node(tmp_path, "a"))
    assert said["a"] == f"job {job}, held: scontrol release {job} lets it start"


def test_an_element_of_an_array_has_its_runs_name(dev_cluster, tmp_path) -> None:
    run(tmp_path, *(node(tmp_path, name, seconds=4) for name in ("alpha", "beta")))
    names = ["squeue", "--array", "--noheader", "--format=%j"]
    dev_cluster.until(lambda: set(dev_cluster.say(*names).split()) == {"alpha", "beta"}, 20)


def test_the_signal_before_python_is_ready_does_not_end_a_job(dev_cluster, tmp_path) -> None:
    run(tmp_path, node(tmp_path, "a", seconds=3))
    dev_cluster.until(lambda: "RUNNING" in dev_cluster.queue()[0])
    job = queue.queued()[0].job_id
    for _ in range(5):
        subprocess.run(["scancel", "--signal=USR2", f"{job}"], check=False)
    dev_cluster.until_empty()
    assert (tmp_path / "out/a.ended").exists()


def test_setup_that_fails_ends_the_job(dev_cluster, tmp_path) -> None:
    plain = launcher.executor(tmp_path)
    settings = replace(plain.settings, setup=("module-of-nobody load cuda",))
    replace(plain, settings=settings).run([node(tmp_path, "a")], lambda _: None)
    dev_cluster.until_empty()
    assert not (tmp_path / "out/a.begun").exists()


def test_a_prefix_runs_the_interpreter(dev_cluster, tmp_path) -> None:
    plain = launcher.executor(tmp_path)
    seen = tmp_path / "seen"
    settings = replace(plain.settings, prefix=f"env SEEN={seen}", python=sys.executable)
    one = replace(node(tmp_path, "a"), call=Call("tests.slurm.toys:touch", {"variable": "SEEN"}))
    replace(plain, settings=settings).run([one], lambda _: None)
    dev_cluster.until_empty()
    assert seen.exists()


def test_cancel_takes_out_what_it_is_asked_for(dev_cluster, tmp_path) -> None:
    plan = [node(tmp_path, "a", seconds=30), node(tmp_path, "b", "a"), node(tmp_path, "c", seconds=1)]
    run(tmp_path, *plan)
    assert set(launcher.executor(tmp_path).cancel(plan[:2])) == {"a", "b"}
    dev_cluster.until_empty(30)
    assert {path.stem for path in (tmp_path / "out").glob("*.ended")} == {"c"}


def test_a_job_that_ran_out_of_memory_gets_more(dev_cluster, tmp_path) -> None:
    """Only cgroups see it, which this cluster goes without: accounting is told."""
    out_of_memory = 11
    run(tmp_path, node(tmp_path, "a", fail=True))
    dev_cluster.until_empty()
    job = queue.read_job(tmp_path / "a")["job_id"]
    dev_cluster.tell_as(job, out_of_memory)
    run(tmp_path, node(tmp_path, "a", seconds=5))
    note = queue.read_job(tmp_path / "a")
    assert note["retried"] == {"out_of_memory": 1}
    assert note["earlier"] == [job]
    assert note["first_unix"] < note["submitted_unix"]
    known = history.attempts(queue.numbers_of(note), since=history.first_unix(note))
    assert job in known
    asked = dev_cluster.say("squeue", "--noheader", "--format=%m").strip()
    assert asked == f"{round(1.5 * 1024 * launcher.SHAPE.memory_gb)}M"


def test_a_job_that_finds_another_at_its_work_goes_back_into_the_queue(dev_cluster, tmp_path) -> None:
    plan = [node(tmp_path, "a"), node(tmp_path, "b", "a")]
    (tmp_path / "out/a.busy").touch()
    run(tmp_path, *plan)
    dev_cluster.until_empty()
    assert (tmp_path / "out/a.begun").read_text() == "x\nx\n"
    assert (tmp_path / "out/b.ended").exists()


def test_what_the_cluster_does_not_have_is_refused_before_anything_is_submitted(
    dev_cluster, tmp_path
) -> None:
    wishes = {
        "127 CPUs": Shape(cpus_per_task=127),
        "500 GB a node": Shape(memory_gb=500),
        "7 GPUs": Shape(gpus_per_node=7),
        "'large'": Shape(partition="large"),
        "nodes with a100": Shape(constraint="a100"),
        "9 nodes": Shape(nodes=9),
    }
    for said, shape in wishes.items():
        with pytest.raises(UserError, match=said):
            run(tmp_path, node(tmp_path, "a"), node(tmp_path, "b", shape=shape))
    dev_cluster.say("scontrol", "update", "partitionname=main", "maxtime=30")
    try:
        with pytest.raises(UserError, match="60 minutes, and the default partition gives 30 at most"):
            run(tmp_path, node(tmp_path, "a", shape=Shape(minutes=60)))
    finally:
        dev_cluster.say("scontrol", "update", "partitionname=main", "maxtime=infinite")
    assert not dev_cluster.queue()


def test_a_study_keeps_to_its_number_of_jobs(dev_cluster, tmp_path) -> None:
    plan = [node(tmp_path, name, seconds=3) for name in "abcde"]
    plain = launcher.executor(tmp_path)
    few = replace(plain, settings=replace(plain.settings, jobs_at_once=2))
    assert Counter(few.run(plan, lambda _: None).states.values()) == {"submitted": 2, "waiting": 3}
    assert Counter(few.run(plan, lambda _: None).states.values()) == {"submitted": 2, "waiting": 3}
    assert len(dev_cluster.queue()) == 2


@pytest.mark.slow
def test_a_job_that_is_still_tidied_up_after_is_not_taken_for_one_that_works(monkeypatch, tmp_path) -> None:
    with tempfile.TemporaryDirectory(prefix="stilts-slurm-", dir="/tmp") as folder:
        cluster = up(Path(folder), "--epilog", "20")
        monkeypatch.setenv("SLURM_CONF", str(cluster.folder / "etc" / "slurm.conf"))
        try:
            run(tmp_path, node(tmp_path, "a", fail=True))
            cluster.until(lambda: any("COMPLETING" in line for line in cluster.queue()))
            run(tmp_path, node(tmp_path, "a"), node(tmp_path, "b", "a"))
            cluster.until_empty()
        finally:
            down(cluster.folder)
    assert (tmp_path / "out/b.ended").exists()
    assert not (tmp_path / "out/b.orphan").exists()
    assert (tmp_path / "out/a.begun").read_text() == "x\nx\n"
