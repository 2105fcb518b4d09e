"""Two ranks train what one does: the same batches, the same loss, the same weights but for rounding."""

import json
from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts.model import checkpoint
from stilts.run import stages
from stilts.run.folder import RunFolder
from stilts.study.grid import expand
from stilts.study.loading import load_study
from tests.starting import outputs_of_ranks, run_ranks

ROOT = Path(__file__).parents[3]
TINY = ROOT / "stilts" / "study" / "studies" / "tiny.toml"


def planned(tmp_path):
    """The tiny study without dropout, whose masks belong to a rank."""
    path = tmp_path / "study.toml"
    path.write_text(
        TINY.read_text().replace("dropout = 0.1", "dropout = 0.0").replace('name = "tiny"', 'name = "small"')
    )
    folders = {}
    for spec in expand(load_study(str(path)), "intermediate"):
        folders[spec.id] = RunFolder(tmp_path / "runs" / spec.study / spec.id)
        folders[spec.id].write_spec(spec)
    return folders


def run_on(folder, *, world):
    outputs_of_ranks(["-m", "stilts.run", folder.path], world=world)
    assert folder.done.exists()


def test_two_ranks_train_what_one_does(tmp_path):
    weights, scores = {}, {}
    for world in (1, 2):
        base = tmp_path / str(world)
        base.mkdir()
        folders = planned(base)
        stages.run(str(folders["model"].path))
        run_on(folders["mnli-s1"], world=world)
        weights[world] = checkpoint.read(folders["mnli-s1"].weights).tensors
        told = [json.loads(line) for line in folders["mnli-s1"].metrics.read_text().splitlines()]
        scores[world] = [(line["step"], line["scores"], line["kept"]) for line in told if line["at"] == "dev"]
    assert scores[1] == scores[2], "they share the dev set, and score all of it"
    moved = 0.0
    start = checkpoint.read(folders["model"].weights).tensors
    for name, tensor in weights[1].items():
        assert abs(tensor - weights[2][name]).max() <= 2e-4, name
        moved = max(moved, float(abs(tensor - start[name]).max()))
    assert moved > 2e-3, "the comparison means nothing if training moved nothing"


FAILING = """
import sys, time
from stilts.run import stages
from stilts.train.learner import Learner
plain = Learner.learn
def learn(learner, step):
    if learner.place.rank == 1 and learner.totals.drawn == 2:
        raise RuntimeError("this card is broken")
    plain(learner, step)
Learner.learn = learn
stages.run(sys.argv[1])
"""


def test_the_first_cause_over_all_ranks_is_told(tmp_path):
    """The other rank only loses touch, and says so after it."""
    folders = planned(tmp_path)
    stages.run(str(folders["model"].path))
    folder = folders["mnli-s1"]
    ended = run_ranks(["-c", FAILING, folder.path], world=2)
    assert [code != 0 for code, _ in ended] == [True, True]
    assert folder.state() == "failed"
    assert folder.failure().error == "rank 1: RuntimeError: this card is broken"
    run_on(folder, world=2)


def test_a_run_without_its_parent_is_refused(tmp_path):
    folders = planned(tmp_path)
    with pytest.raises(UserError, match="mnli-s1 needs model, which is not done"):
        stages.run(str(folders["mnli-s1"].path))
