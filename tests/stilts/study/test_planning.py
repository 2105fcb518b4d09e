"""Studies, grids and runs: what is asked, what it needs, and how its state is read off its files."""

import dataclasses
import hashlib
import json
import multiprocessing
import re
import time

import pytest

from hpc.errors import UserError
from hpc.zero import Zero
from stilts.run.folder import RunFolder
from stilts.run.settings import Model
from stilts.run.specs import BaselineSpec, PrepareSpec, RunSpec, differences, refuse_change, stages
from stilts.study.grid import GRIDS, expand
from stilts.study.loading import load_study

PREPARED = PrepareSpec(model=Model(source="random", layers=1))
BASELINE = BaselineSpec(methods=("majority",), train_task="mnli")


@pytest.fixture(scope="module")
def runs():
    return {run.id: run for run in expand(load_study("mini"), "all")}


def test_every_regime_is_evaluated_on_all_nine_targets(runs):
    targets = set(load_study("mini").targets)
    found = {}
    for run in runs.values():
        if run.stage == "evaluate":
            key = (run.asked.regime, run.asked.intermediate)
            found.setdefault(key, set()).update(run.asked.targets)
    trained = targets - {"bucc2018", "tatoeba"}
    expected = {("single", task): targets for task in ("mnli", "squad_v1", "hellaswag")}
    expected |= {("direct", ""): targets, ("multi", "multi"): targets, ("random", ""): trained}
    expected |= {("heads", "multi"): targets, ("joint", "multi"): targets}
    assert found == expected


def test_parents_come_first_and_shared_work_is_one_run(runs):
    order = list(runs)
    assert all(order.index(need) < order.index(run.id) for run in runs.values() for need in run.needs)
    assert set(runs["mnli-s1.squad_v1.eval"].asked.targets) == {"xquad", "mlqa"}
    assert runs["mnli-s1.eval"].needs == ("mnli-s1",)


def test_heads_borrow_where_they_can_and_probe_where_they_cannot(runs):
    answers = runs["multi-s1.heads.eval"].asked.targets
    assert {name: answer.head for name, answer in answers.items() if answer.head} == {
        "xnli": "mnli",
        "pawsx": "qqp",
        "xquad": "squad_v1",
        "mlqa": "squad_v1",
        "tydiqa": "squad_v1",
        "udpos": "udpos",
        "panx": "panx",
    }
    assert {name for name, answer in answers.items() if answer.note == "probe"} == {"udpos", "panx"}


def test_at_least_six_languages_a_target_where_the_task_has_them(runs):
    for name, answer in runs["multi-s1.joint.eval"].asked.targets.items():
        assert len(answer.languages) >= (4 if name == "bucc2018" else 6), name


@pytest.mark.parametrize("grid", [grid for grid in GRIDS if grid != "variants"])
def test_a_grid_holds_all_that_its_runs_need(grid):
    chosen = expand(load_study("mini"), grid)
    ids = {run.id for run in chosen}
    assert ids
    assert all(need in ids for run in chosen for need in run.needs)


def test_a_changed_ancestor_changes_the_run(runs):
    study = load_study("mini")
    deeper = dataclasses.replace(study, model=dataclasses.replace(study.model, layers=4))
    changed = {run.id: run for run in expand(deeper, "all")}
    assert changed["mnli-s1.xnli.eval"].fingerprint != runs["mnli-s1.xnli.eval"].fingerprint
    assert differences(runs["mnli-s1"], changed["mnli-s1"]) == ["its parent model changed"]
    assert changed["baseline.mnli"].fingerprint == runs["baseline.mnli"].fingerprint


def test_a_spec_is_never_changed(tmp_path):
    folder = RunFolder(tmp_path / "a")
    spec = RunSpec(study="s", id="a", asked=PREPARED)
    folder.write_spec(spec)
    folder.write_spec(spec)
    deeper = dataclasses.replace(PREPARED, model=Model(source="random", layers=2))
    with pytest.raises(UserError, match=r"model\.layers: 1 -> 2"):
        folder.write_spec(dataclasses.replace(spec, asked=deeper))
    stored = json.loads(folder.spec.read_text())
    stored["asked"]["model"]["layers"] = 3
    folder.spec.write_text(json.dumps(stored))
    with pytest.raises(UserError, match="is not as launch wrote it"):
        folder.read_spec()


def hold(path, held):
    with RunFolder(path).locked():
        held.set()
        time.sleep(60)


def test_a_run_is_at_work_exactly_as_long_as_its_process_lives(tmp_path):
    folder = RunFolder(tmp_path / "a")
    folder.write_spec(RunSpec(study="s", id="a", asked=PREPARED))
    assert folder.state() == "planned"
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=hold, args=(folder.path, held))
    process.start()
    assert held.wait(30)
    assert folder.state() == "running"
    with pytest.raises(UserError, match=r"another process \(pid \d+ on .*\) works on"), folder.locked():
        pass
    process.kill()
    process.join()
    folder.provenance.write_text("{}\n")
    assert folder.state() == "interrupted"


def test_settings_that_train_another_model_are_refused():
    with pytest.raises(UserError, match="use stage 1"):
        Zero(stage=0, precision="bf16")
    with pytest.raises(UserError, match="needs ZeRO stage 2 or 3"):
        Zero(stage=1, offload="optimizer")


