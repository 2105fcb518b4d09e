"""A model's answers to a data set: batches in, rows of numbers out, predictions and scores after."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hpc import collective
from hpc.errors import UserError
from kernels.packing import from_lengths
from stilts import data
from stilts.evaluate.retrieval import embed
from stilts.model.encoder import Pooling
from stilts.model.head_modules import Batch, Groups
from stilts.model.multitask import Model
from stilts.run.settings import OURS, Rules
from stilts.tasks import Task, metrics, types as task_types
from stilts.tasks.metrics import Scored


@dataclass(frozen=True, kw_only=True, slots=True)
class Predicted:
    """A model's answers to one task in one language, with their scores."""

    predictions: list[Any]
    confidences: NDArray[np.float32]
    scored: Scored


def to_batch(raw: data.Batch, device: torch.device | str) -> Batch:
    """Packs host arrays and sends them to a device. Tokenisation has seen to it that none holds padding."""
    return send(packed_batch(raw), device)


def packed_batch(raw: data.Batch, *, to_learn: bool = False) -> Batch:
    """Packs host arrays.

    Args:
        raw: the arrays.
        to_learn: with the groups that a loss on spans or choices needs.
    """
    packed = from_lengths(torch.from_numpy(raw.input_ids), raw.lengths.tolist(), padding=None)
    targets = {name: torch.from_numpy(value) for name, value in raw.targets.items()}
    sizes = raw.targets.get("counts", raw.lengths if "start" in raw.targets else None)
    groups = Groups.of(sizes.tolist()) if to_learn and sizes is not None else None
    return Batch(packed=packed, targets=targets, items=raw.items, groups=groups)


def send(batch: Batch, device: torch.device | str) -> Batch:
    """Sends a batch to a device; from pinned memory nothing waits for the copies."""
    targets = {name: value.to(device, non_blocking=True) for name, value in batch.targets.items()}
    groups = batch.groups
    if groups is not None:
        groups = replace(groups, places=groups.places.to(device, non_blocking=True))
    return replace(batch, packed=batch.packed.to(device), targets=targets, groups=groups)


def pin(batch: Batch) -> Batch:
    """The same in pinned memory."""
    groups = batch.groups
    if groups is not None:
        groups = replace(groups, places=groups.places.pin_memory())
    targets = {name: value.pin_memory() for name, value in batch.targets.items()}
    return replace(batch, packed=batch.packed.pinned(), targets=targets, groups=groups)


def answer(
    model: Model,
    head: str,
    task: Task,
    encoded: data.Encoded,
    *,
    tokens_per_batch: int,
    rules: Rules = OURS,
) -> Predicted:
    """Predictions of one head on a whole set, and their scores.

    Args:
        model: in eval mode, on its device.
        head: which of its heads answers.
        task: gives the type and the metric.
        encoded: the set.
        tokens_per_batch: largest batch, in tokens.
        rules: whose hold in decoding.

    Several ranks share the batches, and all get all the outputs.
    """
    found = outputs(model, head, task, encoded, tokens_per_batch=tokens_per_batch)
    refuse_what_is_not_finite(found, task, encoded, what=f"head {head}")
    return judged(task, encoded, found, rules=rules)


def outputs(
    model: Model, head: str, task: Task, encoded: data.Encoded, *, tokens_per_batch: int
) -> NDArray[np.float32]:
    """One head's numbers for a whole set, in the order of the items."""

    def scores_of(batch: Batch) -> torch.Tensor:
        return model(head, batch)

    return collect(scores_of, task, encoded, model, tokens_per_batch=tokens_per_batch)


def judged(
    task: Task, encoded: data.Encoded, found: NDArray[np.float32], *, rules: Rules = OURS
) -> Predicted:
    """The predictions that a head's numbers amount to, and their scores."""
    kind = task_types.load(task.type)
    decode = kind.decoders.get(rules.decoding, kind.decode)
    assert decode is not None, "planning lets only tasks through that are answered"
    decoded = decode(found, encoded)
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

    found = collect(vectors_of, task, encoded, model, tokens_per_batch=tokens_per_batch)
    refuse_what_is_not_finite(found, task, encoded, what=f"layer {layer}")
    return found


def refuse_what_is_not_finite(
    found: NDArray[np.float32], task: Task, encoded: data.Encoded, *, what: str
) -> None:
    """Keeps numbers that are none from becoming answers: the largest of them is always the first.

    Args:
        found: outputs on all items, in the order of the items.
        task: for the message.
        encoded: the set.
        what: of the model said so.

    Raises:
        UserError: some are not finite; of how many items, and which example is the first (code 1).
    """
    broken = ~np.isfinite(found.reshape(len(found), -1)).all(axis=1)
    if not broken.any():
        return
    sizes = task_types.load(task.type).sizes(encoded.columns)
    owners = np.repeat(np.arange(len(sizes)), sizes)[broken]
    items = np.unique(owners)
    owner = np.asarray(encoded.columns["example"])[items[0]]
    example = encoded.examples["id"][int(owner)]
    share = f"{len(items)} of {len(sizes)} items"
    raise UserError(
        f"{task.name} in {encoded.language}: numbers of {what} are not finite for {share}, first example "
        f"{example!r}; nothing of this model can be answered (weights that overflow in this number format, "
        "or a training that went wrong)",
        code=1,
    )


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
    batches = data.batches(
        encoded.num_tokens, tokens_per_batch=tokens_per_batch, seed=0, epoch=0, shuffle=False
    )
    ranks = collective.world_size()
    out: NDArray[np.float32] | None = None
    # Not inference_mode: under ZeRO 3 it would leave gathered parameters that cannot be trained on.
    with torch.no_grad():
        for number in range(collective.rank(), -(-len(batches) // ranks) * ranks, ranks):
            # All ranks go through as many batches: under ZeRO 3 they gather parameters together.
            rows = batches[min(number, len(batches) - 1)]
            got = forward(to_batch(data.collate(encoded, rows), device)).float().cpu().numpy()
            if out is None:
                out = np.zeros((int(offsets[-1]), *got.shape[1:]), np.float32)
            if number < len(batches):
                out[_places(offsets, rows)] = got
    assert out is not None, "readers refuse empty sets"
    return collective.summed(out)


def _places(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the output that belong to the given items, item after item."""
    sizes = offsets[rows + 1] - offsets[rows]
    starts = np.repeat(offsets[rows] - np.append(0, np.cumsum(sizes)[:-1]), sizes)
    return starts + np.arange(int(sizes.sum()))
