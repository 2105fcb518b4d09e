"""Ways to serve all targets, held against each other: what they hold in memory, what a text that needs
several tasks takes, how many queries a second they bear, and when the one model's training is repaid.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from stilts.report import caption, inference
from stilts.report.builders._ratios import ratio_cell, ratio_trace, verdict_cell
from stilts.report.builders._repaid import repaid_after
from stilts.report.builders._serving import LABELS, caption_of, estimate_cell, mean
from stilts.report.builders._timed import percentile_trace
from stilts.report.evidence import Evidence
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.gates import refused
from stilts.report.inference import Calls, Ratio, Verdict
from stilts.report.serving import LAYOUTS, PLACES, Served, Setting, load, paired
from stilts.report.spec import Spec
from stilts.report.trace import of_values

ROWS = ("all", *LAYOUTS)
AGAINST = LAYOUTS
COLUMNS = (
    "models", "weights", "host", "peak", "cold", *(f"swap_{place}" for place in PLACES), "offline", "rate",
    "p50", "p95", "p99", "joules", "ratio", "verdict", "breakeven",
)  # fmt: skip
LOSSY = "!"
_GIGA = 1e9
_OF_A_TEXT = ("p50", "p95", "p99", "joules", "ratio", "verdict", "breakeven")
_PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


Verdicts = Mapping[tuple[Setting, str, int], tuple[Ratio, Verdict]]
"""By setting, way to serve and number of tasks of a text."""


_NO_VERDICT: tuple[Ratio | None, Verdict] = (None, "not tested")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Of:
    """What a block is made from."""

    spec: Spec
    evidence: Evidence
    served: Mapping[str, Served]
    verdicts: Verdicts


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """A block for each setting: what a layout holds and bears; then one for each number of tasks a text."""
    found = load(evidence, max_invalid=spec.stats.max_invalid)
    wrong = _refused(evidence, found)
    rows = LAYOUTS if "all" in spec.rows else tuple(row for row in LAYOUTS if row in spec.rows)
    verdicts = judged(spec, found)
    blocks: list[Block] = []
    for setting, served in sorted(found.items()):
        of = _Of(spec=spec, evidence=evidence, served=served, verdicts=verdicts)
        blocks.append(_resources(of, setting, rows))
        counts = sorted({count for one in served.values() for count in one.texts})
        blocks += [_texts(of, setting, rows, heads) for heads in counts]
    used = [one for served in found.values() for one in served.values()]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=caption_of(spec, evidence, found, len(verdicts)),
            blocks=tuple(blocks) or (_nothing(spec),),
            stub="Served by",
            footnotes=((LOSSY, _lossy(spec)),) if any(_is_lossy(spec, one) for one in used) else (),
            warnings=(
                *_few(spec, used),
                *wrong,
                *caption.warnings(evidence, [run for one in used for run in one.runs]),
            ),
        )
    ]


def _refused(evidence: Evidence, found: Mapping[Setting, dict[str, Served]]) -> list[str]:
    """Takes out the layouts whose models do not answer as eager fp32 does, and says so."""
    asked = evidence.study.deploy
    told = []
    for (row, target, language, impl, dtype, device), why in refused(evidence).items():
        layouts = LAYOUTS[:1] if row.partition("/")[0] == asked.shared else LAYOUTS[1:]
        served = found.get(Setting(device=device, dtype=dtype, impl=impl), {})
        lost = [layout for layout in layouts if layout in served]
        if target in asked.targets and lost:
            for layout in lost:
                del served[layout]
            told.append(
                f"GATE: {' and '.join(lost)} in {dtype} left out: {row} on {target} {language} {why}."
            )
    return told


def _resources(of: _Of, setting: Setting, rows: Sequence[str]) -> Block:
    columns = [column for column in of.spec.columns if column not in _OF_A_TEXT]
    return Block(
        title=f"{setting.device}, {setting.dtype}",
        columns=tuple(columns),
        headers=tuple(Header(text=_header(of, column)) for column in columns),
        rows=tuple(
            Row(
                key=f"{setting.dtype}/{row}",
                label=_label(of, row),
                cells=tuple(_resource(of, of.served.get(row), row, column) for column in columns),
            )
            for row in rows
        ),
    )


def _header(of: _Of, column: str) -> str:
    settings = of.evidence.study.deploy
    return {
        "models": "models",
        "weights": "weights (GB)",
        "host": "on the host (GB)",
        "peak": "peak (GB)",
        "cold": "cold start (s)",
        "swap_host": "swap from host (ms)",
        "swap_cache": "from page cache (ms)",
        "swap_disk": "from disk (ms)",
        "offline": "queries/s, all at once",
        "rate": f"queries/s, {100 * settings.in_time:g} % in {settings.bound_ms:g} ms",
    }[column]


def _resource(of: _Of, served: Served | None, row: str, column: str) -> Cell:
    if column.startswith("swap_") and row != "swapped":
        return EMPTY
    if column == "host" and row != "swapped":
        return EMPTY
    if served is None:
        return Cell()
    if column == "rate":
        settings = of.evidence.study.deploy
        rates = served.rates(settings.bound_ms, settings.in_time)
        if rates and not any(rates.values()):
            trace = of_values("highest rate that was borne in time", {f"process {n}": 0.0 for n in rates})
            note = "no rate was borne in time"
            return Cell(text="0", value=0.0, count=len(rates), runs=served.runs, note=note, trace=trace)
        # A process that bore no rate counts as none, not as absent.
        return mean(list(rates.values()), served, scale=1.0)
    if column == "offline":
        return mean(served.offline, served, scale=1.0)
    if column.startswith("swap_"):
        times = served.swaps.get(column.removeprefix("swap_"), {})
        return mean([float(values.mean()) for values in times.values()], served, scale=1e6)
    values = [_memory(row, column) for row in served.memory.values()]
    known = [value for value in values if value is not None]
    if column == "models":
        trace = of_values("sets of weights that answer all targets", {row: known[0]} if known else {})
        return (
            Cell(text=str(int(known[0])), value=known[0], runs=served.runs, trace=trace) if known else Cell()
        )
    return mean(known, served, scale=1e9 if column == "cold" else _GIGA)


def _memory(row: Mapping[str, object], column: str) -> float | None:
    names = {
        "models": ("num_models",),
        "weights": ("weights",),
        "host": ("host_weights",),
        # On a GPU what the driver says, else what torch reserved; on a CPU the process.
        "peak": ("nvml_used", "peak_reserved", "host_rss"),
        "cold": ("cold_start_ns",),
    }[column]
    found = next((row[name] for name in names if row[name] is not None), None)
    return float(found) if isinstance(found, int | float) else None


def _texts(of: _Of, setting: Setting, rows: Sequence[str], heads: int) -> Block:
    columns = [column for column in of.spec.columns if column in _OF_A_TEXT]
    against = of.served.get(of.spec.against)
    made = []
    for row in rows:
        served, cells = of.served.get(row), []
        for column in columns:
            if served is None or heads not in served.texts:
                cells.append(Cell())
            elif column in _PERCENTILES:
                cells.append(_percentile(of, served, served.texts[heads], _PERCENTILES[column]))
            elif column == "joules":
                cells.append(_joules(served, heads))
            elif row == of.spec.against or against is None:
                cells.append(EMPTY)
            elif column == "breakeven":
                cells.append(
                    repaid_after(of.evidence, of.served, row, of.spec.against, heads, of.spec.stats.level)
                )
            else:
                ratio, verdict = of.verdicts.get((setting, row, heads), _NO_VERDICT)
                make = verdict_cell if column == "verdict" else ratio_cell
                pairs = partial(_by_process, of.served, row, of.spec.against, heads)
                trace = ratio_trace(ratio, pairs, LABELS[of.spec.against])
                cells.append(make(ratio, verdict, served.runs, trace))
        made.append(Row(key=f"{setting.dtype}/{row}/{heads}", label=_label(of, row), cells=tuple(cells)))
    tasks = "task" if heads == 1 else "tasks"
    texts = {
        "p50": "p50 (ms)", "p95": "p95 (ms)", "p99": "p99 (ms)", "joules": "J a text", "verdict": "verdict",
        "ratio": "ratio", "breakeven": "texts until repaid",
    }  # fmt: skip
    return Block(
        title=f"{setting.device}, {setting.dtype}, texts of {heads} {tasks}",
        columns=tuple(columns),
        headers=tuple(Header(text=texts[column]) for column in columns),
        rows=tuple(made),
    )


def _percentile(of: _Of, served: Served, texts: Mapping[int, Calls], quantile: float) -> Cell:
    processes = [texts[process].times for process in sorted(texts) if len(texts[process])]
    count = sum(map(len, processes))
    if not processes:
        return Cell()
    if count < inference.least_queries(quantile):
        return Cell(text="n/a", detail=f"n={count}", count=count, runs=served.runs)
    estimate = inference.pooled_quantile(processes, quantile, level=of.spec.stats.level)
    by_process = {("", process): calls.times for process, calls in texts.items()}
    trace = percentile_trace(by_process, quantile)
    return estimate_cell(estimate, served, scale=1e6, count=count, trace=trace)


def _ratio(spec: Spec, served: Mapping[str, Served], row: str, heads: int) -> Ratio | None:
    found = {} if row == spec.against else _by_process(served, row, spec.against, heads)
    return inference.compare(list(found.values()), margin=spec.stats.margin) if found else None


def _by_process(served: Mapping[str, Served], row: str, against: str, heads: int) -> dict[str, float]:
    """Ratios of the processes that have both."""
    ratios = {
        f"process {process}": inference.paired_ratio(mine, other)
        for process, (mine, other) in paired(served.get(row), served.get(against), heads).items()
    }
    return {process: ratio for process, ratio in ratios.items() if not math.isnan(ratio)}


def judged(spec: Spec, found: Mapping[Setting, Mapping[str, Served]]) -> Verdicts:
    """Every ratio to the row of reference with its verdict: all of a table are one family."""
    ratios = {
        (setting, row, heads): ratio
        for setting, served in sorted(found.items())
        for row in LAYOUTS
        for heads in sorted({count for one in served.values() for count in one.texts})
        if (ratio := _ratio(spec, served, row, heads)) is not None
    }
    correct = inference.CORRECTIONS[spec.stats.correction]
    told = inference.verdicts(list(ratios.values()), correct, level=spec.stats.level)
    return {place: (ratio, verdict) for (place, ratio), verdict in zip(ratios.items(), told, strict=True)}


def _joules(served: Served, heads: int) -> Cell:
    found = [
        row["energy_j"] / row["energy_texts"]
        for row in served.memory.values()
        if row["energy_j"] is not None and row["energy_heads"] == heads
    ]
    return mean(found, served, scale=1.0) if found else Cell(note="no energy counter was readable")


def _label(of: _Of, row: str) -> str:
    served = of.served.get(row)
    return LABELS[row] + (LOSSY if served and _is_lossy(of.spec, served) else "")


def _is_lossy(spec: Spec, served: Served) -> bool:
    return sum(served.invalid.values()) > spec.stats.max_invalid * max(1, served.calls)


def _lossy(spec: Spec) -> str:
    return f"More than {100 * spec.stats.max_invalid:g} % of the calls were flagged and left out."


def _few(spec: Spec, used: Sequence[Served]) -> list[str]:
    fewest = min((len(one.memory) for one in used), default=spec.stats.min_processes)
    if fewest >= spec.stats.min_processes:
        return []
    return [f"FEW PROCESSES: {fewest}, where {spec.stats.min_processes} are the least to be published."]


def _nothing(spec: Spec) -> Block:
    row = Row(key="none", label="not measured", cells=tuple(Cell() for _ in spec.columns))
    return Block(
        columns=spec.columns,
        headers=tuple(Header(text=column) for column in spec.columns),
        rows=(row,),
    )
