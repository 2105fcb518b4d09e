"""The SLURM executor against `sbatch`, `squeue` and `scancel`, played on PATH by one script."""

import json
import os
import pickle
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hpc.errors import UserError
from hpc.jobs import Call, Node, Shape
from hpc.slurm import queue
from hpc.slurm.executor import SlurmExecutor
from hpc.slurm.groups import groups
from hpc.slurm.reconcile import decide
from hpc.slurm.script import interpreter, parameters
from hpc.slurm.settings import SlurmSettings

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
        if refusals[0] and not refusals[0].startswith("taken"):
            sys.exit("sbatch: error: " + refusals[0])
    number = 101 + len(list(state.glob("*.sh")))
    shutil.copy(sys.argv[1], state / f"{{number}}.sh")
    if refusals and refusals[0]:
        token = re.search("--comment=(.*)", Path(sys.argv[1]).read_text()).group(1)
        (state / "queue").write_text(f"{{number}}|PENDING|None|N/A|{{token}}\\n")
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
    for name in ("sbatch", "srun", "squeue", "scancel", "sinfo", "sacct"):
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


def test_a_shape_has_options_of_its_own() -> None:
    settings = SlurmSettings(
        setup=("module load cuda",),
        extra={"nice": 100, "mail-type": "FAIL"},
        prefix="apptainer exec 'a b.sif'",
        python="python3",
    )
    shape = Shape(
        gpus_per_node=4,
        gres="gpu:a100:4",
        setup=("module load nccl",),
        extra={"mail-type": "END", "requeue": False, "no-requeue": True},
    )
    asked = parameters(shape, settings, {})
    assert "gpus_per_node" not in asked
    assert asked["setup"][-2:] == ["module load cuda", "module load nccl"]
    assert asked["additional_parameters"] == {
        "kill-on-invalid-dep": "yes",
        "gres": "gpu:a100:4",
        "nice": 100,
        "mail-type": "END",
        "no-requeue": True,
    }
    words = shlex.split(interpreter(settings))
    assert words[-4:] == ["apptainer", "exec", "a b.sif", "python3"]


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
    assert groups([], limit=10) == []
    assert len(groups(plan, limit=1000)) == 1 + 1 + 10 + 10


@given(st.data())
def test_any_plan_is_grouped_with_every_need_kept(data) -> None:
    shapes = [Shape(minutes=minutes) for minutes in (10, 20)]
    plan: list[Node] = []
    for number in range(data.draw(st.integers(1, 25))):
        needs = data.draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else ()
        shape = data.draw(st.sampled_from(shapes))
        plan.append(node(Path("x"), f"n{number}", *(f"n{need}" for need in sorted(needs)), shape=shape))
    queued = {one.name for one in plan if not one.needs and data.draw(st.booleans())}
    seen = set(queued)
    home = {}
    for group in groups(plan, limit=4, queued=queued):
        assert len({one.shape for one in group.nodes}) == 1
        assert len(group.nodes) <= 4
        assert seen.issuperset(need for one in group.nodes for need in one.needs)
        if group.relation == "aftercorr":
            assert [(need,) for need in home[group.needs[0]]] == [one.needs for one in group.nodes]
        else:
            assert {frozenset(one.needs) for one in group.nodes} == {frozenset(group.needs)}
        assert not seen & {one.name for one in group.nodes}
        home |= {one.name: [other.name for other in group.nodes] for one in group.nodes}
        seen |= {one.name for one in group.nodes}
    assert seen == {one.name for one in plan}


def job(
    job_id: str, token: str = "t", *, state: str = "PENDING", reason: str = "Priority"
) -> queue.QueuedJob:
    return queue.QueuedJob(job_id=job_id, state=state, reason=reason, token=token)


def note(job_id: str | None, *, element: object = "", token: str = "t", **needs: str) -> dict:
    record = {"token": token, "element": element, "needs": needs}
    return record if job_id is None else record | {"job_id": job_id}


def decided(tmp_path: Path, records: dict, *jobs: queue.QueuedJob):
    """For a parent `a` and its child `b`."""
    return decide([node(tmp_path, "a"), node(tmp_path, "b", "a")], records, jobs)


