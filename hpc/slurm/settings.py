"""The `[slurm]` table of a cluster file."""

from dataclasses import dataclass, field
from typing import Annotated

from hpc.jobs import Option, Word
from hpc.settings import Line, Range


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """How often `launch --wait` submits a run again by itself, by what ended its job; never after an error.

    SLURM itself puts back what it preempted or lost with a node, and a job that met its time limit puts
    itself back; these are for jobs that were ended for good.
    """

    out_of_memory: Annotated[int, Range(least=0, most=100)] = 2
    """Each time with half as much memory again."""
    node_lost: Annotated[int, Range(least=0, most=1000)] = 5
    preempted: Annotated[int, Range(least=0, most=1000)] = 20
    time_limit: Annotated[int, Range(least=0, most=1000)] = 1
    """The job was told in time and did not save: most likely it hung."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlurmSettings:
    """The `[slurm]` table of a cluster file. Empty means: the cluster's default; a shape's own come first."""

    partition: Word = ""
    account: Word = ""
    qos: Word = ""
    constraint: Word = ""
    setup: tuple[Annotated[str, Line()], ...] = ()
    """Shell lines before srun: modules, an environment. A shape's own come after them."""
    prefix: Annotated[str, Line()] = ""
    """What runs the interpreter, such as `apptainer exec --nv stilts.sif`."""
    python: Annotated[str, Line()] = ""
    """The interpreter of the jobs; empty: the launcher's own."""
    srun: tuple[Annotated[str, Line()], ...] = ()
    """Further arguments of srun."""
    extra: dict[Option, Annotated[str, Line()] | int | bool] = field(default_factory=dict)
    """Any other sbatch option, without its dashes."""
    signal_lead_seconds: Annotated[int, Range(least=0, most=65_535)] = 120
    """How long before the time limit a job is told to save and go back to the queue."""
    max_timeouts: Annotated[int, Range(least=0, most=10_000)] = 20
    """Time limits a run may meet before it counts as failed."""
    array_parallelism: Annotated[int, Range(least=1, most=1_000_000)] = 64
    """Elements of one array that run side by side at most."""
    array_limit: Annotated[int, Range(least=1, most=4_000_000)] = 1000
    """The longest array; `scontrol show config` has it as MaxArraySize, less one."""
    jobs_at_once: Annotated[int, Range(least=0, most=4_000_000)] = 0
    """Jobs of a study in the queue at most; 0: as many as there are. The rest waits for `launch --wait`."""
    retries: Retries = field(default_factory=Retries)
    retry_seconds: Annotated[float, Range(least=0, most=3600)] = 5.0
    """Pause before SLURM is asked again when it does not answer; doubled each time, up to a minute."""
    outage_minutes: Annotated[float, Range(least=0, most=10_000)] = 15.0
    """How long SLURM may not answer before a launch gives up."""
    ending_seconds: Annotated[float, Range(least=0, most=3600)] = 60.0
    """How long a launch waits for jobs that SLURM is tidying up after: they may go back into the queue."""
