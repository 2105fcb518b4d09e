"""The batch scripts for hand use, run by bash with an `srun` and a `python` that tell how they are called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SLURM = Path(__file__).parents[2] / "slurm"
SCRIPTS = sorted(SLURM.glob("*.sbatch"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "slurm").symlink_to(SLURM)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in {"srun": 'echo "srun: $*"', "python": 'echo "python: $*"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    run = tmp_path / "runs/mini/mnli-s1"
    run.mkdir(parents=True)
    (run / "spec.json").write_text("{}")
    return tmp_path


def bash(script: str, checkout: Path, **variables: str) -> subprocess.CompletedProcess:
    clean = {"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", **variables}
    return subprocess.run(
        ["bash", f"slurm/{script}"], cwd=checkout, env=clean, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("script", [*SCRIPTS, SLURM / "env.sh"], ids=lambda path: path.name)
def test_bash_can_read_it(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    written = sorted((Path(__file__).parent / "golden").glob("*.sh"))
    assert len(written) == 2
    done = subprocess.run(
        ["shellcheck", *SCRIPTS, SLURM / "env.sh", *written], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_options_stand_before_the_first_command(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert all(number < first for number, line in enumerate(lines) if line.startswith("#SBATCH"))


def test_a_stage_by_hand_without_slurm(checkout: Path) -> None:
    done = bash("stage.sbatch", checkout, RUN="runs/mini/mnli-s1")
    assert (done.returncode, done.stdout) == (0, "python: -u -m stilts.run runs/mini/mnli-s1\n"), done.stderr


def test_a_stage_in_a_job_goes_through_srun(checkout: Path) -> None:
    variables = {"SLURM_JOB_ID": "7", "SLURM_SUBMIT_DIR": str(checkout)}
    done = bash("stage.sbatch", checkout, RUN="runs/mini/mnli-s1", **variables)
    said = (
        'srun: --unbuffered --kill-on-bad-exit=1 --wait=60 sh -c trap "" USR2; exec "$@" sh '
        "python -u -m stilts.run runs/mini/mnli-s1\n"
    )
    assert done.stdout == said, done.stderr


def test_a_stage_by_hand_gets_a_clusters_environment(checkout: Path) -> None:
    done = bash("stage.sbatch", checkout, RUN="runs/mini/mnli-s1", CLUSTER="example")
    assert done.stdout == "python: -u -m stilts.run --cluster example runs/mini/mnli-s1\n", done.stderr


def test_an_element_of_an_array_takes_its_line(checkout: Path) -> None:
    (checkout / "folders.txt").write_text("runs/mini/other\nruns/mini/mnli-s1\n")
    done = bash("array.sbatch", checkout, RUNS="folders.txt", SLURM_ARRAY_TASK_ID="2")
    assert done.stdout == "python: -u -m stilts.run runs/mini/mnli-s1\n", done.stderr
    past = bash("array.sbatch", checkout, RUNS="folders.txt", SLURM_ARRAY_TASK_ID="3")
    assert (past.returncode, past.stderr) == (2, "folders.txt has no line 3\n")


def test_tables_take_their_study(checkout: Path) -> None:
    done = bash("tables.sbatch", checkout, STUDY="xlmr-large")
    assert done.stdout == "python: -u -m stilts.tables --study xlmr-large --runs runs\n", done.stderr


@pytest.mark.parametrize(
    ("script", "variables", "said"),
    [
        ("stage.sbatch", {}, "RUN: is not set. Usage: sbatch --export=ALL,RUN="),
        (
            "stage.sbatch",
            {"RUN": "runs/mini/none"},
            "runs/mini/none holds no spec.json: launch the study first",
        ),
        ("array.sbatch", {"RUNS": "x"}, "SLURM_ARRAY_TASK_ID: is not set: submit with --array=1-N"),
    ],
)
def test_what_is_missing_is_said(checkout: Path, script: str, variables: dict, said: str) -> None:
    done = bash(script, checkout, **variables)
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stdout == ""


def test_the_environment_mends_what_srun_forgets(checkout: Path) -> None:
    program = ". slurm/env.sh; echo $SLURM_EXPORT_ENV $SRUN_CPUS_PER_TASK $OMP_NUM_THREADS"
    environment = {"PATH": os.environ["PATH"], "SLURM_CPUS_PER_TASK": "8", "SLURM_EXPORT_ENV": "NONE"}
    done = subprocess.run(
        ["bash", "-euc", program], cwd=checkout, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ALL 8 8\n"
