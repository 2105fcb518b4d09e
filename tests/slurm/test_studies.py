"""Runs of a study on a real SLURM: equal to those of this machine, or failed with the true cause."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.ipc
import pytest

from stilts.run.folder import RunFolder
from tests.slurm.conftest import ROOT, TINY, down, stilts, up

pytestmark = pytest.mark.slurm


def launch(runs: Path, cluster: object, only: str, *flags: str) -> "subprocess.CompletedProcess[str]":
    words = ["--grid", "all", "--study", "tiny", "--only", only, "--cluster", cluster, "--runs", runs]
    return stilts("launch", *words, *flags)


def cluster_file(dev_cluster, tmp_path: Path, **shape: int) -> Path:
    """The cluster's own file, with another default shape."""
    lines = "".join(f"{name} = {value}\n" for name, value in shape.items())
    path = tmp_path / "cluster.toml"
    text = (dev_cluster.folder / "dev.toml").read_text()
    path.write_text(text.replace("[shapes.default]\n", f"[shapes.default]\n{lines}"))
    return path


def results(runs: Path, study: str = "tiny") -> dict[str, object]:
    """Weights as bytes, predictions as rows."""
    found: dict[str, object] = {}
    for path in sorted((runs / study).glob("*/weights/*.safetensors")):
        found[str(path.relative_to(runs))] = path.read_bytes()
    for path in sorted((runs / study).glob("*/predictions/*.arrow")):
        with pyarrow.ipc.open_file(path) as file:
            found[str(path.relative_to(runs))] = file.read_all().to_pylist()
    return found


def test_a_study_on_slurm_equals_the_same_on_this_machine(dev_cluster, tmp_path) -> None:
    submitted = launch(tmp_path / "slurm", dev_cluster.folder / "dev.toml", "*", "--wait")
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    assert launch(tmp_path / "here", "local", "*").returncode == 0
    there, here = results(tmp_path / "slurm"), results(tmp_path / "here")
    assert there.keys() == here.keys()
    assert len(there) > 40
    assert [name for name in here if here[name] != there[name]] == []


def test_a_gpu_that_torch_does_not_see_is_not_computed_without(dev_cluster, tmp_path) -> None:
    cluster = cluster_file(dev_cluster, tmp_path, gpus_per_node=1)
    done = launch(tmp_path / "runs", cluster, "baseline.mnli", "--wait")
    assert done.returncode == 1
    told = stilts("status", "--runs", tmp_path / "runs", "--study", "tiny", "--json")
    assert told.returncode == 1
    (run,) = [run for run in json.loads(told.stdout)["tiny"] if run["id"] == "baseline.mnli"]
    assert run["state"] == "failed"
    assert "SLURM gave this job GPUs" in Path(run["log"]).read_text()


def test_an_option_srun_does_not_know_is_a_failure_with_its_log(dev_cluster, tmp_path) -> None:
    cluster = cluster_file(dev_cluster, tmp_path)
    cluster.write_text(cluster.read_text().replace("[slurm]\n", '[slurm]\nsrun = ["--no-such-option"]\n'))
    assert launch(tmp_path / "runs", cluster, "baseline.mnli").returncode == 0
    dev_cluster.until_empty()
    dev_cluster.until(lambda: standing(tmp_path / "runs")["baseline.mnli"]["state"] == "failed", 20)
    found = standing(tmp_path / "runs")["baseline.mnli"]
    assert re.fullmatch(r"job \d+ ended failed with code \d+:\d+", found["detail"])
    assert "no-such-option" in Path(found["log"]).read_text()


def test_a_launch_that_is_interrupted_says_that_the_jobs_stay(dev_cluster, tmp_path) -> None:
    dev_cluster.say("scontrol", "update", "partitionname=main", "state=down")
    words = ["--grid", "baselines", "--study", "tiny", "--cluster", str(dev_cluster.folder / "dev.toml")]
    line = [sys.executable, "-m", "stilts", "launch", *words, "--runs", str(tmp_path / "runs"), "--wait"]
    waiting = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        dev_cluster.until(lambda: len(dev_cluster.queue()) == 4)
        waiting.send_signal(signal.SIGINT)
        told = waiting.communicate(timeout=30)[1]
    finally:
        dev_cluster.say("scontrol", "update", "partitionname=main", "state=up")
    assert waiting.returncode == 130
    assert "the jobs stay in the queue; launch --cancel takes them out" in told
    dev_cluster.until_empty()


