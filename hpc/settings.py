"""The one strict decoder: TOML or JSON into frozen dataclasses.

A wrong key or type is answered with the right ones, a number out of its range with the range.

A field says in its annotation what it may hold beyond its type:

    epochs: Annotated[float, Range(above=0)] = 2.0
    partition: Annotated[str, Line()] = ""
"""

import dataclasses
import functools
import math
import re
import tomllib
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError, unknown_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """The finite numbers a field may hold."""

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf

    def __contains__(self, value: float) -> bool:
        # NaN fails every comparison; an integer too large for a float is compared as it is.
        return self.least <= value <= self.most and self.above < value < self.below

    def __str__(self) -> str:
        bounds = (
            ("at least", self.least),
            ("above", self.above),
            ("at most", self.most),
            ("below", self.below),
        )
        said = [f"{word} {bound:g}" for word, bound in bounds if math.isfinite(bound)]
        return " and ".join(said) or "finite"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Text that can be shown, and written into a script, on one line."""

    most: int = 1000
    """Characters."""

    def __contains__(self, value: str) -> bool:
        return len(value) <= self.most and value.isprintable()

    def __str__(self) -> str:
        return f"one line of at most {self.most} printable characters"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """Text of a certain form."""

    regex: str
    said: str
    """The form in words."""

    def __contains__(self, value: str) -> bool:
        return re.fullmatch(self.regex, value) is not None

    def __str__(self) -> str:
        return self.said


FILE_NAME = Pattern(
    regex=r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}",
    said="a name of at most 100 letters, digits and . _ + - that begins with a letter or digit",
)
"""What becomes the name of a file or folder."""

_CONSTRAINTS = (Range, Line, Pattern)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        UserError: the file cannot be read (code 3) or is not TOML (code 2), with the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(f"cannot read {path}: {reason}", code=3) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error
    except (RecursionError, ValueError) as error:
        raise UserError(f"{path} cannot be read as TOML: {error}") from error


_EXACT = (str, int, bool)
"""Types whose every value is right; a float may be no number."""


def decode(kind: Any, value: Any, where: str) -> Any:
    """Turns a TOML or JSON value into `kind`, a type annotation or a dataclass.

    Args:
        kind: int, float, str, bool, a Literal, a union, tuple[T, ...], dict[str, T], a dataclass, or any of
            them `Annotated` with a constraint.
        value: what the file holds.
        where: file and key, for the message.

    Raises:
        UserError: naming `where`, what was found and what belongs there.
    """
    if kind is type(value) and kind in _EXACT:
        return value
    if dataclasses.is_dataclass(kind):
        return _decode_fields(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _constrained(arguments, value, where)
    if origin is typing.Literal:
        # True is no 1 here.
        if not any(value == one and type(value) is type(one) for one in arguments):
            raise unknown_name("value", str(value), map(str, arguments), where=where)
        return value
    if origin in (typing.Union, types.UnionType):
        return _decode_one_of(arguments, value, where)
    if origin is tuple:
        _expect(list, list(value) if type(value) is tuple else value, where)
        return tuple(decode(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin is dict:
        _expect(dict, value, where)
        return {
            decode(arguments[0], key, f"{where}: the name {_shown(key)}"): decode(
                arguments[1], item, f"{where}.{key}"
            )
            for key, item in value.items()
        }
    if kind is float and type(value) is int:
        return _as_float(value, where)
    if kind is not Any:
        _expect(kind, value, where)
    return value


def _decode_fields(kind: Any, value: Any, where: str) -> Any:
    _expect(dict, value, where)
    hints, required = _fields(kind)
    for key in value:
        if key not in hints:
            raise unknown_name("key", key, hints, where=where)
    missing = [name for name in required if name not in value]
    if missing:
        raise UserError(f"{where} lacks {', '.join(missing)}")
    values = {key: decode(hints[key], item, f"{where}: {key}") for key, item in value.items()}
    try:
        return kind(**values)
    except (ValueError, UserError) as error:
        raise UserError(f"{where}: {error}") from error


@functools.cache
def _fields(kind: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The types of a dataclass's fields by name, and the names that have no default."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    absent = dataclasses.MISSING
    required = [field.name for field in fields if field.default is absent is field.default_factory]
    return {field.name: hints[field.name] for field in fields}, tuple(required)


def _decode_one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """The member of a union whose type the value has."""
    if value is None and type(None) in kinds:
        return None
    present = [kind for kind in kinds if kind is not type(None)]
    if len(present) == 1:
        return decode(present[0], value, where)
    for kind in present:
        bare = typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind
        if type(value) is bare or (
            typing.get_origin(bare) is typing.Literal and value in typing.get_args(bare)
        ):
            return decode(kind, value, where)
    names = " or ".join(_union_name(kind) for kind in present)
    raise UserError(f"{where} should be {names}, not {_shown(value)}")


def _union_name(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return "/".join(map(repr, typing.get_args(kind)))
    return _name(typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind)


def _constrained(arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    found = decode(arguments[0], value, where)
    for constraint in arguments[1:]:
        if isinstance(constraint, _CONSTRAINTS) and found is not None and found not in constraint:
            raise UserError(f"{where} should be {constraint}, not {_shown(value)}")
    return found


def _as_float(value: int, where: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise UserError(f"{where} is too large for a number: {_shown(value)}") from error


def _expect(kind: type, value: Any, where: str) -> None:
    if type(value) is not kind:
        raise UserError(f"{where} should be {_name(kind)}, not {_name(type(value))} ({_shown(value)})")
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where} should be finite, not {value}")


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer with more digits than Python turns into text
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _name(kind: type) -> str:
    return _NAMES.get(kind, getattr(kind, "__name__", str(kind)))


_NAMES: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
