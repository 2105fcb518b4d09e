"""Softmax attention over sequences of different lengths, forward only, in Triton.

    out, lse = run_packed_qkv(qkv, cu_seqlens, blocks, scale=scale, tile=tile)   # one [T, 3, H, D]
    out, lse = run_strided(q, k, v, cu_seqlens, blocks, scale=scale, tile=tile)  # three [T, H, D]
    out = run_padded(q, k, v, lengths, scale=scale, tile=tile)               # three [B, H, S, D]

A program takes one block of queries of one sequence and one head, and walks over that sequence's keys. The
ragged last block of keys comes first: it needs no earlier state, its mask stays out of the loop, and a
sequence of up to BLOCK_N keys never enters the loop. With BLOCK_N fixed and the keys never split, a row of
the output is the same sum in the same order whatever else is in the batch.
"""

from kernels.attention.compile import compilations
from kernels.attention.device import packed_qkv_kernel, padded_kernel, strided_kernel
from kernels.attention.launch import Precision, run_packed_qkv, run_padded, run_strided

__all__ = [
    "Precision",
    "compilations",
    "packed_qkv_kernel",
    "padded_kernel",
    "run_packed_qkv",
    "run_padded",
    "run_strided",
    "strided_kernel",
]
