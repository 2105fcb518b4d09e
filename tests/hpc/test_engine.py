"""The DeepSpeed engine: what is resumed equals what was never interrupted, in every ZeRO stage."""

import errno
import json
import os
from pathlib import Path

import pytest
import torch

from hpc.engine import Linear, checkpoints, parameter_groups
from hpc.engine.checkpoints import COMMITTED
from hpc.engine.plain import PlainEngine
from hpc.errors import Unreadable, UserError
from hpc.zero import Memory, Zero
from tests.starting import outputs_of_ranks

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("engine_worker.py")


def train(folder, *, stage, steps, save_at=0, world=1, precision="fp32", passes=1):
    """What rank 0 prints."""
    line = [WORKER, folder, stage, steps, save_at, precision, passes]
    first = outputs_of_ranks(line, world=world)[0]
    told = next(line for line in first.splitlines() if line.startswith("RESULT "))
    return json.loads(told.removeprefix("RESULT ")) | {"output": first}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Six steps of plain PyTorch on one device."""
    found = train(tmp_path_factory.mktemp("plain"), stage="auto", steps=6)
    assert found["name"] == "pytorch"
    return found


@pytest.mark.parametrize(("stage", "world"), [("auto", 1), (1, 1), (2, 2), (3, 2)], ids=str)
def test_resume_equals_the_uninterrupted_run(tmp_path, stage, world):
    whole = train(tmp_path / "a", stage=stage, steps=6, world=world)
    train(tmp_path / "b", stage=stage, steps=3, save_at=3, world=world)
    (tmp_path / "b" / "step-00000005").mkdir()  # torn: never committed
    rest = train(tmp_path / "b", stage=stage, steps=6, world=world)
    assert rest["first"] == 3
    assert rest["losses"] == whole["losses"][3:]
    assert rest["norms"] == whole["norms"][3:]
    assert rest["weights"] == whole["weights"]


@pytest.mark.parametrize(
    ("before", "after"),
    [(("auto", 1), (2, 2)), ((3, 2), ("auto", 1)), ((1, 2), (3, 1))],
    ids=["1-rank-to-2", "2-ranks-to-1", "stage-1-to-3"],
)
def test_a_checkpoint_fits_any_number_of_ranks_and_any_stage(tmp_path, plain, before, after):
    train(tmp_path, stage=before[0], steps=3, save_at=3, world=before[1])
    rest = train(tmp_path, stage=after[0], steps=6, world=after[1])
    assert rest["first"] == 3
    assert rest["losses"] == pytest.approx(plain["losses"][3:], rel=1e-5)
    assert rest["weights"] == pytest.approx(plain["weights"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("before", [(0, 2), (1, 4), (2, 1), (3, 3)], ids=str)
@pytest.mark.parametrize("after", [(0, 3), (1, 2), (2, 4), (3, 2)], ids=str)
def test_checkpoints_fit_all_others(tmp_path, plain, before, after):
    train(tmp_path, stage=before[0], steps=3, save_at=3, world=before[1])
    rest = train(tmp_path, stage=after[0], steps=6, world=after[1])
    assert rest["losses"] == pytest.approx(plain["losses"][3:], rel=1e-5)


@pytest.mark.parametrize(("stage", "world"), [("auto", 1), (0, 2), (1, 2), (2, 2), (3, 1)], ids=str)
def test_gradients_of_several_passes_add_up(tmp_path, plain, stage, world):
    found = train(tmp_path, stage=stage, steps=6, world=world, passes=3)
    assert found["losses"] == pytest.approx(plain["losses"], rel=1e-5)
    assert found["norms"] == pytest.approx(plain["norms"], rel=1e-5)


def test_bf16_trains_an_fp32_copy_with_and_without_deepspeed(tmp_path, plain):
    ours = train(tmp_path / "a", stage="auto", steps=6, precision="bf16")
    theirs = train(tmp_path / "b", stage=1, steps=6, precision="bf16")
    assert (ours["name"], theirs["name"]) == ("pytorch", "zero-1")
    assert ours["losses"] == pytest.approx(theirs["losses"], rel=2e-3)
    assert ours["losses"] == pytest.approx(plain["losses"], rel=2e-2)
    train(tmp_path / "c", stage="auto", steps=3, save_at=3, precision="bf16")
    rest = train(tmp_path / "c", stage="auto", steps=6, precision="bf16")
    assert rest["losses"] == ours["losses"][3:]
    assert rest["weights"] == ours["weights"]


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "world"), [(1, 2), (2, 2), (3, 2)], ids=str)
def test_bf16_resumes_exactly_in_all_stages(tmp_path, stage, world):
    whole = train(tmp_path / "a", stage=stage, steps=6, world=world, precision="bf16")
    train(tmp_path / "b", stage=stage, steps=3, save_at=3, world=world, precision="bf16")
    rest = train(tmp_path / "b", stage=stage, steps=6, world=world, precision="bf16")
    assert rest["losses"] == whole["losses"][3:]
    assert rest["weights"] == whole["weights"]


def test_fp16_seeks_its_scale_and_resumes_with_it():
    module = torch.nn.Linear(4, 1, bias=False)
    torch.nn.init.constant_(module.weight, 0.5)
    engine = PlainEngine(
        module,
        parameter_groups(module, rate=0.01, weight_decay=0.0, head_rate=1.0, heads="-"),
        precision="fp16",
        device="cpu",
        clip=1.0,
        schedule=Linear(steps=100, warmup=0),
        epsilon=1e-8,
    )
    x = torch.full((2, 4), 100.0, dtype=torch.float16)
    taken = []
    for _ in range(12):
        # A gradient of 200 times 2**16 is no number of fp16: the scale is halved until it is one.
        engine.backward(engine(x).float().sum())
        taken.append(bool(engine.step().taken))
    assert taken == [False] * 8 + [True] * 4
    assert engine.scaling() == {"scale": 2.0**8, "finite": 4.0}
    other = PlainEngine(
        torch.nn.Linear(4, 1, bias=False),
        [{"params": [], "lr": 0.1}],
        precision="fp16",
        device="cpu",
        clip=1.0,
        schedule=Linear(steps=1, warmup=0),
        epsilon=1e-8,
    )
    other.set_scaling(engine.scaling())
    assert other.scaling() == engine.scaling()


def test_a_damaged_checkpoint_is_stepped_over_aloud(tmp_path, plain):
    for until in (2, 4):
        train(tmp_path, stage="auto", steps=until, save_at=until)
    newest = tmp_path / "step-00000004"
    (file,) = newest.glob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    rest = train(tmp_path, stage="auto", steps=6)
    assert rest["first"] == 2
    assert f"the checkpoint {newest} is stepped over: {file.name} has other contents" in rest["output"]
    assert rest["losses"] == plain["losses"][2:]
    for committed in tmp_path.glob(f"*/{COMMITTED}"):
        committed.write_text("{", encoding="utf-8")
    assert train(tmp_path, stage="auto", steps=6)["losses"] == plain["losses"]


@pytest.mark.parametrize("name", ["a rank's file", "committed.json"])
def test_a_checkpoint_that_is_withheld_is_not_stepped_over(tmp_path, monkeypatch, name):
    """A server that restarts costs no steps: the newest is not done again from the one before."""
    for until in (2, 4):
        train(tmp_path, stage="auto", steps=until, save_at=until)
    newest = tmp_path / "step-00000004"

    def stale(path):
        if path.parent == newest:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))
        return true(path)

    place = (checkpoints, "digest") if name == "a rank's file" else (Path, "read_bytes")
    true = getattr(*place)
    monkeypatch.setattr(*place, stale)
    with pytest.raises(Unreadable, match=f"cannot read {newest}/.*: Stale file handle"):
        checkpoints.newest(tmp_path, accept=lambda _: "")
    if name == "committed.json":
        with pytest.raises(Unreadable):
            checkpoints.states(tmp_path)
    monkeypatch.undo()
    assert checkpoints.newest(tmp_path, accept=lambda _: "").folder == newest


def test_a_checkpoint_runs_nothing_that_it_holds(tmp_path):
    train(tmp_path, stage="auto", steps=2, save_at=2)
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json", ".safetensors"}
    for path in (ROOT / "hpc").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "torch.load" not in text, path
        assert "load_checkpoint(" not in text, path


def test_no_decay_on_biases_and_norms_and_frozen_stay_out():
    module = torch.nn.ModuleDict({"body": torch.nn.Linear(3, 3), "norm": torch.nn.LayerNorm(3)})
    module["heads"] = torch.nn.Linear(3, 2)
    module["body"].weight.requires_grad_(False)
    groups = parameter_groups(module, rate=1.0, weight_decay=0.5, head_rate=3.0, heads="heads.")
    found = {(g["lr"], g["weight_decay"]): sorted(p.numel() for p in g["params"]) for g in groups}
    assert found == {(1.0, 0.0): [3, 3, 3], (3.0, 0.5): [6], (3.0, 0.0): [2]}


def test_schedule_rises_over_the_warmup_and_falls_to_zero():
    schedule = Linear(steps=10, warmup=4)
    rates = [float(schedule.factor(torch.tensor(float(step), dtype=torch.float64))) for step in range(11)]
    assert rates[:5] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert rates[10] == 0.0
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert len(set(rates[4:])) == 7


def test_configurations_that_train_another_model_are_refused():
    with pytest.raises(UserError, match="use stage 1"):
        Zero(stage=0, precision="bf16")
    with pytest.raises(UserError, match="needs ZeRO stage 3"):
        Zero(stage=2, offload="parameters")


def test_auto_takes_the_lowest_stage_that_fits():
    memory = Memory(trained=1_000_000, activations=2e6)
    sizes = {stage: memory.bytes(Zero(stage=stage, precision="fp32"), world_size=8) for stage in (0, 1, 2, 3)}
    assert sizes[0] == 16_000_000
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)
    assert len(set(sizes.values())) == 4
    auto = Zero(precision="fp32")
    for stage, size in sizes.items():
        assert auto.settled(memory, world_size=8, device_bytes=1.2 * size).stage == stage
    assert auto.settled(memory, world_size=8, device_bytes=1.0).stage == 3
    assert auto.settled(memory, world_size=8, device_bytes=1.0, most=2).stage == 2
    assert Zero(precision="bf16").settled(memory, world_size=8, device_bytes=1e12).stage == 1
    assert (
        Zero(precision="bf16", offload="optimizer").settled(memory, world_size=2, device_bytes=1e12).stage
        == 2
    )
