"""Compiles one configuration ahead of time and takes its figures.

    figures = measure(compilation, "sm_90", chip)

Needs a process in which TRITON_INTERPRET is unset, and TRITON_CACHE_DIR should be fresh: what comes from the
cache leaves no log of the assembler. Tools are those of Triton's wheel.
"""

import contextlib
import io
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import triton
from triton import knobs
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from kernels.compilation import Compilation
from kernels.inspect import amd, sass

_SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
_RESOURCES = re.compile(r"REG:(\d+) STACK:(\d+)")


def target(arch: str) -> GPUTarget:
    """sm_90 or gfx942 as Triton's target."""
    if arch.startswith("sm_"):
        return GPUTarget("cuda", int(arch.removeprefix("sm_")), 32)
    return GPUTarget("hip", arch, 64 if arch.startswith("gfx9") else 32)


def measure(compilation: Compilation, arch: str, chip: Mapping[str, Any]) -> dict[str, float]:
    """Compiles, disassembles and counts.

    Args:
        compilation: what to compile.
        arch: sm_80, gfx942 and so on.
        chip: its entry in `bars.toml`; what follows from facts that are not there is left out.

    Returns:
        Figures by the names that `bars.toml` uses. Compile time is processor time, the assembler's included:
        what one idle core would take.
    """
    source = ASTSource(
        compilation.fn, compilation.types, dict(compilation.constexprs), compilation.attributes
    )
    options = {
        "num_warps": compilation.warps,
        "num_stages": compilation.stages,
        "enable_fp_fusion": True,
        **compilation.options,
    }
    knobs.nvidia.dump_ptxas_log = True
    start = sum(os.times()[:4])
    with contextlib.redirect_stdout(io.StringIO()) as log:
        kernel = triton.compile(source, target=target(arch), options=options)
    figures: dict[str, float] = {"compile_seconds": sum(os.times()[:4]) - start}
    if "amdgcn" in kernel.asm:
        return figures | amd.counts(kernel.asm["amdgcn"]) | {"lds_bytes": kernel.metadata.shared}
    figures |= {"shared_bytes": kernel.metadata.shared}
    figures |= _assembled(kernel.asm["cubin"], log.getvalue())
    return figures | derived(figures, compilation, chip)


def _assembled(cubin: bytes, log: str) -> dict[str, float]:
    """Registers, stack, spills and instructions of a cubin and of the log that ptxas wrote when making it."""
    spills = _SPILLS.search(log)
    assert spills, f"ptxas said nothing of spills: {log!r}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernel.cubin")
        path.write_bytes(cubin)
        usage = _run(knobs.nvidia.cuobjdump.path, "--dump-resource-usage", path)
        listing = _run(knobs.nvidia.nvdisasm.path, "-c", "-ndf", path)
    resources = _RESOURCES.search(usage)
    assert resources, f"cuobjdump said nothing of registers: {usage!r}"
    return {
        "registers": int(resources[1]),
        "stack_bytes": int(resources[2]),
        "spill_store_bytes": int(spills[1]),
        "spill_load_bytes": int(spills[2]),
        **sass.counts(sass.parse(listing)),
    }


def _run(*command: str | Path) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, encoding="utf-8", errors="replace"
    ).stdout


def derived(
    figures: Mapping[str, float], compilation: Compilation, chip: Mapping[str, Any]
) -> dict[str, float]:
    """What follows from the counts, the tile and the chip; see the definitions in `bars.toml`."""
    warps, facts = compilation.warps, compilation.facts
    more: dict[str, float] = {}
    if "registers_per_sm" in chip:
        granule = chip["register_granule"]
        per_warp = -(-32 * int(figures["registers"]) // granule) * granule
        more["ctas_per_sm"] = min(
            chip["registers_per_sm"] // (warps * per_warp),
            chip["shared_bytes"] // (int(figures["shared_bytes"]) + chip["shared_bytes_reserved"]),
            chip["warps"] // warps,
            chip["ctas"],
        )
    if "instructions" not in figures or "head_dim" not in facts:
        return more
    scores = facts["block_m"] * facts["block_n"]
    more["instructions_per_score"] = figures["instructions"] * 32 * warps / scores
    if "flop_per_clock" in chip:
        flop = 4 * scores * facts["head_dim"]
        rate = chip["flop_per_clock"] / (2 if facts["dtype"] == "fp32" else 1)
        issue = figures["instructions"] * warps / 4
        mufu = 8 * figures["mufu"] * warps / 4
        clocks = flop / rate + max(mufu, issue)
        more["estimate_tflops"] = flop * chip["sms"] * chip["clock_ghz"] / clocks / 1000
        if facts["head_dim"] == 64 and facts["dtype"] != "fp32":
            more["ceiling_share"] = more["estimate_tflops"] / chip["ceiling_tflops"]
    return more
