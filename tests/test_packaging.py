"""A wheel in an environment of its own runs a study from any folder, without the checkout."""

import configparser
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = (
        "hpc",
        "kernels",
        "stilts",
        "slurm",
        "tables",
        "setup.cfg",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    )
    source.mkdir()
    for name in tracked:
        subprocess.run(["cp", "-r", str(ROOT / name), str(source / name)], check=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            ".",
            "./source",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("stilts-*.whl")
    return found


def test_a_wheel_holds_what_the_program_needs_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    data = [name.partition(".data/data/share/stilts/")[2] for name in names if ".data/data/" in name]
    assert {f"slurm/{path.name}" for path in (ROOT / "slurm").iterdir() if path.is_file()} <= set(data)
    assert {f"tables/{path.name}" for path in (ROOT / "tables").glob("*.toml")} <= set(data)
    for name in (
        "stilts/py.typed",
        "stilts/study/studies/mini.toml",
        "stilts/corpora/known_sizes.toml",
        "kernels/configs.toml",
        "hpc/shipped.py",
    ):
        assert name in names
    assert "kernels/__init__.py" not in names
    assert not [name for name in names if name.startswith(("tests/", "tables/", "slurm/"))]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and the libraries of this one but not its editable stilts."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout.strip()
    # Only a path: what an editable installation hooks into the interpreter stays behind.
    (Path(site) / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return folder / "venv" / "bin"


def clean_environment() -> dict[str, str]:
    """That of the tests, without what would put the checkout before an installation."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def call(bin_: Path, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [bin_ / "stilts", *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_installed_program_runs_a_study_from_any_folder(installed: Path, tmp_path: Path) -> None:
    where = "import stilts, hpc; print(stilts.__file__)"
    done = subprocess.run(
        [installed / "python", "-c", where],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert str(installed.parent) in done.stdout, "this is about the wheel, not the checkout"
    assert "stilts launch --grid all" in call(installed, tmp_path, "--help")
    assert "clusters: debug, example, example-h100, local" in call(installed, tmp_path, "launch", "--help")
    launch = ("launch", "--grid", "all", "--study", "tiny", "--only", "direct-s1.xnli*")
    assert "3 done" in call(installed, tmp_path, *launch)
    assert "xnli" in call(installed, tmp_path, "tables", "--study", "tiny").lower()


@pytest.mark.parametrize("how", ["user", "target", "prefix"])
def test_shipped_files_are_found_wherever_pip_puts_them(wheel: Path, tmp_path: Path, how: str) -> None:
    environment = clean_environment()
    place = {
        "user": ["--user"],
        "target": ["--target", str(tmp_path / "there")],
        "prefix": ["--prefix", str(tmp_path / "there")],
    }[how]
    environment["PYTHONUSERBASE"] = str(tmp_path / "there")
    base = Path(sys.base_prefix) / "bin" / "python3"  # an environment has no --user
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        base,
        "install",
        "--quiet",
        "--no-deps",
        "--ignore-installed",
        *place,
        wheel,
    ]
    environment["PIP_BREAK_SYSTEM_PACKAGES"] = "1"
    subprocess.run(command, env=environment, check=True, capture_output=True)
    (package,) = (tmp_path / "there").rglob("hpc/shipped.py")
    code = "from hpc import shipped; print(*shipped.names('slurm'), shipped.find('tables', 'published'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(package.parents[1])},
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout.startswith("debug example example-h100 local ")
    assert str(tmp_path / "there") in done.stdout


def test_a_table_and_a_cluster_in_the_folder_one_works_in_have_names(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "mine.toml").write_text((ROOT / "slurm" / "local.toml").read_text(encoding="utf-8"))
    (tmp_path / "tables").mkdir()
    table = (ROOT / "tables" / "scores.toml").read_text(encoding="utf-8")
    (tmp_path / "tables" / "mine.toml").write_text(table.replace('id = "scores"', 'id = "mine"'))
    assert "mine" in call(installed, tmp_path, "launch", "--help").split("clusters:")[1]
    assert "mine" in call(installed, tmp_path, "tables", "--help")


@pytest.mark.slow
def test_an_installed_program_runs_a_whole_study(installed: Path, tmp_path: Path) -> None:
    launch = ("launch", "--grid", "all", "--study", "tiny")
    planned = next(
        line.split()[1]
        for line in call(installed, tmp_path, *launch, "--dry-run").splitlines()
        if line.startswith("all ")
    )
    assert int(planned) > 20
    assert f"\n{planned} done in " in call(installed, tmp_path, *launch)
    call(installed, tmp_path, "tables", "--study", "tiny")


def test_the_oldest_versions_let_in_are_the_ones_that_were_tried() -> None:
    read = configparser.ConfigParser(interpolation=None)
    read.read(ROOT / "setup.cfg", encoding="utf-8")
    asked = read["options"]["install_requires"] + "".join(
        read["options.extras_require"][extra] for extra in ("mini", "faiss", "test")
    )
    bounds = dict(re.findall(r"^([\w-]+)[>=]=([\d.]+)", asked, re.MULTILINE))
    text = (ROOT / "tests" / "constraints-min.txt").read_text(encoding="utf-8")
    tried = dict(re.findall(r"^([\w-]+)==([\d.]+)$", text, re.MULTILINE))
    assert len(tried) > 20
    assert bounds.keys() == tried.keys()
    for name, version in tried.items():
        least, used = ([int(part) for part in one.split(".")] for one in (bounds[name], version))
        assert [*least, *[0] * (len(used) - len(least))] == used, name
