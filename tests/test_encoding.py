"""Text is UTF-8 whatever the locale: every reading and writing of text says so."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for package in ("hpc", "stilts", "kernels") for path in (ROOT / package).rglob("*.py"))


def calls_without_encoding(tree: ast.AST) -> list[int]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if "encoding" in keywords:
            continue
        if name in ("read_text", "write_text"):
            found.append(node.lineno)
        elif name in ("open", "fdopen") and is_builtin(node.func):
            mode = keywords.get("mode", node.args[1] if len(node.args) > 1 else ast.Constant("r"))
            if isinstance(mode, ast.Constant) and "b" not in str(mode.value):
                found.append(node.lineno)
        elif name in ("run", "Popen", "check_output") and "text" in keywords:
            found.append(node.lineno)
    return found


def is_builtin(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) or ast.unparse(function) in ("os.fdopen", "gzip.open")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_is_read_and_written_with_an_encoding(path: Path) -> None:
    assert calls_without_encoding(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_the_search_finds_what_it_looks_for() -> None:
    text = (
        "open(p)\nopen(p, 'w')\nopen(p, 'rb')\np.read_text()\nrun([], text=True)\nopen(p, encoding='utf-8')\n"
    )
    assert calls_without_encoding(ast.parse(text)) == [1, 2, 4, 5]


def test_a_plan_in_another_locale_reads_what_was_written(tmp_path: Path) -> None:
    """An accent in a path, and a locale that is not UTF-8."""
    runs = tmp_path / "caf\u00e9"
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code = (
        "import sys; from pathlib import Path; from stilts.run.folder import RunFolder; "
        "from stilts.study.loading import load_study; from stilts.study.grid import expand; import locale; "
        "assert locale.getpreferredencoding(False) != 'UTF-8', 'the test means nothing here'; "
        "specs = expand(load_study('mini'), 'multitask'); root = Path(sys.argv[1]); "
        "[RunFolder(root / spec.id).write_spec(spec) for spec in specs]; "
        "assert [RunFolder(root / spec.id).read_spec() for spec in specs] == specs"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, os.fsencode(runs)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
