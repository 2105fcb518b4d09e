"""What befalls a training job on a real SLURM: it ends as an undisturbed one, or says why it did not."""

import json
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from stilts.launching.progress import last_line
from stilts.run.folder import RunFolder
from tests.slurm.conftest import ROOT, TINY, stilts

pytestmark = pytest.mark.slurm
RUN = "mnli-s1"


@dataclass(frozen=True)
class Training:
    """One training run of some seconds, whose parent is done."""

    study: Path
    runs: Path
    cluster: object

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.runs / "long" / RUN)

    @property
    def weights(self) -> bytes:
        (path,) = self.folder.path.glob("weights/*.safetensors")
        return path.read_bytes()

    def launch(self, *flags: str) -> "subprocess.CompletedProcess[str]":
        words = ["--grid", "all", "--study", self.study, "--only", RUN, "--cluster", self.cluster]
        return stilts("launch", *words, "--runs", self.runs, *flags)

    def standing(self) -> dict[str, str]:
        told = stilts("status", "--study", self.study, "--runs", self.runs, "--json")
        return {run["id"]: run for run in json.loads(told.stdout)["long"]}[RUN]

    def job(self) -> str:
        return json.loads((self.folder.submit / "job.json").read_text())["job_id"]

    def begin(self, dev_cluster, steps: int = 40) -> str:
        """Launches, and returns the job when it has trained for so many steps."""
        done = self.launch()
        assert done.returncode == 0, done.stderr
        dev_cluster.until(lambda: last_line(self.folder.progress).get("done", 0) >= steps)
        return self.job()


def prepared(folder: Path, reference: Training, cluster: object) -> Training:
    """The same with nothing trained."""
    shutil.copytree(reference.runs / "long" / "model", folder / "runs" / "long" / "model")
    return Training(reference.study, folder / "runs", cluster)


def trained_here(folder: Path, epochs: float, cluster: object = "local") -> Training:
    text = TINY.read_text().replace('name = "tiny"', 'name = "long"')
    for key, value in {"epochs": epochs, "evaluate_every": 100, "save_every": 40}.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    (folder / "long.toml").write_text(text)
    training = Training(folder / "long.toml", folder / "runs", cluster)
    assert training.launch().returncode == 0
    return training


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Training:
    return trained_here(tmp_path_factory.mktemp("undisturbed"), epochs=150.0)


TWO_RANKS = "[shapes.train]\ntasks_per_node = 2\n"


@pytest.fixture(scope="session")
def undisturbed_pair(tmp_path_factory) -> Training:
    folder = tmp_path_factory.mktemp("pair")
    cluster = folder / "pair.toml"
    text = (ROOT / "slurm" / "local.toml").read_text().replace('workers = "auto"', "workers = 2")
    cluster.write_text(f"{text}\n{TWO_RANKS}")
    return trained_here(folder, epochs=150.0, cluster=cluster)


@pytest.fixture
def training(dev_cluster, undisturbed, tmp_path) -> Training:
    return prepared(tmp_path, undisturbed, dev_cluster.folder / "dev.toml")


