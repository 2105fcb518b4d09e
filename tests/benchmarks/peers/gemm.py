"""How fast this machine multiplies: the encoder's own four matrices on many tokens, by plain torch."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from timing import fastest

from stilts.model.encoder import EncoderConfig

TOKENS = (1024, 2048, 4096)


def shapes(config: EncoderConfig) -> list[tuple[int, int]]:
    """Inputs and outputs of a layer's four matrices."""
    d, expanded = config.hidden_size, config.intermediate_size
    return [(d, 3 * d), (d, d), (d, expanded), (expanded, d)]


class Gemm:
    """The products of one layer, each done in the fastest of several ways.

    Args:
        config: gives the shapes.
        dtype: of all operands.
        tokens: rows in one call, a multiple of all TOKENS.
    """

    def __init__(self, config: EncoderConfig, dtype: torch.dtype, *, tokens: int) -> None:
        self.flops = 2.0 * tokens * sum(inputs * outputs for inputs, outputs in shapes(config))
        self._calls = []
        for inputs, outputs in shapes(config):
            ways = {
                f"{name} {rows}": call
                for rows in TOKENS
                for name, call in _ways(rows, inputs, outputs, dtype, repeats=tokens // rows).items()
            }
            self._calls.append(ways[fastest(ways)])

    def __call__(self) -> None:
        """Does them all once."""
        for call in self._calls:
            call()


def _ways(
    rows: int, inputs: int, outputs: int, dtype: torch.dtype, *, repeats: int
) -> dict[str, Callable[[], None]]:
    x = torch.randn(rows, inputs).to(dtype)
    weight = torch.randn(outputs, inputs).to(dtype)
    turned = weight.t().contiguous()
    out = torch.empty(rows, outputs, dtype=dtype)

    def repeated(product: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(repeats):
                product()

        return run

    return {
        "linear": repeated(lambda: F.linear(x, weight)),
        "mm": repeated(lambda: torch.mm(x, weight.t(), out=out)),
        "mm turned": repeated(lambda: torch.mm(x, turned, out=out)),
    }
