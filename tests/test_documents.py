"""The documents say what is there: commands that run, flags that exist, links that lead somewhere."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stilts.run.records import SCHEMAS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md"))
PYTHON = ("python -m ", ".venv/bin/python -m ")
STUDY_GRID = "python -m stilts.launch --grid all --study tiny"


def lines_of_code() -> Iterator[tuple[str, str]]:
    """Document and line, of every line that is set as code."""
    for path in DOCUMENTS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("    "):
                yield path.name, re.split(r"\s{2,}#|\s#\s", line.strip())[0].strip()


def stilts_commands() -> list[str]:
    """What the documents tell people to type, as one says it with `stilts` in front, each once."""
    found = []
    for _, line in lines_of_code():
        for start in PYTHON:
            if line.startswith(start + "stilts"):
                line = re.sub(r"^stilts[. ]", "stilts ", line.removeprefix(start))
        if line.startswith("stilts ") and not line.startswith("stilts/"):
            found.append(line)
    return list(dict.fromkeys(found))


def words(command: str) -> list[str]:
    """As a shell splits it; `...` stands for what was said before."""
    return [word for word in shlex.split(command) if word != "..."]


def stilts(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "stilts", *arguments],
        cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, encoding="utf-8",
        check=False, timeout=300,
    )  # fmt: skip


def test_enough_is_found_to_look_at() -> None:
    assert len(stilts_commands()) >= 25
    assert len(DOCUMENTS) >= 4


def test_every_flag_that_is_named_is_one_of_its_command() -> None:
    helps: dict[tuple[str, ...], str] = {}
    for command in stilts_commands():
        arguments = words(command)[1:]
        verb = tuple(arguments[: 2 if arguments[0] in ("data", "evaluate", "latency") else 1])
        if verb not in helps:
            answered = stilts(*verb, "--help")
            assert answered.returncode == 0, command
            helps[verb] = answered.stdout
        for flag in (word for word in arguments if word.startswith("--")):
            assert re.search(rf"{flag}\b", helps[verb]), f"{command}: {' '.join(verb)} has no {flag}"


def test_what_make_is_asked_is_in_the_makefile() -> None:
    targets = set(re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"))[1].split())  # type: ignore[index]
    asked = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"(?:^    |`)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(asked) >= 6
    assert asked <= targets


def test_scripts_and_modules_that_are_named_are_there() -> None:
    started = re.compile(r"(\S+=\S+ )*\S*(python|sbatch)\b")
    for document, line in lines_of_code():
        for word in shlex.split(line, comments=True) if started.match(line) else []:
            if word.startswith(("kernels.", "tests.")):
                place = ROOT / word.replace(".", "/")
                assert place.is_dir() or place.with_suffix(".py").is_file(), f"{document}: {line}"
            elif word.startswith(("tests/", "slurm/", "kernels/")):
                assert (ROOT / word).exists(), f"{document}: {line}"


SHIPPED = ("hpc", "kernels", "slurm", "stilts", "tables", "tests", "docs")


def test_links_and_paths_lead_somewhere() -> None:
    checked = 0
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+/\S*", target), f"{path.name}: {target}"
                continue
            assert (path.parent / target).exists(), f"{path.name}: {target}"
            checked += 1
        for quoted in re.findall(r"`([\w./-]+)`", text):
            first, slash, _ = quoted.partition("/")
            if slash and first in SHIPPED and not re.search(r"[A-Z]{3,}", quoted):
                assert (ROOT / quoted).exists(), f"{path.name}: `{quoted}`"
                checked += 1
    assert checked >= 10


def test_files_that_are_named_in_passing_are_there() -> None:
    """Also in the comment behind a command."""
    named = re.compile(rf"\b(?:{'|'.join(SHIPPED)})/[\w./-]+\.(?:md|py|toml|txt|json|sbatch)\b")
    for path in DOCUMENTS:
        for found in named.findall(path.read_text(encoding="utf-8")):
            assert re.search(r"[A-Z]{3,}", found) or (ROOT / found).exists(), f"{path.name}: {found}"


def test_the_record_types_are_the_ones_there_are() -> None:
    page = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(told) == sorted(SCHEMAS)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody has followed README up to the first study."""
    folder = tmp_path_factory.mktemp("reader")
    assert any(line == STUDY_GRID for _, line in lines_of_code())
    launched = stilts("launch", "--grid", "all", "--study", "tiny", cwd=folder)
    assert launched.returncode == 0, launched.stderr
    return folder


def python_blocks() -> list[str]:
    pages = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    return [block for page in pages for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL)]


@pytest.mark.parametrize("block", python_blocks())
def test_programs_that_are_shown_run(tiny: Path, block: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tiny, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mnli-s1" in done.stdout or "xnli" in done.stdout


IN_TINY = {
    "runs/mini": "runs/tiny", "mini": "tiny", "xlmr-large": "tiny", "NAME@REVISION": "runs/tiny/mnli-s1.xnli",
    "xtreme": "xnli", "en,zh": "en,de", "DIR": "stored", "FOLDER": "exported", "F.pdf": "lengths.pdf",
    "best": "multi",
}  # fmt: skip
ELSEWHERE = {
    "--cluster": "needs a SLURM: tests/slurm",
    "--watch": "does not end",
    "stage": "needs the published files: tests/stilts/corpora",
    "selftest": "needs a quiet machine for a minute",
    "latency doctor": "its code says whether the machine is quiet",
    "-serving": "tests/stilts/latency/test_serving_study.py",
    "--grid all --study tiny": "the folder itself",
}
"""What of the commands is not typed here, and why."""


def typed() -> list[str]:
    return [c for c in stilts_commands() if not any(part in c for part in ELSEWHERE)]


@pytest.mark.parametrize("command", typed())
def test_what_is_told_to_be_typed_works(tiny: Path, command: str) -> None:
    arguments = words(command)[1:]
    for old, new in IN_TINY.items():
        arguments = [re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, word) for word in arguments]
    if arguments[0] in ("launch", "status", "tables") and "--study" not in arguments:
        arguments += ["--study", "tiny"]
    if "--regime" in arguments:
        arguments += ["--incomplete", "allow"]  # XTREME has five tasks more, and other data
    if arguments[:2] == ["evaluate", "run"] and "--languages" not in arguments:
        arguments += ["--languages", "en,de"]
    if "score" in arguments:
        first = ["--model", "runs/tiny/mnli-s1.xnli", "--tasks", "xnli", "--languages", "en,de"]
        assert stilts("evaluate", "run", *first, "--output", "stored", cwd=tiny).returncode == 0
    shutil.rmtree(tiny / "exported", ignore_errors=True)
    answered = stilts(*arguments, cwd=tiny)
    assert answered.returncode == 0, f"{' '.join(arguments)}: {answered.stderr}"
    assert "Traceback" not in answered.stderr