def test_a_run_by_hand_is_found_by_a_launch(dev_cluster, tmp_path) -> None:
    runs, cluster = tmp_path / "runs", dev_cluster.folder / "dev.toml"
    assert launch(runs, cluster, "model", "--write-only").returncode == 0
    folder = RunFolder(runs / "tiny" / "model")
    job = dev_cluster.say(
        "sbatch",
        "--parsable",
        f"--chdir={ROOT}",
        "--output=/dev/null",
        "--gpus-per-node=0",
        "--mem=2G",
        "--cpus-per-task=1",
        f"--export=ALL,RUN={folder.path},CLUSTER={cluster},VENV={Path(sys.executable).parents[1]}",
        str(ROOT / "slurm" / "stage.sbatch"),
    ).strip()
    dev_cluster.until((folder.submit / "job.json").exists)
    done = launch(runs, cluster, "mnli-s1", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert folder.sibling("mnli-s1").done.exists()
    assert len(folder.provenance.read_text().splitlines()) == 1, "it was done twice"
    note = json.loads((folder.submit / "job.json").read_text())
    assert note["job_id"] == job
    assert standing(runs)["model"]["cpu_hours"] > 0, "accounting is asked for it too"


def standing(runs: Path) -> dict[str, dict]:
    told = stilts("status", "--runs", runs, "--study", "tiny", "--json")
    return {run["id"]: run for run in json.loads(told.stdout)["tiny"]} | {"code": told.returncode}


@contextmanager
def waiting_for_the_lock(dev_cluster, runs: Path, only: str) -> Iterator[RunFolder]:
    """Launched, with the first run's job at work but not let in."""
    dev_cluster.say("scontrol", "update", "partitionname=main", "state=down")
    assert launch(runs, dev_cluster.folder / "dev.toml", only).returncode == 0
    folder = RunFolder(runs / "tiny" / "model")
    with folder.locked():
        dev_cluster.say("scontrol", "update", "partitionname=main", "state=up")
        job = json.loads((folder.submit / "job.json").read_text())["job_id"]
        dev_cluster.until(lambda: dev_cluster.ranks(job))
        yield folder


def test_a_job_that_is_killed_is_told_with_its_log_and_what_it_blocks(dev_cluster, tmp_path) -> None:
    runs, cluster = tmp_path / "runs", dev_cluster.folder / "dev.toml"
    with waiting_for_the_lock(dev_cluster, runs, "mnli-s1"):
        note = json.loads((runs / "tiny/model/submit/job.json").read_text())
        dev_cluster.ranks(note["job_id"])[0].kill()
        dev_cluster.until_empty()
    found = standing(runs)
    assert found["model"]["state"] == "failed", found["model"]
    assert found["code"] == 1
    assert re.search(rf"job {note['job_id']} ended failed with code \d+:\d+", found["model"]["detail"])
    assert found["model"]["log"] == note["log"]
    assert Path(note["log"]).exists()
    assert found["mnli-s1"]["state"] == "blocked"
    assert found["mnli-s1"]["detail"] == "needs model, which is failed"
    done = launch(runs, cluster, "mnli-s1", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert standing(runs)["mnli-s1"]["state"] == "done"


def test_an_attempt_waits_for_another_that_is_not_dead_yet(dev_cluster, tmp_path) -> None:
    """As after a lost node: the old task may hold the run for a while."""
    with waiting_for_the_lock(dev_cluster, tmp_path / "runs", "model") as folder:
        time.sleep(5)
        assert "RUNNING" in dev_cluster.queue()[0]
    dev_cluster.until_empty()
    assert folder.done.exists()


@pytest.mark.slow
def test_an_outage_of_the_controller_is_waited_out(dev_cluster, tmp_path) -> None:
    controller = dev_cluster.daemon("slurmctld")
    controller.suspend()
    threading.Timer(45, controller.resume).start()
    done = launch(tmp_path / "runs", dev_cluster.folder / "dev.toml", "baseline.mnli", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SLURM does not answer" in done.stderr


@pytest.mark.slow
def test_a_study_drains_through_a_queue_with_a_limit(tmp_path) -> None:
    with tempfile.TemporaryDirectory(prefix="stilts-slurm-", dir="/tmp") as folder:
        cluster = up(Path(folder), "--max-submit", "14", "--cpus", "8")
        os.environ["SLURM_CONF"] = str(cluster.folder / "etc" / "slurm.conf")
        try:
            first = launch(tmp_path / "runs", cluster.folder / "dev.toml", "*")
            assert first.returncode == 0, first.stderr
            assert "the queue takes no more of your jobs for now" in first.stderr
            done = launch(tmp_path / "runs", cluster.folder / "dev.toml", "*", "--wait")
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            del os.environ["SLURM_CONF"]
            down(cluster.folder)
    states = {run["state"] for run in standing(tmp_path / "runs").values() if isinstance(run, dict)}
    assert states == {"done"}


@pytest.mark.slow
@pytest.mark.parametrize("stage", [2, 3])
def test_ranks_on_two_nodes_train_what_one_machine_does(dev_cluster, tmp_path, stage: int) -> None:
    study = tmp_path / "sharded.toml"
    text = TINY.read_text().replace('name = "tiny"', 'name = "sharded"')
    study.write_text(text.replace("stage = 1", f"stage = {stage}"))
    there, here = tmp_path / "there.toml", tmp_path / "here.toml"
    there.write_text(
        (dev_cluster.folder / "dev.toml").read_text() + "[shapes.train]\nnodes = 2\ntasks_per_node = 2\n"
    )
    local = (ROOT / "slurm" / "local.toml").read_text().replace('workers = "auto"', "workers = 4")
    here.write_text(local + "\n[shapes.train]\ntasks_per_node = 4\n")
    for cluster in (there, here):
        words = ["--grid", "all", "--study", study, "--only", "multi-s1.xquad", "--cluster", cluster]
        done = stilts("launch", *words, "--runs", tmp_path / cluster.stem, "--wait")
        assert done.returncode == 0, done.stdout + done.stderr
    found = [results(tmp_path / cluster.stem, "sharded") for cluster in (there, here)]
    assert found[0] == found[1]
    assert {Path(name).parts[1] for name in found[0]} == {"model", "multi-s1", "multi-s1.xquad"}
