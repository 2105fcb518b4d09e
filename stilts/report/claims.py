"""The claims of the paper under study, each with what this study has to say of it.

Phang et al., "English Intermediate-Task Training Improves Zero-Shot Cross-Lingual Transfer Too" (2020). A
claim about a direction is supported when every comparison it makes is different in that direction, and
contradicted when one is different in the other; all comparisons of all claims are one family.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from stilts.report import inference
from stilts.report.compare import Column, Comparer
from stilts.report.evidence import Evidence
from stilts.report.inference import CORRECTIONS, Estimate
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import signed, spread
from stilts.report.published import published, value_of
from stilts.study.config import Study

Verdict = Literal["supported", "contradicted", "inconclusive", "not tested"]
MODEL = "xlm-roberta-large"
_NO_GAIN = 1.0
"""Points: a gain shown to be smaller is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One difference that a claim is about."""

    name: str
    estimate: Estimate | None
    """None where a side was not measured."""
    reported: float | None = None
    """What the paper gives for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A claim, and what decides it."""

    key: str
    text: str
    comparisons: tuple[Comparison, ...] = ()
    rule: Callable[[Sequence[Comparison], Sequence[float], float], Verdict] | None = None
    """Of the comparisons, their adjusted p-values, and the level; None where a fact decides."""
    fact: Verdict = "not tested"
    said: str = ""
    """What is said beside the comparisons."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A claim with its verdict."""

    claim: Claim
    verdict: Verdict
    evidence: str
    runs: tuple[str, ...] = field(default=())


def judge(comparer: Comparer, level: float = 0.95) -> list[Judged]:
    """All claims; none can be tested by a study that says itself that it is no evidence."""
    claims = _claims(comparer)
    caveat = comparer.evidence.study.caveat
    family = [one.estimate for claim in claims for one in claim.comparisons if one.estimate is not None]
    adjusted = iter(CORRECTIONS["holm"]([one.p_value for one in family]))
    judged = []
    for claim in claims:
        p_values = [next(adjusted) if one.estimate is not None else math.nan for one in claim.comparisons]
        verdict = claim.fact
        if claim.rule is not None:
            verdict = claim.rule(claim.comparisons, p_values, 1 - level)
        told = "; ".join(filter(None, [*map(_told, claim.comparisons), claim.said])) or "not measured"
        if caveat:
            verdict, told = "not tested", "this study is no evidence (see its caveat)"
        judged.append(Judged(claim=claim, verdict=verdict, evidence=told))
    return judged


def _told(one: Comparison) -> str:
    if one.estimate is None:
        return f"{one.name} not measured"
    found = one.estimate
    half = spread((found.high - found.low) / 2) if found.has_interval else " (no interval)"
    text = f"{one.name} {signed(found.value)}{half}"
    if one.reported is None:
        return text
    holds = found.has_interval and found.low <= one.reported <= found.high
    return f"{text} ({signed(one.reported)} reported, {'within' if holds else 'outside'})"


def every_one(comparisons: Sequence[Comparison], p_values: Sequence[float], alpha: float) -> Verdict:
    """Supported when all are above zero, contradicted when one is below."""
    if not comparisons or any(map(math.isnan, p_values)):
        return "not tested"
    values = [one.estimate.value for one in comparisons if one.estimate is not None]
    told = [value * (p < alpha) for value, p in zip(values, p_values, strict=True)]
    if min(told) < 0:
        return "contradicted"
    return "supported" if all(value > 0 for value in told) else "inconclusive"


def most(comparisons: Sequence[Comparison], p_values: Sequence[float], alpha: float) -> Verdict:
    """Supported when more than half are above zero, contradicted when half or more are not shown to be and
    as many are below: by partial conjunction, which counts for itself.
    """
    if not comparisons or any(map(math.isnan, p_values)):
        return "not tested"
    estimates = [one.estimate for one in comparisons if one.estimate is not None]
    half = len(estimates) / 2
    above, below = (
        inference.partial_conjunction([_one_sided(one, sign) for one in estimates], 1 - alpha / 2)
        for sign in (1, -1)
    )
    if above > half:
        return "supported"
    return "contradicted" if below >= half else "inconclusive"


def no_gain(comparisons: Sequence[Comparison], p_values: Sequence[float], alpha: float) -> Verdict:
    """Supported when every gain is shown to be less than a point, contradicted when one is above zero."""
    if not comparisons or any(map(math.isnan, p_values)):
        return "not tested"
    estimates = [one.estimate for one in comparisons if one.estimate is not None]
    if any(one.value > 0 and p < alpha for one, p in zip(estimates, p_values, strict=True)):
        return "contradicted"
    shown = [
        one.value < _NO_GAIN and one.spread.p_value(_NO_GAIN - one.value) / 2 < alpha / len(estimates)
        for one in estimates
    ]
    return "supported" if all(shown) else "inconclusive"


def _one_sided(estimate: Estimate, sign: int) -> float:
    half = estimate.spread.p_value(estimate.value) / 2
    return half if sign * estimate.value > 0 else 1 - half


