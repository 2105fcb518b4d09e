"""Checkpoints of tensors and JSON: no pickles, so that reading one runs nothing that it holds.

    checkpoints/step-00000500/rank-0000.safetensors     fragments of flat tensors, one file a rank
    checkpoints/step-00000500/committed.json            last: the state, and what makes the folder whole

A checkpoint counts once it is committed, and only if every file is what was committed; one that is not is
stepped over aloud. The newest two are kept.
"""

import json
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hpc import collective
from hpc.errors import Unreadable, UserError
from hpc.files import digest, is_there, listing, read_json, replacing, write_json
from hpc.reasons import of_the_machine

COMMITTED = "committed.json"
KEPT = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fragment:
    """A stretch of a flat tensor."""

    name: str
    start: int
    values: Tensor


@dataclass(kw_only=True)
class Checkpoint:
    """A committed checkpoint that is whole."""

    folder: Path
    state: Mapping[str, Any]
    files: tuple[str, ...]
    _places: dict[str, list[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def open(self) -> Iterator["Checkpoint"]:
        """Maps its files for as long as the context lasts."""
        with ExitStack() as stack:
            for name in self.files:
                file = stack.enter_context(safe_open(self.folder / name, framework="pt"))
                for key, start in json.loads(file.metadata()["starts"]).items():
                    self._places[key].append((start, file))
            yield self
        self._places.clear()

    def tensor(self, name: str) -> Tensor:
        """The whole tensor of that name, flat.

        Raises:
            UserError: the checkpoint is of another model.
        """
        if name not in self._places:
            raise UserError(f"{self.folder} has no tensor {name}; it is of another model", code=3)
        places = sorted(self._places[name], key=lambda place: place[0])
        parts = [file.get_tensor(name) for _, file in places]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def write(folder: Path, step: int, fragments: Iterable[Fragment], *, state: Mapping[str, Any]) -> None:
    """Writes and commits a checkpoint, then removes all but the newest `KEPT`. Collective.

    Args:
        folder: of all checkpoints.
        step: orders them.
        fragments: this rank's.
        state: the same on all ranks, as JSON.
    """
    here = _folder(folder, step)
    first = collective.rank() == 0
    if first:
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir(parents=True)
    collective.barrier()
    name = _name(collective.rank())
    tensors, starts = {}, {}
    for fragment in fragments:
        tensors[fragment.name] = fragment.values.detach().cpu().contiguous()
        starts[fragment.name] = fragment.start
    with replacing(here / name) as temporary:
        save_file(tensors, temporary, metadata={"starts": json.dumps(starts)})
    mine = torch.frombuffer(bytearray.fromhex(digest(here / name)), dtype=torch.uint8)
    sums = collective.every(mine.to(collective.device()))
    if first:
        listed = {
            _name(rank): {"bytes": (here / _name(rank)).stat().st_size, "sha256": bytes(row.tolist()).hex()}
            for rank, row in enumerate(sums)
        }
        write_json(here / COMMITTED, {"step": step, "files": listed, "state": dict(state)})
        for old in _committed(folder)[:-KEPT]:
            shutil.rmtree(old)
        for other in listing(folder, "step-*"):
            if not is_there(other / COMMITTED):
                shutil.rmtree(other)
    collective.barrier()


def newest(folder: Path, *, accept: Callable[[Any], str]) -> Checkpoint | None:
    """The newest checkpoint that is whole and accepted; others are stepped over with a warning. Collective.

    Args:
        folder: of all checkpoints.
        accept: says of a state why it cannot be gone on with; empty when it can.

    Raises:
        Unreadable: the system does not give one to a rank; the work that it holds is not done again for that.
    """
    # As the first rank sees the folder: a network's file system may show others less of it for a while.
    seen = [int(here.name.rpartition("-")[2]) for here in reversed(_committed(folder))]
    for number in range(int(collective.of_first(len(seen)))):
        here = _folder(folder, int(collective.of_first(seen[number] if number < len(seen) else 0)))
        committed, reason, withheld = _read(here, accept)
        # Each rank reads a part of the files; one that finds damage speaks for all.
        worst = collective.largest(2 if withheld else int(bool(reason)))
        if worst == 2:
            raise withheld or Unreadable(OSError("another rank cannot"), here)
        if not worst:
            assert committed is not None, "no reason against it"
            return Checkpoint(folder=here, state=committed["state"], files=tuple(committed["files"]))
        if reason:
            _log.warning("the checkpoint %s is stepped over: %s", here, reason)
    return None


def states(folder: Path) -> list[Any]:
    """The states of all committed checkpoints that are whole, oldest first.

    Raises:
        Unreadable: the system does not give one: what belongs to it is not to be thrown away.
    """
    found = []
    for here in _committed(folder):
        try:
            found.append(read_json(here / COMMITTED)["state"]["caller"])
        except Unreadable:
            raise
        except (UserError, KeyError, TypeError):
            continue
    return found


def _read(here: Path, accept: Callable[[Any], str]) -> tuple[dict[str, Any] | None, str, Unreadable | None]:
    """What was committed, why it cannot be used, and what the system refused."""
    try:
        committed = read_json(here / COMMITTED)
        for number, (name, one) in enumerate(committed["files"].items()):
            if (here / name).stat().st_size != one["bytes"]:
                return None, f"{name} has not the {one['bytes']} bytes it was written with", None
            mine = number % collective.world_size() == collective.rank()
            if mine and digest(here / name) != one["sha256"]:
                return None, f"{name} has other contents than it was written with", None
            # The library calls whatever cannot be opened a missing file.
            with open(here / name, "rb"), safe_open(here / name, framework="pt") as file:
                json.loads(file.metadata()["starts"])
        return committed, accept(committed["state"]), None
    except (UserError, OSError, KeyError, TypeError, ValueError, AttributeError, SafetensorError) as error:
        if of_the_machine(error) and isinstance(error, OSError):
            error = Unreadable(error, error.filename or here)
        reason = f"{type(error).__name__}: {error}"
        return None, reason, error if isinstance(error, Unreadable) else None


def _folder(folder: Path, step: int) -> Path:
    return folder / f"step-{step:08d}"


def _committed(folder: Path) -> list[Path]:
    return [path for path in listing(folder, "step-*") if is_there(path / COMMITTED)]


def _name(rank: int) -> str:
    return f"rank-{rank:04d}.safetensors"
