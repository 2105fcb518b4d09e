import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpc.command import Parser, command
from hpc.errors import Stopped, UserError

ROOT = Path(__file__).parents[2]


def ends(error: BaseException | None, *arguments: str) -> int:
    @command
    def main(given: list[str]) -> int:
        assert given == list(arguments)
        if error is not None:
            raise error
        return 0

    return main(list(arguments))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, ""),
        (UserError("no such thing"), 2, "stilts: no such thing\n"),
        (UserError("not there", code=3), 3, "stilts: not there\n"),
        (UserError("two\nlines", code=1), 1, "stilts: two lines\n"),
        (KeyboardInterrupt(), 130, "stilts: interrupted; the same command goes on from what is there\n"),
        (Stopped(15), 143, "stilts: interrupted; the same command goes on from what is there\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/x"),
            1,
            "stilts: runs/x: No space left on device; free some space and give the same command again\n",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "/ro/runs"),
            1,
            "stilts: /ro/runs: Read-only file system; choose a folder that can be written\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            1,
            "stilts: /x: Permission denied; choose",
        ),
        (SystemExit(4), 4, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_error_is_a_line_and_a_code(capsys, error, code: int, said: str) -> None:
    assert ends(error) == code
    shown = capsys.readouterr().err
    assert shown.startswith(said)
    assert shown.count("\n") == bool(said)


def test_a_mistake_of_ours_names_its_place(capsys) -> None:
    assert ends(ZeroDivisionError("by zero")) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError at " in shown
    assert "test_command.py:" in shown
    assert "Traceback" not in shown


def test_traceback_shows_the_way_there(capsys) -> None:
    assert ends(UserError("x"), "--traceback") == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith("stilts: x\n")


def test_a_full_device_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stilts.launch", "--grid", "all", "--dry-run"],
            stdout=full, stderr=subprocess.PIPE, cwd=ROOT, text=True, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.startswith("stilts: No space left on device; free some space")
    assert "Traceback" not in done.stderr


def test_the_reader_of_a_pipe_may_leave() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "stilts.launch", "--grid", "all", "--dry-run"],
        stdout=write, stderr=subprocess.PIPE, cwd=ROOT, text=True, check=False,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_parser_complains_in_one_line(capsys) -> None:
    @command
    def main(given: list[str]) -> int:
        parser = Parser("stilts.thing", "Does a thing.")
        parser.add_argument("--number", type=int)
        parser.parse_args(given)
        return 0

    assert main(["--number", "x"]) == 2
    shown = capsys.readouterr().err
    assert shown == "stilts: argument --number: invalid int value: 'x'; see python -m stilts.thing --help\n"
    assert main(["--help"]) == 0
    assert "usage: python -m stilts.thing" in capsys.readouterr().out


CLOSED = """
import os, sys
from hpc.command import command

@command
def main(arguments):
    with open(arguments[0], "wb") as file:
        print("said"); print("said", file=sys.stderr)
        os.system("echo said; echo said >&2")
        for number in (1, 2):
            os.write(number, b"said by a library")
        file.write(b"kept")
    return 0 if sys.stdin.read() == "" else 1

sys.exit(main())
"""


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2), (0, 2)])
def test_a_stream_that_was_closed_takes_no_file_s_place(tmp_path: Path, closed: tuple[int, ...]) -> None:
    shut = " ".join(f"{number}>&-" for number in closed)
    script, kept = tmp_path / "script.py", tmp_path / "kept"
    script.write_text(CLOSED, encoding="utf-8")
    shell = f'"{sys.executable}" "{script}" "{kept}" {shut}'
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["sh", "-c", shell], stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert kept.read_bytes() == b"kept"