def test_jobs_are_kept_with_what_they_wait_for(tmp_path: Path) -> None:
    records = {"a": note("1_0", element=0), "b": note("2", token="u", a="1_0")}
    found = decided(tmp_path, records, job("1_0", state="RUNNING", reason="None"), job("2", "u"))
    assert {name: kept.job_id for name, kept in found.kept.items()} == {"a": "1_0", "b": "2"}
    assert found.cancelled == found.ending == []


@pytest.mark.parametrize(
    "parent",
    [
        [],
        [job("1_0", reason="PartitionConfig")],
        [job("1_0", reason="DependencyNeverSatisfied")],
        [job("1_0", "of another")],
        [job("9_0")],
    ],
    ids=["gone", "unfit", "orphaned", "of another", "another number"],
)
def test_a_child_goes_with_its_parent(tmp_path: Path, parent: list) -> None:
    """SLURM would start it without."""
    records = {"a": note("1_0", element=0), "b": note("2", token="u", a="1_0")}
    found = decided(tmp_path, records, *parent, job("2", "u"))
    assert found.kept == {}
    # What is not ours, or has another number than was noted, is left alone.
    unfit = ["1_0"] if parent and parent[0].never_startable else []
    assert found.cancelled == [*unfit, "2"]


def test_a_child_that_waits_for_an_earlier_job_of_its_parent_is_replaced(tmp_path: Path) -> None:
    records = {"a": note("3"), "b": note("2", token="u", a="1_0")}
    found = decided(tmp_path, records, job("3"), job("2", "u"))
    assert list(found.kept) == ["a"]
    assert found.cancelled == ["2"]


def test_a_job_whose_number_was_never_noted_is_known_by_its_token(tmp_path: Path) -> None:
    found = decided(tmp_path, {"a": note(None, element=3)}, job("7_3"), job("7_4"))
    assert found.kept["a"].job_id == "7_3"
    assert found.cancelled == []


def test_a_child_whose_parent_was_never_noted_is_replaced(tmp_path: Path) -> None:
    found = decided(tmp_path, {"b": note("2", token="u", a="1_0")}, job("2", "u"))
    assert (found.kept, found.cancelled) == ({}, ["2"])


def test_a_job_submitted_by_hand_is_known_by_its_number(tmp_path: Path) -> None:
    mine = {"token": "", "job_id": "7_3"}
    assert decided(tmp_path, {"a": mine}, job("7_3", ""), job("7_4", "")).kept["a"].job_id == "7_3"
    assert decided(tmp_path, {"a": mine}, job("7_4", ""), job("8", "")).kept == {}
    assert decided(tmp_path, {"a": {"token": ""}}, job("8", "")).kept == {}


def test_a_note_without_its_place_has_it_in_its_number(tmp_path: Path) -> None:
    mine = {"token": "t", "job_id": "7_3"}
    assert decided(tmp_path, {"a": mine}, job("7_2"), job("7_3")).kept["a"].job_id == "7_3"
    assert decided(tmp_path, {"a": mine | {"job_id": "7"}}, job("7")).kept["a"].job_id == "7"
    assert decided(tmp_path, {"a": {"token": "t"}}, job("7")).kept["a"].job_id == "7"
    # Its child waits for nothing that is noted.
    found = decided(tmp_path, {"a": mine, "b": {"token": "u", "job_id": "8"}}, job("7_3"), job("8", "u"))
    assert (list(found.kept), found.cancelled) == (["a"], ["8"])


def test_a_job_that_is_about_to_leave_is_waited_for(tmp_path: Path) -> None:
    assert decided(tmp_path, {"a": note("1")}, job("1", state="COMPLETING", reason="None")).ending == ["a"]


def test_a_child_stays_when_its_parent_ends_between_the_plan_and_the_look(
    slurm: Slurm, tmp_path: Path
) -> None:
    mark = tmp_path / "a-is-done"
    plan = [replace(node(tmp_path, "a"), done=mark), node(tmp_path, "b", "a")]
    launch(tmp_path, *plan)
    note = queue.read_job(tmp_path / "runs" / "b")
    (slurm.path / "queue").write_text(f"{note['job_id']}|PENDING|None|N/A|{note['token']}\n")
    mark.touch()
    outcome, events = launch(tmp_path, *plan)
    assert outcome.states == {"a": "done", "b": "submitted"}
    assert {event.name: event.state for event in events} == outcome.states
    assert len(slurm.calls("sbatch")) == 2
    assert not slurm.calls("scancel")


