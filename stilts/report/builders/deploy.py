"""Ways to serve all targets, held against each other: what they hold in memory, what a text that needs several
tasks takes, how many queries a second they bear, and what the one model's training has to bring in.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stilts.report import caption, inference
from stilts.report.breakeven import BreakEven, break_even
from stilts.report.builders.training import device_seconds
from stilts.report.evidence import Evidence
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Shade, Table
from stilts.report.inference import Estimate, Floats
from stilts.report.numbers import bracket, significant
from stilts.report.serving import LAYOUTS, PLACES, Served, Setting, load
from stilts.report.spec import Spec
from stilts.run.specs import DeploySpec

ROWS = ("all", *LAYOUTS)
AGAINST = LAYOUTS
COLUMNS = (
    "models", "weights", "host", "peak", "cold", *(f"swap_{place}" for place in PLACES), "rate",
    "p50", "p95", "p99", "joules", "ratio", "verdict", "breakeven",
)  # fmt: skip
LOSSY = "!"
_GIGA = 1e9
_LABELS = {
    "shared": "one model, shared",
    "resident": "a model a target, all resident",
    "swapped": "a model a target, swapped",
}
_OF_A_TEXT = ("p50", "p95", "p99", "joules", "ratio", "verdict", "breakeven")
_PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_SCALES = {"swap": 1e6, "cold": 1e9}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Of:
    """What a block is made from."""

    spec: Spec
    evidence: Evidence
    served: Mapping[str, Served]


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """A block for each setting: what a layout holds and bears; then one for each number of tasks a text."""
    found = load(evidence, max_invalid=spec.stats.max_invalid)
    rows = LAYOUTS if "all" in spec.rows else tuple(row for row in LAYOUTS if row in spec.rows)
    blocks: list[Block] = []
    for setting, served in sorted(found.items()):
        of = _Of(spec=spec, evidence=evidence, served=served)
        blocks.append(_resources(of, setting, rows))
        for heads in sorted({count for one in served.values() for count in one.texts}):
            blocks.append(_texts(of, setting, rows, heads))
    used = [one for served in found.values() for one in served.values()]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=_caption(spec, evidence, found),
            blocks=tuple(blocks) or (_nothing(spec),),
            stub="Served by",
            footnotes=((LOSSY, _lossy(spec)),) if any(_is_lossy(spec, one) for one in used) else (),
            warnings=(
                *_few(spec, used),
                *caption.warnings(evidence, [run for one in used for run in one.runs]),
            ),
        )
    ]


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
        known = [rate for rate in rates.values() if rate > 0]
        if rates and not known:
            return Cell(
                text="0", value=0.0, count=len(rates), runs=served.runs, note="no rate was borne in time"
            )
        return _mean(known, served, scale=1.0)
    if column.startswith("swap_"):
        times = served.swaps.get(column.removeprefix("swap_"), {})
        return _mean([float(values.mean()) for values in times.values()], served, scale=1e6)
    values = [_memory(row, column) for row in served.memory.values()]
    known = [value for value in values if value is not None]
    if column == "models":
        return Cell(text=str(int(known[0])), value=known[0], runs=served.runs) if known else Cell()
    return _mean(known, served, scale=1e9 if column == "cold" else _GIGA)


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
    ratios = {row: _ratio(of, row, heads) for row in rows}
    adjusted = dict(
        zip(
            ratios,
            inference.holm([ratio.p_value if ratio else math.nan for ratio in ratios.values()])
            if of.spec.stats.correction == "holm"
            else [ratio.p_value if ratio else math.nan for ratio in ratios.values()],
            strict=True,
        )
    )
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
                cells.append(_break_even(of, row, heads))
            else:
                cells.append(_compared(of, ratios[row], adjusted[row], served, column))
        made.append(Row(key=f"{setting.dtype}/{row}/{heads}", label=_label(of, row), cells=tuple(cells)))
    tasks = "task" if heads == 1 else "tasks"
    texts = {
        "p50": "p50 (ms)", "p95": "p95 (ms)", "p99": "p99 (ms)", "joules": "J a text", "verdict": "verdict",
        "ratio": "ratio of p50", "breakeven": "training repaid after",
    }  # fmt: skip
    return Block(
        title=f"{setting.device}, {setting.dtype}, texts of {heads} {tasks}",
        columns=tuple(columns),
        headers=tuple(Header(text=texts[column]) for column in columns),
        rows=tuple(made),
    )


def _percentile(of: _Of, served: Served, texts: Mapping[int, Floats], quantile: float) -> Cell:
    processes = [texts[process] for process in sorted(texts) if len(texts[process])]
    count = sum(map(len, processes))
    if not processes:
        return Cell()
    if count < inference.least_queries(quantile):
        return Cell(text="n/a", detail=f"n={count}", count=count, runs=served.runs)
    estimate = inference.pooled_quantile(processes, quantile, level=of.spec.stats.level)
    return _cell(estimate, served, scale=1e6, count=count)


def _ratio(of: _Of, row: str, heads: int) -> inference.Ratio | None:
    mine, other = of.served.get(row), of.served.get(of.spec.against)
    if mine is None or other is None or row == of.spec.against:
        return None
    first, second = mine.texts.get(heads, {}), other.texts.get(heads, {})
    shared = sorted(process for process in first if len(first[process]) and len(second.get(process, ())))
    if not shared:
        return None
    return inference.compare_medians(
        [float(_middle(first[process])) for process in shared],
        [float(_middle(second[process])) for process in shared],
        margin=of.spec.stats.margin,
    )


def _compared(of: _Of, ratio: inference.Ratio | None, p_value: float, served: Served, column: str) -> Cell:
    if ratio is None:
        return Cell()
    if column == "verdict":
        found = inference.verdict(ratio, p_value, level=of.spec.stats.level)
        shade: Shade = found if found in ("better", "worse") else ""
        return Cell(text=found, shade=shade, runs=served.runs)
    known = ratio.num_processes > 1
    return Cell(
        text=f"{ratio.value:.3f}",
        detail=bracket(ratio.low, ratio.high, 3) if known else "",
        value=ratio.value,
        low=ratio.low if known else None,
        high=ratio.high if known else None,
        count=ratio.num_processes,
        runs=served.runs,
    )


def _joules(served: Served, heads: int) -> Cell:
    found = [
        row["energy_j"] / row["energy_texts"]
        for row in served.memory.values()
        if row["energy_j"] is not None and row["energy_heads"] == heads
    ]
    return _mean(found, served, scale=1.0)


def _break_even(of: _Of, row: str, heads: int) -> Cell:
    """Texts until the difference in training is made up for by the difference in serving."""
    mine, other = of.served[row], of.served[of.spec.against]
    costs = [_trained(of.evidence, name) for name in (row, of.spec.against)]
    if costs[0] is None or costs[1] is None:
        return Cell()
    first, second = mine.texts.get(heads, {}), other.texts.get(heads, {})
    shared = sorted(process for process in first if len(first[process]) and len(second.get(process, ())))
    if not shared:
        return Cell()
    saved = [(float(second[one].mean()) - float(first[one].mean())) / 1e9 for one in shared]
    found = break_even(costs[0] - costs[1], inference.t_estimate(saved, of.spec.stats.level))
    known = not math.isnan(found.value)
    return Cell(
        text=_told(found),
        detail=f"[{significant(found.low)}, {significant(found.high)}]" if known else "",
        value=found.value if known else None,
        low=found.low if known else None,
        high=found.high if known else None,
        runs=mine.runs,
        note=f"training {significant(costs[0])} against {significant(costs[1])} device seconds",
    )


def _told(found: BreakEven) -> str:
    texts = {
        "dominates": "at once",
        "never": "never",
        "unknown": "not told apart",
        "repaid": significant(found.value),
        "ahead until": f"ahead until {significant(found.value)}",
    }
    return texts[found.outcome]


def _trained(evidence: Evidence, layout: str) -> float | None:
    """Device seconds behind all the weights of a layout; None while a record is missing."""
    asked = next((run.asked for run in evidence.plan.values() if isinstance(run.asked, DeploySpec)), None)
    if asked is None:
        return None
    models = asked.shared if layout == "shared" else asked.apart
    runs = evidence.trained_before({model.weights for model in models})
    if not runs or any(run not in evidence.training for run in runs):
        return None
    return sum(device_seconds(evidence, run) for run in runs)


def _mean(values: Sequence[float], served: Served, *, scale: float) -> Cell:
    """Mean over processes with a t-interval."""
    if not values:
        return Cell()
    return _cell(inference.t_estimate(values), served, scale=scale, count=len(values))


def _cell(estimate: Estimate, served: Served, *, scale: float, count: int) -> Cell:
    low, high = estimate.low / scale, estimate.high / scale
    known = estimate.has_interval
    return Cell(
        text=significant(estimate.value / scale),
        detail=f"[{significant(low)}, {significant(high)}]" if known else "",
        value=estimate.value / scale,
        low=low if known else None,
        high=high if known else None,
        count=count,
        runs=served.runs,
        note=_left_out(served),
    )


def _left_out(served: Served) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(served.invalid.items()))
    return f"{served.calls} calls; left out: {reasons or 'none'}"


def _middle(values: Floats) -> float:
    ordered = sorted(values.tolist())
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _label(of: _Of, row: str) -> str:
    served = of.served.get(row)
    return _LABELS[row] + (LOSSY if served and _is_lossy(of.spec, served) else "")


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


def _caption(spec: Spec, evidence: Evidence, found: Mapping[Setting, Mapping[str, Served]]) -> str:
    settings, study = evidence.study.deploy, evidence.study
    planned = settings.processes if settings.targets else 0
    measured = max((len(one.memory) for served in found.values() for one in served.values()), default=0)
    calls = sum(one.calls for served in found.values() for one in served.values())
    flagged = sum(sum(one.invalid.values()) for served in found.values() for one in served.values())
    queries = (
        "queries are random tokens as long as those of " + ", ".join(sorted(set(settings.lengths.values())))
        if settings.lengths
        else "queries are the targets' own"
    )
    shares = {name: settings.shares.get(name, 1.0) for name in settings.targets}
    mix = ", ".join(f"{name} {share:g}" for name, share in shares.items())
    return caption.sentence(
        spec.question,
        f"{measured} of {planned} planned processes; {flagged} of {calls} calls flagged and left out",
        f"Traffic {mix}; languages {', '.join(settings.languages)}; {queries}",
        "A text of k tasks is encoded once by the shared model, and k times by models a target; which k "
        "changes from text to text",
        f"Rate: the highest Poisson rate at which {100 * settings.in_time:g} % of {settings.requests} queries "
        f"have their answer within {settings.bound_ms:g} ms of when they were to be sent, up to "
        f"{settings.batch} of them together",
        "Memory and cold start: of a process that does nothing else; weights count the parameters, peak is the "
        "whole device on a GPU and the resident process on a CPU",
        f"Brackets: {100 * spec.stats.level:g} % t-intervals over processes, of percentiles as in the latency "
        f"table; ratios against {_LABELS[spec.against]}; p-values by Holm within a block",
        "Repaid: texts until what one way costs more in training is saved in serving, both in device seconds",
        f"Study {study.name}",
        study.caveat,
    )
