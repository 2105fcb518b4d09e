"""What was spent on each row: all training behind the weights that answer its targets, the search
included.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from stilts.report import caption, inference
from stilts.report.evidence import Evidence
from stilts.report.form import Block, Cell, Header, Row, Table
from stilts.report.names import regime_name
from stilts.report.numbers import PLUS_MINUS, scaled, significant
from stilts.report.spec import Spec
from stilts.study import regimes

HOUR = 3600.0
_HOURS_FROM = 10 * HOUR
_TIMES = ("intermediate", "target", "total", "search", "steps")
COLUMNS = ("runs", *_TIMES, "tokens", "flops", "per_target", "models")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one seed of a row cost."""

    runs: tuple[str, ...]
    """Training runs, the searched ones included."""
    intermediate: float
    """Device seconds before the targets."""
    target: float
    """Device seconds of fine-tuning, joint training or probes."""
    search: float
    """Device seconds spent on weights that are not deployed."""
    steps: float
    """Device seconds of optimizer steps: the rest is start-up, reading, dev evaluation, checkpoints, waiting
    for other ranks, and work that was lost."""
    tokens: float
    flops: float
    trained_targets: int
    models: int
    """Distinct sets of weights that answer the targets, retrieval included."""

    @property
    def total(self) -> float:
        """Device seconds in all."""
        return self.intermediate + self.target


@dataclass(frozen=True, slots=True)
class Measure:
    """A column: its header, what it picks from a cost, and how that prints."""

    header: str
    pick: Callable[[Cost], float]
    show: Callable[[float], str]


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """One table; a row is missing while one of its training runs is."""
    rows = [
        row
        for row in evidence.rows(spec.rows)
        if is_chosen(row) or any(row == r for r, _, _ in evidence.answers)
    ]
    costs = {row: costs_of(row, evidence) for row in rows}
    longest = max((cost.total for found in costs.values() for cost in found or ()), default=0.0)
    unit, size = ("h", HOUR) if longest > _HOURS_FROM else ("s", 1.0)
    columns = _columns(unit, size)
    wanted = list(spec.columns)
    body = [
        Row(
            key=row,
            label=regime_name(row),
            cells=tuple(_cell(costs[row], columns[name], evidence) for name in wanted),
            ruled=regimes.find(row.partition("/")[0]).ruled,
        )
        for row in rows
    ]
    block = Block(
        columns=tuple(wanted),
        headers=tuple(Header(text=columns[name].header) for name in wanted),
        groups=tuple(_groups(wanted, unit)),
        rows=tuple(body),
    )
    runs = [run for row in body for cell in row.cells for run in cell.runs]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=_caption(spec, evidence),
            blocks=(block,),
            warnings=tuple(caption.warnings(evidence, runs)),
        )
    ]


def costs_of(row: str, evidence: Evidence) -> list[Cost] | None:
    """The cost of a row for each seed, or None while a record is missing."""
    costs = [_cost(row, seed, evidence) for seed in evidence.seeds]
    known = [cost for cost in costs if cost is not None]
    return known if known and len(known) == len(costs) else None


def _cost(row: str, seed: int, evidence: Evidence) -> Cost | None:
    trained = {task.name for task in evidence.trained_targets}
    serving, tuned = set(), set()
    for target in evidence.study.targets:
        source = evidence.resolve(row, target)
        answer = evidence.answers.get((source, seed, target)) if source else None
        if answer is None:
            if is_chosen(row) and evidence.can_choose(target):
                return None
            continue
        serving.add(answer.weights)
        tuned |= {answer.weights} if target in trained else set()
    deployed = evidence.trained_before(serving)
    spent = evidence.trained_before(_searched(row, seed, evidence)) if is_chosen(row) else deployed
    if not serving or any(run not in evidence.training for run in spent):
        return None
    before = set(evidence.trained_before(evidence.started_from(tuned)))
    if regimes.find(row.partition("/")[0]).then != "targets":
        before |= {run for run in spent if not getattr(evidence.plan[run].asked, "targets", ())}
    phases = [run for run in spent if run in before]
    kept = set(deployed)
    return Cost(
        runs=tuple(spent),
        intermediate=sum(device_seconds(evidence, run) for run in phases),
        target=sum(device_seconds(evidence, run) for run in spent if run not in phases),
        search=sum(device_seconds(evidence, run) for run in spent if run not in kept),
        steps=sum(
            row["training_seconds"] or row["seconds"] for run in spent for row in evidence.training[run]
        ),
        tokens=_total(evidence, spent, "tokens"),
        flops=_total(evidence, spent, "flops_model"),
        trained_targets=len(trained),
        models=len(serving),
    )


