"""Whether the numbers can be trusted: calls that were flagged, how they vary, what training left out."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stilts.report import caption, inference
from stilts.report.builders.training import device_seconds
from stilts.report.evidence import Evidence
from stilts.report.form import Block, Cell, Header, Row, Table
from stilts.report.inference import Floats
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import significant
from stilts.report.spec import Spec
from stilts.report.timings import Timings, Variant, load, processes
from stilts.report.trace import of_values

ROWS = ("timings", "gates", "training")
COLUMNS = ("all",)
_NEIGHBOURS = 5000


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """A block each of timings, of models timed whose answers were looked at, and of phases trained."""
    makers = {"timings": _timings, "gates": _gates, "training": _training}
    blocks = [block for name in spec.rows if (block := makers[name](evidence)) is not None]
    text = caption.sentence(
        spec.question,
        "Flagged calls are left out of every other table. Lag 1: correlation of calls that follow each "
        "other; worth: independent calls that tell as much; drift: of the time of a call from the first to "
        "the last quarter of a process; between, within: standard deviations of medians of processes and of "
        "calls in one",
        "Gates: the timed weights against eager fp32 on the timed queries",
        "Lost: device time of work done again after an interruption",
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=text,
            blocks=tuple(blocks),
            stub="What",
            warnings=tuple(caption.warnings(evidence, evidence.plan)),
        )
    ]


def _block(
    title: str, headers: dict[str, str], rows: Sequence[tuple[str, str, dict[str, Cell]]]
) -> Block | None:
    if not rows:
        return None
    return Block(
        title=title,
        columns=tuple(headers),
        headers=tuple(Header(text=text) for text in headers.values()),
        rows=tuple(
            Row(key=key, label=label, cells=tuple(cells.get(column, Cell()) for column in headers))
            for key, label, cells in rows
        ),
    )


def _number(value: float, text: str, runs: Sequence[str] = (), note: str = "") -> Cell:
    if math.isnan(value):
        return Cell(note=note or "too few calls to tell")
    trace = of_values("of all records of the runs below", {"value": value})
    return Cell(text=text, value=value, runs=tuple(runs), note=note, trace=trace)


def _timings(evidence: Evidence) -> Block | None:
    rows = [_timed(variant, timings) for variant, timings in load(evidence).items()]
    headers = {
        "processes": "processes",
        "calls": "calls",
        "flagged": "flagged",
        "lag": "lag 1",
        "worth": "worth",
        "drift": "drift %",
        "between": "between %",
        "within": "within %",
    }
    return _block("Timings", headers, sorted(rows))


def _timed(variant: Variant, timings: Timings) -> tuple[str, str, dict[str, Cell]]:
    by_process = processes(timings.model)
    lags = [inference.lag_one(times[:_NEIGHBOURS]) for times in by_process]
    known = [lag for lag in lags if not math.isnan(lag)]
    lag = sum(known) / len(known) if known else math.nan
    worth = sum(inference.effective_size(len(t), one) for t, one in zip(by_process, lags, strict=True))
    medians = np.log([float(np.median(times)) for times in by_process])
    between = 100 * float(medians.std(ddof=1)) if len(medians) > 1 else math.nan
    within = 100 * float(np.mean([np.log(times).std() for times in by_process])) if by_process else math.nan
    drift = 100 * float(np.mean([_drift(times) for times in by_process])) if by_process else math.nan
    flagged = sum(timings.invalid.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(timings.invalid.items()))
    runs = timings.runs
    place = f"{variant.target}, b{variant.batch_size}, {variant.impl}, {variant.dtype}, {variant.language}"
    cells = {
        "processes": _number(len(by_process), str(len(by_process)), runs),
        "calls": _number(timings.num_calls, f"{timings.num_calls:,}", runs),
        "flagged": _number(flagged, f"{flagged:,}", runs, reasons),
        "lag": _number(lag, f"{lag:.2f}", runs),
        "worth": _number(worth, f"{worth:,.0f}", runs),
        "drift": _number(drift, f"{drift:+.1f}", runs),
        "between": _number(between, f"{between:.2f}", runs, "" if len(medians) > 1 else "one process"),
        "within": _number(within, f"{within:.1f}", runs),
    }
    return (
        f"{place}/{variant.row}/{variant.device}",
        f"{regime_name(variant.row)}: {task_name(variant.target)}, batch {variant.batch_size}",
        cells,
    )


def _drift(times: Floats) -> float:
    """Relative change of the median from the first quarter to the last."""
    quarter = len(times) // 4
    if quarter < 2:
        return math.nan
    return float(np.median(times[-quarter:]) / np.median(times[:quarter]) - 1)


def _gates(evidence: Evidence) -> Block | None:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for found in evidence.read("gate").values():
        for row in found:
            groups.setdefault((row["impl"], row["dtype"]), []).append(row)
    rows = []
    for (impl, dtype), found in sorted(groups.items()):
        passed = sum(row["passed"] for row in found)
        worst = max(row["difference"] for row in found)
        flips, count = sum(row["flips"] for row in found), sum(row["n"] for row in found)
        runs = tuple(dict.fromkeys(row["run_id"] for row in found))
        cells = {
            "passed": _number(passed, f"{passed} of {len(found)}", runs),
            "worst": _number(worst, f"{worst:.2g}", runs),
            "flips": _number(flips, f"{flips} of {count}", runs),
        }
        rows.append((f"gate/{impl}/{dtype}", f"{impl}, {dtype}", cells))
    headers = {"passed": "passed", "worst": "largest difference", "flips": "answers that differ"}
    return _block("Gates", headers, rows)


def _training(evidence: Evidence) -> Block | None:
    groups: dict[str, list[str]] = {}
    for run, found in evidence.training.items():
        groups.setdefault(found[0]["stage"] or "training", []).append(run)
    rows = []
    for stage, runs in sorted(groups.items()):
        records = [row for run in runs for row in evidence.training[run]]
        noted = [run for run in runs if any(row["notes"] for row in evidence.training[run])]
        total = sum(device_seconds(evidence, run) for run in runs)
        cells = {
            name: _total(records, name, runs) for name in ("steps", "skipped", "attempts", "lost_seconds")
        }
        cells["runs"] = _number(len(runs), str(len(runs)), runs)
        cells["unhealthy"] = _number(len(noted), str(len(noted)), runs, ", ".join(noted[:5]))
        lost = cells["lost_seconds"].value
        if lost is not None:
            share = 100 * lost / total if total else 0.0
            cells["lost"] = _number(share, significant(share, 2), runs)
        rows.append((f"training/{stage}", stage, cells))
    headers = {
        "runs": "runs",
        "steps": "steps",
        "skipped": "skipped",
        "attempts": "attempts",
        "lost": "lost %",
        "unhealthy": "noted",
    }
    return _block("Training, by phase", headers, rows)


def _total(records: Sequence[dict[str, Any]], name: str, runs: Sequence[str]) -> Cell:
    """The sum over runs; unknown where one does not say."""
    values = [row[name] for row in records]
    if any(value is None for value in values):
        return Cell(note="not recorded by all runs")
    return _number(sum(values), f"{sum(values):,}", runs)
