"""A model to be evaluated, as its files describe it: where it lies, its digest, and what its heads answer.

It may be a run's folder, a model folder of a run, an XLM-R or BERT of Hugging Face (an encoder, or one with a
task head), or a Hub name with its revision. No weights are loaded here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import is_there, listing
from stilts.model.checkpoint import CONFIG, read_config
from stilts.model.families import family_of
from stilts.model.heads import THEIRS, HeadSpec, heads_of
from stilts.run.folder import RunFolder
from stilts.tasks import Task, types as task_types

_OTHER_NAMES = {
    "contradictory": "contradiction",
    "not_paraphrase": "different",
    "not_duplicate": "different",
    "not_equivalent": "different",
    "paraphrase": "same",
    "duplicate": "same",
    "equivalent": "same",
    "0": "different",
    "1": "same",
}
_FILES = ("*.safetensors", "*.safetensors.index.json", "pytorch_model.bin", "*.json", "*.model")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A model on disk."""

    source: str
    """As it was named."""
    folder: Path
    heads: Mapping[str, HeadSpec]
    layers: int
    max_tokens: int
    """Tokens of the longest sequence the position table allows."""
    run: Mapping[str, Any] = field(default_factory=dict)
    """Study, regime, intermediate and seed of the run that made it; empty for a model from elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadChoice:
    """Which head answers a task; `order` puts its outputs in the task's order of labels."""

    head: str
    order: tuple[int, ...] = ()


def locate(source: str) -> Checkpoint:
    """Finds a model by the path of a folder or a run, or by its name on the Hub.

    Raises:
        UserError: nothing there, or a model that cannot be computed here.
    """
    given = Path(source).expanduser()
    run: Mapping[str, Any] = {}
    if is_there(given / "spec.json"):
        folder, run = _weights_of(RunFolder(given.resolve()))
    elif is_there(given / "config.json"):
        folder = given
    elif given.is_dir():
        raise UserError(f"{given} holds no model: neither config.json nor a run's spec.json", code=3)
    else:
        from stilts.model.pretrained import convert, default_cache

        folder = convert(source, cache=default_cache())
    config = read_config(folder)
    family = family_of(config, folder / CONFIG)
    return Checkpoint(
        source=source,
        folder=folder,
        heads=heads_of(folder, config, family),
        layers=config["num_hidden_layers"],
        max_tokens=config["max_position_embeddings"] - family.first_position,
        run=run,
    )


def answering(checkpoint: Checkpoint, task: Task, labels: Sequence[str]) -> HeadChoice:
    """The head that answers a task: of its own training set, else the one it head_from.

    Args:
        checkpoint: the model.
        task: not a retrieval task, which needs no head.
        labels: the task's, in its order.

    Raises:
        UserError: no head answers the task; why not.
    """
    names = (task.train_task, task.head_from, task.name, THEIRS)
    wanted = task_types.load(task.type).head
    for name in filter(None, names):
        head = checkpoint.heads.get(name)
        if head is not None and head.kind == wanted:
            return HeadChoice(head=name, order=_order(head.labels, labels, checkpoint, task))
    has = ", ".join(
        head.kind if name == THEIRS else f"{name} ({head.kind})" for name, head in checkpoint.heads.items()
    )
    raise UserError(
        f"the model {checkpoint.source} has no head for {task.name} ({wanted}); it "
        + (f"has: {has}" if has else "is an encoder alone, which answers retrieval only")
    )


def digest(folder: Path) -> str:
    """Hash over the bytes of all files that decide a model's answers."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in _FILES for path in listing(folder, pattern)}):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.name}\0{content}\0".encode())
    return total.hexdigest()


def _weights_of(run: RunFolder) -> tuple[Path, Mapping[str, Any]]:
    spec = run.read_spec()
    if not is_there(run.weights / "config.json"):
        hint = f"; it reads those of {', '.join(spec.needs)}" if spec.stage == "evaluate" else ""
        raise UserError(f"the run {run.path} has no weights (it is {run.state()}){hint}", code=3)
    names = ("regime", "intermediate", "seed")
    found = {name: getattr(spec.asked, name) for name in names if hasattr(spec.asked, name)}
    return run.weights, {"study": spec.study, "id": spec.id, **found}


def _order(theirs: Sequence[str], ours: Sequence[str], checkpoint: Checkpoint, task: Task) -> tuple[int, ...]:
    """Number of the head's output for each label of the task, matched by name."""
    if not theirs or tuple(theirs) == tuple(ours):
        return ()
    places = {_plain(name): number for number, name in enumerate(theirs)}
    missing = [name for name in ours if _plain(name) not in places]
    if not missing:
        return tuple(places[_plain(name)] for name in ours)
    if all(_plain(name).startswith("label_") for name in theirs):
        raise UserError(
            f"{checkpoint.folder / 'config.json'} calls the outputs {', '.join(theirs[:3])} ...: write their "
            f"names ({', '.join(ours[:3])} ...) into id2label in the order the model was trained with"
        )
    raise UserError(
        f"the head of {checkpoint.source} does not answer {task.name}: it knows no {', '.join(missing[:5])} "
        f"(its labels: {', '.join(theirs[:7])})"
    )


def _plain(name: str) -> str:
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    return _OTHER_NAMES.get(plain, plain)
