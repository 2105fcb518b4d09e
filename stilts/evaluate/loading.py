"""A described model with its weights, its heads' outputs in the order of each task's labels."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hpc.errors import UserError
from hpc.files import write_atomic
from stilts.evaluate.checkpoint import THEIRS, Answering, Checkpoint
from stilts.model import multitask as models
from stilts.model.encoder import Attention, EncoderConfig, PackedEncoder, from_huggingface
from stilts.model.multitask import HeadSpec, Model
from stilts.model.pretrained import hub

# Where Hugging Face keeps the parameters of the heads whose answers ours repeat.
_PLACES: Mapping[str, Mapping[str, str]] = {
    "classify": {"dense": "classifier.dense", "out": "classifier.out_proj"},
    "choice": {"dense": "roberta.pooler.dense", "out": "classifier"},
    "tag": {"out": "classifier"},
    "span": {"out": "qa_outputs"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A model that is ready to answer."""

    model: Model
    heads: Mapping[str, str]
    """Head by task, its outputs in the order of the task's labels."""
    tokenizer_file: Path


def load(
    checkpoint: Checkpoint,
    answers: Mapping[str, Answering],
    *,
    device: str,
    dtype: torch.dtype,
    attention: Attention,
    cache: Path,
) -> Loaded:
    """Reads the weights.

    Args:
        checkpoint: the model.
        answers: which head answers each task.
        device: where the model goes.
        dtype: type of its numbers.
        attention: back end wanted.
        cache: folder for a tokenizer that has to be converted.
    """
    if checkpoint.form == "ours":
        model, tokenizer_file = models.load(checkpoint.folder), checkpoint.folder / "tokenizer.json"
    else:
        model, tokenizer_file = _theirs(checkpoint, cache)
    heads = {task: _in_order(model, task, answer) for task, answer in answers.items()}
    model = model.to(device, dtype).eval()
    return Loaded(model=model.for_inference(attention=attention), heads=heads, tokenizer_file=tokenizer_file)


def _theirs(checkpoint: Checkpoint, cache: Path) -> tuple[Model, Path]:
    """An encoder out of a Hugging Face folder, whatever its files, with the head where it has one."""
    made = hub.read_folder(checkpoint.folder)
    config = EncoderConfig.read(checkpoint.folder)
    encoder = PackedEncoder(config)
    state = {name: torch.from_numpy(value) for name, value in made.tensors.items()}
    try:
        encoder.load_state_dict(from_huggingface(state, config), assign=True)
    except KeyError as error:
        raise UserError(f"{checkpoint.folder} lacks the tensor {error}", code=3) from error
    model = Model(encoder, {})
    if THEIRS in checkpoint.heads:
        _add_their_head(model, checkpoint)
    tokenizer_file = checkpoint.folder / "tokenizer.json"
    if not tokenizer_file.exists():
        name = hashlib.sha256(made.tokenizer.encode()).hexdigest()[:20]
        tokenizer_file = cache / "tokenizers" / name / "tokenizer.json"
        write_atomic(tokenizer_file, made.tokenizer)
    return model, tokenizer_file


def _add_their_head(model: Model, checkpoint: Checkpoint) -> None:
    described = checkpoint.heads[THEIRS]
    places = _PLACES[described.kind]
    names = [f"{place}.{leaf}" for place in places.values() for leaf in ("weight", "bias")]
    tensors = _tensors(checkpoint.folder, names)
    missing = [name for name in names if name not in tensors]
    if missing:
        raise UserError(f"{checkpoint.folder} promises a head but lacks {', '.join(missing)}", code=3)
    spec = HeadSpec(kind=described.kind, labels=described.labels)  # type: ignore[arg-type]
    model.add_head(THEIRS, spec, seed=0)
    state = {
        f"{part}.{leaf}": tensors[f"{place}.{leaf}"]
        for part, place in places.items()
        for leaf in ("weight", "bias")
    }
    try:
        model.heads[THEIRS].load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"the head in {checkpoint.folder} is not as config.json says: {reason}") from error


def _tensors(folder: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """Those of the named tensors that the folder has, as fp32."""
    from safetensors import safe_open

    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("model*.safetensors")):
        with safe_open(path, framework="pt") as file:
            found |= {name: file.get_tensor(name).float() for name in names if name in file.keys()}  # noqa: SIM118
    pickled = folder / hub.PICKLED
    if not found and pickled.exists():
        state = torch.load(pickled, map_location="cpu", weights_only=True)
        found = {name: state[name].float() for name in names if name in state}
    return found


def _in_order(model: Model, task: str, answer: Answering) -> str:
    """The head, or a copy of it with its outputs in the task's order."""
    if not answer.order:
        return answer.head
    spec, name = model.specs[answer.head], f"{answer.head}@{task}"
    state = model.heads[answer.head].state_dict()
    labels = tuple(spec.labels[place] for place in answer.order)
    model.add_head(name, HeadSpec(kind=spec.kind, labels=labels, pooling=spec.pooling), seed=0)
    order = list(answer.order)
    model.heads[name].load_state_dict(
        state | {leaf: state[leaf][order] for leaf in ("out.weight", "out.bias")}
    )
    return name
