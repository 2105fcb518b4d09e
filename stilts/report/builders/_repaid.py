"""What the training behind each way to serve came to, and when the difference is made up for."""

import math
from collections.abc import Mapping

from stilts.report import inference
from stilts.report.breakeven import BreakEven, break_even
from stilts.report.builders.training import device_seconds
from stilts.report.evidence import Evidence
from stilts.report.form import Cell
from stilts.report.inference import Estimate
from stilts.report.numbers import significant
from stilts.report.serving import Served, paired
from stilts.report.trace import of_values
from stilts.run.specs import DeploySpec


def repaid_after(
    evidence: Evidence, served: Mapping[str, Served], row: str, against: str, heads: int, level: float
) -> Cell:
    """Texts of so many tasks until the difference in training is made up for in serving."""
    costs = [trained(evidence, name) for name in (row, against)]
    pairs = paired(served.get(row), served.get(against), heads)
    if costs[0] is None or costs[1] is None or not pairs:
        return Cell()
    saved = [(float(other.times.mean()) - float(mine.times.mean())) / 1e9 for mine, other in pairs.values()]
    found = break_even(Estimate(value=costs[0] - costs[1]), inference.t_estimate(saved, level))
    known = not math.isnan(found.value)
    return Cell(
        text=_told(found),
        detail=f"[{significant(found.low)}, {significant(found.high)}]" if known else "",
        value=found.value if known else None,
        low=found.low if known else None,
        high=found.high if known else None,
        runs=served[row].runs,
        trace=of_values(
            "difference in training over what a text saves, Fieller's interval",
            {
                f"{row}, device seconds of training": costs[0],
                f"{against}, device seconds of training": costs[1],
                **{f"process {n}, seconds saved a text": one for n, one in zip(pairs, saved, strict=True)},
            },
        ),
        note=f"training {significant(costs[0])} against {significant(costs[1])} device seconds",
    )


def _told(found: BreakEven) -> str:
    texts = {
        "dominates": "at once",
        "never": "never",
        "unknown": "not told apart",
        "not tested": "not tested",
        "repaid": significant(found.value),
        "ahead until": f"ahead until {significant(found.value)}",
    }
    return texts[found.outcome]


def trained(evidence: Evidence, layout: str) -> float | None:
    """Device seconds behind all the weights of a layout; None while a record is missing."""
    asked = next((run.asked for run in evidence.plan.values() if isinstance(run.asked, DeploySpec)), None)
    if asked is None:
        return None
    models = asked.shared if layout == "shared" else asked.apart
    runs = evidence.trained_before({model.weights for model in models})
    if not runs or any(run not in evidence.training for run in runs):
        return None
    return sum(device_seconds(evidence, run) for run in runs)
