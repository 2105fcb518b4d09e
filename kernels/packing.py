"""Packing: sequences of different lengths laid end to end, so that no computation is spent on padding.

    packed = pack(ids, mask)          # [B, S] right-padded -> [T]
    packed = from_lengths(ids, lens)  # already flat
    x_BSd = unpack(x_Td, packed)      # zeros where there is no token

Packing also lays out the work of the attention kernels: a table of (sequence, block of queries), made once
and used by every layer.

Shapes: B sequences, S longest length, T tokens in all, R rows of the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

PAD_ID = 1
FIRST_POSITION = PAD_ID + 1
BLOCK_M = 64
UNUSED = 1 << 20
"""Number of a block that no sequence has, and whose first row still fits into 32 bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """Sequences laid end to end."""

    ids: Tensor
    """[T] token ids."""
    positions: Tensor
    """[T] rows of the position table: `FIRST_POSITION` + index in the sequence, as XLM-R counts."""
    cu_seqlens: Tensor
    """[B + 1] int32: sequence b holds tokens cu_seqlens[b] .. cu_seqlens[b + 1] - 1."""
    lengths: tuple[int, ...]
    """The B lengths, known on the host: no device has to be asked for them."""
    blocks: Tensor
    """[R, 2] int32 (sequence, block of queries), see `block_table`."""
    block_m: int
    """Queries a block."""

    @property
    def max_seqlen(self) -> int:
        """The longest length."""
        return max(self.lengths, default=0)

    def to(self, device: torch.device | str) -> "Packed":
        """The same on another device; from pinned memory nothing waits for the copies."""
        return self._each(lambda one: one.to(device, non_blocking=True))

    def pinned(self) -> "Packed":
        """The same in memory that devices copy from by themselves."""
        return self._each(lambda one: one.pin_memory())

    def _each(self, move: Callable[[Tensor], Tensor]) -> "Packed":
        return replace(
            self, **{name: move(getattr(self, name)) for name in ("ids", "positions", "cu_seqlens", "blocks")}
        )


def from_lengths(
    ids: Tensor, lengths: Sequence[int], *, block_m: int = BLOCK_M, padding: int | None = PAD_ID
) -> Packed:
    """Packs ids that lie end to end already.

    Args:
        ids: [T] token ids.
        lengths: lengths of the sequences; they add up to T.
        block_m: queries a block of the attention kernels.
        padding: id that Hugging Face's XLM-R does not count in its positions; None where the ids are known to
            hold none, or the model counts all of them.

    Raises:
        ValueError: the lengths do not add up, or a sequence holds the padding id.
    """
    sizes = np.asarray(lengths, dtype=np.int32)
    bounds = np.zeros(len(sizes) + 1, dtype=np.int32)
    np.cumsum(sizes, out=bounds[1:])
    total = bounds[-1]
    if total != ids.numel():
        raise ValueError(f"lengths add up to {total}, but there are {ids.numel()} ids")
    if padding is not None and ids.device.type == "cpu" and bool((ids == padding).any()):
        raise ValueError(f"a packed sequence holds the padding id {padding}")
    starts = np.repeat(bounds[:-1], sizes)
    positions = np.arange(total, dtype=np.int64) - starts + FIRST_POSITION
    return Packed(
        ids=ids,
        positions=torch.from_numpy(positions).to(ids.device),
        cu_seqlens=torch.from_numpy(bounds).to(ids.device),
        lengths=tuple(sizes.tolist()),
        blocks=block_table(sizes, block_m).to(ids.device),
        block_m=block_m,
    )


def pack(ids: Tensor, mask: Tensor, *, block_m: int = BLOCK_M) -> Packed:
    """Packs right-padded sequences.

    Args:
        ids: [B, S] token ids.
        mask: [B, S], non-zero where there is a token.
        block_m: queries a block of the attention kernels.

    Raises:
        ValueError: the mask is not right-padded.
    """
    keep = mask.bool()
    if bool((keep[:, 1:] & ~keep[:, :-1]).any()):
        raise ValueError("only right-padded masks can be packed: a token follows padding")
    return from_lengths(ids[keep], keep.sum(1).tolist(), block_m=block_m)


def block_table(lengths: Sequence[int] | np.ndarray, block_m: int) -> Tensor:
    """Which block of queries of which sequence each program takes, longest sequence first.

    R = T // block_m + B rows always suffice, so that T and B alone give the size of the grid. The rows left
    over ask for block `UNUSED` of sequence 0, which no sequence reaches: their programs end at once.

    Args:
        lengths: the B lengths.
        block_m: queries a block.

    Returns:
        [R, 2] int32 on the host.
    """
    sizes = np.asarray(lengths, dtype=np.int32)
    counts = -(-sizes // block_m)
    order = np.argsort(-sizes, kind="stable")
    counts = counts[order]
    used = int(counts.sum())
    table = np.zeros((int(sizes.sum()) // block_m + len(sizes), 2), dtype=np.int32)
    table[used:, 1] = UNUSED
    table[:used, 0] = np.repeat(order, counts)
    table[:used, 1] = np.arange(used) - np.repeat(np.cumsum(counts) - counts, counts)
    return torch.from_numpy(table)


def block_table_on_device(cu_seqlens: Tensor, total: int, block_m: int) -> Tensor:
    """`block_table` from lengths on a device, without asking the device for anything.

    Args:
        cu_seqlens: [B + 1] int32.
        total: T, or more: there are rows for as many tokens.
        block_m: queries a block.

    Returns:
        [R, 2] int32 beside `cu_seqlens`.
    """
    sizes = cu_seqlens.diff()
    B = sizes.numel()
    if B == 0:
        return cu_seqlens.new_empty(0, 2)
    order = torch.argsort(sizes, descending=True, stable=True)
    counts = (sizes[order] + (block_m - 1)) // block_m
    ends = counts.cumsum(0)
    rows = torch.arange(total // block_m + B, device=cu_seqlens.device)
    place = torch.searchsorted(ends, rows, right=True).clamp_max(B - 1)
    used = rows < ends[-1]
    sequence = torch.where(used, order[place], 0)
    block = torch.where(used, rows - (ends - counts)[place], UNUSED)
    return torch.stack((sequence, block), 1).to(torch.int32)


def unpack(x: Tensor, packed: Packed) -> Tensor:
    """[T, ...] -> [B, S, ...], zeros where there is no token."""
    B, S = len(packed.lengths), packed.max_seqlen
    out = x.new_zeros(B * S, *x.shape[1:])
    out.index_copy_(0, padded_rows(packed.lengths).to(x.device), x)
    return out.view(B, S, *x.shape[1:])


def padded_rows(lengths: Sequence[int]) -> Tensor:
    """[T] row of each packed token in the flattened [B, S] layout."""
    sizes = torch.as_tensor(lengths, dtype=torch.int64)
    longest = int(sizes.max()) if len(sizes) else 0
    offsets = torch.arange(len(sizes)) * longest - torch.nn.functional.pad(sizes.cumsum(0), (1, 0))[:-1]
    return torch.arange(int(sizes.sum())) + torch.repeat_interleave(offsets, sizes)
