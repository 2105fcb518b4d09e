"""What the tables of deployments say alike: their cells, labels and caption."""

import math
from collections.abc import Mapping, Sequence

from stilts.report import caption, inference
from stilts.report.evidence import Evidence
from stilts.report.form import Cell
from stilts.report.inference import Estimate
from stilts.report.numbers import significant
from stilts.report.serving import Served, Setting
from stilts.report.spec import Spec
from stilts.report.trace import Lines, of_values

LABELS = {
    "shared": "one model, shared",
    "resident": "a model a target, all resident",
    "swapped": "a model a target, swapped",
}


def mean(values: Sequence[float], served: Served, *, scale: float) -> Cell:
    """Geometric mean over processes, with a t-interval of the logs; plain where a value is not positive."""
    if not values:
        return Cell()
    kind = "mean" if min(values) <= 0 else "geometric mean"
    trace = of_values(
        f"{kind} over processes", {f"process {n}": one / scale for n, one in enumerate(values, start=1)}
    )
    if min(values) <= 0:
        estimate = inference.t_estimate(values)
        return estimate_cell(estimate, served, scale=scale, count=len(values), trace=trace)
    logs = inference.t_estimate([math.log(value) for value in values])
    value, low, high = (math.exp(one) for one in (logs.value, logs.low, logs.high))
    estimate = Estimate(value=value, low=low, high=high)
    return estimate_cell(estimate, served, scale=scale, count=len(values), trace=trace)


def estimate_cell(
    estimate: Estimate, served: Served, *, scale: float, count: int, trace: Lines | None = None
) -> Cell:
    """A number with its interval, in units of `scale`."""
    low, high = estimate.low / scale, estimate.high / scale
    # What is the same in every process needs no bracket.
    known = estimate.has_interval and low < high
    return Cell(
        text=significant(estimate.value / scale),
        detail=f"[{significant(low)}, {significant(high)}]" if known else "",
        value=estimate.value / scale,
        low=low if known else None,
        high=high if known else None,
        count=count,
        runs=served.runs,
        note=_left_out(served),
        trace=trace,
    )


def _left_out(served: Served) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(served.invalid.items()))
    return f"{served.calls} calls; left out: {reasons or 'none'}"


def caption_of(
    spec: Spec, evidence: Evidence, found: Mapping[Setting, Mapping[str, Served]], compared: int
) -> str:
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
        f"Rate: the highest Poisson rate at which {100 * settings.in_time:g} % of {settings.requests} "
        f"queries have their answer within {settings.bound_ms:g} ms of when they were to be sent, up to "
        f"{settings.batch} of them together",
        "Memory and cold start: of a process that does nothing else; weights count the parameters, peak is "
        "the whole device on a GPU and the resident process on a CPU",
        f"Brackets: {100 * spec.stats.level:g} % t-intervals over processes of the log, of percentiles as "
        f"in the latency table; ratios against {LABELS[spec.against]}; verdicts at "
        f"{caption.correction(spec, compared)}",
        "Repaid: texts until what one way costs more in training is saved in serving, both in device seconds",
        f"Study {study.name}",
        study.caveat,
    )
