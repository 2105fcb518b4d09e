"""Compiles every configuration of some architectures, on all cores.

Workers are forked once all kernels have been imported, since a function under `@triton.jit` cannot be sent to
another process.
"""

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from kernels.compilation import Compilation
from kernels.inspect.bars import facts_of
from kernels.inspect.compile import measure
from kernels.inspect.report import Finding

Job = tuple[str, Compilation]
"""An architecture and what to compile for it."""
Chips = Mapping[str, Mapping[str, Any]]

_jobs: Sequence[Job] = ()
_chips: Chips = {}


def compile_all(jobs: Sequence[Job], chips: Chips) -> Iterator[tuple[int, Finding]]:
    """Yields each job's index and finding as it is done."""
    global _jobs, _chips
    _jobs, _chips = jobs, chips
    workers = min(len(os.sched_getaffinity(0)), len(jobs)) or 1
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        waiting = {pool.submit(_compile, index): index for index in range(len(jobs))}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def _compile(index: int) -> Finding:
    arch, compilation = _jobs[index]
    return inspect(compilation, arch, _chips.get(arch, {}))


def inspect(compilation: Compilation, arch: str, chip: Mapping[str, Any]) -> Finding:
    """Compiles one configuration; whatever the compiler objects to becomes part of the finding."""
    facts = facts_of(compilation, arch)
    try:
        figures = measure(compilation, arch, chip)
    except Exception as error:  # compilers raise anything
        said = (str(error) or repr(error)).strip().splitlines()[0]
        return Finding(name=compilation.name, facts=facts, problem=f"{type(error).__name__}: {said}")
    return Finding(name=compilation.name, facts=facts, figures=figures)
