"""One timed call: what it took, by part."""

import time
from dataclasses import dataclass
from itertools import pairwise

import torch

from stilts import data
from stilts.evaluate import predict
from stilts.model.head_modules import Batch
from stilts.model.multitask import Model


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Integer nanoseconds of one call; on a CPU there are no copies to time."""

    start: int
    wall: int
    tokenize: int
    pack: int
    to_device: int | None = None
    device: int | None = None
    head: int | None = None
    to_host: int | None = None
    computed_tokens: int
    """Those of the batch, and what filled the shapes of a CUDA graph."""


def on_cpu(model: Model, head: str, raw: data.Batch, tokenize: int) -> Timing:
    """One call by the wall clock."""
    marks = [time.perf_counter_ns()]
    batch: Batch = predict.packed_batch(raw)
    marks.append(time.perf_counter_ns())
    hidden = model.encoder(batch.packed)
    marks.append(time.perf_counter_ns())
    model.answer(head, hidden, batch).float().numpy()
    marks.append(time.perf_counter_ns())
    return Timing(
        start=marks[0],
        wall=marks[3] - marks[0],
        tokenize=tokenize,
        pack=marks[1] - marks[0],
        device=marks[3] - marks[1],
        head=marks[3] - marks[2],
        computed_tokens=model.encoder.computed_tokens(batch.packed),
    )


def on_gpu(model: Model, head: str, raw: data.Batch, device: str, tokenize: int) -> Timing:
    """One call by CUDA events, and by the wall clock."""
    events = [torch.cuda.Event(enable_timing=True) for _ in range(5)]  # type: ignore[no-untyped-call]
    start = time.perf_counter_ns()
    packed = predict.packed_batch(raw)
    pack = time.perf_counter_ns() - start
    events[0].record()
    batch = predict.send(packed, device)
    events[1].record()
    hidden = model.encoder(batch.packed)
    events[2].record()
    scores = model.answer(head, hidden, batch)
    events[3].record()
    scores.float().cpu()
    events[4].record()
    events[4].synchronize()
    wall = time.perf_counter_ns() - start
    marks = [int(1e6 * before.elapsed_time(after)) for before, after in pairwise(events)]
    return Timing(
        start=start,
        wall=wall,
        tokenize=tokenize,
        pack=pack,
        to_device=marks[0],
        device=marks[1] + marks[2],
        head=marks[2],
        to_host=marks[3],
        computed_tokens=model.encoder.computed_tokens(batch.packed),
    )
