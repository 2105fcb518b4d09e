"""The one way to write, read, lock and build: files and folders that are either whole or not there."""

from hpc.files.atomic import (
    append_json_line,
    digest,
    json_line,
    naming,
    read_json,
    read_json_lines,
    replacing,
    sweep,
    sync,
    write_atomic,
    write_json,
    write_json_often,
    write_json_once,
)
from hpc.files.folders import build_once, own_folder, replacing_folder
from hpc.files.locks import Held, is_locked, lock, signed_by
from hpc.files.looking import files_below, is_there, listing, matching, raise_unreadable

__all__ = [
    "Held",
    "append_json_line",
    "build_once",
    "digest",
    "files_below",
    "is_locked",
    "is_there",
    "json_line",
    "listing",
    "lock",
    "matching",
    "naming",
    "own_folder",
    "raise_unreadable",
    "read_json",
    "read_json_lines",
    "replacing",
    "replacing_folder",
    "signed_by",
    "sweep",
    "sync",
    "write_atomic",
    "write_json",
    "write_json_often",
    "write_json_once",
]
