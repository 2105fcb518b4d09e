"""`slurm/<name>.toml` as an executor: how to reach machines, and which shape each kind of run has there."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hpc.debug import DebugExecutor
from hpc.errors import HpcError, unknown
from hpc.jobs import Executor, Shape
from hpc.local.executor import LocalExecutor, LocalSettings
from hpc.slurm.executor import SlurmExecutor, SlurmSettings

_BESIDE_PACKAGE = Path(__file__).resolve().parents[1] / "slurm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How long runs of a kind take here, roughly."""

    seconds: float = 0.0
    """Whatever the size."""
    tokens_per_second: float = float("inf")

    def predict(self, tokens: int) -> float:
        """Seconds for a run of so many tokens."""
        return self.seconds + tokens / self.tokens_per_second


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """A cluster file."""

    kind: Literal["local", "slurm", "debug"]
    summary: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables of every run."""
    local: LocalSettings = field(default_factory=LocalSettings)
    slurm: SlurmSettings = field(default_factory=SlurmSettings)
    shapes: dict[str, Shape] = field(default_factory=dict)
    """By kind of run, or by the role of a training run; `default` fills what they leave out."""
    pace: dict[str, Pace] = field(default_factory=dict)
    """By kind of run, for the estimate of a plan nothing of which has run yet."""

    def shape_of(self, *names: str) -> Shape:
        """The shape of the first of `names` that has one, or the default."""
        for name in (*names, "default"):
            if name in self.shapes:
                return self.shapes[name]
        return Shape()

    def executor(self, *, preload: tuple[str, ...], folder: Path) -> Executor:
        """What runs a plan here.

        Args:
            preload: modules worth importing once for all runs.
            folder: for what belongs to no single run: the fork server's log, submitit's files.
        """
        if self.kind == "local":
            return LocalExecutor(
                settings=self.local,
                preload=preload,
                environment=self.environment,
                log=folder / "fork-server.log",
            )
        if self.kind == "slurm":
            return SlurmExecutor(settings=self.slurm, environment=self.environment, folder=folder / "slurm")
        return DebugExecutor()


def load_cluster(name_or_path: str) -> Cluster:
    """Reads a cluster file by name, from `slurm/` here or beside the package, or by path.

    Raises:
        HpcError: there is none, it is not TOML, or a key or value is wrong.
    """
    path = _find(name_or_path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HpcError(f"cannot read {path}: {error.strerror}", code=3) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HpcError(f"{path} is not valid TOML: {error}") from error
    shapes = table.get("shapes")
    if isinstance(shapes, dict) and all(isinstance(shape, dict) for shape in shapes.values()):
        default = shapes.get("default", {})
        table["shapes"] = {name: default | shape for name, shape in shapes.items()}
    cluster: Cluster = _decode(Cluster, table, str(path))
    return cluster


def cluster_names() -> list[str]:
    """Clusters that can be given by name here."""
    return sorted({path.stem for folder in _folders() for path in folder.glob("*.toml")})


def _folders() -> tuple[Path, ...]:
    return Path("slurm"), _BESIDE_PACKAGE


def _find(name_or_path: str) -> Path:
    given = Path(name_or_path)
    if given.suffix == ".toml" or "/" in name_or_path:
        if not given.is_file():
            raise HpcError(f"no cluster file at {given}")
        return given
    for folder in _folders():
        path = folder / f"{name_or_path}.toml"
        if path.is_file():
            return path
    raise unknown("cluster", name_or_path, cluster_names(), where="slurm/")


def _decode(kind: Any, value: Any, where: str) -> Any:
    """Turns a TOML value into the annotated type; the kinds of annotation are those used above."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _decode_table(kind, _expect(dict, value, where), where)
    if origin in (typing.Union, types.UnionType):
        return _decode_one_of(arguments, value, where)
    if origin is Literal:
        if value not in arguments:
            raise unknown("value", str(value), map(str, arguments), where=where)
        return value
    if origin is tuple:
        items = _expect(list, value, where)
        return tuple(_decode(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(items))
    if origin is dict:
        return {
            key: _decode(arguments[1], item, f"{where}.{key}")
            for key, item in _expect(dict, value, where).items()
        }
    if kind is float and type(value) is int:
        return float(value)
    return _expect(kind, value, where)


def _decode_table(kind: Any, table: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    for key in table:
        if key not in hints:
            raise unknown("key", key, hints, where=where)
    missing = [
        name
        for name in hints
        if name not in table
        and kind.__dataclass_fields__[name].default is dataclasses.MISSING
        and kind.__dataclass_fields__[name].default_factory is dataclasses.MISSING
    ]
    if missing:
        raise HpcError(f"{where} lacks {', '.join(missing)}")
    values = {key: _decode(hints[key], item, f"{where}: {key}") for key, item in table.items()}
    try:
        return kind(**values)
    except HpcError as error:
        raise HpcError(f"{where}: {error}") from error


def _decode_one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    for kind in kinds:
        if value in typing.get_args(kind) or type(value) is kind:
            return value
    names = " or ".join(
        "/".join(map(repr, typing.get_args(kind))) if typing.get_args(kind) else kind.__name__
        for kind in kinds
    )
    raise HpcError(f"{where} should be {names}, not {value!r}")


def _expect(kind: type, value: Any, where: str) -> Any:
    if type(value) is not kind:
        names = {str: "a string", int: "a whole number", float: "a number", list: "a list", dict: "a table"}
        raise HpcError(f"{where} should be {names.get(kind, 'true or false')}, not {value!r}")
    return value