def test_every_specification_comes_back_as_it_was_written(runs):
    for run in runs.values():
        stored = json.loads(json.dumps(run.as_json()))
        assert RunSpec.from_json(stored, "spec.json") == run
    assert {run.stage for run in runs.values()} == set(stages())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stage": "trian"}, "unknown stage 'trian' in a/spec.json. Did you mean 'train'"),
        ({"asked": {"model": {"source": "random"}, "modle": 1}}, "unknown key 'modle'"),
        ({"asked": {}}, "lacks model"),
        ({"id": 3}, "id should be a string"),
        ({"parents": {"model": "0"}}, "is not as launch wrote it"),
    ],
)
def test_a_specification_is_decoded_strictly(change, said):
    stored = RunSpec(study="s", id="a", asked=PREPARED).as_json() | change
    with pytest.raises(UserError, match=said):
        RunSpec.from_json(stored, "a/spec.json")


def test_a_setting_that_is_added_later_and_absent_changes_no_fingerprint():
    stored = RunSpec(study="s", id="a", asked=PREPARED).as_json()
    assert stored["asked"] == {
        "model": {"source": "random", "layers": 1, "pooling": "cls", "vocabulary": "full"}
    }


def test_a_fingerprint_is_the_digest_of_compact_json():
    """Written out: one that changes makes every run be run again."""
    asked = PrepareSpec(model=Model(source="żółw", layers=1))
    spec = RunSpec(study="s", id="a", asked=asked, parents={"b": "2", "a": "1"})
    written = (
        '{"asked":{"model":{"layers":1,"pooling":"cls","source":"żółw","vocabulary":"full"}},'
        '"parents":{"a":"1","b":"2"},"stage":"prepare"}'
    )
    assert spec.fingerprint == hashlib.sha256(written.encode()).hexdigest()


def test_what_is_stored_is_this_run_s_and_as_it_was_written():
    spec = RunSpec(study="s", id="a", asked=PREPARED, parents={"b": "2"})
    stored = spec.as_json()
    assert spec.is_stored_as(stored)
    assert spec.is_stored_as(stored | {"tokens": 5, "study": "t"}), "no part of the identity"
    assert not spec.is_stored_as(stored | {"parents": {"b": "3"}})
    assert not spec.is_stored_as(stored | {"fingerprint": "0"})
    assert not spec.is_stored_as({"fingerprint": spec.fingerprint})
    assert not spec.is_stored_as(None)
    assert not spec.is_stored_as(stored | {"asked": {1: 2, "a": 3}})
    other = RunSpec(study="s", id="a", asked=PREPARED, parents={"b": "3"})
    assert not spec.is_stored_as(other.as_json())


def test_what_differs_is_told_field_by_field(tmp_path):
    def run(parents=(), **model):
        return RunSpec(
            study="s",
            id="a",
            asked=PrepareSpec(model=Model(**{"source": "random"} | model)),
            parents=dict(parents),
        )

    assert differences(run(layers=1), run()) == ["model.layers: 1 -> (absent)"]
    assert differences(run(), run(layers=2, pooling="mean")) == [
        "model.layers: (absent) -> 2",
        'model.pooling: "cls" -> "mean"',
    ]
    parents = {"a": "1", "b": "2"}
    assert differences(run(parents), run({"a": "1", "b": "3", "c": "4"})) == [
        "its parent b changed",
        "its parent c changed",
    ]
    assert differences(run(), RunSpec(study="s", id="a", asked=BASELINE)) == ["stage: prepare -> baseline"]
    many = dict.fromkeys("abcdefg", "1")
    shown = "; ".join(f"its parent {name} changed" for name in "abcde")
    told = (
        f"a was launched with other settings ({shown}; and 2 more); delete the folder to run it anew, or "
        "give the changed study another name"
    )
    with pytest.raises(UserError, match=re.escape(told)):
        refuse_change(run(), run(many), tmp_path / "a")
    five = dict(list(many.items())[:5])
    with pytest.raises(UserError, match=r"its parent e changed\); delete"):
        refuse_change(run(), run(five), tmp_path / "a")
    with pytest.raises(UserError, match=r"its parent e changed; and 1 more\); delete"):
        refuse_change(run(), run(five | {"f": "1"}), tmp_path / "a")
    refuse_change(run(many), run(many), tmp_path / "a")


def test_an_edited_specification_is_damage():
    stored = RunSpec(study="s", id="a", asked=PREPARED).as_json() | {"parents": {"model": "0"}}
    with pytest.raises(UserError, match=r"restore it, or move a away to run it anew") as caught:
        RunSpec.from_json(stored, "a/spec.json")
    assert caught.value.code == 3
    with pytest.raises(UserError, match=r"a/spec\.json"):
        RunSpec.from_json({"study": 1}, "a/spec.json")
    with pytest.raises(UserError, match=r"a/spec\.json.*unknown key|unknown key.*a/spec\.json"):
        RunSpec.from_json(
            RunSpec(study="s", id="a", asked=PREPARED).as_json() | {"asked": {"x": 1}}, "a/spec.json"
        )
