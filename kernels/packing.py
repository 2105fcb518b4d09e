"""Packing: sequences of different lengths laid end to end, so that no computation is spent on padding.

    packed = pack(ids, mask)          # [B, S] right-padded -> [T]
    packed = from_lengths(ids, lens)  # already flat
    x_BSd = unpack(x_Td, packed)      # zeros where there is no token

Shapes: B sequences, S longest length, T tokens in all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

PAD_ID = 1
FIRST_POSITION = PAD_ID + 1


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

    @property
    def max_seqlen(self) -> int:
        """The longest length."""
        return max(self.lengths, default=0)

    def to(self, device: torch.device | str) -> "Packed":
        """The same on another device."""
        return Packed(
            ids=self.ids.to(device, non_blocking=True),
            positions=self.positions.to(device, non_blocking=True),
            cu_seqlens=self.cu_seqlens.to(device, non_blocking=True),
            lengths=self.lengths,
        )


def from_lengths(ids: Tensor, lengths: Sequence[int]) -> Packed:
    """Packs ids that lie end to end already.

    Args:
        ids: [T] token ids.
        lengths: lengths of the sequences; they add up to T.

    Raises:
        ValueError: the lengths do not add up, or a sequence holds the padding id, from which Hugging Face's
            position numbering would differ.
    """
    sizes = torch.as_tensor(lengths, dtype=torch.int32)
    cu_seqlens = torch.nn.functional.pad(sizes.cumsum(0, dtype=torch.int32), (1, 0))
    total = int(cu_seqlens[-1])
    if total != ids.numel():
        raise ValueError(f"lengths add up to {total}, but there are {ids.numel()} ids")
    if ids.device.type == "cpu" and bool((ids == PAD_ID).any()):
        raise ValueError(f"a packed sequence holds the padding id {PAD_ID}")
    starts = torch.repeat_interleave(cu_seqlens[:-1], sizes)
    positions = torch.arange(total, dtype=torch.int64) - starts + FIRST_POSITION
    device = ids.device
    return Packed(
        ids=ids,
        positions=positions.to(device),
        cu_seqlens=cu_seqlens.to(device),
        lengths=tuple(sizes.tolist()),
    )


def pack(ids: Tensor, mask: Tensor) -> Packed:
    """Packs right-padded sequences.

    Args:
        ids: [B, S] token ids.
        mask: [B, S], non-zero where there is a token.

    Raises:
        ValueError: the mask is not right-padded.
    """
    keep = mask.bool()
    if bool((keep[:, 1:] & ~keep[:, :-1]).any()):
        raise ValueError("only right-padded masks can be packed: a token follows padding")
    return from_lengths(ids[keep], keep.sum(1).tolist())


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
