"""Text files within bounds, with a message in one line for what is no such file."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import is_there
from stilts.data.formats import refuse

_PAGE = (b"<!doctype html", b"<html", b"<?xml")
_ADVICE = "a web page was saved instead of the file; fetch it again"
LONGEST_LINE = 1 << 24
"""Characters of a line, or of a field, at most: an article has thousands."""
LARGEST_DOCUMENT = 1 << 28
"""Bytes at most of a file that is read as a whole, decompressed: the largest published one has 60 million."""
_HALF = re.compile("[\ud800-\udfff]")
"""Halves of a surrogate pair: JSON can spell them, and no text has them."""


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line, without its end; only line feeds separate lines.

    Raises:
        UserError: the file cannot be read, is a web page, or is not UTF-8, with the line.
    """
    refuse_pages(path)
    number = 0
    try:
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise refuse(path, number, f"a line of over {LONGEST_LINE:,} characters")
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
        with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
            data = file.read(LARGEST_DOCUMENT + 1)
        if len(data) > LARGEST_DOCUMENT:
            raise refuse(path, None, f"over {LARGEST_DOCUMENT:,} bytes of JSON")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(path, None, f"not UTF-8 text ({error.reason})") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise refuse(path, None, f"not a whole gzip file: {error}") from error
    except OSError as error:
        raise unreadable(path, error) from error
    return parsed(text, path=path, number=None)


def parsed(text: str, *, path: Path, number: int | None) -> Any:
    """What a line, or with no number a whole file, of JSON says.

    Raises:
        UserError: it is no JSON, is nested too deeply, holds a number too long or half a character.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at column {error.colno}"
        raise refuse(path, number or error.lineno, f"not JSON, or cut short: {where}") from error
    except RecursionError as error:
        raise refuse(path, number, "JSON that is nested too deeply") from error
    except ValueError as error:
        raise refuse(path, number, f"JSON with a number that is too long: {error}") from error
    if "\\ud" in text.lower() and _HALF.search(json.dumps(value, ensure_ascii=False)):
        raise refuse(path, number, "a text with half a character (a lone surrogate)")
    return value


def refuse_pages(path: Path) -> None:
    """Refuses what is no file, and an HTML page, which a failed download often leaves under a file's name."""
    try:
        if is_there(path) and not path.is_file():
            raise refuse(path, None, "not a file")
        with open(path, "rb") as file:
            head = file.read(256)
    except OSError as error:
        raise unreadable(path, error) from error
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE):
        raise refuse(path, 1, _ADVICE)


def unreadable(path: Path, error: OSError) -> UserError:
    """The `UserError` of a file that the system does not hand out."""
    return refuse(path, None, f"cannot be read: {error.strerror or error}")
