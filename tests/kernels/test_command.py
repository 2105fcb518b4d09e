"""The commands of the kernels: what is missing or mistaken is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernels.command import command

ROOT = Path(__file__).parents[2]


def hide(folder: Path, package: str) -> str:
    """A PYTHONPATH on which a package cannot be found, as if it were not installed."""
    code = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {package!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    return f"{folder}{os.pathsep}{ROOT}"


@pytest.mark.parametrize(
    ("name", "package"),
    [("inspect", "torch"), ("inspect", "triton"), ("bench", "torch"), ("tune", "torch")],
)
def test_a_missing_package_is_one_line(tmp_path: Path, name: str, package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"kernels.{name}"],
        env=os.environ | {"PYTHONPATH": hide(tmp_path, package), "TRITON_INTERPRET": "0"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        3,
        f"kernels.{name}: the package {package} is not installed in {sys.prefix}\n",
    )


def test_ctrl_c_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    @command("kernels.some")
    def main(arguments: object) -> int:
        raise KeyboardInterrupt

    assert main([]) == 130
    assert capsys.readouterr().err == "kernels.some: interrupted\n"


@pytest.mark.parametrize("error", [ValueError("inner"), ModuleNotFoundError("x", name="kernels.nowhere")])
def test_what_is_our_own_fault_is_not_hidden(error: Exception) -> None:
    @command("kernels.some")
    def main(arguments: object) -> int:
        raise error

    with pytest.raises(type(error)):
        main([])
