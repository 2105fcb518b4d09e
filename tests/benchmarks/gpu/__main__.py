"""Everything that only a GPU can say, in a few minutes: `python -m tests.benchmarks.gpu --output FILE.json`.

Runs from a checkout with plain Python, torch, Triton, transformers and pytest; nothing is installed. In order
of worth: the suite of the kernels, compiled; latency of the product's own path, beside Hugging Face's model
as it comes and compiled; throughput; training beside Hugging Face's Trainer; attention alone. Each part is a
process with a limit of its own, so that none can take another down, and the file is written after each.

Exit code 1: a part failed, or a bar is missed. `--tiny` tries the program on a CPU.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tabulate import tabulate

from tests.benchmarks.gpu.loads import CASES

ROOT = Path(__file__).parents[3]
LIMITS = {"suite": 130, "latency": 90, "throughput": 60, "training": 90, "attention": 75}
BARS_MS = {"1x40": 0.50, "1x128": 0.60}
"""Of the product's path on an H100."""
OVER_SDPA, OVER_COMPILED, SHARE_OF_PRODUCT, TRAINING = 2.0, 1.2, 0.70, 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the parts; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpu", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="where every figure goes")
    parser.add_argument("--seconds", type=float, default=470.0, help="for all parts together")
    parser.add_argument("--only", nargs="+", choices=LIMITS, default=list(LIMITS), help="these parts")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, to try the program")
    options = parser.parse_args(argv)
    size, end = "tiny" if options.tiny else "large", time.monotonic() + options.seconds
    report: dict[str, Any] = {
        "command": "python -m tests.benchmarks.gpu",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "parts": {},
    }
    # Peers compile while the suite runs; they are timed one at a time, when nothing else runs.
    peers = _peers(size) if "latency" in options.only else {}
    try:
        for part in options.only:
            start = time.monotonic()
            limit = min(LIMITS[part], end - start)
            found = {"failed": "no time was left"} if limit < 5 else _part(part, size, limit, peers)
            report["parts"][part] = found | {"seconds": round(time.monotonic() - start, 1)}
            options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    finally:
        for peer in peers.values():
            peer.kill()
    lines, bars = table(report)
    print("\n".join(lines))
    failed = [name for name, found in report["parts"].items() if "failed" in found]
    return int(bool(failed) or not all(bars.values()))


def _part(name: str, size: str, limit: float, peers: dict[str, Any]) -> dict[str, Any]:
    print(f"{name} ...", file=sys.stderr, flush=True)
    if name == "suite":
        return _suite(size, limit)
    if name == "attention":
        return _attention(size, limit)
    if name == "latency":
        for peer in peers.values():
            peer.stdout.readline()
    found = _own(name, size, limit)
    if name == "latency" and "failed" not in found:
        found |= {"peers": _turns(peers)}
    return found


def _own(name: str, size: str, limit: float) -> dict[str, Any]:
    """A part of ours, by a process of its own."""
    code = (
        "import json, sys; from tests.benchmarks.gpu import serving, training; "
        "print(json.dumps({'latency': serving.latency, 'throughput': serving.throughput, "
        "'training': training.training}[sys.argv[1]](sys.argv[2])))"
    )
    return _answer([sys.executable, "-c", code, name, size], limit)


def _answer(command: list[str], limit: float) -> dict[str, Any]:
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {limit:.0f} s"}
    if done.returncode:
        return {"failed": done.stderr[-2000:]}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _suite(size: str, limit: float) -> dict[str, Any]:
    """The kernels' tests on this device; on many processes where the plug-in for that is there."""
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=short", "-p", "no:cacheprovider"]
    command += ["-o", "addopts=--import-mode=importlib", "tests/kernels/on_device"]
    if importlib.util.find_spec("xdist"):
        command += ["-n", str(min(os.cpu_count() or 1, 6))]
    if size == "tiny":
        command += ["-k", "test_activation"]
    where = {"TRITON_INTERPRET": "1"} if size == "tiny" else {"STILTS_TEST_DEVICE": "cuda"}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=_environment() | where,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return {"failed": f"more than {limit:.0f} s", "output": str(late.stdout)[-2000:]}
    found = re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout)
    tally = {what: int(count) for count, what in found}
    return tally if done.returncode == 0 else tally | {"failed": done.stdout[-12000:]}


