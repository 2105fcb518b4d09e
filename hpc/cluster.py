"""`slurm/<name>.toml` as an executor: how to reach machines, and which shape each kind of run has there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from hpc import shipped
from hpc.debug import DebugExecutor
from hpc.errors import UserError, unknown_name
from hpc.jobs import Executor, Shape
from hpc.local.executor import LocalExecutor, LocalSettings
from hpc.settings import Line, Pattern, Range, decode, read_toml
from hpc.slurm.executor import SlurmExecutor
from hpc.slurm.settings import SlurmSettings

_VARIABLE = Pattern(regex="[A-Za-z_][A-Za-z0-9_]*", said="a variable: letters, digits and _, no digit first")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How long runs of a kind take here, roughly."""

    seconds: Annotated[float, Range(least=0, most=1e9)] = 0.0
    """Whatever the size."""
    tokens_per_second: Annotated[float, Range(above=0, most=1e12)] = float("inf")

    def predict(self, tokens: int) -> float:
        """Seconds for a run of so many tokens."""
        return self.seconds + tokens / self.tokens_per_second


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """What each rank computes on, for the estimate of a plan nothing of which has run yet."""

    name: Annotated[str, Line()]
    memory_gb: Annotated[float, Range(above=0, most=1e6)]
    tflops: Annotated[float, Range(above=0, most=1e6)]
    """Dense products in the precision of training, as the maker says."""
    utilisation: Annotated[float, Range(above=0, most=1)] = 0.35
    """Share of it that training reaches; evaluation is taken to reach as much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """A cluster file."""

    scheduler: Literal["local", "slurm", "debug"]
    summary: Annotated[str, Line()] = ""
    environment: dict[Annotated[str, _VARIABLE], Annotated[str, Line()]] = field(default_factory=dict)
    """Variables of every run."""
    local: LocalSettings = field(default_factory=LocalSettings)
    slurm: SlurmSettings = field(default_factory=SlurmSettings)
    shapes: dict[str, Shape] = field(default_factory=dict)
    """By stage, or by the phase of a training run; `default` fills what they leave out."""
    device: Device | None = None
    pace: dict[str, Pace] = field(default_factory=dict)
    """By stage, for the estimate of a plan nothing of which has run yet; before what `device` tells."""

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
        if self.scheduler == "local":
            return LocalExecutor(
                settings=self.local,
                preload=preload,
                environment=self.environment,
                log=folder / "fork-server.log",
            )
        if self.scheduler == "slurm":
            return SlurmExecutor(settings=self.slurm, environment=self.environment, folder=folder / "slurm")
        return DebugExecutor()


def load_cluster(name_or_path: str) -> Cluster:
    """Reads a cluster file by name, from `slurm/` here or beside the package, or by path.

    Raises:
        UserError: there is none, it is not TOML, or a key or value is wrong.
    """
    path = _find(name_or_path)
    table = read_toml(path)
    shapes = table.get("shapes")
    if isinstance(shapes, dict) and all(isinstance(shape, dict) for shape in shapes.values()):
        default = shapes.get("default", {})
        table["shapes"] = {name: default | shape for name, shape in shapes.items()}
    cluster: Cluster = decode(Cluster, table, str(path))
    return cluster


def cluster_names() -> list[str]:
    """Clusters that can be given by name here."""
    return shipped.names("slurm")


def _find(name_or_path: str) -> Path:
    given = Path(name_or_path)
    if given.suffix == ".toml" or "/" in name_or_path:
        if not given.is_file():
            raise UserError(f"no cluster file at {given}")
        return given
    path = shipped.find("slurm", name_or_path)
    if path is None:
        raise unknown_name("cluster", name_or_path, cluster_names(), where="slurm/")
    return path
