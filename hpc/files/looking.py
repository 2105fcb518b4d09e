"""What is there, told apart from what the system does not show: to `pathlib` both are "nothing there".

`Path.glob` passes over folders that may not be listed, from Python 3.13 on also where the disk fails;
`Path.exists` is False for whatever cannot be asked, from 3.14 on.
"""

import os
from fnmatch import fnmatchcase
from pathlib import Path

from hpc.errors import Unreadable


def is_there(path: str | Path) -> bool:
    """Whether there is a file or folder of that name.

    Raises:
        Unreadable: the system does not tell.
    """
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # or no name at all, such as `\0`
        return False
    except OSError as error:
        raise Unreadable(error, path) from error
    return True


def listing(folder: Path, pattern: str = "*") -> list[Path]:
    """What lies in a folder under names that fit, in order; nothing where there is no folder.

    Raises:
        Unreadable: the system does not list it.
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Unreadable(error, folder) from error
    return [folder / name for name in sorted(names) if fnmatchcase(name, pattern)]


def files_below(folder: Path, pattern: str = "*") -> list[Path]:
    """Files in a folder and in those below it (links are not followed to others), in order of their paths.

    Raises:
        Unreadable: the system does not list one of them.
    """
    walk = os.walk(folder, onerror=raise_unreadable)
    return sorted(Path(here, name) for here, _, names in walk for name in names if fnmatchcase(name, pattern))


def matching(folder: Path, pattern: str) -> list[Path]:
    """Files and folders below a folder that fit a pattern such as `udpos/*/it-*.conllu`, without `**`.

    Raises:
        Unreadable: the system does not list a folder on the way.
    """
    first, _, rest = pattern.partition("/")
    if set(first) & set("*?["):
        found = listing(folder, first)
    else:
        found = [folder / first] if is_there(folder / first) else []
    return [path for one in found for path in matching(one, rest)] if rest else found


def raise_unreadable(error: OSError) -> None:
    """For `os.walk`, which passes over what it cannot list unless told otherwise.

    Raises:
        Unreadable: there is a folder that the system does not list.
    """
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise Unreadable(error, error.filename) from error
