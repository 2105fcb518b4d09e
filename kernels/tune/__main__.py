"""Times what the present GPU's architecture can run and rewrites its part of the tables.

    python -m kernels.tune                        # kernels/configs.toml and kernels/product/products.toml
    python -m kernels.tune attention --output other.toml    # a copy of one of them

Exit codes: 0 written, 1 a section without a right tile stays as it was, 2 the request cannot be met,
3 a package is missing.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels.command import WrongRequest, command

if TYPE_CHECKING:
    from kernels.tiles import Tile
    from kernels.tune.choice import Section, Timings

    Measured = tuple[Timings, dict[Tile, str]]


TABLES = ("attention", "products")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser(
        prog="python -m kernels.tune", description="Choose how kernels cut their work on this GPU."
    )
    out.add_argument("table", nargs="?", choices=TABLES, help="one table; both unless told")
    out.add_argument(
        "--output",
        type=Path,
        metavar="FILE.toml",
        help="where to write that table; in its own place unless told",
    )
    return out


@command("kernels.tune")
def main(argv: Sequence[str] | None = None) -> int:
    """Tunes; the exit code."""
    options = parser().parse_args(argv)
    if options.output and not options.table:
        raise WrongRequest("--output takes one table: attention or products")
    if options.output and not options.output.resolve().parent.is_dir():
        raise WrongRequest(f"no folder {options.output.resolve().parent}")
    import torch

    if not torch.cuda.is_available():
        raise WrongRequest(f"needs a CUDA device, and torch {torch.__version__} sees none")
    worst = 0
    for table in [options.table] if options.table else TABLES:
        tune_here = tune_attention_here if table == "attention" else tune_products_here
        worst = max(worst, tune_here(options.output))
    return worst


def tune_products_here(output: Path | None) -> int:
    """Chooses products for the present GPU; every shape and number of tokens of the table is timed anew."""
    from kernels.bench.machine import architecture, describe
    from kernels.bench.timing import GpuStopwatch
    from kernels.product.tiling import PRODUCTS
    from kernels.tune import products

    products.compile_all(products.ENCODERS, products.TOKENS, workers=max((os.cpu_count() or 2) - 2, 1))
    stopwatch, arch = GpuStopwatch(), architecture()
    chosen: dict[products.Product, products.Rows] = {}
    for product in products.ENCODERS:
        measured = {}
        for tokens in products.TOKENS:
            measured[tokens] = products.measure(product, tokens, stopwatch)
            stopwatch.release()
            print(products.line(product, tokens, measured[tokens]), flush=True)
        chosen[product] = products.choose(measured)
    output = output or PRODUCTS
    text = products.rewrite(PRODUCTS.read_text(encoding="utf-8"), arch, chosen, stamp(describe()))
    replace_text(output, text)
    print(f"{len(chosen)} products of {arch} written to {output}")
    return 0


def tune_attention_here(output: Path | None) -> int:
    """Chooses tiles for the present GPU."""
    from kernels import tiles
    from kernels.bench.machine import architecture, describe
    from kernels.bench.timing import GpuStopwatch
    from kernels.tune.measuring import bits, timings

    stopwatch = GpuStopwatch()

    def measure(section: "Section") -> "Measured":
        measured = timings(section, stopwatch)
        stopwatch.release()
        return measured

    return tune(output or tiles.CONFIGS, architecture(), stamp(describe()), measure=measure, compare=bits)


def tune(
    output: Path,
    arch: str,
    stamp: str,
    *,
    measure: Callable[["Section"], "Measured"],
    compare: Callable[["Section"], str],
) -> int:
    """Measures every section of an architecture, chooses, and writes the table.

    Args:
        output: where to write.
        arch: whose sections; one that is not in the table gets those of the next older, timed here.
        stamp: what it was timed on, for the comments.
        measure: microseconds of right tiles by workload, and why others are left out.
        compare: whether bits depend on rows and warps, in words.

    Returns:
        The exit code.
    """
    from kernels import tiles
    from kernels.tune.choice import choose, sections
    from kernels.tune.measuring import LARGE_LOADS
    from kernels.tune.rewriting import rewrite

    chosen, notes, broken = [], {}, 0
    for section in sections(tiles.read()[tiles.known_architecture(arch)]):
        found, refused = measure(section)
        print(table(section, found, refused), flush=True)
        try:
            best = choose(section, found, large_loads=LARGE_LOADS)
        except ValueError as error:
            print(f"{section.layout} {section.size} stays: {error}", file=sys.stderr)
            broken += 1
            continue
        chosen.append(best)
        equal = compare(best)
        notes[section.layout, section.size] = f"{stamp}\n{equal}"
        print(f"default {best.default}, large {best.large}; {equal}\n", flush=True)
    replace_text(output, rewrite(tiles.CONFIGS.read_text(encoding="utf-8"), arch, chosen, notes))
    print(f"{len(chosen)} sections of {arch} written to {output}")
    return int(broken > 0)


def table(section: "Section", found: "Timings", refused: "dict[Tile, str]") -> str:
    """A line a tile, a column a workload, microseconds."""
    from kernels.bench.report import Grid, plain

    loads = tuple(next(iter(found.values()), ()))
    rows = [(str(tile), *(f"{times[load]:.1f}" for load in loads), "") for tile, times in found.items()]
    rows += [(str(tile), *("" for _ in loads), reason) for tile, reason in refused.items()]
    title = f"{section.layout} {section.size}, cold microseconds"
    return plain(Grid(title=title, columns=("tile", *loads, "note"), rows=tuple(rows)))


def replace_text(path: Path, text: str) -> None:
    """Replaces the file whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def stamp(machine: dict[str, Any]) -> str:
    """Machine, versions and day in one line."""
    versions, driver = machine["versions"], machine["before"].get("driver_version", "unknown")
    date = datetime.now(UTC).date().isoformat()
    return (
        f"{machine['gpu']}, driver {driver}, torch {versions['torch']}, triton {versions['triton']}, {date}"
    )


if __name__ == "__main__":
    sys.exit(main())
