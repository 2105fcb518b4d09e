"""What attention should give, to the last digit that float64 has, and the calls under test.

Shapes: B sequences, T tokens, H heads, D head size.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from kernels.attention import run_packed_qkv, run_padded, run_strided
from kernels.ops.dispatch import architecture
from kernels.packing import unpack
from kernels.tiles import tile_for
from tests.kernels.devices import DEVICE, INTERPRETED, generator, packed

LENGTHS = (0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200)
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True, kw_only=True)
class Case:
    """Random queries, keys and values of packed sequences."""

    qkv: torch.Tensor  # [T, 3, H, D]
    lengths: tuple[int, ...]

    @property
    def scale(self):
        return self.qkv.shape[-1] ** -0.5

    def sequences(self):
        return self.qkv.split(self.lengths)

    def packed(self, block_m=64):
        return packed(self.lengths, block_m)


def case(lengths, dtype="fp32", heads=2, head_dim=64, seed=0):
    draws = generator(seed)
    qkv = torch.randn(sum(lengths), 3, heads, head_dim, generator=draws)
    return Case(qkv=qkv.to(DTYPES[dtype]), lengths=tuple(lengths))


def attend(case, layout="packed_qkv", block_m=64, *, blocks=None, scale=None):
    """[T, H, D] and [H, T] by the kernel of a layout; padded tensors give no log-sum-exp."""
    batch = case.packed(block_m)
    tile = tile_for(
        architecture(torch.device(DEVICE)),
        "packed_qkv" if layout == "packed_qkv" else "strided",
        {64: "default", 128: "large"}[block_m],
        head_dim=case.qkv.shape[-1],
        dtype={dtype: name for name, dtype in DTYPES.items()}[case.qkv.dtype],
    )
    assert tile.block_m == block_m
    how = {"scale": scale or case.scale, "tile": tile, "precision": "ieee"}
    if layout == "padded":
        three, H, D = case.qkv.shape[1:]
        padded = unpack(case.qkv.flatten(1), batch)
        q, k, v = padded.view(*padded.shape[:2], three, H, D).permute(2, 0, 3, 1, 4)
        out = run_padded(q, k, v, torch.tensor(case.lengths, dtype=torch.int32), **how)
        return torch.cat([out[b, :, :n].transpose(0, 1) for b, n in enumerate(case.lengths)]), None
    blocks = batch.blocks if blocks is None else blocks
    if layout == "packed_qkv":
        return run_packed_qkv(case.qkv, batch.cu_seqlens, blocks, with_lse=True, **how)
    return run_strided(*case.qkv.unbind(1), batch.cu_seqlens, blocks, with_lse=True, **how)


def exact(case, scale=None):
    """[T, H, D] and [H, T] in float64, from the same rounded inputs."""
    outs, lses = [], []
    for qkv in case.sequences():
        q, k, v = qkv.double().permute(1, 2, 0, 3)
        scores = q @ k.mT * (scale or case.scale)
        outs.append((scores.softmax(-1) @ v).transpose(0, 1))
        lses.append(scores.logsumexp(-1))
    return torch.cat(outs), torch.cat(lses, 1)


def sdpa_error(case, scale=None):
    """The largest error PyTorch's own attention makes in the same dtype."""
    outs = []
    for qkv in case.sequences():
        q, k, v = qkv.permute(1, 2, 0, 3)
        outs.append(F.scaled_dot_product_attention(q, k, v, scale=scale or case.scale).transpose(0, 1))
    return (torch.cat(outs).double() - exact(case, scale)[0]).abs().max().item()


def assert_same_sums(lse, expected):
    """Logarithms; a GPU's exponential and logarithm are approximate."""
    torch.testing.assert_close(lse.double(), expected, atol=1e-5 if INTERPRETED else 1e-4, rtol=2e-6)


def assert_accurate(case, out, lse, scale=None):
    expected, expected_lse = exact(case, scale)
    assert out.dtype == case.qkv.dtype
    assert out.shape == expected.shape
    error = (out.double() - expected).abs().max().item()  # NaN fails the comparison
    assert error <= 2 * sdpa_error(case, scale) + 1e-5
    if lse is not None:
        assert_same_sums(lse, expected_lse)
