"""Times the fused kernels and the packed encoder against their peers on a GPU: `python -m kernels.bench`."""
