"""What `python -m kernels.inspect` compiles of products, without a GPU: all that the table holds."""

from collections.abc import Iterator

from kernels.compilation import Compilation
from kernels.dependent import dependent_on
from kernels.product.device import few_rows_kernel, many_rows_kernel
from kernels.product.launch import GROUP, WIDE, prefetched_at_once
from kernels.product.tiling import Epilogue, Tiling, read, rows


def compilations(arch: str) -> Iterator[Compilation]:
    """Every tiling of an architecture, in bf16, each once for a shape and what follows it."""
    for epilogue, shapes in read().get(arch, {}).items():
        for name in shapes:
            N, K = map(int, name.split("x"))
            for tiling in dict.fromkeys(tiling for _, tiling in rows(arch, epilogue, (N, K)) if tiling):
                yield _compilation(arch, epilogue, (N, K), tiling)


def _compilation(arch: str, epilogue: Epilogue, shape: tuple[int, int], tiling: Tiling) -> Compilation:
    N, K = shape
    halves = tiling.block_n >= WIDE
    constexprs = {
        "N": N,
        "K": K,
        "BLOCK_M": tiling.block_m,
        "BLOCK_N": tiling.block_n,
        "BLOCK_K": tiling.block_k,
        "SPLIT": tiling.split,
        "PROGRAMS": 132,
        "GROUP": GROUP,
        "HALVES": halves,
        "BIAS": epilogue != "norm",
        "GELU": epilogue == "gelu",
        "PREFETCH": prefetched_at_once(K // tiling.split),
        "DEPENDENT": dependent_on(arch),
    }
    if tiling.kind == "few_rows":
        kernel = few_rows_kernel
        pointers = dict.fromkeys(("x", "weight", "bias"), "*bf16")
        pointers["out"] = "*fp32" if tiling.split > 1 else "*bf16"
    else:
        kernel = many_rows_kernel
        width = tiling.block_n // 2 if halves else tiling.block_n
        pointers = {
            "x": f"tensordesc<bf16[{tiling.block_m}, {tiling.block_k}]>",
            "weight": f"tensordesc<bf16[{tiling.block_n}, {tiling.block_k}]>",
            "bias": "*bf16",
            "out": f"tensordesc<bf16[{tiling.block_m}, {width}]>",
        }
    return Compilation(
        name=f"{epilogue}-{N}x{K}-{tiling}".replace(" ", "-"),
        kernel=tiling.kind,
        fn=kernel,
        signature=pointers | {"rows": "i32"},
        constexprs={name: value for name, value in constexprs.items() if name in kernel.arg_names},
        warps=tiling.warps,
        stages=tiling.stages,
        facts={"dtype": "bf16", "epilogue": epilogue},
    )
