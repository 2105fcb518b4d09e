"""A machine at its limits: full disks, small files, little memory, few descriptors; what helps is told."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hpc.errors import UserError
from hpc.files import (
    append_json_line,
    read_json_lines,
    replacing,
    write_atomic,
    write_json_often,
    write_json_once,
)
from hpc.reasons import number_of, of_the_machine
from stilts.model import tensors

ROOT = Path(__file__).parents[2]
WRITERS: dict[str, Callable[[Path], object]] = {
    "bytes": lambda path: write_atomic(path, b"0" * 2**22),
    "often": lambda path: write_json_often(path, "0" * 2**22),
    "once": lambda path: write_json_once(path, "0" * 2**22),
    "tensors": lambda path: tensors.write({"weight": np.zeros(2**20, np.float32)}, path),
}


@pytest.fixture
def small_files():
    """No file may become larger than a mebibyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of a mebibyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("may not mount a file system here")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("writer", WRITERS)
def test_a_limit_on_files_is_told_with_the_file_and_what_helps(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "out"
    with pytest.raises(OSError, match="File too large") as raised:
        WRITERS[writer](path)
    assert raised.value.filename == str(path)
    assert "raise `ulimit -f`" in of_the_machine(raised.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_told_with_the_file_and_what_helps(small_disk: Path, writer: str) -> None:
    path = small_disk / "out"
    with pytest.raises(OSError, match="No space left on device") as raised:
        WRITERS[writer](path)
    told = of_the_machine(raised.value)
    assert told == f"{path}: No space left on device; free some space and give the same command again"
    assert not list(small_disk.iterdir())


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_system_without_files_left_is_told_with_the_file(small_disk: Path, writer: str) -> None:
    """Not even a temporary one could be made."""
    subprocess.run(["mount", "-o", "remount,nr_inodes=1", small_disk], check=True)
    with pytest.raises(OSError, match="No space left on device") as raised:
        WRITERS[writer](small_disk / "out")
    assert raised.value.filename == str(small_disk / "out")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_what_is_written_once_needs_no_hard_links(tmp_path: Path, number: int, monkeypatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refused)
    assert write_json_once(tmp_path / "out", 1)
    assert not write_json_once(tmp_path / "out", 2)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out", "1\n")]


def test_a_line_that_does_not_fit_names_its_file(small_disk: Path) -> None:
    path = small_disk / "lines"
    (small_disk / "other").write_bytes(b"0" * (2**20 - 4096))
    append_json_line(path, "first")
    with pytest.raises(OSError, match="No space left on device") as raised:
        append_json_line(path, "0" * 4096)
    assert raised.value.filename == str(path)
    (small_disk / "other").unlink()
    append_json_line(path, "once there is room")
    assert read_json_lines(path) == ["first", "once there is room"]


@pytest.mark.parametrize("half", ['{"a', '{"a": 1}', "\x00"])
def test_half_a_line_spoils_no_other(tmp_path: Path, half: str) -> None:
    path = tmp_path / "lines"
    path.write_text(half)
    append_json_line(path, {"n": 1})
    with open(path, "a", encoding="utf-8") as file:
        file.write(half)
    append_json_line(path, {"n": 2})
    assert read_json_lines(path) == [{"n": 1}, {"n": 2}]


def limited(limit: str, size: str, code: str) -> str:
    """What a command says that runs under a limit of the shell."""
    program = (
        f"import sys\nfrom hpc.command import command\n@command\ndef main(_):\n    {code}\nsys.exit(main([]))"
    )
    done = subprocess.run(
        ["bash", "-c", f'ulimit {limit} {size}; exec "$0" -c "$1"', sys.executable, program],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("code", ["bytearray(2**34)", "import numpy; numpy.ones(2**31)"])
def test_little_memory_is_told_with_what_helps(code: str) -> None:
    assert "not enough memory: run fewer at once" in limited("-v", "4000000", code)


def test_torch_without_memory_is_told_with_what_helps() -> None:
    said = limited("-v", "12000000", "import torch; torch.ones(2**34)")
    assert "not enough memory: run fewer at once" in said


def test_few_descriptors_are_told_with_what_helps() -> None:
    said = limited("-n", "20", "files = [open('/dev/null') for _ in range(30)]")
    assert "/dev/null: Too many open files; raise `ulimit -n`" in said


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Error while serializing: I/O error: No space left on device (os error 28)", errno.ENOSPC),
        ("IoError(Os { code: 122, kind: FilesystemQuotaExceeded })", errno.EDQUOT),
        ("can't start new thread", errno.EAGAIN),
        ("code 28 of something", None),
    ],
)
def test_what_libraries_write_into_texts_is_read(text: str, number: int | None) -> None:
    assert number_of(RuntimeError(text)) == number


def test_errors_of_another_kind_are_left_as_they_are(tmp_path: Path) -> None:
    assert of_the_machine(ValueError("no such tag")) is None
    assert of_the_machine(UserError("the last job ran out of memory")) is None
    with pytest.raises(FileNotFoundError, match="elsewhere"), replacing(tmp_path / "out"):
        (tmp_path / "elsewhere").read_text()
    with pytest.raises(ValueError, match="mine"), replacing(tmp_path / "out"):
        raise ValueError("mine")


NO_TORCH = ModuleNotFoundError("No module named 'torch'", name="torch")
OLD_TORCH = ImportError("cannot import name 'x' from 'torch'", name="torch")
OTHER_TORCH = ModuleNotFoundError("No module named 'torch.x'", name="torch.x")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NO_TORCH, "torch is not installed in"),
        (OLD_TORCH, "torch cannot be used (cannot import"),
        (OTHER_TORCH, "torch cannot be used (No module"),
    ],
)
def test_a_package_is_named_with_what_is_wrong_with_it(error: ImportError, said: str) -> None:
    told = of_the_machine(error)
    assert told is not None
    assert said in told
    assert "`stilts doctor`" in told


@pytest.mark.parametrize("module", ["stilts.nothing", "hpc", None])
def test_a_module_of_our_own_is_nobody_elses_package(module: str | None) -> None:
    assert of_the_machine(ModuleNotFoundError("No module", name=module)) is None
