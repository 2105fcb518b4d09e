"""Which product is fastest for each shape and number of tokens: PyTorch's, or one of Triton's.

A candidate is timed with all that follows it, over the weights of many layers one after another: no weight is
still in L2 when it is wanted, and a kernel that starts early finds one before it.
"""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from kernels.bench.case import Call, Stopwatch
from kernels.bench.result import percentile
from kernels.product.tiling import Epilogue, Tiling

TOKENS = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1280, 1536, 2048, 3072, 4096, 8192, 32768)
Rows = list[tuple[int, Tiling | None]]
MARK = "# timed, "
FEW, MANY = 256, 192
"""Up to and from how many tokens a kind of kernel is tried."""
WORTHWHILE = 0.98
CALLS = 10
_MOST_SHARED = 220 * 1024
_LAYERS_BYTES = 400 * 2**20
"""Weights enough to leave none in L2."""


@dataclass(frozen=True, slots=True)
class Product:
    """One linear layer of an encoder."""

    epilogue: Epilogue
    shape: tuple[int, int]
    """[N, K] of the weight."""

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.shape[0]}x{self.shape[1]}"


def products(hidden: int, intermediate: int) -> tuple[Product, ...]:
    """The four of a layer."""
    return (
        Product("bias", (3 * hidden, hidden)),
        Product("norm", (hidden, hidden)),
        Product("gelu", (intermediate, hidden)),
        Product("norm", (hidden, intermediate)),
    )


ENCODERS = (*products(1024, 4096), *products(768, 3072))
"""Those of XLM-R Large and Base."""


def candidates(product: Product, tokens: int) -> Iterator[Tiling]:
    """What may be fastest."""
    if tokens <= FEW:
        for block_m in (64,) if tokens <= 64 else (64, 128):
            for block_n in (32, 64):
                for split in (1, 2, 4, 8) if product.epilogue == "norm" else (1,):
                    for stages in (2, 3, 4, 5):
                        tiling = Tiling("few_rows", block_m, block_n, 128, split, 4, stages)
                        if _sensible(product, tiling):
                            yield tiling
    if tokens >= MANY:
        for block_m, block_n, warps, stages in (
            (128, 256, 8, 3),
            (128, 128, 4, 4),
            (128, 128, 8, 4),
            (64, 256, 4, 4),
            (64, 128, 4, 4),
        ):
            tiling = Tiling("many_rows", block_m, block_n, 64, 1, warps, stages)
            if tiling.fits(product.shape):
                yield tiling


def _sensible(product: Product, tiling: Tiling) -> bool:
    shared = (tiling.block_m + tiling.block_n) * tiling.block_k * 2 * tiling.stages
    steps = product.shape[1] // (tiling.split * tiling.block_k)
    programs = product.shape[0] // tiling.block_n * tiling.split
    # Fewer programs than these leave most of the device idle; more stages than steps are never filled.
    enough = 32 <= programs <= 256 and (tiling.stages <= steps or tiling.stages == 2)
    return tiling.fits(product.shape) and shared <= _MOST_SHARED and enough