def _attention(size: str, limit: float) -> dict[str, Any]:
    """Attention alone, by `kernels.bench`."""
    if size == "tiny":
        return {"rows": []}
    code = (
        "import contextlib, json, sys, tempfile\n"
        "from pathlib import Path\n"
        "from kernels.bench.__main__ import main\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    out = Path(folder, 'bench.json')\n"
        "    with contextlib.redirect_stdout(sys.stderr):\n"
        "        main(['--quick', '--only', 'attention', 'rows', '--output', str(out)])\n"
        "    print(json.dumps({'rows': json.loads(out.read_text())['rows']}))"
    )
    return _answer([sys.executable, "-c", code], limit)


def _peers(size: str) -> dict[str, Any]:
    cases = CASES if size == "large" else ("1x40",)
    wanted = {"sdpa": ("sdpa", *cases)} | {f"compiled {case}": ("compiled", case) for case in cases}
    return {
        name: subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.gpu.peers", kind, size, *some],
            cwd=ROOT,
            env=_environment() | {"TORCHINDUCTOR_COMPILE_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for name, (kind, *some) in wanted.items()
    }


def _turns(peers: dict[str, Any]) -> dict[str, Any]:
    """Each peer's measurements, one peer at a time."""
    found: dict[str, Any] = {}
    for name, peer in peers.items():
        try:
            answer, _ = peer.communicate("go\n", timeout=60)
            found.setdefault(name.split()[0], {}).update(json.loads(answer.strip().splitlines()[-1]))
        except (subprocess.TimeoutExpired, IndexError, ValueError, OSError) as error:
            found[f"{name} failed"] = f"{type(error).__name__}"
    return found


def _environment() -> dict[str, str]:
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": paths, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


def _machine() -> dict[str, Any]:
    import torch

    if not torch.cuda.is_available():
        return {"gpu": "none", "torch": torch.__version__}
    from kernels.bench.machine import describe

    return describe()


def table(report: dict[str, Any]) -> tuple[list[str], dict[str, bool]]:
    """What was found, in lines for people, and whether each bar is reached."""
    parts, lines, bars = report["parts"], [], {}
    for name, found in parts.items():
        state = f"FAILED: {found['failed'][-1500:]}" if "failed" in found else "done"
        lines.append(f"{name}: {state}, {found['seconds']} s")
    latency = {k: v for k, v in parts.get("latency", {}).items() if isinstance(v, dict) and "triton" in v}
    peers = parts.get("latency", {}).get("peers", {})
    rows = []
    for case, row in latency.items():
        ours = row["triton"]["p50_us"]
        times = {kind: peers.get(kind, {}).get(case, {}).get("p50_us") for kind in ("sdpa", "compiled")}
        rows.append([case, row["tokens"], ours, row["varlen"]["p50_us"], times["sdpa"], times["compiled"]])
        for kind, bound in (("sdpa", OVER_SDPA), ("compiled", OVER_COMPILED)):
            if times[kind]:
                ratio = times[kind] / ours
                bars[f"{case}: {ratio:.2f}x {kind}, {bound}x is asked"] = ratio >= bound
        if case in BARS_MS:
            bars[f"{case}: {ours / 1e3:.3f} ms, {BARS_MS[case]} ms is asked"] = ours <= 1e3 * BARS_MS[case]
    columns = ["ids to states, us", "tokens", "stilts", "stilts on varlen", "HF sdpa", "HF compiled"]
    lines += ["", tabulate(rows, columns, floatfmt=".0f")]
    throughput = {k: v for k, v in parts.get("throughput", {}).items() if isinstance(v, dict)}
    names = ("tokens", "tokens_per_s", "tflops", "share_of_product")
    figures = [[case, *(found[name] for name in names)] for case, found in throughput.items()]
    columns = ["batch", "tokens", "tokens/s", "TFLOP/s", "of a product"]
    lines += ["", tabulate(figures, columns, floatfmt=("", ".0f", ".0f", ".0f", ".3f"))]
    if "1600x40" in throughput:
        share = throughput["1600x40"]["share_of_product"]
        bars[f"1600x40: {share:.3f} of a product, {SHARE_OF_PRODUCT} is asked"] = share >= SHARE_OF_PRODUCT
    if "ratio" in parts.get("training", {}):
        ratio = parts["training"]["ratio"]
        bars[f"training: {ratio:.2f}x Trainer, {TRAINING}x is asked"] = ratio >= TRAINING
    lines += ["", *(f"{'reached' if reached else 'MISSED '}  {bar}" for bar, reached in bars.items())]
    return lines, bars


if __name__ == "__main__":
    sys.exit(main())
