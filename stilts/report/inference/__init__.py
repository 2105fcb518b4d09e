"""The statistics a table may claim. What is drawn again is the seed, the test item or the process; where two
of them vary, both count.

Seeds and processes get Student's t (a percentile bootstrap over three seeds covers 73 % at nominal 95 %),
items the linear form of a bootstrap over clusters, families of tests a correction that names its size.
"""

from stilts.report.inference.estimates import (
    Estimate,
    Floats,
    Part,
    Spread,
    crossed,
    equivalence_p,
    estimated,
    t_estimate,
    without_rounding,
)
from stilts.report.inference.families import (
    CORRECTIONS,
    all_pairs,
    benjamini_hochberg,
    holm,
    partial_conjunction,
)
from stilts.report.inference.items import ItemEffects, f1_effects, mean_effects
from stilts.report.inference.times import (
    Calls,
    Ratio,
    Verdict,
    compare,
    effective_size,
    lag_one,
    least_queries,
    order_interval,
    paired_ratio,
    pooled_quantile,
    pooled_quantiles,
    processes_needed,
    verdicts,
)

__all__ = [
    "CORRECTIONS",
    "Calls",
    "Estimate",
    "Floats",
    "ItemEffects",
    "Part",
    "Ratio",
    "Spread",
    "Verdict",
    "all_pairs",
    "benjamini_hochberg",
    "compare",
    "crossed",
    "effective_size",
    "equivalence_p",
    "estimated",
    "f1_effects",
    "holm",
    "lag_one",
    "least_queries",
    "mean_effects",
    "order_interval",
    "paired_ratio",
    "partial_conjunction",
    "pooled_quantile",
    "pooled_quantiles",
    "processes_needed",
    "t_estimate",
    "verdicts",
    "without_rounding",
]
