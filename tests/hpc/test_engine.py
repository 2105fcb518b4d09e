"""The DeepSpeed engine: what is resumed equals what was never interrupted, in every ZeRO stage."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hpc.engine import COMMITTED, Linear, parameter_groups
from hpc.errors import UserError
from hpc.zero import Zero

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("engine_worker.py")


def train(folder, *, stage, steps, save_at=0, world=1, port=29611):
    """Losses of rank 0."""
    processes = []
    for rank in range(world):
        environment = os.environ | {
            "RANK": str(rank),
            "WORLD_SIZE": str(world),
            "LOCAL_RANK": str(rank),
            "LOCAL_WORLD_SIZE": str(world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
            "TORCHDYNAMO_DISABLE": "1",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, str(WORKER), str(folder), str(stage), str(steps), str(save_at)]
        processes.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    outputs = [process.communicate(timeout=240) for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError(outputs[0][1][-2000:])
    assert all("gloo left: True" in output for output, _ in outputs), "the end of the process may abort it"
    line = next(line for line in outputs[0][0].splitlines() if line.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


@pytest.mark.parametrize(("stage", "world"), [(0, 1), (1, 1), (2, 2)], ids=str)
def test_resume_equals_the_uninterrupted_run(tmp_path, stage, world):
    port = 29611 + 10 * stage
    whole = train(tmp_path / "a", stage=stage, steps=6, world=world, port=port)
    train(tmp_path / "b", stage=stage, steps=3, save_at=3, world=world, port=port + 1)
    (tmp_path / "b" / "step-00000005").mkdir()  # torn: never committed
    rest = train(tmp_path / "b", stage=stage, steps=6, world=world, port=port + 2)
    assert rest["first"] == 3
    assert rest["losses"] == whole["losses"][3:]
    assert rest["weights"] == whole["weights"]


@pytest.mark.slow
def test_all_stages_train_the_same_model_and_resume(tmp_path):
    whole = {
        stage: train(tmp_path / f"w{stage}", stage=stage, steps=6, world=2, port=29700 + stage)
        for stage in (0, 1, 2, 3)
    }
    for stage in (1, 2, 3):
        assert whole[stage]["losses"] == pytest.approx(whole[0]["losses"], rel=1e-5)
    train(tmp_path / "r3", stage=3, steps=3, save_at=3, world=2, port=29710)
    rest = train(tmp_path / "r3", stage=3, steps=6, world=2, port=29711)
    assert rest["losses"] == whole[3]["losses"][3:]
    assert rest["weights"] == pytest.approx(whole[3]["weights"], rel=1e-6)


def test_another_number_of_ranks_is_refused_with_the_way_out(tmp_path):
    train(tmp_path, stage=1, steps=2, save_at=2, port=29651)
    committed = tmp_path / "step-00000002" / COMMITTED
    committed.write_text(json.dumps({"step": 2, "world_size": 2}))
    with pytest.raises(RuntimeError, match="written by 2 ranks and cannot be resumed by 1"):
        train(tmp_path, stage=1, steps=4, port=29652)


def test_no_decay_on_biases_and_norms_and_frozen_stay_out():
    module = torch.nn.ModuleDict({"body": torch.nn.Linear(3, 3), "norm": torch.nn.LayerNorm(3)})
    module["heads"] = torch.nn.Linear(3, 2)
    module["body"].weight.requires_grad_(False)
    groups = parameter_groups(module, rate=1.0, weight_decay=0.5, head_rate=3.0, heads="heads.")
    found = {(g["lr"], g["weight_decay"]): sorted(p.numel() for p in g["params"]) for g in groups}
    assert found == {(1.0, 0.0): [3, 3, 3], (3.0, 0.5): [6], (3.0, 0.0): [2]}


def test_schedule_rises_over_the_warmup_and_falls_to_zero():
    schedule = Linear(steps=10, warmup=4)
    rates = [schedule.factor(step) for step in range(11)]
    assert rates[:5] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert rates[10] == 0.0
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert len(set(rates[4:])) == 7


def test_configurations_that_train_another_model_are_refused():
    with pytest.raises(UserError, match="use stage 1"):
        Zero(stage=0, precision="bf16")
    with pytest.raises(UserError, match="needs ZeRO stage 3"):
        Zero(stage=2, offload="parameters")


def test_memory_estimate_falls_with_the_stage():
    estimates = [Zero(stage=stage, precision="fp32").bytes_per_rank(1_000_000, 8) for stage in (0, 1, 2, 3)]
    assert estimates[0] == 16_000_000
    assert estimates == sorted(estimates, reverse=True)
    assert len(set(estimates)) == 4