def ends_as_undisturbed(training: Training, undisturbed: Training, attempts: int | None) -> None:
    done = training.launch("--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    if attempts is not None:
        assert len(training.folder.provenance.read_text().splitlines()) == attempts
    assert training.weights == undisturbed.weights


def cluster_with(dev_cluster, path: Path, table: str) -> Path:
    path.write_text((dev_cluster.folder / "dev.toml").read_text() + table)
    return path


def test_a_preempted_job_goes_on(dev_cluster, undisturbed, tmp_path) -> None:
    low = cluster_with(dev_cluster, tmp_path / "low.toml", '[shapes.train]\npartition = "low"\n')
    training = prepared(tmp_path, undisturbed, low)
    training.begin(dev_cluster)
    whole = ["--nodes=2", "--exclusive", "--partition=main", "--output=/dev/null", "--wrap=sleep 2"]
    dev_cluster.say("sbatch", *whole)
    ends_as_undisturbed(training, undisturbed, attempts=2)


def test_a_job_that_is_told_of_its_time_limit_goes_on(dev_cluster, training, undisturbed) -> None:
    job = training.begin(dev_cluster)
    dev_cluster.say("scancel", "--signal=USR2", job)
    ends_as_undisturbed(training, undisturbed, attempts=2)
    assert training.job() == job


@pytest.mark.slow
def test_a_job_meets_its_time_limit_until_it_is_done(dev_cluster, tmp_path) -> None:
    (tmp_path / "here").mkdir()
    undisturbed = trained_here(tmp_path / "here", epochs=600.0)
    short = tmp_path / "short.toml"
    text = (dev_cluster.folder / "dev.toml").read_text()
    text = text.replace("signal_lead_seconds = 30", "signal_lead_seconds = 45")
    short.write_text(text + "[shapes.train]\nminutes = 1\n")
    training = prepared(tmp_path, undisturbed, short)
    ends_as_undisturbed(training, undisturbed, attempts=None)
    assert len(training.folder.provenance.read_text().splitlines()) > 1


@pytest.mark.slow
def test_a_job_that_hung_until_its_limit_is_tried_again(dev_cluster, undisturbed, tmp_path) -> None:
    late = tmp_path / "late.toml"
    text = (dev_cluster.folder / "dev.toml").read_text()
    late.write_text(text.replace("signal_lead_seconds = 30", "signal_lead_seconds = 0"))
    training = prepared(tmp_path, undisturbed, late)
    words = ["--grid", "all", "--study", training.study, "--only", RUN, "--cluster", training.cluster]
    line = [sys.executable, "-m", "stilts", "launch", *words, "--runs", training.runs, "--wait"]
    waiting = subprocess.Popen(list(map(str, line)), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    dev_cluster.until(lambda: last_line(training.folder.progress).get("done", 0) >= 40)
    job = training.job()
    (process,) = dev_cluster.ranks(job)
    process.suspend()
    dev_cluster.say("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    told = waiting.communicate(timeout=300)[0]
    assert waiting.returncode == 0, told
    assert re.search(rf"waiting {RUN}: .*job {job} met its time limit; is submitted again", told)
    assert training.weights == undisturbed.weights
    note = json.loads((training.folder.submit / "job.json").read_text())
    assert note["retried"] == {"time_limit": 1}
    assert note["earlier"] == [job]


def test_a_run_that_is_cancelled_stays_so_until_it_is_launched_again(
    dev_cluster, training, undisturbed
) -> None:
    job = training.begin(dev_cluster)
    done = training.launch("--cancel", "mnli-*")
    assert done.returncode == 0, done.stderr
    assert f"cancelled {RUN}: job {job}" in done.stdout
    dev_cluster.until_empty()
    dev_cluster.until(lambda: training.standing()["state"] == "cancelled", 20)
    ends_as_undisturbed(training, undisturbed, attempts=2)


@pytest.mark.slow
def test_a_job_whose_node_is_lost_goes_on_elsewhere(dev_cluster, training, undisturbed) -> None:
    job = training.begin(dev_cluster)
    node = dev_cluster.say("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
    lost = [dev_cluster.daemon(f"slurmd.{node}"), *dev_cluster.ranks(job)]
    lost += [one for one in psutil.process_iter(["name"]) if one.info["name"] == "slurmstepd"]
    for process in lost:
        process.suspend()
    for process in lost:
        process.kill()
    try:
        dev_cluster.until(lambda: any("PENDING" in line for line in dev_cluster.queue()), 60)
        ends_as_undisturbed(training, undisturbed, attempts=2)
        assert training.job() == job
    finally:
        dev_cluster.restart_node(node)


def test_a_rank_that_is_killed_is_told_as_the_cause(dev_cluster, undisturbed_pair, tmp_path) -> None:
    two = cluster_with(dev_cluster, tmp_path / "two.toml", TWO_RANKS)
    training = prepared(tmp_path, undisturbed_pair, two)
    job = training.begin(dev_cluster)
    dev_cluster.ranks(job)[1].kill()
    dev_cluster.until_empty()
    dev_cluster.until(lambda: training.standing()["state"] == "failed", 20)
    assert training.standing()["detail"].startswith("rank 1 was killed, job ")
    done = training.launch("--retry", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert training.weights == undisturbed_pair.weights


@pytest.mark.slow
def test_a_rank_that_hangs_ends_the_job_with_its_name(dev_cluster, undisturbed_pair, tmp_path) -> None:
    two = cluster_with(dev_cluster, tmp_path / "two.toml", TWO_RANKS)
    two.write_text(two.read_text().replace("[environment]\n", '[environment]\nSTILTS_HANG_MINUTES = "0.2"\n'))
    training = prepared(tmp_path, undisturbed_pair, two)
    job = training.begin(dev_cluster)
    dev_cluster.ranks(job)[1].suspend()
    dev_cluster.until_empty()
    dev_cluster.until(lambda: training.standing()["state"] == "failed", 20)
    assert re.match(r"rank 1 on \S+ no longer answered", training.standing()["detail"])
    ends_as_undisturbed(training, undisturbed_pair, attempts=2)


@pytest.mark.slow
def test_munge_that_hangs_is_waited_out(dev_cluster, training) -> None:
    munged = dev_cluster.daemon("munged")
    munged.suspend()
    threading.Timer(60, munged.resume).start()
    done = training.launch("--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    assert training.folder.done.exists()


@pytest.mark.slow
def test_of_two_launches_at_once_one_works(dev_cluster, training) -> None:
    words = ["--grid", "all", "--study", str(training.study), "--only", RUN]
    line = [sys.executable, "-m", "stilts", "launch", *words, "--cluster", str(training.cluster)]
    both = [
        subprocess.Popen(
            [*line, "--runs", str(training.runs), "--wait"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=240)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], told
    assert any("another launch" in text for text in told)
    assert len(training.folder.provenance.read_text().splitlines()) == 1
