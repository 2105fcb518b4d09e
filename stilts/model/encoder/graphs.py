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

from kernels.packing import PAD_ID, UNUSED, Packed
from stilts.model.encoder.fused import FusedEncoder
from stilts.model.encoder.packed import Encoder

MOST_TOKENS = 4096
"""Above it a forward pass of a large encoder outlasts its launches."""
_FEWEST_TOKENS = 8
_GROWTH = 1.16
"""From one bucket to the next: a replay pays for the whole bucket."""
_TOKENS_A_SEQUENCE = 8
"""Fewest tokens a sequence has on average in a bucket; more and shorter sequences run without a graph."""
_WARMUPS = 3


def bucket_sizes(most: int = MOST_TOKENS) -> tuple[int, ...]:
    """Sizes of which no batch needs one that is a sixth larger than itself; large ones in eights."""
    sizes = [min(_FEWEST_TOKENS, most)]
    while sizes[-1] < most:
        following = max(sizes[-1] + 1, int(sizes[-1] * _GROWTH))
        following -= following % 8 if following > 128 else 0
        sizes.append(min(following, most))
    return tuple(sizes)


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

    def blank(self, longest: int, device: torch.device | str = "cpu") -> Packed:
        """Static inputs without a token yet, which every mode may write to.

        Args:
            longest: the longest sequence that can come.
            device: where they lie.
        """
        # Made in a caller's inference mode they could not be written to outside it.
        with torch.inference_mode(False):
            return self._blank(longest).to(device)

    def _blank(self, longest: int) -> Packed:
        return Packed(
            ids=torch.full((self.tokens,), PAD_ID),
            positions=torch.full((self.tokens,), PAD_ID),
            cu_seqlens=torch.zeros(self.sequences + 1, dtype=torch.int32),
            lengths=(min(self.tokens, longest),) + (0,) * (self.sequences - 1),
            blocks=torch.zeros(self.rows, 2, dtype=torch.int32),
            block_m=self.block_m,
        )


def fill(inputs: Packed, packed: Packed) -> None:
    """Copies a batch into a bucket's static inputs; no value is looked at, so the host waits for nothing."""
    T, B, R = len(packed.ids), len(packed.lengths), len(packed.blocks)
    inputs.ids[:T].copy_(packed.ids, non_blocking=True)
    inputs.ids[T:].fill_(PAD_ID)
    inputs.positions[:T].copy_(packed.positions, non_blocking=True)
    inputs.positions[T:].fill_(PAD_ID)
    inputs.cu_seqlens[: B + 1].copy_(packed.cu_seqlens, non_blocking=True)
    inputs.cu_seqlens[B + 1 :].fill_(T)
    inputs.blocks[:R].copy_(packed.blocks, non_blocking=True)
    inputs.blocks[R:, 0].fill_(0)
    inputs.blocks[R:, 1].fill_(UNUSED)


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
        tokens: bucket sizes; `bucket_sizes()` unless told.
        block_m: queries a block in the batches that will come.
    """

    def __init__(self, encoder: FusedEncoder, *, tokens: Sequence[int] = (), block_m: int = 64) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config
        self.attention = encoder.attention
        self.buckets = [Bucket(tokens=size, block_m=block_m) for size in sorted(tokens or bucket_sizes())]
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
        inputs = bucket.blank(self.config.max_tokens, device)
        # Whatever mode and device the caller is in: the graph outlives both.
        with torch.inference_mode(False), torch.no_grad(), torch.cuda.device(device):
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
