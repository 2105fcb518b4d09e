"""What the compiler makes of every kernel, judged against `kernels/bars.toml`; no GPU is needed.

Command line: `python -m kernels.inspect --help`. Parts: `configurations` finds what the kernels list for an
architecture; `compile` compiles one and takes its figures out of the disassembly with `sass` and `amd`, and
`pool` does so on all cores; `bars` judges the figures, `report` holds them, `compare` lays them beside
earlier ones, `table` prints them.
"""