def is_chosen(row: str) -> bool:
    """Whether a row trains nothing of its own, but takes the best of another regime's by target."""
    return bool(regimes.find(row.partition("/")[0]).chosen_from)


def _searched(row: str, seed: int, evidence: Evidence) -> set[str]:
    """Weights of every row that could have been chosen: none can be without them."""
    candidates = regimes.find(regimes.find(row).chosen_from).rows(evidence.study)
    return {
        answer.weights
        for (other, answer_seed, _), answer in evidence.answers.items()
        if answer_seed == seed and other in candidates
    }


def device_seconds(evidence: Evidence, run: str) -> float:
    """Seconds times ranks of all attempts, whatever they went into; of older records those of steps."""
    rows = evidence.training[run]
    return float(
        sum(row["seconds"] if row["total_seconds"] is None else row["total_seconds"] for row in rows)
    )


def _total(evidence: Evidence, runs: Iterable[str], column: str) -> float:
    """Over all records; NaN where one does not tell."""
    found = [row[column] for run in runs for row in evidence.training[run]]
    return math.nan if None in found else sum(found)


def _columns(unit: str, size: float) -> dict[str, Measure]:
    def time(value: float) -> str:
        return significant(value / size) if value else "0"

    def whole(value: float) -> str:
        return f"{value:g}"

    return {
        "runs": Measure("runs", lambda cost: len(cost.runs), whole),
        "intermediate": Measure("intermediate", lambda cost: cost.intermediate, time),
        "target": Measure("target", lambda cost: cost.target, time),
        "total": Measure("total", lambda cost: cost.total, time),
        "search": Measure("of it search", lambda cost: cost.search, time),
        "steps": Measure("of it steps", lambda cost: cost.steps, time),
        "tokens": Measure("tokens", lambda cost: cost.tokens, scaled),
        "flops": Measure("FLOPs", lambda cost: cost.flops, scaled),
        "per_target": Measure(f"{unit} per target", lambda cost: cost.total / cost.trained_targets, time),
        "models": Measure("models", lambda cost: cost.models, whole),
    }


def _groups(columns: Sequence[str], unit: str) -> list[Header]:
    """One header over each run of device-time columns, none over the others."""
    return [
        Header(text=text, span=len(list(group)))
        for text, group in groupby(columns, lambda name: f"device time ({unit})" if name in _TIMES else "")
    ]


def _cell(costs: Sequence[Cost] | None, measure: Measure, evidence: Evidence) -> Cell:
    if costs is None:
        return Cell(note="a training record behind this row is missing")
    if any(math.isnan(measure.pick(cost)) for cost in costs):
        return Cell(note="a training record behind this row does not tell")

    def trace() -> list[str]:
        found = [f"{measure.header or 'value'}: mean over seeds of the sum over all runs behind the row"]
        for cost in costs:
            found.append(f"  one seed: {measure.pick(cost):.6g}")
            found += [f"    {run}: {device_seconds(evidence, run):.6f} device seconds" for run in cost.runs]
        return found

    estimate = inference.t_estimate([measure.pick(cost) for cost in costs])
    varies = estimate.has_interval and estimate.high > estimate.low
    return Cell(
        text=measure.show(estimate.value),
        detail=PLUS_MINUS + measure.show(estimate.high - estimate.value) if varies else "",
        value=estimate.value,
        low=estimate.low if varies else None,
        high=estimate.high if varies else None,
        runs=tuple(dict.fromkeys(run for cost in costs for run in cost.runs)),
        trace=trace,
    )


def total_cell(costs: Sequence[Cost] | None, evidence: Evidence) -> Cell:
    """Device seconds of everything behind a row."""
    return _cell(costs, Measure("device seconds", lambda cost: cost.total, significant), evidence)


def _caption(spec: Spec, evidence: Evidence) -> str:
    trained = len(evidence.trained_targets)
    repeated = len(evidence.seeds) > 1
    return caption.sentence(
        spec.question,
        f"{spec.metric}, one seed's worth; evaluation is not counted",
        caption.seeds(evidence) + ("; \u00b1 half the 95 % t-interval over seeds" if repeated else ""),
        "Device time: seconds times devices of all attempts; of it steps is what optimizer steps took, the "
        "rest start-up, reading, dev evaluation, checkpoints, waiting, and work that was lost",
        "Best single pays for every single run, since each has to be trained before one can be chosen: "
        "search is the part whose weights are then not deployed",
        f"FLOPs of the model, forward and backward; a target: total over the {trained} targets that train",
        "Models: distinct sets of weights that answer all targets; targets that share a training set share "
        "weights, and retrieval uses the encoder before fine-tuning",
        caption.setting(evidence),
        evidence.study.caveat,
    )
