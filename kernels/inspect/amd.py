"""Reads the figures of a kernel out of AMD assembly, as Triton's `amdgcn` stage writes it."""

import re

# Name of the figure: how the kernel's metadata (as YAML) or the closing comment says it.
_STATED = {
    "vgpr": r"\.vgpr_count:\s+(\d+)",
    "sgpr": r"\.sgpr_count:\s+(\d+)",
    "vgpr_spills": r"\.vgpr_spill_count:\s+(\d+)",
    "sgpr_spills": r"\.sgpr_spill_count:\s+(\d+)",
    "scratch_bytes": r"\.private_segment_fixed_size:\s+(\d+)",
    "waves_per_simd": r";\s*Occupancy:\s+(\d+)",
}
_VECTOR_LOAD = re.compile(r"^\s+(?:global|buffer|flat)_load_(\w+)", re.MULTILINE)
_MATRIX = re.compile(r"^\s+v_mfma_", re.MULTILINE)


def counts(text: str) -> dict[str, float]:
    """The figures of `bars.toml` for AMD; one that the text does not state is left out."""
    figures: dict[str, float] = {
        name: int(found[1]) for name, pattern in _STATED.items() if (found := re.search(pattern, text))
    }
    loads = _VECTOR_LOAD.findall(text)
    figures |= {"vector_loads": len(loads), "mfma": len(_MATRIX.findall(text))}
    if loads:
        figures["vector_loads_128bit_share"] = loads.count("dwordx4") / len(loads)
    return figures
