"""Times the attention kernels' tiles on this GPU and rewrites their table: `python -m kernels.tune`."""
