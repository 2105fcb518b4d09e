"""The SLURM executor against `sbatch`, `squeue` and `scancel`, played on PATH by one script."""

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hpc.errors import UserError
from hpc.jobs import Call, Node, Shape
from hpc.slurm import queue
from hpc.slurm.executor import SlurmExecutor, SlurmSettings
from hpc.slurm.groups import groups

GOLDEN = Path(__file__).parent / "golden"

FAKE = """#!{python}
import json, os, re, shutil, sys
from pathlib import Path
state, me = Path({state!r}), Path(sys.argv[0]).name
with open(state / "calls", "a") as file:
    file.write(json.dumps([me, *sys.argv[1:]]) + "\\n")
if me == "sbatch":
    (state / "environment.json").write_text(json.dumps(dict(os.environ)))
    answers = state / "refusals"
    refusals = answers.read_text().splitlines() if answers.exists() else []
    if refusals:
        answers.write_text("\\n".join(refusals[1:]))
        if not refusals[0].startswith("taken"):
            sys.exit("sbatch: error: " + refusals[0])
    number = 101 + len(list(state.glob("*.sh")))
    shutil.copy(sys.argv[1], state / f"{{number}}.sh")
    if refusals:
        token = re.search("--comment=(.*)", Path(sys.argv[1]).read_text()).group(1)
        (state / "queue").write_text(f"{{number}}|PENDING|None|{{token}}\\n")
        sys.exit("sbatch: error: Socket timed out on send/recv operation")
    print("Submitted batch job", number)
elif me == "squeue" and (state / "queue").exists():
    print((state / "queue").read_text(), end="")
"""


