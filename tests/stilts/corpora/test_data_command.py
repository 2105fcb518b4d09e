"""The command line of `stilts data`: its flags, its answers to wrong requests, its speed."""

import subprocess
import sys
from pathlib import Path

import pytest

from stilts.corpora.__main__ import main
from stilts.corpora.required import required_sets
from stilts.study.loading import load_study

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("verb", "flags"),
    [
        ("stage", {"--study", "--output", "--tasks", "--model", "--dry-run"}),
        ("check", {"--study", "--sources", "--tasks", "--languages", "--extent"}),
        (
            "stats",
            {
                "--study",
                "--sources",
                "--tasks",
                "--languages",
                "--split",
                "--tokenizer",
                "--format",
                "--figure",
            },
        ),
    ],
)
def test_the_flags_are_these_and_no_more(capsys, verb, flags) -> None:
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    options = text[text.index("options:") :].splitlines()
    shown = {word.strip(",") for line in options for word in line.split()[:2] if word.startswith("--")}
    assert shown == flags | {"--help", "--traceback"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stagee"], "unknown command 'stagee'. Did you mean 'stage'?"),
        (["--study", "mini"], "unknown command '--study'"),
        (["check", "--study", "min"], "unknown study 'min'. Did you mean 'mini'"),
        (
            ["check", "--study", "mini", "--tasks", "xnlii"],
            "unknown task 'xnlii' in study mini. Did you mean",
        ),
        (["check", "--study", "mini", "--languages", "de,xx"], "unknown language 'xx' in study mini."),
        (
            ["check", "--study", "mini", "--sources", "foldr"],
            "unknown source 'foldr'. Did you mean 'folder'?",
        ),
        (["check"], "the following arguments are required: --study"),
        (["stats", "--study", "mini", "--figure", "x.png"], "--figure x.png: a name that ends in .pdf"),
        (["stats", "--study", "mini", "--split", "tests"], "unknown split 'tests'. Did you mean 'test'?"),
        (["stage", "--study", "mini"], "the following arguments are required: --output"),
    ],
)
def test_wrong_requests_are_answered_with_the_right_ones(capsys, arguments, said) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"stilts: {said}")
    assert error.count("\n") == 1


@pytest.mark.parametrize("verb", ["", "stage", "check", "stats"])
def test_help_loads_nothing_heavy(verb) -> None:
    heavy = ["torch", "transformers", "datasets", "pyarrow", "huggingface_hub", "matplotlib", "tokenizers"]
    code = (
        "import sys; from stilts.corpora.__main__ import main; "
        f"main([*{[verb] if verb else []}, '--help']); "
        f"print(*[name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    assert "stilts data" in done.stdout


def test_a_study_reads_english_for_training_and_every_language_for_its_targets() -> None:
    found = {need.name for need in required_sets(load_study("mini"))}
    assert {"mnli en train", "mnli en dev", "tydiqa en train", "xnli ar dev", "xnli ar test"} <= found
    assert "xquad zh test" in found
    # One evaluation set under two names is read once, and there is no training in other languages.
    assert not [name for name in found if name.startswith("xquad") and name.endswith("dev")]
    assert not [name for name in found if name.endswith("train") and " en " not in name]
    assert "bucc2018 fi test" not in found
    tasks = list(dict.fromkeys(need.task.name for need in required_sets(load_study("mini"))))
    assert tasks == [*load_study("mini").intermediate.tasks, *load_study("mini").targets]
    only = required_sets(load_study("mini"), only=["xnli", "mnli"], languages=["en"])
    assert [need.name for need in only] == ["mnli en train", "mnli en dev", "xnli en dev", "xnli en test"]


def test_variants_and_optional_tasks_may_be_missing() -> None:
    found = required_sets(load_study("xlmr-large"))
    optional = {need.task.name for need in found if need.optional}
    assert {"ccg", "wikipedia", "mnli.translated"} <= optional
    assert not optional & set(load_study("xlmr-large").targets)
