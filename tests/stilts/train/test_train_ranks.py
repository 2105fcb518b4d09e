"""Two ranks train what one does: the same batches, the same loss, the same weights but for rounding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts.model import checkpoint
from stilts.run import stages
from stilts.run.folder import RunFolder
from stilts.study.grid import expand
from stilts.study.loading import load_study

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


def run_on(folder, *, world, port):
    processes = []
    for rank in range(world):
        place = {"RANK": rank, "WORLD_SIZE": world, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": world}
        environment = os.environ | {name: str(value) for name, value in place.items()}
        environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = str(ROOT)
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "stilts.run", str(folder.path)],
                env=environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    for process in processes:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output[-2000:]
    assert folder.done.exists()


def test_two_ranks_train_what_one_does(tmp_path):
    weights = {}
    for world in (1, 2):
        base = tmp_path / str(world)
        base.mkdir()
        folders = planned(base)
        stages.run(str(folders["model"].path))
        run_on(folders["mnli-s1"], world=world, port=29820 + world)
        weights[world] = checkpoint.read(folders["mnli-s1"].weights).tensors
    moved = 0.0
    start = checkpoint.read(folders["model"].weights).tensors
    for name, tensor in weights[1].items():
        assert abs(tensor - weights[2][name]).max() <= 2e-4, name
        moved = max(moved, float(abs(tensor - start[name]).max()))
    assert moved > 2e-3, "the comparison means nothing if training moved nothing"


def test_a_run_without_its_parent_is_refused(tmp_path):
    folders = planned(tmp_path)
    with pytest.raises(UserError, match="mnli-s1 needs model, which is not done"):
        stages.run(str(folders["mnli-s1"].path))
