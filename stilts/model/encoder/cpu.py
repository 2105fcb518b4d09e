"""The encoder on a CPU, for answering: weights in oneDNN's own layout, attention by groups of like length.

A batch is sorted by length and cut into chunks that stay in the cache; a chunk's sequences of one length are
one dense block, so that their attention needs no mask and no copy into padding. Where the processor
multiplies by tiles (AMX), those that fill as many tiles are. Bias, GELU and residual are epilogues of the
products.

Shapes: T tokens of a chunk, n sequences of a group, S its columns, H heads, D head size, d hidden size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kernels.packing import Packed
from stilts.model.encoder.packed import Encoder, PackedEncoder, PackedLayer

_CHUNK_TOKENS = 2048
_SCORE_BYTES = 2 << 20
"""Scores a group holds at most, so that softmax finds them in the cache."""
_FLASH_FROM = 192
"""Tokens from which the blocked kernel of torch beats whole score matrices; by tiles it does with any."""
_MERGE_TOKENS = 8
"""Padding that costs less than a group of its own."""
_TILE = 16
"""Rows of a tile: what fills a part of one costs as much as a whole one."""


def supported(dtype: torch.dtype) -> bool:
    """Whether oneDNN packs weights of this type here; bf16 takes AVX-512, or AVX2 that converts it."""
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32 and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def has_tiles(dtype: torch.dtype) -> bool:
    """Whether this processor multiplies such numbers by tiles."""
    return dtype == torch.bfloat16 and bool(torch.cpu.get_capabilities().get("amx_bf16"))


class CpuEncoder(Encoder):
    """Answers what a `PackedEncoder` on a CPU answers, faster; it takes no gradients.

    Args:
        encoder: gives the parameters; later changes to its matrices are not seen.

    Raises:
        ValueError: weights of this type cannot be packed here.
    """

    def __init__(self, encoder: PackedEncoder) -> None:
        super().__init__()
        dtype = encoder.word.weight.dtype
        if not supported(dtype):
            raise ValueError(f"{dtype} weights cannot be packed on this machine")
        self.encoder = encoder
        self.config = encoder.config
        self.attention = "sdpa"
        self._tiles = has_tiles(dtype)
        with torch.no_grad():
            self._layers = [_Layer(layer) for layer in encoder.layers if isinstance(layer, PackedLayer)]
            self._tables = encoder.tables()

    def forward(self, packed: Packed, *, layers: int | None = None) -> Tensor:
        """Hidden states [T, d] after so many layers, as `PackedEncoder.forward`."""
        depth = self.encoder.depth(packed, layers)
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            places = self.encoder.places(packed)
            heads = self.config.num_attention_heads
            chunks = chunks_of(packed.lengths, heads=heads, tiles=self._tiles)
            if len(chunks) == 1 and chunks[0].rows is None:
                return self._run(packed.ids, places, chunks[0], depth)
            weight = self.encoder.word.weight
            out = weight.new_empty(len(packed.ids), self.config.hidden_size)
            for chunk in chunks:
                rows = chunk.rows
                assert rows is not None
                out[rows] = self._run(packed.ids[rows], places[rows], chunk, depth)
            return out

    def _run(self, ids: Tensor, places: Tensor, chunk: "Chunk", depth: int) -> Tensor:
        x = self.encoder.embed(ids, places, self._tables)
        for layer in self._layers[:depth]:
            x = layer(x, chunk.groups)
        return x


class _Layer:
    """One transformer layer on packed weights."""

    def __init__(self, layer: PackedLayer) -> None:
        self.heads, self.eps = layer.heads, layer.eps
        self.qkv, self.attention_output, self.intermediate, self.output = (
            _Matrix(linear)
            for linear in (layer.qkv, layer.attention_output, layer.intermediate, layer.output)
        )
        self.attention_norm, self.output_norm = layer.attention_norm, layer.output_norm

    def __call__(self, x: Tensor, groups: "Sequence[Group]") -> Tensor:
        """[T, d] -> [T, d]."""
        T, d = x.shape
        qkv = self.qkv(x).view(T, 3, self.heads, d // self.heads)
        context = torch.empty_like(x)
        for group in groups:
            group.attend(qkv, context)
        x = self.attention_norm(self.attention_output.plus(context, x))
        return self.output_norm(self.output.plus(self.intermediate(x, "gelu"), x))


class _Matrix:
    """A linear layer in oneDNN's layout; GELU (exact) or a sum is applied where the product is written."""

    def __init__(self, linear: nn.Linear) -> None:
        self.bias = linear.bias.detach()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _CHUNK_TOKENS)

    def __call__(self, x: Tensor, epilogue: str = "none") -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, epilogue, [], "none")

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """The product plus `other`, added before anything is rounded."""
        return torch.ops.mkldnn._linear_pointwise.binary(x, other, self.weight, self.bias, "add")


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Neighbouring sequences of a chunk whose attention is computed at once."""

    start: int
    """First row in the chunk."""
    lengths: tuple[int, ...]
    is_blocked: bool
    """Whether torch's blocked kernel attends, or whole score matrices are made."""
    gather: Tensor | None
    """[n * S] row of the chunk behind each padded one; None where all lengths are equal."""
    keep: Tensor | None
    """[T of the group] padded row behind each real one."""
    mask: Tensor | None
    """[n, 1, 1, S] fp32: 0 for keys, -inf for padding."""

    def attend(self, qkv: Tensor, out: Tensor) -> None:
        """Attention of the group's rows of [T, 3, H, D] into those of [T, d]."""
        n = len(self.lengths)
        rows = slice(self.start, self.start + sum(self.lengths))
        block = qkv[rows] if self.gather is None else qkv.index_select(0, self.gather)
        attention = _blocked if self.is_blocked else _whole
        context = attention(block.view(n, -1, *block.shape[1:]), self.mask)
        if self.keep is None:
            out[rows].view(context.shape).copy_(context)
        else:
            torch.index_select(context.reshape(-1, out.shape[1]), 0, self.keep, out=out[rows])


