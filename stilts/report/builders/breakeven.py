"""A figure: what training and serving come to together, by the number of texts served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stilts.report import caption, figures, inference
from stilts.report.builders._repaid import repaid_after, trained
from stilts.report.builders._serving import LABELS
from stilts.report.evidence import Evidence
from stilts.report.figures import COLOURS, Figure
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.inference import Estimate
from stilts.report.numbers import significant
from stilts.report.serving import LAYOUTS, Served, load
from stilts.report.spec import Spec
from stilts.report.trace import of_values

AGAINST = LAYOUTS
ROWS = ("all", *LAYOUTS)
COLUMNS = ("training", "serving", "breakeven")
_STYLES = ("-", "--", ":")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """One way to serve texts of so many tasks."""

    layout: str
    heads: int
    training: float | None
    """Device seconds."""
    text: Estimate
    """Seconds a text."""
    means: tuple[float, ...]
    """The same by process."""
    runs: tuple[str, ...]
    repaid: Cell


def build(spec: Spec, evidence: Evidence) -> list[Figure]:
    """A panel for each number of tasks a text needs, in the setting in which most was measured; none where
    nothing was.
    """
    found = load(evidence, max_invalid=spec.stats.max_invalid)
    if not found:
        return []
    setting = max(found, key=lambda one: (sum(map(len, (s.texts for s in found[one].values()))), str(one)))
    rows = LAYOUTS if "all" in spec.rows else tuple(row for row in LAYOUTS if row in spec.rows)
    ways = _ways(spec, evidence, found[setting], rows)
    counts = sorted({way.heads for way in ways})
    if not counts:
        return []
    text = caption.sentence(
        spec.question,
        "Up: device seconds of all training behind a way to serve and of the texts served "
        f"({setting.device}, {setting.dtype}); bands: {100 * spec.stats.level:g} % t-interval over processes "
        "of the time of a text",
        "Dotted upright: texts after which one model has repaid its dearer training, Fieller's interval in "
        "the numbers; training is measured once and taken as it is",
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
    runs = [run for served in found[setting].values() for run in served.runs]
    table = Table(
        id=spec.id,
        question=spec.question,
        caption=text,
        blocks=tuple(_block(ways, heads) for heads in counts),
        stub="Served by",
        warnings=tuple(caption.warnings(evidence, runs)),
    )

    def draw(figure: Any) -> None:
        _draw(figure, ways, counts, spec.against)

    size = (figures.DOUBLE_COLUMN, 2.6)
    return [Figure(table=table, draw=draw, size=size, caveat=evidence.study.caveat)]


def _ways(spec: Spec, evidence: Evidence, served: Mapping[str, Served], rows: Sequence[str]) -> list[_Way]:
    found = []
    for heads in sorted({count for one in served.values() for count in one.texts}):
        for row in rows:
            if row not in served or heads not in served[row].texts:
                continue
            means = [
                float(calls.times.mean()) / 1e9 for calls in served[row].texts[heads].values() if len(calls)
            ]
            repaid = (
                EMPTY
                if row == spec.against
                else repaid_after(evidence, served, row, spec.against, heads, spec.stats.level)
            )
            found.append(
                _Way(
                    layout=row,
                    heads=heads,
                    training=trained(evidence, row),
                    text=inference.t_estimate(means, spec.stats.level),
                    means=tuple(means),
                    runs=served[row].runs,
                    repaid=repaid,
                )
            )
    return found


def _block(ways: Sequence[_Way], heads: int) -> Block:
    rows = []
    for way in ways:
        if way.heads != heads:
            continue
        training, text = way.training, way.text
        cost = Cell(note="a training record is missing")
        if training is not None:
            trace = of_values("device seconds of all training behind the models", {way.layout: training})
            cost = Cell(text=significant(training), value=training, runs=way.runs, trace=trace)
        low, high = 1e3 * text.low, 1e3 * text.high
        serving = Cell(
            text=significant(1e3 * text.value),
            detail=f"[{significant(low)}, {significant(high)}]" if text.has_interval else "",
            value=1e3 * text.value,
            low=low if text.has_interval else None,
            high=high if text.has_interval else None,
            runs=way.runs,
            trace=of_values(
                "mean over processes of the mean time of a text, ms",
                {f"process {n}": 1e3 * mean for n, mean in enumerate(way.means, start=1)},
            ),
        )
        rows.append(
            Row(key=f"{way.layout}/{heads}", label=LABELS[way.layout], cells=(cost, serving, way.repaid))
        )
    names = ("training (device s)", "ms a text", "texts until repaid")
    return Block(
        title=f"Texts of {heads} task{'s' * (heads > 1)}",
        columns=COLUMNS,
        headers=tuple(Header(text=name) for name in names),
        rows=tuple(rows),
    )


def _draw(figure: Any, ways: Sequence[_Way], counts: Sequence[int], against: str) -> None:
    from matplotlib.ticker import EngFormatter

    axes = figure.subplots(1, len(counts), squeeze=False)[0]
    for one, heads in zip(axes, counts, strict=True):
        mine = [way for way in ways if way.heads == heads and way.training is not None]
        ends = [way.repaid.value for way in mine if way.repaid.value]
        # Where nothing is repaid, as far as serving costs as much as training.
        far = (
            2.2 * max(ends)
            if ends
            else max((2 * (w.training or 0) / w.text.value for w in mine), default=1.0)
        )
        texts = np.linspace(0, max(far, 1.0), 50)
        for n, way in enumerate(mine):
            cost = (way.training or 0.0) + texts * way.text.value
            style, colour = _STYLES[LAYOUTS.index(way.layout)], COLOURS[LAYOUTS.index(way.layout)]
            one.plot(texts, cost, linestyle=style, color=colour, label=LABELS[way.layout])
            if way.text.has_interval:
                low, high = ((way.training or 0.0) + texts * end for end in (way.text.low, way.text.high))
                one.fill_between(texts, low, high, color=colour, alpha=0.15, linewidth=0)
            if way.repaid.value and way.layout != against and n == 0:
                one.axvline(way.repaid.value, color="#333333", linewidth=0.7, linestyle=(0, (1, 2)))
        one.set_title(f"{heads} task{'s' * (heads > 1)} a text", fontsize=8)
        one.set_xlabel("texts served")
        one.set_xlim(0, None)
        one.set_ylim(0, None)
        one.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes[0].set_ylabel("device seconds in all")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="upper center", ncols=len(names), frameon=False, fontsize=7)
    figure.tight_layout(w_pad=0.8, rect=(0, 0, 1, 0.9))
