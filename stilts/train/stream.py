"""What a phase tells while it runs, by its first rank: `metrics.jsonl`, and how far it is.

    {"at": "steps", "step": 500, "loss": 0.61, "losses": [0.63, ...], "rate": 9.5e-06, ...}
    {"at": "dev", "step": 500, "scores": {"mnli": {"accuracy": 81.2}}, "kept": true}
    {"at": "notice", "step": 503, "what": "the loss of mnli jumped to 4.1"}

An attempt that goes on from a checkpoint drops what was told after it, so that a step is told once.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hpc.errors import Unreadable, UserError
from hpc.files import append_json_line, json_line, read_json_lines, write_atomic
from stilts.run.folder import RunFolder
from stilts.run.progress import Progress

TRACKERS = "STILTS_TRACKERS"
"""Variable that names who else is told, separated by commas: `tensorboard`, `wandb`."""

Tracker = Callable[[int, Mapping[str, float]], None]


class Stream:
    """Tells how a phase goes.

    Args:
        run: whose stream.
        steps: where it ends.
        writes: whether this process tells: of several ranks the first.
    """

    def __init__(self, run: RunFolder, *, steps: int, writes: bool) -> None:
        self._path, self._writes = run.metrics, writes
        self._progress = Progress(run, total=steps, unit="steps", writes=writes)
        self._trackers = trackers(run) if writes else []

    def go_on_from(self, step: int) -> None:
        """Drops what was told of later steps."""
        if not self._writes:
            return
        try:
            told = read_json_lines(self._path)
        except Unreadable:
            raise
        except UserError:
            told = []
        kept = [line for line in told if line["step"] <= step]
        if len(kept) < len(told):
            write_atomic(self._path, "".join(map(json_line, kept)))

    def steps(
        self, step: int, values: Mapping[str, float], *, losses: Sequence[float] = (), note: str = ""
    ) -> None:
        """Tells of the steps up to this one.

        Args:
            step: updates taken.
            values: means over the steps since the last.
            losses: of each of them.
            note: in a few words, beside how far the run is.
        """
        self._progress.at(step, note)
        self._tell("steps", step, {**values, "losses": list(losses)})
        self._track(step, {f"train/{name}": value for name, value in values.items()})

    def dev(self, step: int, scores: Mapping[str, Mapping[str, float]], *, kept: bool) -> None:
        """Tells of an evaluation on the development sets."""
        self._tell("dev", step, {"scores": scores, "kept": kept})
        self._track(
            step,
            {f"dev/{task}/{name}": value for task, each in scores.items() for name, value in each.items()},
        )

    def notice(self, step: int, what: str) -> None:
        """Tells of something that somebody should look at."""
        self._tell("notice", step, {"what": what})

    def _tell(self, at: str, step: int, said: Mapping[str, Any]) -> None:
        if self._writes:
            append_json_line(self._path, {"at": at, "step": step, "unix": time.time(), **said})

    def _track(self, step: int, values: Mapping[str, float]) -> None:
        for track in self._trackers:
            track(step, values)


def trackers(run: RunFolder) -> list[Tracker]:
    """Those that `STILTS_TRACKERS` names.

    Raises:
        UserError: one that is unknown or not installed.
    """
    known = {"tensorboard": _tensorboard, "wandb": _wandb}
    found = []
    for name in filter(None, (word.strip() for word in os.environ.get(TRACKERS, "").split(","))):
        if name not in known:
            raise UserError(f"{TRACKERS} names {name!r}; known: {', '.join(known)}")
        try:
            found.append(known[name](run.path))
        except ImportError as error:
            raise UserError(f"{TRACKERS} names {name}, which is not installed: pip install {name}") from error
    return found


def _tensorboard(run: Path) -> Tracker:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(run / "tensorboard"))

    def track(step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return track


def _wandb(run: Path) -> Tracker:
    import wandb

    session = wandb.init(
        project=f"stilts-{run.parent.name}", name=run.name, id=run.name, dir=str(run), resume="allow"
    )

    def track(step: int, values: Mapping[str, float]) -> None:
        session.log(dict(values), step=step)

    return track