def _claims(comparer: Comparer) -> list[Claim]:
    evidence = comparer.evidence
    singles = [f"single/{name}" for name in evidence.study.intermediate.single_tasks]
    arms = [*singles, *(["multi"] if evidence.study.intermediate.tasks else [])]
    names = tuple(task.name for task in evidence.targets)
    mean = Column(key="all", header="mean", targets=names)

    def against(row: str, other: str, column: Column, reported: float | None = None) -> Comparison:
        change = comparer.change(row, other, column) if column.targets else None
        where = "" if column.key == "all" else f" on {task_name(column.key)}"
        less = "" if other == "direct" else f" less {regime_name(other)}"
        return Comparison(name=f"{regime_name(row)}{less}{where}", estimate=change, reported=reported)

    def on(target: str) -> list[Comparison]:
        column = Column(key=target, header=target, targets=(target,) if target in names else ())
        return [against(row, "direct", column) for row in arms]

    # The paper's abstract says SQuAD; its 8.2 is the row of version 2.0.
    three = {name: _reported(name, "dev") for name in ("squad_v2", "mnli", "hellaswag")}
    best = against("best", "direct", mean)
    return [
        Claim(
            key="1",
            text="SQuAD, MNLI and HellaSwag improve the targets, by 8.2, 7.5 and 7.0 points on average",
            comparisons=tuple(
                against(f"single/{name}", "direct", mean, reported) for name, reported in three.items()
            ),
            rule=every_one,
            said="reported on dev",
        ),
        Claim(
            key="2",
            text="Multi-task training on all of them is best, by 8.7 points",
            comparisons=tuple(against("multi", row, mean) for row in singles),
            rule=every_one,
            said=_told(against("multi", "direct", mean, _reported("multitask", "dev"))),
        ),
        Claim(
            key="3",
            text="Retrieval, which has no training data, gains most: BUCC and Tatoeba from every task",
            comparisons=(*on("bucc2018"), *on("tatoeba")),
            rule=every_one,
        ),
        Claim(
            key="4a",
            text="TyDiQA gains from many intermediate tasks",
            comparisons=tuple(on("tydiqa")),
            rule=most,
        ),
        Claim(key="4b", text="XNLI gains from none", comparisons=tuple(on("xnli")), rule=no_gain),
        Claim(
            key="5",
            text="The best task for each target improves XTREME by 5.4 points",
            comparisons=(best,),
            rule=every_one,
            said=_beside_published(comparer, mean),
        ),
        _variants(comparer, arms, mean),
        *_designed(evidence),
    ]


def _beside_published(comparer: Comparer, mean: Column) -> str:
    measured = comparer.measure("best", mean)
    if measured is None or not _is_theirs(comparer.evidence.study):
        return ""
    theirs = _reported("direct", "test")
    if theirs is None:
        return ""
    return f"{signed(measured.value - theirs)} against the model's published {theirs:.1f}"


def _is_theirs(study: Study) -> bool:
    """Whether the encoder is the paper's."""
    return MODEL in study.model.source and not study.model.is_untrained


def _reported(key: str, split: str) -> float | None:
    """The mean over all targets in a published row."""
    rows = (one for one in published().reported if (one.key, one.split) == (key, split))
    return next((value_of(one, "all") for one in rows), None)


def _variants(comparer: Comparer, arms: Sequence[str], mean: Column) -> Claim:
    """English intermediate training against the same with masked text, and translated."""
    evidence = comparer.evidence
    found = []
    for row in evidence.rows(["all"]):
        regime, _, phase = row.partition("/")
        if regime in ("mlm", "translated"):
            other = phase if phase in arms else f"single/{phase}"
            if other in arms:
                change = comparer.change(other, row, mean)
                name = f"{regime_name(other)} less {regime_name(row)}"
                found.append(Comparison(name=name, estimate=change))
    return Claim(
        key="6",
        text="English data alone do better than with multilingual masked text, or translated",
        comparisons=tuple(found),
        rule=every_one,
        said="" if found else "the study has no such variants",
    )


def _designed(evidence: Evidence) -> list[Claim]:
    """What is true of a study by how it was made."""
    study = evidence.study
    is_model = _is_theirs(study)
    done = [
        name
        for name in study.intermediate.tasks
        if any(f"single/{name}" == row or row == "multi" for row, _, _ in evidence.answers)
    ]
    trained = [run for run, rows in evidence.training.items() if rows[0]["stage"] in ("single", "multi")]
    count = len(done) if trained else 0
    return [
        Claim(
            key="7",
            text="XLM-R Large is the starting point",
            fact="supported" if is_model else "not tested",
            said=f"by design: the model is {study.model.source}",
        ),
        Claim(
            key="8",
            text="Three phases: pretraining, intermediate tasks, target",
            fact="supported" if trained else "not tested",
            said=f"by design: {len(trained)} intermediate runs, whose encoders alone go on"
            if trained
            else "no intermediate run is done",
        ),
        Claim(
            key="9",
            text="Nine English intermediate tasks",
            fact="supported" if count >= 9 else "not tested",
            said=f"{count} of nine were trained on",
        ),
    ]
