"""Points that papers report against what serving costs here: each number with its source, none tested."""

from stilts.report import caption
from stilts.report.evidence import Evidence
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.measured import Card, Serving, cards, serving
from stilts.report.names import regime_name
from stilts.report.numbers import points, signed, significant
from stilts.report.published import Figures, published, value_of
from stilts.report.spec import Spec

COLUMNS = ("all", "trained", "models", "query", "text", "weights", "peak", "training")
_HEADERS = (
    "mean of 9",
    "mean of 7",
    "models",
    "ms a query",
    "ms a text of 3",
    "weights (GB)",
    "peak (GB)",
    "GPU-hours",
)
_LENGTH = "1x128"
_HEADS = 3
# Regimes, the published row of each, and how they are served.
_REGIMES = (
    ("direct", "direct", "resident"),
    ("single", "", "resident"),
    ("multi", "multitask", "resident"),
    ("joint", "", "shared"),
)


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """One block: accuracy of the study's model as reported on dev, costs as measured on kept devices."""
    name = evidence.study.name
    reported = {one.key: one for one in published().reported if (one.study, one.split) == (name, "dev")}
    kept = serving(f"{name}-serving")
    card = next((one for one in cards() if _LENGTH in one.content.get("encoder", {})), None)
    rows = [_row(evidence, regime, reported, kept, card) for regime in _REGIMES] if reported else []
    sources = "; ".join(dict.fromkeys(published().sources[one.source] for one in reported.values()))
    told = [f"Nobody reported figures of the study {name}"]
    if reported:
        told = [
            f"Points: {sources}, on dev; direct as a score, others as changes against it",
            "No paper reports a spread: nothing is tested",
            "GPU-hours: no paper reports them, and none were measured here",
        ]
    if reported and card:
        tokens = _LENGTH.partition("x")[2]
        told.append(f"A query: one sequence of {tokens} tokens through the encoder; {card.title}")
        told.append("One checkpoint was timed: weights do not change what a pass takes")
    if reported:
        missing = f"not measured for this model yet; see stilts latency run --study {name}-serving"
        where = f"{kept.about['device']}, {kept.about['date']}" if kept else missing
        told.append(f"Text, weights, peak: {where}")
    text = caption.sentence(spec.question, *told)
    empty = Row(key="none", label="nothing reported", cells=tuple(EMPTY for _ in COLUMNS))
    block = Block(
        columns=COLUMNS,
        headers=tuple(Header(text=text) for text in _HEADERS),
        groups=(Header(text="points reported", span=2), Header(text="cost", span=6)),
        rows=tuple(rows) or (empty,),
    )
    return [Table(id=spec.id, question=spec.question, caption=text, blocks=(block,))]


def _row(
    evidence: Evidence,
    regime: tuple[str, str, str],
    reported: dict[str, Figures],
    kept: Serving | None,
    card: Card | None,
) -> Row:
    row, key, layout = regime
    models = _models(evidence, row)
    singles = [one for one in reported.values() if one.quantity == "change" and one.key != "multitask"]
    best = (
        max(singles, key=lambda one: value_of(one, "all") or -100.0, default=None)
        if row == "single"
        else None
    )
    figures = best or reported.get(key)
    label = f"single {figures.label}, the best of {len(singles)}" if best and figures else regime_name(row)
    cells = [
        *(_points(figures, column) for column in ("all", "trained")),
        Cell(text=str(models), value=float(models)) if models else Cell(note="the study has no such regime"),
        _query(card),
        _kept(kept, f"{layout}/{_HEADS}/p50"),
        _kept(kept, f"{layout}/weights"),
        _kept(kept, f"{layout}/peak"),
        Cell(note="not measured"),
    ]
    return Row(key=row, label=label, cells=tuple(cells))


def _models(evidence: Evidence, row: str) -> int:
    """Distinct sets of weights that answer all targets, by the study's plan."""
    name = next(iter(evidence.rows([row])), row)
    seed = evidence.seeds[0]
    found = (evidence.answers.get((name, seed, target)) for target in evidence.study.targets)
    return len({answer.weights for answer in found if answer is not None})


def _points(figures: Figures | None, column: str) -> Cell:
    value = value_of(figures, column) if figures else None
    if figures is None or value is None:
        return Cell(note="nobody reported it")
    show = signed if figures.quantity == "change" else points
    return Cell(text=show(value), value=value, note=published().sources[figures.source])


def _query(card: Card | None) -> Cell:
    if card is None:
        return Cell(note="no device was measured")
    value = card.content["encoder"][_LENGTH]["stilts_us"] / 1e3
    return Cell(text=significant(value), value=value, note=card.title)


def _kept(kept: Serving | None, address: str) -> Cell:
    found = [cell for key, cell in kept.cells.items() if key.endswith(address)] if kept else []
    if not found or "value" not in found[0]:
        return Cell(note="not measured for this model")
    cell = found[0]
    return Cell(
        text=cell["text"],
        detail=cell.get("detail", ""),
        value=cell["value"],
        low=cell.get("low"),
        high=cell.get("high"),
    )
