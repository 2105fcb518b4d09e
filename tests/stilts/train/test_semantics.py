"""Every phase trains what a plain loop of PyTorch trains, in every ZeRO stage, on any number of ranks."""

import json
import sys
import uuid
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import torch

from hpc.engine import Linear, parameter_groups
from stilts.evaluate import predict
from stilts.run import stages
from stilts.run.folder import RunFolder
from stilts.study.grid import expand
from stilts.study.loading import load_study
from tests.starting import outputs_of_ranks

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("rank_worker.py")
PHASES = {
    "classify": "mnli-s1",
    "choice": "hellaswag-s1",
    "tag": "direct-s1.udpos",
    "span": "direct-s1.xquad",
    "mixture": "multi-s1",
    "text": "mnli+mlm-s1",
    "mixture with text": "multi+mlm-s1",
}
STUDY = """
name = "semantics"
summary = "every sort of phase, for tests"
caveat = "Only for tests."
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "udpos", "xquad"]
[model]
source = "random:toy"
layers = 2
vocabulary = "study"
[intermediate]
tasks = ["mnli", "squad_v1", "hellaswag"]
single_tasks = ["mnli", "hellaswag"]
[variants.mlm]
phases = ["mnli", "multi"]
languages = ["en", "de"]
block = 16
[languages]
default = ["en"]
[limits.default]
train = 24
dev = 6
test = 4
[optimisation.default]
learning_rate = 1e-3
[zero]
stage = 1
precision = "fp32"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The runs of the study, with the encoder made."""
    path = tmp_path_factory.mktemp("semantics") / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    runs = path.parent / "runs" / "semantics"
    study = load_study(str(path))
    for spec in (*expand(study, "all"), *expand(study, "variants")):
        RunFolder(runs / spec.id).write_spec(spec)
    stages.run(str(runs / "model"))
    return runs


def word(case) -> str:
    """How the worker is told a case, and tells what it found."""
    stage, kind, batches, passes = case
    return f"{stage}/{PHASES[kind]}/{batches}/{passes}"


def on_ranks(folder: Path, cases, *, world: int, steps: int, planted: str = "") -> list[dict]:
    """What each rank found."""
    out = folder.parent / f"losses-{uuid.uuid4().hex}.json"
    line = [WORKER, folder, out, steps, ",".join(map(word, cases)), planted]
    outputs_of_ranks(line, world=world, timeout=1500)
    return [json.loads(Path(f"{out}.{rank}").read_text()) for rank in range(world)]


@cache
def plain_losses(folder: Path, kind: str, *, steps: int, batches: str) -> list[float]:
    """The same batches through a plain loop: one process, no DeepSpeed, a gradient of zero for idle heads."""
    sys.path.insert(0, str(WORKER.parent))
    from rank_worker import phase

    _, _, asked, _, training_data, model = phase(folder, PHASES[kind], stage=1, steps=steps, batches=batches)
    settings = asked.optimisation
    groups = parameter_groups(
        model, rate=settings.learning_rate, weight_decay=settings.weight_decay, head_rate=1.0, heads="heads."
    )
    optimizer = torch.optim.AdamW(groups, eps=settings.epsilon)
    total = training_data.order.steps(settings.epochs, at_most=settings.max_steps)
    schedule = Linear(steps=total, warmup=int(total * settings.warmup))
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: float(schedule.factor(torch.tensor(float(step))))
    )
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    losses = []
    for step in range(steps):
        name, rows = training_data.order.draw(step)
        stream = training_data.streams[name]
        batch = predict.to_batch(stream.batch(rows, step=step), "cpu")
        model.train()
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        loss = model.loss(stream.head, model(stream.head, batch), batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def hold(folder: Path, cases, *, world: int, steps: int) -> None:
    """Asserts that all ranks tell the losses of the plain loop, and that each of these moves."""
    found = on_ranks(folder, cases, world=world, steps=steps)
    assert all(one == found[0] for one in found), "ranks differ"
    for stage, kind, batches, passes in cases:
        got = found[0][word((stage, kind, batches, passes))]["losses"]
        expected = plain_losses(folder, kind, steps=steps, batches=batches)
        difference = max(abs(a - b) / abs(b) for a, b in zip(got, expected, strict=True))
        case = f"ZeRO {stage}, {world} ranks, {kind}, by {batches}, {passes} passes"
        print(f"{case}: {difference:.1e}")
        assert difference <= 1e-5, f"{case}: {difference}"
        assert max(expected) - min(expected) > 1e-3, "a loss that does not move shows nothing"


def matrix(stages_, kinds, batches, passes=(1,)):
    # Masked text needs the word embeddings whole: ZeRO 3 is refused with it.
    return [
        case for case in product(stages_, kinds, batches, passes) if not (case[0] == 3 and "text" in case[1])
    ]


def test_every_sort_of_phase_on_one_device(folder) -> None:
    hold(folder, matrix(("auto",), PHASES, ("tokens",), (1, 2)), world=1, steps=12)


def test_tags_mixtures_and_text_on_two_ranks_in_all_stages(folder) -> None:
    cases = [
        *matrix((3,), ("mixture", "tag"), ("tokens",), (1, 2)),
        *matrix((2,), ("mixture",), ("examples",), (2,)),
        *matrix((1,), ("tag", "text"), ("examples",)),
        *matrix((0,), ("span",), ("tokens",), (2,)),
        *matrix(("auto",), ("choice",), ("examples",)),
    ]
    hold(folder, cases, world=2, steps=12)


@pytest.mark.slow
@pytest.mark.parametrize("world", [1, 2, 4])
def test_the_whole_matrix(folder, world: int) -> None:
    # On several ranks of a CPU `auto` is stage 0.
    stages_ = ("auto", 0, 1, 2, 3) if world == 1 else (0, 1, 2, 3)
    hold(folder, matrix(stages_, PHASES, ("tokens", "examples"), (1, 2)), world=world, steps=30)


@pytest.mark.parametrize("world", [1, 2])
def test_a_gradient_that_is_not_finite_moves_nothing_and_is_counted(folder, world: int) -> None:
    stages_ = ("auto", 0, 1, 2, 3) if world == 1 else (1, 3)
    (first, *_) = on_ranks(
        folder, matrix(stages_, ("tag",), ("tokens",)), world=world, steps=20, planted="inf"
    )
    assert len(first) == len(stages_)
    for name, found in first.items():
        assert len(found["losses"]) == 21, name
        assert [n for n, moved in enumerate(found["taken"]) if not moved] == [4], name
        assert found["rate"] == pytest.approx(1e-3 / 16), f"{name}: the schedule follows the steps taken"
        others = first[word((stages_[0], "tag", "tokens", 1))]["losses"]
        assert found["losses"] == pytest.approx(others, rel=1e-5)


def test_too_many_such_gradients_and_a_loss_of_nan_end_a_phase_on_all_ranks(folder) -> None:
    for found in on_ranks(folder, [(1, "tag", "tokens", 1)], world=2, steps=20, planted="always"):
        (case,) = found.values()
        assert case["error"].startswith("2 gradients were not finite (norm inf) by step 1 of 20, 1 may be")
    for found in on_ranks(folder, [(2, "tag", "tokens", 1)], world=2, steps=20, planted="nan"):
        (case,) = found.values()
        assert case["error"].startswith("the loss is nan at step 5 on rank 1")