def _blocked(qkv: Tensor, mask: Tensor | None) -> Tensor:
    """[n, S, 3, H, D] -> [n, S, H, D] by torch's kernel; scores and softmax in fp32."""
    n, S = qkv.shape[:2]
    q, k, v = qkv.transpose(1, 3).unbind(2)
    dense = None if mask is None else mask.to(qkv.dtype).expand(n, 1, S, S)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=dense).transpose(1, 2)


def _whole(qkv: Tensor, mask: Tensor | None) -> Tensor:
    """The same by whole score matrices."""
    n, S, _, H, D = qkv.shape
    heads = qkv.permute(2, 0, 3, 1, 4)
    q, k = heads[:2].to(torch.float32, memory_format=torch.contiguous_format).reshape(2, n * H, S, D)
    v = heads[2].reshape(n * H, S, D)
    bias = q.new_zeros(1, 1, 1) if mask is None else mask.expand(n, H, 1, S).reshape(n * H, 1, S)
    scores = torch.baddbmm(bias, q, k.transpose(1, 2), beta=0 if mask is None else 1, alpha=D**-0.5)
    weights = torch.softmax(scores, -1).to(v.dtype)
    return torch.bmm(weights, v).view(n, H, S, D).transpose(1, 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Sequences that pass through all layers together."""

    rows: Tensor | None
    """[T] rows of the packed stream, shortest sequence first; None where that is its own order."""
    groups: tuple[Group, ...]


def chunks_of(lengths: Sequence[int], *, heads: int, tiles: bool) -> list[Chunk]:
    """Cuts a batch, sorted by length, into chunks of about `_CHUNK_TOKENS` tokens."""
    sizes = torch.tensor(lengths, dtype=torch.int64)
    sizes, order = sizes.sort(stable=True)
    total = int(sizes.sum())
    pieces = max(1, round(total / _CHUNK_TOKENS))
    in_order = pieces == 1 and bool((order == torch.arange(len(order))).all())
    ends = sizes.cumsum(0)
    starts = torch.nn.functional.pad(torch.tensor(lengths).cumsum(0), (1, 0))[:-1][order]
    piece_of = ((ends - 1) * pieces // max(total, 1)).clamp_(max=pieces - 1)
    chunks = []
    for piece in range(pieces):
        chosen = piece_of == piece
        own, first = sizes[chosen], starts[chosen]
        if not len(own):
            continue
        offsets = first - torch.nn.functional.pad(own.cumsum(0), (1, 0))[:-1]
        rows = torch.arange(int(own.sum())) + torch.repeat_interleave(offsets, own)
        runs = _tiled_runs(own.tolist()) if tiles else _runs(own.tolist(), heads)
        chunks.append(Chunk(rows=None if in_order else rows, groups=tuple(_groups(runs, tiles))))
    return chunks


def _tiled_runs(lengths: Sequence[int]) -> list[list[int]]:
    """Sorted lengths by the tiles they fill."""
    return [list(run) for _, run in groupby(lengths, key=_tiles)]


def _tiles(length: int) -> int:
    return -(-length // _TILE)


def _runs(lengths: Sequence[int], heads: int) -> list[list[int]]:
    """Sorted lengths: equal ones together, and like ones where little padding saves a group."""
    runs: list[list[int]] = []
    for length, equal in groupby(lengths):
        count = len(list(equal))
        most = max(1, _SCORE_BYTES // (4 * heads * max(1, length * length)))
        joined = runs and len(runs[-1]) + count <= most and _padding(runs[-1], length) <= _MERGE_TOKENS
        if joined:
            runs[-1] += [length] * count
        else:
            runs += [[length] * min(most, count - at) for at in range(0, count, most)]
    return runs


def _groups(runs: Sequence[Sequence[int]], tiles: bool) -> Iterator[Group]:
    start = 0
    for run in runs:
        if longest := run[-1]:
            width = _tiles(longest) * _TILE if tiles and run[0] != longest else longest
            yield _group(start, tuple(run), width, is_blocked=tiles or longest >= _FLASH_FROM)
        start += sum(run)


def _padding(run: Sequence[int], longest: int) -> int:
    return longest * len(run) - sum(run)


def _group(start: int, lengths: tuple[int, ...], S: int, *, is_blocked: bool) -> Group:
    """Of so many columns."""
    if lengths[0] == S:
        return Group(start=start, lengths=lengths, is_blocked=is_blocked, gather=None, keep=None, mask=None)
    sizes = torch.tensor(lengths)
    first = start + torch.nn.functional.pad(sizes.cumsum(0), (1, 0))[:-1]
    column = torch.arange(S)
    real = column < sizes[:, None]
    # A padded row repeats its sequence's last one: finite whatever it holds, and masked as a key.
    gather = first[:, None] + torch.minimum(column, (sizes - 1).clamp_min(0)[:, None])
    mask = torch.zeros(len(lengths), 1, 1, S).masked_fill_(~real[:, None, None, :], float("-inf"))
    return Group(
        start=start,
        lengths=lengths,
        is_blocked=is_blocked,
        gather=gather.flatten(),
        keep=real.flatten().nonzero().squeeze(1),
        mask=mask,
    )
