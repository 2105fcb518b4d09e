"""Evaluates any checkpoint on any tasks and languages.

    python -m stilts.evaluate run --model runs/mini/mnli-s1.xnli --tasks xnli --languages en,sw
    python -m stilts.evaluate score FOLDER
    python -m stilts.evaluate export FOLDER --output FOLDER
    python -m stilts.evaluate export --study mini --regime best --output FOLDER
    python -m stilts.evaluate export RUN --hf mnli --output FOLDER
    python -m stilts.evaluate ls tasks|groups|languages|metrics

`run` goes on from what is there, `score` scores stored predictions or a submission without a model, `export`
writes the folder of an XTREME submission, of one checkpoint or of a regime of a study, a model a target; or
one head of a model as a model of transformers. Each has a --help of its own.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hpc.command import Parser, comma_list, command, dispatch
from hpc.errors import UserError

_CODES = "exit codes: 0 all well, 1 something ran and failed, 2 wrong request, 3 inputs missing"


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    return dispatch(arguments, VERBS, __doc__)


def run_parser() -> Parser:
    """The flags of `run`."""
    parser = Parser("stilts.evaluate run", "Answers tasks with a checkpoint, and scores them.", epilog=_CODES)
    add = parser.add_argument
    add("--model", required=True, metavar="MODEL", help="a run, a model folder, or NAME@REVISION of the Hub")
    add(
        "--tasks",
        type=comma_list,
        required=True,
        metavar="LIST",
        help="such as xnli,udpos,group:qa or xtreme",
    )
    add("--languages", type=comma_list, metavar="LIST", help="such as en,sw (the study's, else all)")
    add(
        "--limit", metavar="N", help="rows of each set: a number, or a share such as 0.05; results are marked"
    )
    add("--batch-size", metavar="TOKENS", default="auto", type=_batch_size, help="tokens a batch (auto)")
    add("--dtype", choices=("bf16", "fp32", "fp16"), help="(the study's, else bf16 on a GPU, fp32 on a CPU)")
    add("--layer", metavar="N", type=int, help="hidden state that retrieval reads (the study's, else 14)")
    add("--pooling", choices=("mean", "cls"), help="how retrieval pools it (the study's, else mean)")
    add("--output", metavar="FOLDER", help="where to write (runs/evaluate/NAME)")
    add("--predict-only", action="store_true", help="predictions without scores")
    add("--study", metavar="NAME", help="a study whose languages, limits, sources and retrieval are taken")
    sources = "where data are looked for (the study's, else folder,hub,embedded)"
    add("--sources", type=comma_list, metavar="LIST", help=sources)
    add("--overwrite", choices=("missing", "all"), default="missing", help="compute what is missing, or all")
    add("--dry-run", action="store_true", help="show the plan and compute nothing")
    return parser


def score_parser() -> Parser:
    """The flags of `score`."""
    purpose = "Scores stored predictions, or an XTREME submission, without a model."
    parser = Parser("stilts.evaluate score", purpose, epilog=_CODES)
    what = "an evaluation's folder, a grid's run, or a submission"
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=what)
    sources = "where the data of a submission without a manifest are looked for (folder,hub)"
    parser.add_argument("--sources", type=comma_list, metavar="LIST", default=["folder", "hub"], help=sources)
    return parser


def export_parser() -> Parser:
    """The flags of `export`."""
    purpose = "Writes the folder of an XTREME submission, or one head of a model as a model of transformers."
    parser = Parser("stilts.evaluate export", purpose, epilog=_CODES)
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="FOLDER", help="an evaluation's folder, or a grid's run"
    )
    parser.add_argument("--study", metavar="NAME", help="instead of a folder: a study, and of it")
    regime = "a row of its tables, such as direct, best, multi or single/mnli"
    parser.add_argument("--regime", metavar="ROW", help=regime)
    parser.add_argument("--seed", type=int, metavar="N", help="one of its seeds (the first)")
    parser.add_argument(
        "--runs", type=Path, metavar="FOLDER", default=Path("runs"), help="where its runs lie (runs)"
    )
    parser.add_argument("--hf", metavar="HEAD", help="write this head of the model there, for transformers")
    parser.add_argument("--output", type=Path, metavar="FOLDER", required=True, help="the folder to write")
    parser.add_argument(
        "--incomplete",
        choices=("refuse", "allow"),
        default="refuse",
        help="what to do about missing or limited sets (refuse)",
    )
    return parser


def list_parser() -> Parser:
    """The flags of `ls`."""
    parser = Parser("stilts.evaluate ls", "What can be asked for.", epilog=_CODES)
    parser.add_argument("what", metavar="LIST", help="tasks, groups, languages or metrics")
    return parser


def _run(arguments: list[str]) -> int:
    asked = run_parser().parse_args(arguments)
    from stilts.evaluate.running import run

    return run(asked)


def _score(arguments: list[str]) -> int:
    asked = score_parser().parse_args(arguments)
    from stilts.evaluate.scoring import score_folder
    from stilts.evaluate.submission.reading import is_submission, score_submission

    if is_submission(asked.folder):
        return score_submission(asked.folder, asked.sources)
    return score_folder(asked.folder)


def _export(arguments: list[str]) -> int:
    asked = export_parser().parse_args(arguments)
    if (asked.folder is None) == (asked.study is None):
        raise UserError("give either a FOLDER, or a --study with a --regime")
    if asked.study is not None:
        return _export_regime(asked)
    if asked.regime is not None or asked.seed is not None:
        raise UserError("--regime and --seed choose among the runs of a --study; a FOLDER is one of them")
    if asked.hf:
        from stilts.evaluate.checkpoint import locate
        from stilts.model import folder as models

        models.export(locate(str(asked.folder)).folder, asked.hf, to=asked.output)
        print(f"the head {asked.hf} of {asked.folder} is a model of transformers in {asked.output}")
        return 0
    from stilts.evaluate.submission import gathering, writing

    found = gathering.of_folder(asked.folder)
    return writing.export(found, what=str(asked.folder), to=asked.output, incomplete=asked.incomplete)


def _export_regime(asked: argparse.Namespace) -> int:
    from stilts.evaluate.submission import gathering, writing
    from stilts.report.evidence import Evidence
    from stilts.study.loading import load_study

    if asked.regime is None or asked.hf is not None:
        raise UserError("--study needs a --regime, and --hf a FOLDER")
    study = load_study(asked.study)
    seed = study.seeds[0] if asked.seed is None else asked.seed
    found = gathering.of_regime(Evidence(study, asked.runs / study.name), asked.regime, seed=seed)
    what = f"{asked.regime} of {study.name}, seed {seed}"
    return writing.export(found, what=what, to=asked.output, incomplete=asked.incomplete)


def _list(arguments: list[str]) -> int:
    asked = list_parser().parse_args(arguments)
    from stilts.evaluate.listing import listing

    print("\n".join(listing(asked.what)))
    return 0


def _batch_size(text: str) -> str:
    if text != "auto" and not (text.isdecimal() and int(text)):
        raise UserError(f"--batch-size {text}: a number of tokens, or auto")
    return text


VERBS: Mapping[str, Callable[[list[str]], int]] = {
    "run": _run,
    "score": _score,
    "export": _export,
    "ls": _list,
}

if __name__ == "__main__":
    sys.exit(main())
