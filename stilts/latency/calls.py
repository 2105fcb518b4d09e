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
    """Integer nanoseconds of one call; device times are None on a CPU."""

    start: int
    wall: int
    tokenize: int
    to_device: int | None = None
    device: int | None = None
    head: int | None = None
    to_host: int | None = None
    computed_tokens: int
    """Those of the batch, and what filled the shapes of a CUDA graph."""


def on_cpu(model: Model, head: str, raw: data.Batch, device: str, tokenize: int) -> Timing:
    """One call by the wall clock."""
    start = time.perf_counter_ns()
    batch = predict.to_batch(raw, device)
    model(head, batch).float().numpy()
    wall = time.perf_counter_ns() - start
    computed = model.encoder.computed_tokens(batch.packed)
    return Timing(start=start, wall=wall, tokenize=tokenize, computed_tokens=computed)


def on_gpu(model: Model, head: str, raw: data.Batch, device: str, tokenize: int) -> Timing:
    """One call by CUDA events, and by the wall clock."""
    events = [torch.cuda.Event(enable_timing=True) for _ in range(5)]  # type: ignore[no-untyped-call]
    start = time.perf_counter_ns()
    events[0].record()
    batch: Batch = predict.to_batch(raw, device)
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
        to_device=marks[0],
        device=marks[1] + marks[2],
        head=marks[2],
        to_host=marks[3],
        computed_tokens=model.encoder.computed_tokens(batch.packed),
    )
