"""A model folder: encoder, heads and tokenizer, as runs write it and evaluation reads it.

It has Hugging Face's format. One head that transformers has a class for lies in it as there, so that
`AutoModelForTokenClassification.from_pretrained(folder)` and its like give the same answers. Several heads,
or one that transformers has no class for, lie beside the encoder in `heads.safetensors`; `heads.json`
describes them all.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hpc.dtypes import DTYPES
from hpc.errors import UserError
from hpc.files import is_there, replacing, write_atomic, write_json
from hpc.zero import Precision
from stilts.model import checkpoint as checkpoints, tensors as files
from stilts.model.checkpoint import CONFIG, TOKENIZER
from stilts.model.encoder import EncoderConfig
from stilts.model.encoder.checkpoint import of_checkpoint, to_huggingface
from stilts.model.heads import DESCRIPTION, HeadSpec, heads_of, huggingface_config, huggingface_type
from stilts.model.multitask import Model
from stilts.model.tensors import WEIGHTS, Tensors

HEADS = "heads.safetensors"
CARD = "README.md"
_TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json", "special_tokens_map.json")


def load(folder: Path, *, dropout: float = 0.0) -> Model:
    """A model from its folder, in fp32; one without heads is an encoder alone.

    Raises:
        UserError: no model there, or one that cannot be computed here as it says; which file and tensor.
    """
    made = checkpoints.read(folder)
    encoder = of_checkpoint(made, separator=checkpoints.separator(made, folder), dropout=dropout)
    specs = heads_of(folder, made.config, made.family)
    model = Model(encoder, specs, dropout=dropout)
    if is_there(folder / HEADS):
        state: Tensors = files.read_file(folder / HEADS)
    else:
        state = {
            f"{name}.{part}": value
            for name, spec in specs.items()
            if (kind := huggingface_type(spec)) is not None
            for part, value in made.module(made.family.head_places(kind)).items()
        }
    _fill_heads(model, state, folder)
    return model


def save(
    model: Model,
    state: Mapping[str, Tensor],
    folder: Path,
    *,
    tokenizer_from: Path,
    about: str = "",
    precision: Precision = "fp32",
) -> None:
    """Writes a model folder; each file is replaced whole.

    Args:
        model: gives the shapes.
        state: parameters of the whole model under its own names.
        folder: where to; its parent exists.
        tokenizer_from: model folder whose tokenizer is carried along.
        about: lines for the model card: what made it.
        precision: of what was trained; what was not keeps every bit it has.
    """
    state = _stored(model, state, precision)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _TOKENIZER_FILES:
        if is_there(tokenizer_from / name):
            with replacing(folder / name) as temporary:
                shutil.copyfile(tokenizer_from / name, temporary)
    config, specs = model.trainable_encoder.config, model.specs
    alone = next(iter(specs)) if len(specs) == 1 and huggingface_type(*specs.values()) else None
    _write(
        model,
        state,
        folder,
        config.as_json() | {"dtype": str(DTYPES[precision]).removeprefix("torch.")},
        alone,
    )
    if alone is None and specs:
        files.write_torch(_under(state, "heads."), folder / HEADS)
    write_json(folder / DESCRIPTION, {name: asdict(spec) for name, spec in specs.items()})
    write_atomic(folder / CARD, _card(specs, config, about))


def export(folder: Path, head: str, *, to: Path) -> None:
    """Writes one head of a model folder and its encoder as a model of transformers.

    Args:
        folder: a model folder.
        head: name of the head.
        to: folder to write, which must not hold another model.

    Raises:
        UserError: no such head, or one that transformers has no class for.
    """
    model = load(folder)
    spec = head_of(model, head, folder)
    if huggingface_type(spec) is None:
        reason = "reads the mean over all tokens" if spec.kind != "mlm" else "predicts masked text"
        raise UserError(f"transformers has no class for the head {head!r} of {folder}: it {reason}")
    if is_there(to / CONFIG):
        raise UserError(f"{to} holds a model already: name another folder")
    chosen = Model(model.encoder, {})
    chosen.specs[head], chosen.heads[head] = spec, model.heads[head]
    save(chosen, chosen.state_dict(), to, tokenizer_from=folder, about=f"The head `{head}` of `{folder}`.")


def head_of(model: Model, name: str, folder: Path) -> HeadSpec:
    """The specification of a head.

    Raises:
        UserError: the model has no such head.
    """
    if name not in model.specs:
        raise UserError(
            f"the model at {folder} has no head {name!r}; it has: {', '.join(model.specs) or 'none'}"
        )
    return model.specs[name]


def _fill_heads(model: Model, state: Tensors, folder: Path) -> None:
    expected = {name: tuple(value.shape) for name, value in model.heads.state_dict().items()}
    for name in sorted(expected.keys() ^ state.keys()):
        said = "lack" if name in expected else "hold the unknown"
        raise UserError(f"the heads in {folder} {said} tensor {name}", code=3)
    for name, value in state.items():
        if value.shape != expected[name]:
            raise UserError(
                f"the heads in {folder}: {name} has shape {value.shape}, not {expected[name]}",
                code=3,
            )
    model.heads.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})


def _stored(model: Model, state: Mapping[str, Tensor], precision: Precision) -> dict[str, Tensor]:
    """On the host, in so many bits where it was trained or where nothing is lost by it."""
    trained = {name for name, one in model.named_parameters() if one.requires_grad}
    found = {}
    for name, value in state.items():
        whole = value.detach().cpu().float()
        short = whole.to(DTYPES[precision])
        found[name] = short if name in trained or torch.equal(short.float(), whole) else whole
    return found


def _write(
    model: Model, state: Mapping[str, Tensor], folder: Path, config: Mapping[str, Any], head: str | None
) -> None:
    """Config and weights, with a head under transformers' names or without one."""
    family = model.trainable_encoder.config.family
    encoder = to_huggingface(_under(state, "encoder."))
    if head is None:
        files.write_torch(encoder, folder / WEIGHTS)
        write_json(folder / CONFIG, huggingface_config(None, family) | dict(config))
        return
    spec = model.specs[head]
    kind = huggingface_type(spec)
    assert kind is not None, "the caller chose a head that transformers has"
    places = family.head_places(kind)
    tensors = {f"{family.prefix}{name}": value for name, value in encoder.items()}
    for name, value in _under(state, f"heads.{head}.").items():
        module, _, leaf = name.rpartition(".")
        tensors[f"{places[module]}.{leaf}"] = value
    files.write_torch(tensors, folder / WEIGHTS)
    write_json(folder / CONFIG, huggingface_config(spec, family) | dict(config))


def _card(specs: Mapping[str, HeadSpec], config: EncoderConfig, about: str) -> str:
    heads = [
        f"- `{name}`: {spec.kind}, {', '.join(spec.labels) or 'no labels'}" for name, spec in specs.items()
    ]
    shape = f"{config.model_type}, {config.num_hidden_layers} layers of {config.hidden_size}"
    front = "---\nlibrary_name: transformers\ntags: [stilts]\n---\n"
    return "\n".join([front, "# A model trained by stilts\n", f"{shape}.", about, "", *heads, ""])


def _under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
