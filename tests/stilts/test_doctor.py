"""What the doctor says of a machine that lacks something: by name, with what mends it."""

import errno
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from hpc import children
from hpc.files import locks
from hpc.finding import Finding
from stilts import doctor
from stilts.doctor import requirements

ROOT = Path(__file__).parents[2]
EVERYTHING = ["Python", "packages", "GPU", "compiler", "SLURM", "Hub", "data", "disk", "locks", "terminal"]
Usage = namedtuple("Usage", "total used free")


def found(runs: Path) -> dict[str, Finding]:
    return {finding.what: finding for finding in doctor.examine(runs)}


@pytest.fixture(autouse=True)
def quiet_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")


def test_one_screen_and_a_verdict(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "stilts", "doctor", "--runs", "runs"],
        cwd=tmp_path,
        env=children.environment() | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    lines = told.stdout.splitlines()
    assert len(lines) <= 24
    assert lines[-1].startswith("a study runs here: ")
    assert "HF_HUB_OFFLINE is set" in told.stdout
    assert not list(tmp_path.iterdir())


def test_everything_has_a_line(tmp_path: Path) -> None:
    assert list(found(tmp_path)) == EVERYTHING


def test_a_version_that_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = requirements.version
    monkeypatch.setattr(requirements, "version", lambda name: "4.0" if name == "transformers" else real(name))
    one = found(tmp_path)["packages"]
    assert one.stops
    assert "transformers 4.0 is there" in one.told
    assert "pip install" in one.advice


def test_a_package_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = requirements.version

    def version(name: str) -> str:
        if name == "deepspeed":
            raise requirements.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(requirements, "version", version)
    assert "deepspeed is missing" in found(tmp_path)["packages"].told


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout that was not installed."""
    for name in ("hpc", "kernels", "stilts", "setup.cfg"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def without_packages(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-S", "-m", "stilts", *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_python_without_any_package_is_told_what_to_install(bare: Path) -> None:
    told = without_packages(bare, "doctor")
    assert told.returncode == 1, told.stderr
    assert not told.stderr
    names = [line[5:].split()[0] for line in told.stdout.splitlines() if line[:3] in ("ok ", "BAD", "-- ")]
    assert names == EVERYTHING
    assert "BAD  packages" in told.stdout
    assert "No module named 'torch'" in told.stdout
    assert told.stdout.splitlines()[-1].startswith("mend first: packages, GPU")


@pytest.mark.parametrize(
    "command", ["launch --grid all --study tiny", "tables", "data check --study tiny", "latency doctor"]
)
def test_a_command_without_its_packages_says_which_and_who_knows_more(bare: Path, command: str) -> None:
    told = without_packages(bare, *command.split())
    assert told.returncode == 3
    assert len(told.stderr.splitlines()) == 1
    assert "is not installed in" in told.stderr
    assert "`stilts doctor`" in told.stderr


def test_a_checkout_that_was_not_installed_knows_its_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(name: str) -> list[str]:
        raise requirements.PackageNotFoundError(name)

    installed = found(tmp_path)["packages"]
    monkeypatch.setattr(requirements, "requires", nobody)
    assert found(tmp_path)["packages"] == installed
    real = requirements.version
    monkeypatch.setattr(requirements, "version", lambda name: "4.0" if name == "transformers" else real(name))
    assert "transformers 4.0 is there" in found(tmp_path)["packages"].told


def test_a_torch_that_is_there_and_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise ValueError("libcublas.so.*[0-9] not found in the system path")

    monkeypatch.setattr("torch.cuda.device_count", broken)
    looked = found(tmp_path)
    assert list(looked) == EVERYTHING
    assert looked["GPU"].stops
    assert "not looked at: ValueError: libcublas" in looked["GPU"].told
    assert looked["disk"].is_well


def test_packages_that_nobody_asks_for_are_not_called_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(name: str) -> list[str]:
        raise requirements.PackageNotFoundError(name)

    monkeypatch.setattr(requirements, "requires", nobody)
    monkeypatch.setattr(requirements, "__file__", str(tmp_path / "stilts" / "doctor" / "requirements.py"))
    one = found(tmp_path)["packages"]
    assert (one.is_well, one.stops) == (False, False)
    assert "no setup.cfg beside it" in one.told


def test_a_gpu_that_torch_does_not_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpc.ranks.is_there", lambda path: path == "/dev/nvidiactl")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    one = found(tmp_path)["GPU"]
    assert one.stops
    assert "there is a driver" in one.told


def test_a_gpu_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda number: "H100")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = found(tmp_path)
    assert said["GPU"].told == "2 x H100"
    assert said["compiler"].stops


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, stops in ((5 << 30, False), (5 << 20, True)):
        monkeypatch.setattr("shutil.disk_usage", lambda place, free=free: Usage(1 << 40, 0, free))
        one = found(tmp_path)["disk"]
        assert not one.is_well
        assert one.stops == stops


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda place, how: Path(place) != tmp_path)
    one = found(tmp_path / "runs")["disk"]
    assert one.stops
    assert f"{tmp_path} cannot be written" in one.told


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(handle: int, kind: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "flock", none)
    one = found(tmp_path)["locks"]
    assert not one.is_well
    assert not one.stops


def test_a_cluster_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sinfo").write_text(
        "#!/bin/sh\necho 'slurm_load_partitions: Unable to contact' >&2; exit 1\n"
    )
    (tmp_path / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    one = found(tmp_path)["SLURM"]
    assert not one.is_well
    assert not one.stops


def test_a_cluster_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sinfo").write_text("#!/bin/sh\necho 'gpu*|n1|64|512000|gpu:a100:4|2-00:00:00|(null)'\n")
    (tmp_path / "sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert found(tmp_path)["SLURM"].told == "gpu (1 nodes, 4 GPUs)"


def test_what_is_said_does_not_steer_a_terminal() -> None:
    shown = str(Finding(what="x", told="a\x1b[2Jb\nc", is_well=False, advice="d\x07"))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.count("\n") == 1
