"""What a machine at its limits withholds is not damaged: neither cleared, nor left out, nor called so."""

import contextlib
import errno
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hpc.errors import Unreadable, UserError
from hpc.usage import measured
from stilts.data.formats import parquet
from stilts.launching import standings
from stilts.model import tensors
from stilts.run import outputs, records
from stilts.run.folder import RunFolder
from stilts.run.settings import Model
from stilts.run.specs import OtherVersion, PrepareSpec, RunSpec
from tests.withholding import withheld

SPEC = RunSpec(study="s", id="a", asked=PrepareSpec(model=Model(source="random", layers=1)))
SCORE = {
    "run_id": "a", "study": "s", "regime": "direct", "target": "xnli", "language": "en", "split": "test",
    "metric": "accuracy", "value": 50.0, "n": 2, "n_full": 2,
}  # fmt: skip


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """No more files can be opened."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, limits[1]))
    taken = []
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for handle in taken:
            os.close(handle)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture
def done(tmp_path: Path) -> RunFolder:
    """A run that is done, with weights and a record, and a data set beside it."""
    here = RunFolder(tmp_path / "a")
    here.write_spec(SPEC)
    here.weights.mkdir()
    tensors.write({"word": np.ones((2, 3), np.float32)}, here.weights / "model.safetensors")
    records.write_shard(here.records / "scores", "scores", [SCORE], name="a")
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    seal(here)
    return here


def seal(here: RunFolder) -> None:
    with measured() as meter:
        pass
    outputs.write_done(here.path, SPEC.fingerprint, meter.usage)


@pytest.mark.parametrize(
    "look",
    [
        RunFolder.damage,
        lambda here: here.damage(SPEC, contents=("weights",)),
        lambda here: here.write_spec(SPEC),
        lambda here: outputs.damage(here.path, outputs.read_done(here.path), contents=("weights",)),
    ],
    ids=["done.json", "spec.json", "a launch", "weights"],
)
def test_too_many_open_files_is_no_damage(done: RunFolder, look: Callable[[RunFolder], object]) -> None:
    look(done)
    with no_descriptors(), pytest.raises(Unreadable, match=r"cannot read .*: Too many open files"):
        look(done)
    assert done.state() == "done"
    assert (done.weights / "model.safetensors").exists()


def test_who_only_tells_tells_it_of_that_run(done: RunFolder) -> None:
    with withheld(done.done):
        found = standings.read(done.path.parent, {"a": SPEC}).runs
    assert [(one.state, one.detail) for one in found] == [
        ("damaged", f"cannot read {done.done}: Permission denied")
    ]


def test_a_shard_is_not_left_out_for_it(
    done: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = records.shards_of(done.records / "scores")
    monkeypatch.setattr(
        sys.modules["stilts.run.records.read"], "shards_of", lambda _: listed
    )  # which takes a descriptor too
    with no_descriptors(), pytest.raises(OSError) as caught:  # noqa: PT011
        records.read("scores", [done.records / "scores"])
    assert caught.value.errno == errno.EMFILE
    assert caught.value.filename == str(done.records / "scores" / "a.arrow")
    assert "EXCLUDED" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "read",
    [
        lambda here: tensors.read_file(here.weights / "model.safetensors"),
        lambda here: list(parquet.rows([here.path.parent / "a.parquet"], language="en")),
    ],
    ids=["weights", "a data set"],
)
def test_where_a_file_is_named_the_reason_is_the_true_one(
    done: RunFolder, read: Callable[[RunFolder], object]
) -> None:
    read(done)
    with no_descriptors(), pytest.raises(UserError, match="Too many open files") as caught:
        read(done)
    assert "damaged" not in str(caught.value)


def test_a_mark_that_tells_more_is_one(done: RunFolder) -> None:
    told = json.loads(done.done.read_text())
    done.done.write_text(json.dumps(told | {"told_by_a_later_version": 1}))
    assert done.state() == "done"


def test_a_torn_specification_takes_no_results_along_that_are_its_own(done: RunFolder) -> None:
    whole = done.spec.read_bytes()
    done.spec.write_bytes(whole[:-20])
    assert done.state() == "damaged"
    done.write_spec(SPEC)
    assert done.spec.read_bytes() == whole
    assert done.state() == "done"
    assert (done.weights / "model.safetensors").exists()


def test_results_of_nobody_knows_what_go(done: RunFolder) -> None:
    done.spec.write_bytes(b"{")
    told = json.loads(done.done.read_text())
    done.done.write_text(json.dumps(told | {"fingerprint": "0" * 64}))
    done.write_spec(SPEC)
    assert done.state() == "planned"
    assert not done.weights.exists()


def test_what_another_version_launched_is_not_touched(done: RunFolder) -> None:
    later = json.loads(done.spec.read_text())
    later["asked"]["set_by_a_later_version"] = 3
    later["fingerprint"] = digest(later)
    done.spec.write_text(json.dumps(later))
    for call in (done.read_spec, lambda: done.write_spec(SPEC)):
        with pytest.raises(
            OtherVersion, match=r"another version of stilts \(unknown key 'set_by_a_later"
        ) as e:
            call()
        assert e.value.code == 3
    assert (done.weights / "model.safetensors").exists()
    later["asked"]["set_by_a_later_version"] = 4
    done.spec.write_text(json.dumps(later))
    with pytest.raises(UserError) as edited:
        done.read_spec()
    assert not isinstance(edited.value, OtherVersion)


def digest(stored: dict) -> str:
    from stilts.run.specs.run import _hash

    return _hash({name: stored[name] for name in ("stage", "asked", "parents")})
