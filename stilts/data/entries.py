"""Entries of the token cache: what decides their contents, and whether they are whole."""

import logging
import re
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import listing, read_json, write_json
from stilts import tasks
from stilts.data import formats, reading, versions
from stilts.tasks import Task, coding, types as task_types

ENTRY = "entry.json"
_TYPES = Path(task_types.__file__).parent
_CODING = Path(coding.__file__).parent
_TASKS = Path(tasks.__file__).parent
_FORMATS = Path(formats.__file__).parent
_SHARED = re.compile(r"^from stilts\.tasks\.(_\w+) import", re.MULTILINE)

_log = logging.getLogger(__name__)


def made_by(task: Task) -> dict[str, str]:
    """What of this program, and of the tokenizer's library, makes a task's tokens.

    That is the code of its type, its own file with what this shares, and the formats it is read from: another
    task, or a change elsewhere, leaves its entries as they are.
    """
    code = [
        *listing(_CODING, "*.py"),
        _TYPES / f"{task.type}.py",
        *_files_of(tasks.untranslated(task.name)),
        *(_FORMATS / f"{place.format}.py" for place in task.hub),
        *(_FORMATS / f"{place.format}.py" for place in task.folder),
        Path(reading.__file__),
    ]
    if tasks.untranslated(task.name) != task.name:
        code.append(_TASKS / "_translated.py")
    return {
        "code": versions.of_code(*sorted(set(code))),
        "tokenizers": installed("tokenizers"),
    }


def seal(folder: Path, identity: dict[str, Any]) -> None:
    """Writes down what an entry is, and how large its files are."""
    sizes = {path.name: path.stat().st_size for path in listing(folder, "*.arrow")}
    write_json(folder / ENTRY, identity | {"bytes": sizes})


def is_whole(folder: Path) -> bool:
    """Whether an entry is there with all its files; one that is not is to be built anew, with a warning."""
    if not folder.is_dir():
        return False
    try:
        sizes = read_json(folder / ENTRY)["bytes"]
        if sizes and all((folder / name).stat().st_size == size for name, size in sizes.items()):
            return True
    except (OSError, UserError, KeyError, TypeError, AttributeError):
        pass
    _log.warning("the cache entry %s is not whole: it is built anew", folder)
    return False


def _files_of(name: str) -> list[Path]:
    """A task's file, and those it shares code with."""
    found = [_TASKS / f"{name}.py"]
    for path in found:
        for shared in _SHARED.findall(path.read_text(encoding="utf-8")):
            if (other := _TASKS / f"{shared}.py") not in found:
                found.append(other)
    return found
