"""Lays figures beside those of an earlier report, or of another commit's kernels."""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kernels.inspect.report import Report, read

ROOT = Path(__file__).parents[2]
# Never the same twice.
_NOISY = "compile_seconds"


def differences(before: Report, now: Report) -> list[str]:
    """One line a figure that changed and a configuration that came or went."""
    old = {finding.title: finding for finding in before.findings}
    new = {finding.title: finding for finding in now.findings}
    lines = [f"triton: {before.triton} -> {now.triton}"] if before.triton != now.triton else []
    lines += [f"{title}: gone" for title in old if title not in new]
    for title, finding in new.items():
        if title not in old:
            lines.append(f"{title}: new")
            continue
        earlier = old[title].figures
        if finding.problem != old[title].problem:
            lines.append(f"{title}: {old[title].problem or 'compiled'} -> {finding.problem or 'compiles'}")
        for figure in sorted((earlier.keys() | finding.figures.keys()) - {_NOISY}):
            a, b = earlier.get(figure), finding.figures.get(figure)
            if a != b:
                lines.append(f"{title}: {figure} {_said(a)} -> {_said(b)}{_change(a, b)}")
    return lines


def _said(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _change(a: float | None, b: float | None) -> str:
    return f" ({(b - a) / a:+.1%})" if a and b is not None else ""


def only(report: Report, archs: Sequence[str]) -> Report:
    """The part of a report that is about some architectures."""
    findings = [one for one in report.findings if one.facts["arch"] in archs]
    return Report(triton=report.triton, findings=findings)


def earlier(source: str, archs: Sequence[str]) -> Report:
    """The report to compare with.

    Args:
        source: a file that --output wrote, or a commit: its kernels are then compiled and measured by today's
            inspection.
        archs: the architectures to compare.

    Raises:
        ValueError: it is neither, or the kernels of that commit cannot be inspected.
    """
    if Path(source).is_file():
        return only(read(Path(source)), archs)
    archive = subprocess.run(
        ["git", "archive", source, "--", "kernels"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        raise ValueError(f"--against {source}: neither a file nor a commit that has kernels")
    with tempfile.TemporaryDirectory(prefix="kernels-inspect-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        for part in ("inspect", "bars.toml"):
            _replace(Path(folder, "kernels", part), ROOT / "kernels" / part)
        output = Path(folder, "report.json")
        command = [sys.executable, "-m", "kernels.inspect", "--arch", *archs, "--output", str(output)]
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
        if not output.is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ValueError(f"--against {source}: its kernels cannot be inspected: {last}")
        return read(output)


def _replace(old: Path, new: Path) -> None:
    if new.is_file():
        shutil.copy(new, old)
        return
    shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(new, old, ignore=shutil.ignore_patterns("__pycache__"))
