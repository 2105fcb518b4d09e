"""What `python -m kernels.inspect` compiles of attention, without a GPU."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kernels.attention.device import packed_qkv_kernel, padded_kernel, strided_kernel
from kernels.compilation import Compilation
from kernels.dependent import dependent_on
from kernels.tiles import Entry, entries, known_architecture

HEADS = 16  # XLM-R Large; compiled in, as a stride
STRIDES = tuple(f"{tensor}_{stride}" for tensor in "qkv" for stride in ("batch", "row", "head"))


def compilations(arch: str) -> Iterator[Compilation]:
    """Every configuration that the encoder can meet, and the others in their most demanding form.

    That is head size 64 in 16 bits with and without the log-sum-exp, alternatives too; fp32 and the other
    head sizes with it; padded tensors in bf16.

    Args:
        arch: such as sm_80 or gfx942.
    """
    for entry in entries(known_architecture(arch)):
        if entry.head_dim == 64 and entry.dtype != "fp32":
            yield _packed(arch, entry, with_lse=False)
            yield _packed(arch, entry, with_lse=True)
            if entry.role == "default" and entry.tile.stages > 1:
                yield _packed(arch, replace(entry, tile=replace(entry.tile, stages=1)), with_lse=False)
        elif entry.role != "alternative" and entry.dtype != "fp16":
            yield _packed(arch, entry, with_lse=True)
        if entry.layout == "strided" and entry.role != "alternative" and entry.dtype == "bf16":
            yield _padded(arch, entry)


def _packed(arch: str, entry: Entry, *, with_lse: bool) -> Compilation:
    kernel, tensors = (
        (packed_qkv_kernel, ("qkv",)) if entry.layout == "packed_qkv" else (strided_kernel, ("q", "k", "v"))
    )
    pointers = dict.fromkeys((*tensors, "out"), f"*{entry.dtype}")
    pointers |= {"lse": "*fp32", "cu_seqlens": "*i32", "blocks": "*i32"}
    numbers = {"qk_scale": "fp32", "tokens": "i32"}
    return _compilation(arch, kernel, entry, entry.layout, pointers | numbers, with_lse)


def _padded(arch: str, entry: Entry) -> Compilation:
    pointers = dict.fromkeys(("q", "k", "v", "out"), f"*{entry.dtype}") | {"lengths": "*i32"}
    numbers = {"qk_scale": "fp32", "longest": "i32"}
    return _compilation(arch, padded_kernel, entry, "padded", pointers | numbers, False)


def _compilation(
    arch: str, kernel: Any, entry: Entry, layout: str, signature: dict[str, str], with_lse: bool
) -> Compilation:
    strides = tuple(name for name in STRIDES if name in kernel.arg_names)
    tile = entry.tile
    constexprs = {
        "HEADS": HEADS,
        "HEAD_DIM": entry.head_dim,
        "BLOCK_M": tile.block_m,
        "BLOCK_N": tile.block_n,
        "WITH_LSE": with_lse,
        "PRECISION": "tf32",
        "DEPENDENT": dependent_on(arch),
    }
    parts = (layout, f"d{entry.head_dim}", entry.dtype, str(tile), *(["lse"] if with_lse else []))
    return Compilation(
        name="-".join(parts),
        kernel="attention",
        fn=kernel,
        signature=signature | dict.fromkeys(strides, "i32"),
        constexprs={name: value for name, value in constexprs.items() if name in kernel.arg_names},
        strides=strides,
        warps=tile.warps,
        stages=tile.stages,
        facts={
            "layout": layout,
            "role": entry.role,
            "dtype": entry.dtype,
            "with_lse": with_lse,
            "block_m": tile.block_m,
            "block_n": tile.block_n,
            "head_dim": entry.head_dim,
        },
    )
