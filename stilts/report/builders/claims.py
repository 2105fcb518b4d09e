"""The claims under study, each with a verdict and the numbers behind it."""

from functools import partial

from stilts.report import caption
from stilts.report.claims import Judged, judge
from stilts.report.compare import Comparer
from stilts.report.evidence import Evidence
from stilts.report.form import Block, Cell, Header, Row, Shade, State, Table
from stilts.report.spec import Spec

COLUMNS = ("verdict", "evidence")
_SHADES: dict[str, Shade] = {"supported": "better", "contradicted": "worse"}
_STATES: dict[str, State] = {
    "supported": "different",
    "contradicted": "different",
    "inconclusive": "not different",
    "not tested": "not tested",
}


def _behind(one: Judged) -> list[str]:
    """The comparisons of a claim, each with its p-value before correction."""
    found = [one.evidence]
    for comparison in one.claim.comparisons:
        estimate = comparison.estimate
        p_value = f"p {estimate.p_value:.4g}" if estimate is not None else "not measured"
        found.append(f"  {comparison.name}: {p_value}")
    return found


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """One row a claim."""
    comparer = Comparer(evidence, spec)
    judged = judge(comparer, spec.stats.level)
    rows = [
        Row(
            key=one.claim.key,
            label=f"{one.claim.key}. {one.claim.text}",
            cells=(
                Cell(
                    text=one.verdict,
                    shade=_SHADES.get(one.verdict, ""),
                    state=_STATES[one.verdict],
                    trace=partial(_behind, one),
                ),
                Cell(text=one.evidence, prose=True),
            ),
        )
        for one in judged
    ]
    count = sum(len(one.claim.comparisons) for one in judged)
    text = caption.sentence(
        spec.question,
        f"Phang et al. 2020, arXiv 2005.13013; here {spec.split} split, mean of {len(evidence.targets)} "
        "targets where none is named",
        "Supported: every comparison of a claim is different in its direction, level "
        f"{1 - spec.stats.level:.2g} by Holm over all {count} comparisons",
        "Contradicted: one is different in the other direction; else inconclusive",
        "TyDiQA by partial conjunction over tasks, XNLI by one-sided tests against a gain of a point",
        caption.seeds(evidence),
        f"\u00b1: {caption.intervals(evidence, spec)}",
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
    block = Block(
        columns=COLUMNS,
        headers=(Header(text="verdict"), Header(text="evidence")),
        rows=tuple(rows),
    )
    runs = [run for answer in evidence.answers.values() for run in (answer.evaluation,)]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=text,
            blocks=(block,),
            stub="Claim",
            warnings=tuple(caption.warnings(evidence, runs)),
        )
    ]
