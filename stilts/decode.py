"""Strict decoding of TOML into frozen dataclasses: a wrong key or type is answered with the right ones."""

import dataclasses
import tomllib
import types
import typing
from pathlib import Path
from typing import Any

from stilts.errors import Problem, unknown


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        Problem: the file cannot be read (code 3) or is not TOML (code 2), with the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Problem(f"cannot read {path}: {reason}", code=3) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{path} is not valid TOML: {error}") from error


def decode(kind: Any, value: Any, where: str) -> Any:
    """Turns a TOML value into `kind`, a type annotation or a dataclass.

    Args:
        kind: int, float, str, bool, a Literal, Optional, tuple[T, ...], dict[str, T] or a dataclass.
        value: what the TOML file holds.
        where: file and key, for the message.

    Raises:
        Problem: naming `where`, what was found and what belongs there.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _decode_fields(kind, value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise unknown("value", str(value), map(str, arguments), where=where)
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        present = [argument for argument in arguments if argument is not type(None)]
        return decode(present[0], value, where)
    if origin is tuple:
        _expect(list, value, where)
        return tuple(decode(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin is dict:
        _expect(dict, value, where)
        return {key: decode(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    _expect(kind, value, where)
    return value


def _decode_fields(kind: Any, value: Any, where: str) -> Any:
    _expect(dict, value, where)
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for key in value:
        if key not in fields:
            raise unknown("key", key, fields, where=where)
    missing = [
        name
        for name, field in fields.items()
        if name not in value
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise Problem(f"{where} lacks {', '.join(missing)}")
    try:
        return kind(**{key: decode(hints[key], item, f"{where}: {key}") for key, item in value.items()})
    except ValueError as error:
        raise Problem(f"{where}: {error}") from error


def _expect(kind: type, value: Any, where: str) -> None:
    if type(value) is not kind:
        raise Problem(f"{where} should be {_name(kind)}, not {_name(type(value))} ({value!r})")


def _name(kind: type) -> str:
    return _NAMES.get(kind, kind.__name__)


_NAMES: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