class Layers:
    """Random inputs and the parameters of many layers."""

    def __init__(self, product: Product, tokens: int, device: str, dtype: torch.dtype) -> None:
        N, K = product.shape
        self.product = product
        layers = min(max(_LAYERS_BYTES // (2 * N * K), 2), 24) if tokens <= 2048 else 2
        generator = torch.Generator(device).manual_seed(tokens)

        def normal(*size: int) -> Tensor:
            return torch.randn(*size, generator=generator, device=device).to(dtype)

        self.x, self.residual = normal(tokens, K), normal(tokens, N)
        self.weights = [normal(N, K) * K**-0.5 for _ in range(layers)]
        self.bias, self.gain, self.shift = normal(N), normal(N), normal(N)

    def run(self, tiling: Tiling | None) -> Tensor:
        """All layers on the same input; the last one's result."""
        return [self.once(weight, tiling) for weight in self.weights][-1]

    def once(self, weight: Tensor, tiling: Tiling | None) -> Tensor:
        """One layer."""
        from kernels.ops import rows
        from kernels.product.launch import run_product

        epilogue, x, bias = self.product.epilogue, self.x, self.bias
        if epilogue == "norm":
            product = F.linear(x, weight) if tiling is None else run_product(x, weight, None, tiling=tiling)
            return rows.compute_residual_layer_norm(product, self.residual, self.gain, self.shift, bias, 1e-5)
        if tiling is not None:
            return run_product(x, weight, bias, gelu=epilogue == "gelu", tiling=tiling)
        return (
            rows.compute_bias_gelu(F.linear(x, weight), bias)
            if epilogue == "gelu"
            else F.linear(x, weight, bias)
        )

    def wrong(self, tiling: Tiling) -> str:
        """Why a candidate is out: it cannot run, or differs from PyTorch by more than rounding."""
        try:
            got, wanted = (self.once(self.weights[0], one).float() for one in (tiling, None))
        except Exception as error:  # what does not compile here, or does not fit, is no candidate here
            return f"{type(error).__name__}: {str(error).strip()[:80]}"
        worst = float((got - wanted).abs().max() / wanted.abs().max())
        return "" if worst <= 2**-6 else f"differs by {worst:.1e}"


@torch.no_grad()
def measure(
    product: Product,
    tokens: int,
    stopwatch: Stopwatch,
    *,
    device: str = "cuda",
    dtype: torch.dtype = torch.bfloat16,
    tried: Sequence[Tiling] | None = None,
) -> dict[Tiling | None, float]:
    """Microseconds a layer of every candidate that computes the right thing; None is PyTorch's product."""
    layers = Layers(product, tokens, device, dtype)
    found: dict[Tiling | None, float] = {}
    for tiling in (None, *(candidates(product, tokens) if tried is None else tried)):
        if tiling is not None and (why := layers.wrong(tiling)):
            # Told: were all of a shape left out, the table would prefer PyTorch, and nobody had timed it.
            print(
                f"{product.name}, {tokens} tokens: {tiling} is left out: {why}", file=sys.stderr, flush=True
            )
            continue
        timed = stopwatch.prepare(Call(run=_call(layers, tiling)))
        found[tiling] = percentile(timed.cold(CALLS), 0.5) / len(layers.weights)
    return found


def _call(layers: Layers, tiling: Tiling | None) -> Callable[[], Tensor]:
    return lambda: layers.run(tiling)


def choose(measured: Mapping[int, Mapping[Tiling | None, float]]) -> Rows:
    """Up to how many tokens which; beyond the last that was timed it holds for any number.

    Args:
        measured: microseconds by tokens and candidate.
    """
    rows: Rows = []
    for tokens, times in sorted(measured.items()):
        best = min(times, key=times.__getitem__)
        if times[best] > WORTHWHILE * times[None]:
            best = None
        if rows and rows[-1][1] == best:
            rows.pop()
        rows.append((tokens, best))
    return [*rows[:-1], (0, rows[-1][1])]


def line(product: Product, tokens: int, times: Mapping[Tiling | None, float]) -> str:
    """What was measured, in one line."""
    best = min(times, key=times.__getitem__)
    ours = "PyTorch's is fastest" if best is None else f"{times[best]:.2f} us by {best}"
    return f"{product.epilogue} {product.name}, {tokens} tokens: PyTorch {times[None]:.2f} us, {ours}"


def rewrite(text: str, arch: str, chosen: Mapping[Product, Rows], stamp: str) -> str:
    """The table's text with an architecture's part renewed; that of others stays as it is.

    Args:
        text: of the table.
        arch: such as sm_90.
        chosen: its rows by product.
        stamp: what it was timed on.
    """
    about, *parts = text.split(f"\n{MARK}")
    kept = [f"\n{MARK}{part.rstrip()}\n" for part in parts if not part.startswith(f"{arch}:")]
    sections = "\n".join(_section(arch, product, rows) for product, rows in chosen.items())
    return "".join((about.rstrip() + "\n", *kept, f"\n{MARK}{arch}: {stamp}\n\n{sections}"))


def _section(arch: str, product: Product, rows: Rows) -> str:
    lines = [f'[{arch}.{product.epilogue}."{product.name}"]', "rows = ["]
    for most, tiling in rows:
        cut = (
            ""
            if tiling is None
            else f', "{tiling.kind}", {tiling.block_m}, {tiling.block_n}, {tiling.block_k}, {tiling.split}, '
            f"{tiling.warps}, {tiling.stages}"
        )
        lines.append(f"    [{most}{cut}],")
    return "\n".join([*lines, "]"]) + "\n"


def compile_all(every: Sequence[Product], tokens: Sequence[int], workers: int) -> None:
    """Fills Triton's cache from many processes at once: to compile takes far longer than to time."""
    work = list(
        dict.fromkeys(
            (product, one) for product in every for size in tokens for one in candidates(product, size)
        )
    )
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_compile, work, chunksize=4))


def _compile(work: tuple[Product, Tiling]) -> None:
    product, tiling = work
    Layers(product, 16, "cuda", torch.bfloat16).wrong(tiling)
