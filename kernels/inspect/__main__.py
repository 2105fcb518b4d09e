"""`python -m kernels.inspect`: compiles every kernel ahead of time and judges the result.

Exit codes: 0 all well, 1 a figure falls short of its bar or a kernel does not compile, 2 a wrong request,
3 a package is missing.
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kernels.command import command

ARCHS = ("sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "gfx942")
_ARCH = re.compile(r"sm_\d{2,3}|gfx[0-9a-f]{3,4}")
_INTERPRETER = "TRITON_INTERPRET"


@command("kernels.inspect", ValueError, OSError)
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m kernels.inspect",
        description="Compiles every kernel ahead of time, without a GPU, and judges registers, spills, "
        "shared memory and instructions against kernels/bars.toml.",
    )
    parser.add_argument(
        "--arch", nargs="+", default=list(ARCHS), metavar="ARCH", help=f"default: {' '.join(ARCHS)}"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures, as JSON")
    parser.add_argument(
        "--against", metavar="FILE|COMMIT", help="show what differs from an earlier --output or a commit"
    )
    asked = parser.parse_args(arguments)
    return _inspect(list(dict.fromkeys(asked.arch)), asked.output, asked.against)


def _inspect(archs: Sequence[str], output: Path | None, against: str | None) -> int:
    if os.environ.get(_INTERPRETER, "").lower() not in ("", "0", "false", "off", "no"):
        raise ValueError(f"{_INTERPRETER} is set, so that nothing would be compiled: unset it and run again")
    for arch in archs:
        if not _ARCH.fullmatch(arch):
            raise ValueError(f"--arch {arch}: no such architecture; known are {', '.join(ARCHS)}")
    if output and not output.absolute().parent.is_dir():
        raise ValueError(f"--output {output}: there is no such folder")
    # What a cache returns was not compiled now, and leaves no log.
    with tempfile.TemporaryDirectory(prefix="kernels-inspect-cache-") as cache:
        os.environ["TRITON_CACHE_DIR"] = cache
        return _judge(archs, output, against)


def _judge(archs: Sequence[str], output: Path | None, against: str | None) -> int:
    import triton

    from kernels.inspect import bars as bar_file, compare, table
    from kernels.inspect.configurations import configurations
    from kernels.inspect.pool import compile_all
    from kernels.inspect.progress import ProgressLine
    from kernels.inspect.report import Report

    bars = bar_file.load()
    before = compare.earlier(against, archs) if against else None
    dtypes = {arch: bars.chips.get(arch, {}).get("dtypes") for arch in archs}
    jobs = [(arch, one) for arch in archs for one in configurations(arch, dtypes[arch])]
    if not jobs:
        raise ValueError("no module in kernels/ lists any configuration")
    found = {}
    with ProgressLine(len(jobs)) as line:
        for index, finding in compile_all(jobs, bars.chips):
            found[index] = finding
            line.take(finding)
    report = Report(triton=triton.__version__, findings=[found[index] for index in sorted(found)])
    if output:
        report.write(output)
    print(table.render(report, bars))
    if before:
        changed = compare.differences(before, report)
        print(f"Against {against}:", *(changed or ["nothing differs"]), sep="\n  ")
    complaints = report.complaints(bars)
    print(*complaints, sep="\n", file=sys.stderr, end="\n" if complaints else "")
    count = f"{len(jobs)} configurations, Triton {triton.__version__}"
    print(f"{count}: {len(complaints)} short of their bars" if complaints else f"{count}: all bars met")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
