"""CUDA graphs of the fused encoder: a replay costs one launch, so that short queries are not launch-bound.

A graph has fixed shapes: a bucket holds up to so many tokens and sequences. A batch is copied into the
smallest bucket it fits; tokens that are not used carry the padding id and sequences that are not used are
empty, so that the real rows come out as they would alone. Larger batches run without a graph: they keep the
GPU busy anyway.

Shapes: T tokens, B sequences, R rows of the block table, d hidden size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kernels.packing import PAD_ID, Packed
from stilts.model.encoder.fused import FusedEncoder
from stilts.model.encoder.packed import Encoder

TOKENS = (64, 128, 256, 512, 1024, 2048, 4096)
"""Bucket sizes: above the last one a forward pass of a large encoder outlasts its launches."""
_TOKENS_A_SEQUENCE = 8
"""Fewest tokens a sequence has on average in a bucket; more and shorter sequences run without a graph."""
_WARMUPS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """Fixed shapes of a graph."""

    tokens: int
    block_m: int

    @property
    def sequences(self) -> int:
        """Sequences it has room for."""
        return self.tokens // _TOKENS_A_SEQUENCE

    @property
    def rows(self) -> int:
        """Rows of its block table: as many as any batch that fits can need."""
        return self.tokens // self.block_m + self.sequences

    def fits(self, packed: Packed) -> bool:
        """Whether a batch has room in it."""
        return (
            len(packed.ids) <= self.tokens
            and len(packed.lengths) <= self.sequences
            and packed.block_m == self.block_m
        )

    def blank(self, longest: int) -> Packed:
        """Static inputs without a token yet.

        Args:
            longest: the longest sequence that can come.
        """
        return Packed(
            ids=torch.full((self.tokens,), PAD_ID),
            positions=torch.full((self.tokens,), PAD_ID),
            bounds=torch.zeros(self.sequences + 2, dtype=torch.int32),
            lengths=(min(self.tokens, longest),) + (0,) * (self.sequences - 1),
            blocks=torch.zeros(self.rows, 2, dtype=torch.int32),
            block_m=self.block_m,
        )


def fill(inputs: Packed, packed: Packed) -> None:
    """Copies a batch into a bucket's static inputs; no value is looked at, so the host waits for nothing.

    Rows of the block table that are not used point at the empty sequence after the batch's own.
    """
    T, B, R = len(packed.ids), len(packed.lengths), len(packed.blocks)
    inputs.ids[:T].copy_(packed.ids, non_blocking=True)
    inputs.ids[T:].fill_(PAD_ID)
    inputs.positions[:T].copy_(packed.positions, non_blocking=True)
    inputs.positions[T:].fill_(PAD_ID)
    inputs.bounds[: B + 2].copy_(packed.bounds, non_blocking=True)
    inputs.bounds[B + 2 :].fill_(T)
    inputs.blocks[:R].copy_(packed.blocks, non_blocking=True)
    inputs.blocks[R:, 0].fill_(B)
    inputs.blocks[R:, 1].fill_(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Graph:
    graph: Any
    """torch.cuda.CUDAGraph."""
    inputs: Packed
    output: Tensor


class GraphedEncoder(Encoder):
    """A fused encoder that replays graphs; it answers as the encoder does.

    Args:
        encoder: on a CUDA device, its parameters final.
        tokens: bucket sizes.
        block_m: queries a block in the batches that will come.
    """

    def __init__(self, encoder: FusedEncoder, *, tokens: Sequence[int] = TOKENS, block_m: int = 64) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config
        self.attention = encoder.attention
        self.buckets = [Bucket(tokens=size, block_m=block_m) for size in sorted(tokens)]
        self._graphs: dict[tuple[Bucket, int | None], _Graph] = {}
        self._pool: Any = None

    def forward(self, packed: Packed, *, layers: int | None = None) -> Tensor:
        """Hidden states [T, d] after so many layers, as `PackedEncoder.forward`.

        A batch that fits a bucket replays its graph, which is captured the first time.
        """
        bucket = next((bucket for bucket in self.buckets if bucket.fits(packed)), None)
        if bucket is None or torch.is_grad_enabled():
            return self.encoder(packed, layers=layers)
        self.encoder.encoder.depth(packed, layers)
        graph = self._graphs.get((bucket, layers)) or self._capture(bucket, layers)
        fill(graph.inputs, packed)
        graph.graph.replay()
        return graph.output[: len(packed.ids)].clone()

    def warm_up(self, *, layers: int | None = None) -> None:
        """Captures every bucket: no later call waits for a kernel or a graph."""
        for bucket in self.buckets:
            if (bucket, layers) not in self._graphs:
                self._capture(bucket, layers)

    def _capture(self, bucket: Bucket, layers: int | None) -> _Graph:
        device = self.encoder.encoder.word.weight.device
        inputs = bucket.blank(self.config.max_tokens).to(device)
        with torch.inference_mode():
            side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(side):
                for _ in range(_WARMUPS):
                    self.encoder(inputs, layers=layers)
            torch.cuda.current_stream(device).wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                output = self.encoder(inputs, layers=layers)
        self._pool = self._pool or graph.pool()
        captured = _Graph(graph=graph, inputs=inputs, output=output)
        self._graphs[bucket, layers] = captured
        return captured
