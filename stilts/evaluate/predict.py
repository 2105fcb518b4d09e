"""A model's answers to a data set: batches in, rows of numbers out, predictions and scores after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kernels.packing import from_lengths
from stilts import data
from stilts.evaluate.retrieval import embed
from stilts.model.encoder import Pooling
from stilts.model.head_modules import Batch
from stilts.model.multitask import Model
from stilts.tasks import Task, metrics, types as task_types
from stilts.tasks.metrics import Scored

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True, slots=True)
class Predicted:
    """A model's answers to one task in one language, with their scores."""

    predictions: list[Any]
    confidences: NDArray[np.float32]
    scored: Scored


def to_batch(raw: data.Batch, device: torch.device | str) -> Batch:
    """Packs host arrays and sends them to a device. Tokenisation has seen to it that none holds padding."""
    packed = from_lengths(torch.from_numpy(raw.input_ids), raw.lengths.tolist(), padding=None)
    targets = {name: torch.from_numpy(value).to(device) for name, value in raw.targets.items()}
    return Batch(packed=packed.to(device), targets=targets, items=raw.items)


def answer(
    model: Model,
    head: str,
    task: Task,
    encoded: data.Encoded,
    *,
    tokens_per_batch: int,
) -> Predicted:
    """Predictions of one head on a whole set, and their scores.

    Args:
        model: in eval mode, on its device.
        head: which of its heads answers.
        task: gives the type and the metric.
        encoded: the set.
        tokens_per_batch: largest batch, in tokens.
    """

    def scores_of(batch: Batch) -> torch.Tensor:
        return model(head, batch)

    outputs = collect(scores_of, task, encoded, model, tokens_per_batch=tokens_per_batch)
    decode = task_types.load(task.type).decode
    assert decode is not None, "planning lets only tasks through that are answered"
    decoded = decode(outputs, encoded)
    scored = metrics.score(
        task.metric,
        examples=encoded.examples,
        predictions=decoded.values,
        confidences=decoded.scores,
        language=encoded.language,
    )
    return Predicted(predictions=decoded.values, confidences=decoded.scores, scored=scored)


def vectors(
    model: Model, task: Task, encoded: data.Encoded, *, layer: int, pooling: Pooling, tokens_per_batch: int
) -> NDArray[np.float32]:
    """Unit vectors [items, d] of the sentences of a retrieval set."""

    def vectors_of(batch: Batch) -> torch.Tensor:
        return embed(model.encoder, batch.packed, layer=layer, pooling=pooling)

    return collect(vectors_of, task, encoded, model, tokens_per_batch=tokens_per_batch)


def collect(
    forward: Callable[[Batch], torch.Tensor],
    task: Task,
    encoded: data.Encoded,
    model: Model,
    *,
    tokens_per_batch: int,
) -> NDArray[np.float32]:
    """Outputs of `forward` on all items, in the order of the items, as fp32."""
    sizes = task_types.load(task.type).sizes(encoded.columns)
    offsets = np.append(0, np.cumsum(sizes))
    device = next(model.parameters()).device
    out: NDArray[np.float32] | None = None
    # Not inference_mode: under ZeRO 3 it would leave gathered parameters that cannot be trained on.
    with torch.no_grad():
        for rows in data.batches(
            encoded.num_tokens, tokens_per_batch=tokens_per_batch, seed=0, epoch=0, shuffle=False
        ):
            got = forward(to_batch(data.collate(encoded, rows), device)).float().cpu().numpy()
            if out is None:
                out = np.empty((int(offsets[-1]), *got.shape[1:]), np.float32)
            out[_places(offsets, rows)] = got
    assert out is not None, "readers refuse empty sets"
    return out


def _places(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the output that belong to the given items, item after item."""
    sizes = offsets[rows + 1] - offsets[rows]
    starts = np.repeat(offsets[rows] - np.append(0, np.cumsum(sizes)[:-1]), sizes)
    return starts + np.arange(int(sizes.sum()))
