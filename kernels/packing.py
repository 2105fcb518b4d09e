"""Packing: sequences of different lengths laid end to end, so that no computation is spent on padding.

    packed = pack(ids, mask)          # [B, S] right-padded -> [T]
    packed = from_lengths(ids, lens)  # already flat
    x_BSd = unpack(x_Td, packed)      # zeros where there is no token

Packing also lays out the work of the attention kernels: a table of (sequence, block of queries), made once
and used by every layer. All of a batch lies in one arena, which goes to a device in one copy; batches of
about the same size are laid out alike, so that one CUDA graph serves them.

Shapes: B sequences, S longest length, T tokens in all, R rows of the table.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

PAD_ID = 1
FIRST_POSITION = PAD_ID + 1
BLOCK_M = 64
UNUSED = 1 << 20
"""Number of a block that no sequence has, and whose first row still fits into 32 bits."""

MOST_TOKENS = 4096
"""Up to here a batch is laid out for a CUDA graph; above it a large encoder outlasts its launches."""
_FEWEST_TOKENS = 8
_GROWTH = 1.16
"""From one size to the next: a replay pays for the whole size."""
_TOKENS_A_SEQUENCE = 8
"""Fewest tokens a sequence has on average where there is room for a graph."""
_ALIGNED = 4
"""Numbers of 32 bits in 16 bytes: from such boundaries Triton reads fastest."""


@functools.cache
def sizes(most: int = MOST_TOKENS) -> tuple[int, ...]:
    """Numbers of tokens of which none is a sixth larger than the one before; large ones in eights."""
    found = [min(_FEWEST_TOKENS, most)]
    while found[-1] < most:
        following = max(found[-1] + 1, int(found[-1] * _GROWTH))
        following -= following % 8 if following > 128 else 0
        found.append(min(following, most))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Room:
    """How much one arena holds: the fixed shapes of a CUDA graph, or just what a batch needs."""

    tokens: int
    sequences: int
    block_m: int

    @property
    def rows(self) -> int:
        """Rows of the block table: as many as any batch of this size can need."""
        return self.tokens // self.block_m + self.sequences

    @property
    def sections(self) -> tuple[slice, slice, slice, slice]:
        """Where ids, positions, cumulative lengths and blocks lie in the arena."""
        begin, found = 0, []
        for length in (self.tokens, self.tokens, self.sequences + 1, 2 * self.rows):
            found.append(slice(begin, begin + length))
            begin += -(-length // _ALIGNED) * _ALIGNED
        return found[0], found[1], found[2], found[3]

    @property
    def length(self) -> int:
        """Numbers in the arena."""
        return self.sections[-1].stop

    @property
    def shared(self) -> bool:
        """Whether batches of other sizes are laid out in the same way, so that one graph serves them all."""
        return self in _shared(self.block_m)


@functools.cache
def rooms(block_m: int = BLOCK_M) -> tuple[Room, ...]:
    """Those that batches share."""
    return tuple(Room(size, max(size // _TOKENS_A_SEQUENCE, 1), block_m) for size in sizes())


@functools.cache
def _shared(block_m: int) -> frozenset[Room]:
    return frozenset(rooms(block_m))


def room_for(tokens: int, sequences: int, block_m: int) -> Room:
    """The smallest shared room, or one of a batch's own: it is larger, or of many short sequences."""
    for room in rooms(block_m):
        if tokens <= room.tokens:
            return room if sequences <= room.sequences else Room(tokens, sequences, block_m)
    return Room(tokens, sequences, block_m)


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """Sequences laid end to end."""

    ids: Tensor
    """[T] int32 token ids."""
    positions: Tensor
    """[T] int32 rows of the position table: `FIRST_POSITION` + index in the sequence, as XLM-R counts."""
    cu_seqlens: Tensor
    """[B + 1] int32: sequence b holds tokens cu_seqlens[b] .. cu_seqlens[b + 1] - 1."""
    lengths: tuple[int, ...]
    """The B lengths, known on the host: no device has to be asked for them."""
    blocks: Tensor
    """[R, 2] int32 (sequence, block of queries), see `block_table`."""
    room: Room
    """How the arena is laid out."""
    arena: Tensor
    """int32: all of the above lies in it, so that one copy moves it. Unused tokens are padding, unused
    sequences are empty."""

    @property
    def block_m(self) -> int:
        """Queries a block."""
        return self.room.block_m

    @property
    def max_seqlen(self) -> int:
        """The longest length."""
        return max(self.lengths, default=0)

    @classmethod
    def of(cls, arena: Tensor, room: Room, lengths: tuple[int, ...]) -> "Packed":
        """The views of an arena."""
        ids, positions, cu_seqlens, blocks = (section.start for section in room.sections)
        total, count = sum(lengths), len(lengths)
        rows = total // room.block_m + count
        return cls(
            ids=arena[ids : ids + total],
            positions=arena[positions : positions + total],
            cu_seqlens=arena[cu_seqlens : cu_seqlens + count + 1],
            lengths=lengths,
            blocks=arena[blocks : blocks + 2 * rows].view(-1, 2),
            room=room,
            arena=arena,
        )

    def to(self, device: torch.device | str) -> "Packed":
        """The same on another device, in one copy; from pinned memory nothing waits for it."""
        return self._moved(lambda arena: arena.to(device, non_blocking=True))

    def pinned(self) -> "Packed":
        """The same in memory that devices copy from by themselves."""
        return self._moved(lambda arena: arena.pin_memory())

    def _moved(self, move: Callable[[Tensor], Tensor]) -> "Packed":
        return Packed.of(move(self.arena), self.room, self.lengths)