class Slurm:
    """What the fake commands saw."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def calls(self, command: str) -> list[list[str]]:
        file = self.path / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [call[1:] for call in map(json.loads, lines) if call[0] == command]

    def script(self, number: int) -> str:
        return (self.path / f"{number}.sh").read_text()

    def option(self, number: int, name: str) -> str | None:
        found = re.search(rf"^#SBATCH --{name}=(.*)$", self.script(number), re.MULTILINE)
        return found.group(1).strip("'") if found else None


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    state, programs = tmp_path / "slurm-state", tmp_path / "bin"
    state.mkdir()
    programs.mkdir()
    for name in ("sbatch", "srun", "squeue", "scancel"):
        (programs / name).write_text(FAKE.format(python=sys.executable, state=str(state)))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    for name in list(os.environ):
        if name.startswith(("SLURM_", "SBATCH_")):
            monkeypatch.delenv(name)
    return Slurm(state)


def node(tmp_path: Path, name: str, *needs: str, shape: Shape | None = None) -> Node:
    call = Call("json:dumps", {"obj": name})
    return Node(name=name, call=call, needs=needs, shape=shape or Shape(), folder=tmp_path / "runs" / name)


def launch(tmp_path: Path, *nodes: Node, **settings):
    settings = {"retry_seconds": 0.01} | settings
    executor = SlurmExecutor(
        settings=SlurmSettings(**settings), environment={"GREETING": "a b"}, folder=tmp_path / "slurm"
    )
    events = []
    return executor.run(nodes, events.append), events


def normalised(text: str, tmp_path: Path) -> str:
    text = text.replace(sys.executable, "PYTHON").replace(str(tmp_path), "TMP")
    text = text.replace(str(Path(__file__).parents[2]), "CHECKOUT")
    return re.sub(r"hpc-[0-9a-f]{16}", "hpc-TOKEN", text)


@pytest.mark.parametrize("name", ["single", "array"])
def test_batch_scripts_are_the_golden_ones(slurm: Slurm, tmp_path: Path, name: str) -> None:
    large = Shape(nodes=2, tasks_per_node=4, gpus_per_node=4, cpus_per_task=8, memory_gb=440.0, minutes=720)
    plan = [node(tmp_path, "multi-s1", shape=large)]
    if name == "array":
        alone = Shape(memory_gb=0.5, exclusive=True)
        plan += [node(tmp_path, f"multi-s1.{task}", "multi-s1", shape=alone) for task in ("xnli", "panx")]
    launch(
        tmp_path, *plan, partition="gpu", account="group", setup=("source slurm/env.sh",),
        srun=("--cpu-bind=cores",), extra={"mail-type": "FAIL"},
    )  # fmt: skip
    text = normalised(slurm.script(100 + len(slurm.calls("sbatch"))), tmp_path)
    golden = GOLDEN / f"{name}.sh"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
    subprocess.run(["bash", "-n", golden], check=True)


def test_the_job_is_a_call_by_name_that_can_be_requeued(slurm: Slurm, tmp_path: Path) -> None:
    launch(tmp_path, node(tmp_path, "a"))
    submitted = pickle.loads((tmp_path / "slurm/101_submitted.pkl").read_bytes())
    assert submitted.function.call == Call("json:dumps", {"obj": "a"})
    again = submitted._checkpoint_function()
    assert again.function.call == submitted.function.call
    assert (submitted._timeout_min, submitted._timeout_countdown) == (60, 20)


def test_a_plan_becomes_few_arrays_with_exact_dependencies(slurm: Slurm, tmp_path: Path) -> None:
    train, evaluate = Shape(minutes=600), Shape(minutes=30)
    plan = [node(tmp_path, "model")]
    for start in ("mnli", "squad"):
        plan.append(node(tmp_path, start, "model", shape=train))
        for task in ("xnli", "panx", "xquad"):
            plan.append(node(tmp_path, f"{start}.{task}", start, shape=train))
            plan.append(node(tmp_path, f"{start}.{task}.eval", f"{start}.{task}", shape=evaluate))
    plan.append(node(tmp_path, "latency", "mnli.xnli", "squad.xquad", shape=evaluate))
    outcome, events = launch(tmp_path, *plan)
    ids = {name: queue.read_job(tmp_path / "runs" / name)["job_id"] for name in outcome.states}
    assert outcome.ok
    assert {event.name: event.detail for event in events} == {name: f"job {job}" for name, job in ids.items()}
    assert len(slurm.calls("sbatch")) == 7, (
        "model, mnli+squad, 2 x 3 fine-tunings, 2 x 3 evaluations, latency"
    )
    assert (ids["model"], ids["mnli"], ids["squad"]) == ("101", "102_0", "102_1")
    dependencies = {number: slurm.option(number, "dependency") for number in range(101, 108)}
    by_job = {ids[name].split("_")[0]: name for name in ids}
    for job, name in by_job.items():
        said = dependencies[int(job)]
        if name == "model":
            assert said is None
        elif name == "latency":
            assert said == f"afterok:{ids['mnli.xnli']}:{ids['squad.xquad']}"
        elif name.endswith(".eval"):
            assert said == f"aftercorr:{ids[name.removesuffix('.eval')].split('_')[0]}"
        else:
            assert said == f"afterok:{ids[plan[[n.name for n in plan].index(name)].needs[0]]}"
    for name in ids:
        if name.endswith(".eval"):
            assert ids[name].split("_")[1] == ids[name.removesuffix(".eval")].split("_")[1]


def test_long_arrays_are_cut(tmp_path: Path) -> None:
    plan = [node(tmp_path, f"n{i}") for i in range(25)]
    assert [len(group.nodes) for group in groups(plan, limit=10)] == [10, 10, 5]


def test_two_thousand_runs_are_grouped_quickly(tmp_path: Path) -> None:
    plan = [node(tmp_path, "model")]
    for start in range(100):
        plan.append(node(tmp_path, f"s{start}", "model"))
        for task in range(10):
            plan.append(node(tmp_path, f"s{start}.{task}", f"s{start}"))
            plan.append(node(tmp_path, f"s{start}.{task}.eval", f"s{start}.{task}"))
    assert len(groups(plan, limit=1000)) == 1 + 1 + 100 + 100


def test_what_is_queued_is_not_submitted_again_but_depended_on(slurm: Slurm, tmp_path: Path) -> None:
    launch(tmp_path, node(tmp_path, "a"), node(tmp_path, "b"))
    (slurm.path / "queue").write_text(
        "101_0|RUNNING|None|x\n101_1|PENDING|Priority|x\n999|RUNNING|None|other\n"
    )
    plan = [node(tmp_path, name) for name in "ab"] + [node(tmp_path, "c", "a"), node(tmp_path, "d", "b")]
    outcome, events = launch(tmp_path, *plan)
    assert outcome.ok
    assert len(slurm.calls("sbatch")) == 3
    assert [event.detail for event in events[:2]] == ["job 101_0, queued before", "job 101_1, queued before"]
    assert {slurm.option(number, "dependency") for number in (102, 103)} == {"afterok:101_0", "afterok:101_1"}
    assert slurm.calls("scancel") == []


def test_jobs_that_can_never_start_are_replaced(slurm: Slurm, tmp_path: Path) -> None:
    launch(tmp_path, node(tmp_path, "a"))
    (slurm.path / "queue").write_text(
        "101|PENDING|DependencyNeverSatisfied|x\n55|PENDING|DependencyNeverSatisfied|y\n"
    )
    launch(tmp_path, node(tmp_path, "a"))
    assert slurm.calls("scancel") == [["101"]]
    assert len(slurm.calls("sbatch")) == 2


def test_a_job_whose_launcher_died_before_noting_it_is_replaced(slurm: Slurm, tmp_path: Path) -> None:
    queue.write_job(tmp_path / "runs/a", {"token": "hpc-lost", "submitted_unix": 0.0})
    (slurm.path / "queue").write_text("77|PENDING|Priority|hpc-lost\n")
    launch(tmp_path, node(tmp_path, "a"))
    assert slurm.calls("scancel") == [["77"]]
    assert queue.read_job(tmp_path / "runs/a")["job_id"] == "101"


def test_a_passing_refusal_is_tried_again(slurm: Slurm, tmp_path: Path) -> None:
    (slurm.path / "refusals").write_text("Unable to contact slurm controller\nSocket timed out")
    launch(tmp_path, node(tmp_path, "a"))
    assert len(slurm.calls("sbatch")) == 3


def test_a_job_taken_in_although_sbatch_failed_is_cancelled_before_the_next_try(
    slurm: Slurm, tmp_path: Path
) -> None:
    (slurm.path / "refusals").write_text("taken")
    launch(tmp_path, node(tmp_path, "a"))
    assert slurm.calls("scancel") == [["101"]]
    assert queue.read_job(tmp_path / "runs/a")["job_id"] == "102"


def test_a_lasting_refusal_is_one_line(slurm: Slurm, tmp_path: Path) -> None:
    (slurm.path / "refusals").write_text("invalid partition specified: gpu\n")
    with pytest.raises(UserError, match=r"sbatch refused: .*invalid partition") as caught:
        launch(tmp_path, node(tmp_path, "a"), partition="gpu")
    assert caught.value.code == 1
    assert "\n" not in str(caught.value)
    assert len(slurm.calls("sbatch")) == 1


def test_an_outer_job_does_not_leak_into_sbatch(slurm: Slurm, tmp_path: Path, monkeypatch) -> None:
    leaks = {"SLURM_MEM_PER_NODE": "1", "SBATCH_QOS": "x", "SRUN_DEBUG": "3", "PMIX_RANK": "0"}
    for name, value in (leaks | {"SLURM_CONF": "/etc/lab.conf", "HOME": "/home/me"}).items():
        monkeypatch.setenv(name, value)
    launch(tmp_path, node(tmp_path, "a"), node(tmp_path, "b"))
    seen = json.loads((slurm.path / "environment.json").read_text())
    assert not leaks.keys() & seen.keys()
    assert (seen["SLURM_CONF"], seen["HOME"]) == ("/etc/lab.conf", "/home/me")
    assert os.environ["SLURM_MEM_PER_NODE"] == "1"


def test_without_slurm_the_answer_is_one_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match=r"srun is not on PATH.*--cluster local") as caught:
        launch(tmp_path, node(tmp_path, "a"))
    assert caught.value.code == 3
    with pytest.raises(UserError, match="squeue is not on PATH"):
        queue.queued()


def test_submitit_files_are_private(slurm: Slurm, tmp_path: Path) -> None:
    launch(tmp_path, node(tmp_path, "a"))
    assert (tmp_path / "slurm").stat().st_mode & 0o777 == 0o700
