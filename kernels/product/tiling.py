"""Which product runs where, and how it cuts its work: a fixed table by architecture, timed beforehand.

    tiling = tiling_for("sm_90", "gelu", (4096, 1024), tokens=128)   # None: PyTorch's product is faster

The table is `products.toml`, for 16 bits. It knows shapes that have been timed and no others: an architecture
or a shape that is not in it runs in PyTorch's own product.
"""

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

PRODUCTS = Path(__file__).with_name("products.toml")

Epilogue = Literal["bias", "gelu", "norm"]
"""What follows the product: its bias; bias and GELU; or bias, residual and LayerNorm in the next kernel."""
Kind = Literal["few_rows", "many_rows"]


@dataclass(frozen=True, slots=True)
class Tiling:
    """How one product's work is cut."""

    kind: Kind
    block_m: int
    """Rows, that is tokens, of a tile."""
    block_n: int
    """Columns of a tile."""
    block_k: int
    """Values of a row that are multiplied at a time."""
    split: int
    """Parts into which the sum over a row is cut; more than one only before a LayerNorm, which adds them."""
    warps: int
    stages: int

    def __str__(self) -> str:
        parts = f"/{self.split}" if self.split > 1 else ""
        return f"{self.kind} {self.block_m}x{self.block_n}x{self.block_k}{parts} w{self.warps} s{self.stages}"

    def fits(self, shape: tuple[int, int]) -> bool:
        """Whether a weight of this shape, [N, K], can be cut so."""
        N, K = shape
        return N % self.block_n == 0 and K % (self.split * self.block_k) == 0


def tiling_for(arch: str, epilogue: Epilogue, shape: tuple[int, int], tokens: int) -> Tiling | None:
    """How to cut a product.

    Args:
        arch: such as sm_90.
        epilogue: what follows it.
        shape: of the weight, [N, K].
        tokens: rows of the input.
    """
    for most, tiling in rows(arch, epilogue, shape):
        if most == 0 or tokens <= most:
            return tiling
    return None


@functools.cache
def rows(arch: str, epilogue: Epilogue, shape: tuple[int, int]) -> Sequence[tuple[int, Tiling | None]]:
    """Up to how many tokens (0: any number) which tiling; None is PyTorch's product."""
    table: dict[str, Any] = read().get(arch, {}).get(epilogue, {})
    found = table.get(f"{shape[0]}x{shape[1]}", {}).get("rows", [])
    return [(most, Tiling(*tiling) if tiling else None) for most, *tiling in found]


@functools.cache
def read() -> dict[str, Any]:
    """The table: architecture, epilogue, shape of the weight, and its rows."""
    return tomllib.loads(PRODUCTS.read_text(encoding="utf-8"))
