"""A model to be evaluated, as its files describe it: where it lies, its digest, and what its heads answer.

It may be a run's folder, a model folder of a run, a Hugging Face XLM-R (an encoder, or one with a task head),
or a Hub name with its revision. No weights are loaded here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hpc.errors import UserError
from stilts.run.folder import RunFolder
from stilts.tasks import Task

ARCHITECTURES: Mapping[str, Literal["classify", "tag", "span", "choice"]] = {
    "XLMRobertaForSequenceClassification": "classify",
    "XLMRobertaForTokenClassification": "tag",
    "XLMRobertaForQuestionAnswering": "span",
    "XLMRobertaForMultipleChoice": "choice",
}
"""Hugging Face's models with a task head, and the kind of task each answers."""

THEIRS = "huggingface"
"""Name of the head of a Hugging Face checkpoint."""

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
class Head:
    """One head as the files describe it."""

    kind: str
    labels: tuple[str, ...] = ()
    """Names of its outputs in their order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A model on disk."""

    source: str
    """As it was named."""
    folder: Path
    form: Literal["ours", "theirs"]
    """`theirs`: Hugging Face's names for the head, if there is one."""
    heads: Mapping[str, Head]
    layers: int
    max_tokens: int
    """Tokens of the longest sequence the position table allows."""
    run: Mapping[str, Any] = field(default_factory=dict)
    """Study, regime, intermediate and seed of the run that made it; empty for a model from elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answering:
    """Which head answers a task; `order` puts its outputs in the task's order of labels."""

    head: str
    order: tuple[int, ...] = ()


def locate(source: str) -> Checkpoint:
    """Finds a model by the path of a folder or a run, or by its name on the Hub.

    Raises:
        UserError: nothing there, or not an XLM-R.
    """
    given = Path(source).expanduser()
    run: Mapping[str, Any] = {}
    if (given / "spec.json").exists():
        folder, run = _weights_of(RunFolder(given.resolve()))
    elif (given / "config.json").exists():
        folder = given
    elif given.is_dir():
        raise UserError(f"{given} holds no model: neither config.json nor a run's spec.json", code=3)
    else:
        from stilts.model.pretrained import convert, default_cache

        folder = convert(source, cache=default_cache())
    config = _read(folder / "config.json")
    if config.get("model_type") != "xlm-roberta":
        raise UserError(
            f"{folder / 'config.json'}: model_type is {config.get('model_type')!r}, not xlm-roberta"
        )
    ours = (folder / "heads.json").exists()
    return Checkpoint(
        source=source,
        folder=folder,
        form="ours" if ours else "theirs",
        heads=_our_heads(folder) if ours else _their_head(config, folder),
        layers=config["num_hidden_layers"],
        max_tokens=config["max_position_embeddings"] - 2,
        run=run,
    )


def answering(checkpoint: Checkpoint, task: Task, labels: Sequence[str]) -> Answering:
    """The head that answers a task: of its own training set, else the one it head_from.

    Args:
        checkpoint: the model.
        task: not a retrieval task, which needs no head.
        labels: the task's, in its order.

    Raises:
        UserError: no head answers the task; why not.
    """
    names = (task.train_task, task.head_from, task.name) if checkpoint.form == "ours" else (THEIRS,)
    for name in filter(None, names):
        head = checkpoint.heads.get(name)
        if head is not None and head.kind == task.type:
            return Answering(head=name, order=_order(head.labels, labels, checkpoint, task))
    has = ", ".join(
        f"{name} ({head.kind})" if checkpoint.form == "ours" else head.kind
        for name, head in checkpoint.heads.items()
    )
    raise UserError(
        f"the model {checkpoint.source} has no head for {task.name} ({task.type}); it "
        + (f"has: {has}" if has else "is an encoder alone, which answers retrieval only")
    )


def digest(folder: Path) -> str:
    """Hash over the bytes of all files that decide a model's answers."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in _FILES for path in folder.glob(pattern)}):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.name}\0{content}\0".encode())
    return total.hexdigest()


def _weights_of(run: RunFolder) -> tuple[Path, Mapping[str, Any]]:
    spec = run.read_spec()
    if not (run.weights / "config.json").exists():
        hint = f"; it reads those of {', '.join(spec.needs)}" if spec.stage == "evaluate" else ""
        raise UserError(f"the run {run.path} has no weights (it is {run.state()}){hint}", code=3)
    names = ("regime", "intermediate", "seed")
    found = {name: getattr(spec.asked, name) for name in names if hasattr(spec.asked, name)}
    return run.weights, {"study": spec.study, "id": spec.id, **found}


def _our_heads(folder: Path) -> dict[str, Head]:
    return {
        name: Head(kind=head["kind"], labels=tuple(head["labels"]))
        for name, head in _read(folder / "heads.json").items()
    }


def _their_head(config: Mapping[str, Any], folder: Path) -> dict[str, Head]:
    """The head that the architecture promises, whose output names stand in `id2label`."""
    known = [ARCHITECTURES[name] for name in config.get("architectures") or () if name in ARCHITECTURES]
    if not known:
        return {}
    if known[0] in ("span", "choice"):
        return {THEIRS: Head(kind=known[0])}
    names = {int(number): str(name) for number, name in config.get("id2label", {}).items()}
    if sorted(names) != list(range(len(names))) or not names:
        raise UserError(f"{folder / 'config.json'}: id2label should name the outputs 0, 1, ... of the head")
    return {THEIRS: Head(kind=known[0], labels=tuple(names[number] for number in sorted(names)))}


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


def _read(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"no model at {path.parent}: {path.name} is missing", code=3) from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}", code=3) from error
    return table
