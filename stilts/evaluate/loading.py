"""A described model with its weights, its heads' outputs in the order of each task's labels."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from hpc.errors import UserError
from hpc.files import is_there, write_atomic
from stilts.evaluate.checkpoint import Checkpoint, HeadChoice
from stilts.model import folder as models
from stilts.model.checkpoint import TOKENIZER, read_tokenizer
from stilts.model.encoder import Attention
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from stilts.tasks.coding.pieces import open_tokenizer

_PADDED_ROWS = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A model that is ready to answer."""

    model: Model
    heads: Mapping[str, str]
    """Head by task, its outputs in the order of the task's labels."""
    tokenizer_file: Path


def load(
    checkpoint: Checkpoint,
    answers: Mapping[str, HeadChoice],
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

    Raises:
        UserError: the tokenizer is not that of the embeddings (code 3).
    """
    model = models.load(checkpoint.folder)
    heads = {task: _in_order(model, task, answer) for task, answer in answers.items()}
    model = model.to(device, dtype).eval()
    tokenizer_file = _tokenizer_file(checkpoint.folder, cache)
    _refuse_other_vocabulary(tokenizer_file, model.encoder.config.vocab_size)
    return Loaded(model=model.for_inference(attention=attention), heads=heads, tokenizer_file=tokenizer_file)


def _refuse_other_vocabulary(tokenizer_file: Path, rows: int) -> None:
    """Numbers of pieces are rows of a table: those of another vocabulary would be taken without a word.

    A table may have a few rows more than there are pieces, as some are padded to a round number.
    """
    pieces = open_tokenizer(tokenizer_file).get_vocab_size()
    if not pieces <= rows <= pieces + max(_PADDED_ROWS, pieces // 50):
        raise UserError(
            f"{tokenizer_file} has {pieces:,} pieces and the model's embeddings {rows:,} rows: they do not "
            "belong together",
            code=3,
        )


def _tokenizer_file(folder: Path, cache: Path) -> Path:
    """A folder's tokenizer.json, made once in the cache where it has another form of tokenizer."""
    if is_there(folder / TOKENIZER):
        return folder / TOKENIZER
    text = read_tokenizer(folder)
    path = cache / "tokenizers" / hashlib.sha256(text.encode()).hexdigest()[:20] / TOKENIZER
    write_atomic(path, text)
    return path


def _in_order(model: Model, task: str, answer: HeadChoice) -> str:
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
