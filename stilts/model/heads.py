"""What the heads of a model folder answer, as its files describe them; no weights are read here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpc.errors import UserError
from hpc.files import is_there, read_json
from hpc.settings import decode
from stilts.model.families import Family, HeadType
from stilts.run.settings import Pooling
from stilts.tasks.types import Head

DESCRIPTION = "heads.json"
THEIRS = "huggingface"
"""Name of the head of a folder that only Hugging Face's config.json describes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadSpec:
    """What a head answers."""

    kind: Head
    labels: tuple[str, ...] = ()
    """Names of the outputs of `classify` and `tag`, in order."""
    pooling: Pooling = "cls"
    """What a sentence head reads: the first token as XLM-R does, or the mean over all tokens as E5."""


def heads_of(folder: Path, config: Mapping[str, Any], family: Family) -> dict[str, HeadSpec]:
    """The heads of a model folder by name: of our own description, else of the architecture.

    Raises:
        UserError: a description is damaged, or outputs have no names (code 3).
    """
    path = folder / DESCRIPTION
    if is_there(path):
        try:
            described: dict[str, HeadSpec] = decode(dict[str, HeadSpec], read_json(path), str(path))
        except UserError as error:
            raise UserError(str(error), code=3) from error
        return described
    kind = family.head_of(config)
    if kind is None:
        return {}
    if kind in ("span", "choice"):
        return {THEIRS: HeadSpec(kind=kind)}
    try:
        names = {int(number): str(name) for number, name in config.get("id2label", {}).items()}
    except (AttributeError, ValueError):
        names = {}
    if sorted(names) != list(range(len(names))) or not names:
        raise UserError(
            f"{folder / 'config.json'}: id2label should name the outputs 0, 1, ... of the head", code=3
        )
    return {THEIRS: HeadSpec(kind=kind, labels=tuple(names[number] for number in sorted(names)))}


def huggingface_type(spec: HeadSpec) -> HeadType | None:
    """The type of head of transformers that computes the same; None where there is none.

    Sentence heads there read the first token.
    """
    if spec.kind == "mlm" or (spec.kind in ("classify", "choice") and spec.pooling != "cls"):
        return None
    return spec.kind


def huggingface_config(spec: HeadSpec | None, family: Family) -> dict[str, Any]:
    """What config.json says of a head beside the shape of its encoder; of an encoder alone for None."""
    described: dict[str, Any] = {
        "architectures": [family.architecture(huggingface_type(spec) if spec else None)]
    }
    if spec and spec.labels:
        described["id2label"] = {str(number): label for number, label in enumerate(spec.labels)}
        described["label2id"] = {label: number for number, label in enumerate(spec.labels)}
    return described
