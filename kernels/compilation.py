"""One configuration of one kernel, described well enough to be compiled ahead of time, without a GPU.

A module that owns kernels lists them, and `python -m kernels.inspect` compiles what it lists:

    def compilations(arch: str) -> Iterator[Compilation]:
        yield Compilation(
            name="packed_qkv-64x64-w4-s3",
            kernel="attention",
            fn=packed_qkv_kernel,
            signature={"qkv": "*bf16", "out": "*bf16", "stride": "i32", "scale": "fp32"},
            constexprs={"HEAD_DIM": 64, "BLOCK_M": 64},
            strides=("stride",),
            warps=4,
            stages=3,
            facts={"layout": "packed_qkv", "role": "default", "dtype": "bf16", "with_lse": False, ...},
        )
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Compilation:
    """What the compiler needs to know, and by which facts its result is judged."""

    name: str
    """Readable, and unique for one architecture."""
    kernel: str
    """What the bars call it: attention, residual_layer_norm, embed_layer_norm, bias_gelu."""
    fn: Any
    """The function under `@triton.jit`."""
    signature: Mapping[str, str]
    """Types of the run-time arguments by name: `*bf16`, `*i32`, `i32`, `fp32`."""
    constexprs: Mapping[str, Any]
    """Values of the compile-time arguments."""
    strides: tuple[str, ...] = ()
    """Run-time integers that are always divisible by 16; every pointer is taken to be, too."""
    hints: Literal["aligned", "none"] = "aligned"
    """none: compiled as for unaligned tensors, which no launcher allows."""
    warps: int
    """Warps (wavefronts on AMD) of a program."""
    stages: int
    """Depth of the software pipeline."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further options of the compiler."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Attention: layout, role, dtype, with_lse, block_m, block_n, head_dim. Row kernels: dtype, columns."""

    @property
    def types(self) -> dict[str, str]:
        """The type of every argument in order, as Triton wants it."""
        unknown = (self.signature.keys() | self.constexprs.keys()) - set(self.fn.arg_names)
        assert not unknown, f"{self.name}: {self.fn.__name__} has no argument {', '.join(sorted(unknown))}"
        return {
            name: "constexpr" if name in self.constexprs else self.signature[name]
            for name in self.fn.arg_names
        }

    @property
    def attributes(self) -> dict[tuple[int], list[list[Any]]]:
        """Divisibility by 16 as Triton wants it: what its launcher finds out for aligned tensors."""
        if self.hints == "none":
            return {}
        return {
            (index,): [["tt.divisibility", 16]]
            for index, (name, kind) in enumerate(self.types.items())
            if kind.startswith("*") or name in self.strides
        }
