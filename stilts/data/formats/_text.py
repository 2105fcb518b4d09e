"""Lines of text files, with a message in one line for what is no such file."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from stilts.data.formats import refuse

_PAGE = (b"<!doctype html", b"<html", b"<?xml")
_ADVICE = "a web page was saved instead of the file; fetch it again"


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line, without its end; only line feeds separate lines.

    Raises:
        UserError: the file cannot be read, is a web page, or is not UTF-8, with the line.
    """
    refuse_pages(path)
    number = 0
    try:
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise refuse(path, number + 1, f"not UTF-8 text ({error.reason})") from error
    except OSError as error:
        raise unreadable(path, error) from error


def document(path: Path) -> Any:
    """A whole file of JSON, gzip-compressed when its name ends in `.gz`.

    Raises:
        UserError: it is no JSON (with the line), or cut short.
    """
    refuse_pages(path)
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise refuse(
            path, error.lineno, f"not JSON, or cut short: {error.msg} at column {error.colno}"
        ) from error
    except UnicodeDecodeError as error:
        raise refuse(path, None, f"not UTF-8 text ({error.reason})") from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise refuse(path, None, f"not a whole gzip file: {error}") from error
    except OSError as error:
        raise unreadable(path, error) from error


def refuse_pages(path: Path) -> None:
    """Refuses an HTML page, which is what a failed download often leaves under the name of the file."""
    try:
        with open(path, "rb") as file:
            head = file.read(256)
    except OSError as error:
        raise unreadable(path, error) from error
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE):
        raise refuse(path, 1, _ADVICE)


def unreadable(path: Path, error: OSError) -> UserError:
    """The `UserError` of a file that the system does not hand out."""
    return refuse(path, None, f"cannot be read: {error.strerror or error}")