def from_lengths(
    ids: Tensor | np.ndarray, lengths: Sequence[int], *, block_m: int = BLOCK_M, padding: int | None = PAD_ID
) -> Packed:
    """Packs ids that lie end to end already.

    Args:
        ids: [T] token ids, on the host.
        lengths: lengths of the sequences; they add up to T.
        block_m: queries a block of the attention kernels.
        padding: id that Hugging Face's XLM-R does not count in its positions; None where the ids are known to
            hold none, or the model counts all of them.

    Returns:
        On the host; `Packed.to` moves it.

    Raises:
        ValueError: the lengths do not add up, or a sequence holds the padding id.
    """
    sizes = np.asarray(lengths, dtype=np.int32)
    total = int(sizes.sum())
    values = ids.numpy() if isinstance(ids, Tensor) else ids
    if total != len(values):
        raise ValueError(f"lengths add up to {total}, but there are {len(values)} ids")
    if padding is not None and bool((values == padding).any()):
        raise ValueError(f"a packed sequence holds the padding id {padding}")
    room = room_for(total, len(sizes), block_m)
    arena = np.empty(room.length, dtype=np.int32)
    own, positions, bounds, blocks = (arena[section] for section in room.sections)
    own[:total], own[total:] = values, PAD_ID
    bounds[0], bounds[len(sizes) + 1 :] = 0, total
    np.cumsum(sizes, out=bounds[1 : len(sizes) + 1])
    starts = np.repeat(bounds[: len(sizes)], sizes)
    positions[:total], positions[total:] = np.arange(FIRST_POSITION, total + FIRST_POSITION) - starts, PAD_ID
    rows = _block_table(sizes, block_m).ravel()
    blocks[: len(rows)], blocks[len(rows) :: 2], blocks[len(rows) + 1 :: 2] = rows, 0, UNUSED
    return Packed.of(torch.from_numpy(arena), room, tuple(sizes.tolist()))


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
    return torch.from_numpy(_block_table(np.asarray(lengths, dtype=np.int32), block_m))


def _block_table(sizes: np.ndarray, block_m: int) -> np.ndarray:
    counts = -(-sizes // block_m)
    order = np.argsort(-sizes, kind="stable")
    counts = counts[order]
    used = int(counts.sum())
    table = np.zeros((int(sizes.sum()) // block_m + len(sizes), 2), dtype=np.int32)
    table[used:, 1] = UNUSED
    table[:used, 0] = np.repeat(order, counts)
    table[:used, 1] = np.arange(used) - np.repeat(np.cumsum(counts) - counts, counts)
    return table


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
