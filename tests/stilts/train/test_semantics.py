"""Every phase trains what a plain loop of PyTorch trains, in every ZeRO stage, on any number of ranks."""

import json
import os
import socket
import subprocess
import sys
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

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("rank_worker.py")
PHASES = {
    "classify": "mnli-s1",
    "choice": "hellaswag-s1",
    "tag": "direct-s1.udpos",
    "span": "direct-s1.xquad",
    "mixture": "multi-s1",
    "text": "mnli+mlm-s1",
}
STUDY = """
name = "semantics"
summary = "every sort of phase, for tests"
caveat = "Only for tests."
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "udpos", "xquad"]
[model]
source = "random"
layers = 2
vocabulary = "study"
[intermediate]
tasks = ["mnli", "squad_v1", "hellaswag"]
single_tasks = ["mnli", "hellaswag"]
[variants.mlm]
phases = ["mnli"]
languages = ["en", "de"]
block = 16
[languages]
default = ["en"]
[limits.default]
train = 24
dev = 6
test = 4
[optimisation.default]
learning_rate = 2e-4
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


def on_ranks(folder: Path, cases, *, world: int, steps: int, planted: str = "") -> list[dict]:
    """What each rank found."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out = folder.parent / f"losses-{port}.json"
    words = ",".join(f"{stage}/{PHASES[kind]}/{batches}" for stage, kind, batches in cases)
    processes = []
    for rank in range(world):
        place = {"RANK": rank, "WORLD_SIZE": world, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": world}
        environment = os.environ | {name: str(value) for name, value in place.items()}
        environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
        line = [sys.executable, str(WORKER), str(folder), str(out), str(steps), words, planted]
        processes.append(
            subprocess.Popen(
                line,
                env=environment | {"PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    for process in processes:
        output, _ = process.communicate(timeout=1500)
        assert process.returncode == 0, output[-3000:]
    return [json.loads(Path(f"{out}.{rank}").read_text()) for rank in range(world)]


def plain_losses(folder: Path, kind: str, *, steps: int, batches: str) -> list[float]:
    """The same batches through a plain loop: one process, no DeepSpeed, a gradient of zero for idle heads."""
    sys.path.insert(0, str(WORKER.parent))
    from rank_worker import phase

    _, _, asked, _, training_data, model = phase(folder, PHASES[kind], stage=0, steps=steps, batches=batches)
    settings = asked.optimisation
    groups = parameter_groups(
        model, rate=settings.learning_rate, weight_decay=settings.weight_decay, head_rate=1.0, heads="heads."
    )
    optimizer = torch.optim.AdamW(groups, eps=settings.epsilon)
    total = training_data.order.steps(settings.epochs, at_most=settings.max_steps)
    schedule = Linear(steps=total, warmup=int(total * settings.warmup))
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
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
    for stage, kind, batches in cases:
        got = found[0][f"{stage}/{PHASES[kind]}/{batches}"]["losses"]
        expected = plain_losses(folder, kind, steps=steps, batches=batches)
        difference = max(abs(a - b) / abs(b) for a, b in zip(got, expected, strict=True))
        print(f"ZeRO {stage}, {world} ranks, {kind}, by {batches}: {difference:.1e}")
        assert difference <= 1e-5, f"ZeRO {stage} on {world} ranks, {kind}, by {batches}: {difference}"
        assert max(expected) - min(expected) > 1e-3, "a loss that does not move shows nothing"


def matrix(stages_, kinds, batches):
    # Masked text needs the word embeddings whole: ZeRO 3 is refused with it.
    return [case for case in product(stages_, kinds, batches) if case[:2] != (3, "text")]


def test_tags_mixtures_and_text_on_two_ranks_in_all_stages(folder) -> None:
    cases = [
        *matrix((3,), ("mixture", "tag"), ("tokens",)),
        *matrix((2,), ("mixture",), ("examples",)),
        *matrix((1,), ("tag", "text"), ("examples",)),
        *matrix((0,), ("span",), ("tokens",)),
    ]
    hold(folder, cases, world=2, steps=12)


@pytest.mark.slow
@pytest.mark.parametrize("world", [1, 2, 4])
def test_the_whole_matrix(folder, world: int) -> None:
    hold(folder, matrix((0, 1, 2, 3), PHASES, ("tokens", "examples")), world=world, steps=30)


@pytest.mark.parametrize("world", [1, 2])
def test_a_gradient_that_is_not_finite_moves_nothing_and_is_counted(folder, world: int) -> None:
    stages_ = (0, 1, 2, 3) if world == 1 else (1, 3)
    (first, *_) = on_ranks(
        folder, matrix(stages_, ("tag",), ("tokens",)), world=world, steps=20, planted="inf"
    )
    assert len(first) == len(stages_)
    for name, found in first.items():
        assert len(found["losses"]) == 21, name
        assert [n for n, moved in enumerate(found["taken"]) if not moved] == [4], name
        assert found["rate"] == 0.0, f"{name}: the schedule follows the steps taken"
        others = first[f"{stages_[0]}/{PHASES['tag']}/tokens"]["losses"]
        assert found["losses"] == pytest.approx(others, rel=1e-5)


def test_too_many_such_gradients_and_a_loss_of_nan_end_a_phase_on_all_ranks(folder) -> None:
    for found in on_ranks(folder, [(1, "tag", "tokens")], world=2, steps=20, planted="always"):
        (case,) = found.values()
        assert case["error"].startswith("2 gradients were not finite (norm inf) by step 1 of 20, 1 may be")
    for found in on_ranks(folder, [(2, "tag", "tokens")], world=2, steps=20, planted="nan"):
        (case,) = found.values()
        assert case["error"].startswith("the loss is nan at step 5 on rank 1")
