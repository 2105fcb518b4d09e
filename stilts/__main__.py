"""`stilts VERB ...`, also as `python -m stilts VERB ...`.

    stilts doctor                 what works on this machine, and what mends the rest
    stilts launch --grid all      run a grid of a study
    stilts status                 how its runs stand, and why
    stilts tables                 tables, figures and the answer, from what is there
    stilts compare A B            two runs or studies, paired by example
    stilts data stage|check|stats       the data sets of a study
    stilts evaluate run|score|export|ls any checkpoint on any task
    stilts latency run|doctor|selftest|compact  how long models take here, and whether that can be told
    stilts pretrained             a pretrained model, converted or fetched once
    stilts run FOLDER             one run by hand

Each has a --help of its own.
"""

import importlib

from hpc.command import command, dispatch
from hpc.ending import Ending

# By name, so that a verb loads nothing of the others.
VERBS = {
    "doctor": "stilts.doctor.__main__",
    "launch": "stilts.launch",
    "status": "stilts.status",
    "tables": "stilts.tables",
    "compare": "stilts.compare",
    "data": "stilts.corpora.__main__",
    "evaluate": "stilts.evaluate.__main__",
    "latency": "stilts.latency.__main__",
    "pretrained": "stilts.model.pretrained.__main__",
    "run": "stilts.run.__main__",
}


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""

    def verb(module: str):  # type: ignore[no-untyped-def]
        return lambda rest: importlib.import_module(module).main(rest)

    return dispatch(arguments, {name: verb(module) for name, module in VERBS.items()}, __doc__)


if __name__ == "__main__":
    ending = Ending()
    ending.code = main()
