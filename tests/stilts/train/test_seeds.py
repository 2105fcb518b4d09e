"""Every run, purpose and step has a seed of its own, whatever the study's seed is."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.seeds import seed_of
from stilts.run.specs import TrainSpec
from stilts.study.grid import expand
from stilts.study.loading import load_study
from stilts.train.sets import build, training_data_of

ROOT = Path(__file__).parents[3]
TINY = ROOT / "stilts" / "study" / "studies" / "tiny.toml"
SEEDS = (0, 40_000, 2**31, 2**63 - 1)


def mask(seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.nn.functional.dropout(torch.ones(256), 0.5)


def test_dropout_masks_of_eight_seeds_and_of_all_steps_differ_on_a_cpu() -> None:
    places = [*((seed, 0) for seed in range(8)), *((1, step) for step in (1, 2, 65_536, 65_537, 2**32))]
    masks = [mask(seed_of(seed, "mnli-s1", "dropout", step, 0)) for seed, step in places]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(masks, 2))


def test_parts_of_a_seed_do_not_run_together() -> None:
    assert seed_of(1, "a", 23) != seed_of(1, "a", 2, 3)
    assert seed_of(12, "x") != seed_of(1, "2x")
    assert all(0 <= seed_of(seed, "x") < 2**63 for seed in SEEDS)


def launched(tmp_path: Path) -> Path:
    """The tiny study with seeds of every size, its intermediate MNLI runs and XNLI after them."""
    study = tmp_path / "study.toml"
    text = TINY.read_text(encoding="utf-8").replace('name = "tiny"', 'name = "seeds"')
    study.write_text(text.replace("seeds = [1]", f"seeds = {list(SEEDS)}"), encoding="utf-8")
    line = ["-m", "stilts.launch", "--grid", "all", "--study", str(study), "--only", "mnli-s*.xnli"]
    done = subprocess.run(
        [sys.executable, *line, "--runs", str(tmp_path / "runs")],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return study


def test_seeds_of_every_size_train_and_are_recorded_and_a_chain_shares_nothing(tmp_path: Path) -> None:
    study = launched(tmp_path)
    root = tmp_path / "runs" / "seeds"
    rows = records.read("training", records.record_folders(root, "training")).to_pylist()
    assert sorted({row["seed"] for row in rows}) == sorted(SEEDS)
    assert all(row["steps"] > 0 and row["skipped"] == 0 for row in rows)
    specs = {spec.id: spec for spec in expand(load_study(str(study)), "all")}
    orders, heads = {}, {}
    for run_id, spec in specs.items():
        if not (root / run_id / "weights").exists() or not isinstance(spec.asked, TrainSpec):
            continue
        training_data = training_data_of(RunFolder(root / run_id), spec.asked, root / "model" / "weights")
        orders[run_id] = np.concatenate([training_data.order.draw(step).rows for step in range(6)]).tolist()
        model = build(root / "model" / "weights", training_data, spec.asked, run_id=run_id)
        heads[run_id] = model.heads["mnli"].out.weight.flatten().tolist()
    assert len(orders) == 2 * len(SEEDS)
    for found in (orders, heads):
        assert not any(a == b for a, b in itertools.combinations(found.values(), 2))