def test_a_job_the_launcher_could_not_give_its_call_is_given_it(slurm: Slurm, tmp_path: Path) -> None:
    queue.write_job(tmp_path / "runs/a", note(None, token="hpc-lost"))
    (slurm.path / "queue").write_text("77|PENDING|Priority|N/A|hpc-lost\n")
    launch(tmp_path, node(tmp_path, "a"))
    assert slurm.calls("sbatch") == slurm.calls("scancel") == []
    assert queue.read_job(tmp_path / "runs/a")["job_id"] == "77"
    submitted = pickle.loads((tmp_path / "slurm/77_submitted.pkl").read_bytes())
    assert submitted.function.call == Call("json:dumps", {"obj": "a"})


def test_a_passing_refusal_is_tried_again(slurm: Slurm, tmp_path: Path) -> None:
    (slurm.path / "refusals").write_text("Unable to contact slurm controller\nSocket timed out")
    launch(tmp_path, node(tmp_path, "a"))
    assert len(slurm.calls("sbatch")) == 3


def test_a_job_taken_in_although_sbatch_failed_is_kept(slurm: Slurm, tmp_path: Path) -> None:
    (slurm.path / "refusals").write_text("taken")
    launch(tmp_path, node(tmp_path, "a"))
    assert slurm.calls("scancel") == []
    assert len(slurm.calls("sbatch")) == 1
    assert queue.read_job(tmp_path / "runs/a")["job_id"] == "101"
    assert (tmp_path / "slurm/101_submitted.pkl").exists()


def test_a_lasting_refusal_is_one_line(slurm: Slurm, tmp_path: Path, capfd) -> None:
    (slurm.path / "refusals").write_text("invalid partition specified: gpu\n")
    said = r"^sbatch refuses a \(and 1 of the same shape\): invalid partition specified: gpu; see the shapes"
    with pytest.raises(UserError, match=said) as caught:
        launch(tmp_path, node(tmp_path, "a"), node(tmp_path, "b"), partition="gpu")
    assert caught.value.code == 2
    assert "\n" not in str(caught.value)
    assert len(slurm.calls("sbatch")) == 1
    assert capfd.readouterr().err == "", "submitit says it too"


def test_a_full_queue_takes_what_it_can_and_leaves_the_rest(slurm: Slurm, tmp_path: Path) -> None:
    full = "AssocMaxSubmitJobLimit"
    (slurm.path / "refusals").write_text("\n".join([full, "none", full]).replace("none", ""))
    plan = [node(tmp_path, name) for name in "abc"] + [node(tmp_path, "d", "a", "b")]
    outcome, _ = launch(tmp_path, *plan)
    assert outcome.states == {"a": "submitted", "b": "waiting", "c": "waiting", "d": "waiting"}
    assert outcome.ok


def test_an_outage_that_does_not_end_is_told(slurm: Slurm, tmp_path: Path) -> None:
    (slurm.path / "refusals").write_text("\n".join(["Unable to contact slurm controller"] * 50))
    with pytest.raises(UserError, match=r"SLURM has not answered for 0\.01 minutes") as caught:
        launch(tmp_path, node(tmp_path, "a"), outage_minutes=0.01)
    assert caught.value.code == 1


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


def test_a_run_given_to_another_job_by_hand_keeps_count_of_those_before(tmp_path: Path, monkeypatch) -> None:
    queue.write_job(tmp_path, {"token": "t", "job_id": "5", "earlier": ["3"], "submitted_unix": 100.0})
    monkeypatch.setenv("SLURM_JOB_ID", "9")
    queue.note_attempt(tmp_path)
    found = queue.read_job(tmp_path)
    assert queue.numbers_of(found) == ["3", "5", "9"]
    assert (found["token"], found["first_unix"]) == ("", 100.0)
    assert found["submitted_unix"] > 100.0
