"""The least time an operation can take: the slowest of its products, its bytes and its exponentials.

    encoder(LARGE, lengths).roof(chip)   # seconds, all operations at the chip's peak

Arithmetic only, bf16; bias, GELU and the quantities LayerNorm keeps in registers cost nothing extra.
Shapes: T tokens, d hidden size, f intermediate size, H heads, n the length of a sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kernels.bench.chips import Chip

BYTES = 2
"""Of a bf16 number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The shape of an XLM-R encoder."""

    layers: int
    hidden: int
    heads: int
    intermediate: int
    vocabulary: int = 250_002
    positions: int = 514
    eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        """D."""
        return self.hidden // self.heads


LARGE = Shape(layers=24, hidden=1024, heads=16, intermediate=4096)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """What one kernel must do at least."""

    name: str
    flop: float = 0.0
    bytes: float = 0.0
    exponentials: float = 0.0

    def roof(self, chip: Chip) -> float:
        """Seconds when everything overlaps and the slowest of the three runs at its peak."""
        return max(self.flop / chip.flops, self.bytes / chip.bandwidth, self.exponentials / chip.exponentials)


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Operations one after the other."""

    operations: tuple[Operation, ...]
    repeats: int = 1

    @property
    def flop(self) -> float:
        """Floating-point operations of matrix products."""
        return self.repeats * sum(operation.flop for operation in self.operations)

    @property
    def bytes(self) -> float:
        """Bytes read and written, each tensor once."""
        return self.repeats * sum(operation.bytes for operation in self.operations)

    def roof(self, chip: Chip) -> float:
        """Seconds at the chip's peaks."""
        return self.repeats * sum(operation.roof(chip) for operation in self.operations)


def gemm(name: str, rows: int, inner: int, columns: int) -> Operation:
    """[rows, inner] x [inner, columns]."""
    moved = rows * inner + inner * columns + rows * columns
    return Operation(name=name, flop=2.0 * rows * inner * columns, bytes=BYTES * moved)


def attention(lengths: Sequence[int], *, heads: int, head_dim: int) -> Operation:
    """Softmax attention within each sequence: q, k and v read once, the output written once."""
    scores = heads * sum(n * n for n in lengths)
    return Operation(
        name="attention",
        flop=4.0 * head_dim * scores,
        bytes=4.0 * BYTES * heads * head_dim * sum(lengths),
        exponentials=scores,
    )


def elementwise(name: str, *, rows: int, columns: int, tensors: int, vectors: int = 0) -> Operation:
    """A kernel bound by memory: so many [rows, columns] tensors and [columns] vectors pass through it."""
    return Operation(name=name, bytes=BYTES * columns * (rows * tensors + vectors))


def encoder(shape: Shape, lengths: Sequence[int]) -> Work:
    """All layers of the packed encoder, on these lengths."""
    T, d, f = sum(lengths), shape.hidden, shape.intermediate
    norm = elementwise("residual_layer_norm", rows=T, columns=d, tensors=3)
    layer = (
        gemm("qkv", T, d, 3 * d),
        attention(lengths, heads=shape.heads, head_dim=shape.head_dim),
        gemm("output", T, d, d),
        norm,
        gemm("up", T, d, f),
        gemm("down", T, f, d),
        norm,
    )
    return Work(operations=layer, repeats=shape.layers)
