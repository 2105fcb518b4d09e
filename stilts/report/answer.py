"""The answer in plain words, out of the verdicts of the tables: every number is a cell's, and names it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stilts.report.builders._serving import LABELS
from stilts.report.form import Cell
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import significant

Cells = Mapping[str, Cell]
"""By address, of all tables that were made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """What may be said, and the cells that say it."""

    text: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One side of the question."""

    title: str
    sentences: tuple[Sentence, ...]


def answer(cells: Cells, *, caveat: str, against: str = "direct") -> list[Part]:
    """The parts of the answer; where nothing was measured, that is said.

    Args:
        cells: by address.
        caveat: of the study, said first.
        against: row of reference.
    """
    first = [Part(title="What this is", sentences=(Sentence(text=caveat),))] if caveat else []
    makers: Sequence[tuple[str, Callable[[Cells, str], list[Sentence]]]] = (
        ("Accuracy", _accuracy),
        ("A query", _query),
        ("Serving several tasks", _system),
        ("Training", _training),
        ("Break-even", _break_even),
        ("For whom", _for_whom),
    )
    missing = Sentence(text="Not measured.")
    parts = [Part(title=title, sentences=tuple(make(cells, against)) or (missing,)) for title, make in makers]
    reported = tuple(_reported(cells))
    return (
        first + parts + [Part(title="Reported points at measured cost", sentences=reported)] * bool(reported)
    )


def _rows(cells: Cells, table: str, column: str) -> dict[str, Cell]:
    """Cells of a column by row key."""
    start, end = f"{table}/", f"/{column}"
    return {
        address.removeprefix(start).removesuffix(end): cell
        for address, cell in cells.items()
        if address.startswith(start) and address.endswith(end)
    }


def change_in_words(name: str, what: str, cell: Cell) -> str:
    """What a change says, in one of its states."""
    change = cell.change or 0.0
    half = (
        f" (\u00b1{(cell.change_high - cell.change_low) / 2:.1f})"
        if cell.change_low is not None and cell.change_high is not None
        else ""
    )
    if cell.state == "different":
        return f"{name} {'raises' if change > 0 else 'lowers'} {what} by {abs(change):.1f} points{half}."
    if cell.state == "not different":
        return f"{name} is not shown to change {what}: {change:+.1f}{half}."
    return f"{name} was not tested on {what}: {change:+.1f} without an interval."


def _accuracy(cells: Cells, against: str) -> list[Sentence]:
    found = []
    for column, what in (("all", "the mean of all targets"), ("trained", "the mean of trained targets")):
        changed = {
            row: cell
            for row, cell in _rows(cells, "scores", column).items()
            if row != against and cell.change is not None and not row.startswith("reported/")
        }
        singles = {row: cell for row, cell in changed.items() if row.startswith("single/")}
        if len(singles) > 1:
            found.append(_singles(singles, what, column))
        for row, cell in changed.items():
            if row not in singles or len(singles) == 1:
                text = change_in_words(_capital(regime_name(row)), what, cell)
                found.append(Sentence(text=text, cells=(f"scores/{row}/{column}",)))
    for row in ("multi", "joint"):
        targets = {
            address.rsplit("/", 1)[1]: cell
            for address, cell in cells.items()
            if address.startswith(f"scores/{row}/") and not address.endswith(("/all", "/trained"))
        }
        if targets:
            found.append(_by_target(row, targets))
    return found


def _singles(singles: Mapping[str, Cell], what: str, column: str) -> Sentence:
    """All single tasks in one sentence, by what is shown of them."""
    groups: dict[str, list[str]] = {}
    for row, cell in singles.items():
        said = {"better": "is raised by", "worse": "is lowered by"}.get(
            cell.shade, "is not shown to change by"
        )
        said = "was not tested for" if cell.state == "not tested" else said
        groups.setdefault(said, []).append(f"{regime_name(row).removeprefix('single ')} ({cell.change:+.1f})")
    parts = [f"{said} {_listed(names)}" for said, names in groups.items()]
    text = f"Of single tasks: {what} {'; it '.join(parts)}."
    return Sentence(text=text, cells=tuple(f"scores/{row}/{column}" for row in singles))


def _by_target(row: str, targets: Mapping[str, Cell]) -> Sentence:
    helped = [task_name(name) for name, cell in targets.items() if cell.shade == "better"]
    hurt = [task_name(name) for name, cell in targets.items() if cell.shade == "worse"]
    left = len(targets) - len(helped) - len(hurt)
    parts = [f"helps {_listed(helped)}"] * bool(helped) + [f"hurts {_listed(hurt)}"] * bool(hurt)
    parts += [f"is not shown to change {left} of {len(targets)} targets"] * bool(left)
    text = f"By target, {regime_name(row)} {', '.join(parts)}."
    return Sentence(text=text, cells=tuple(f"scores/{row}/{name}" for name in targets))


def _query(cells: Cells, against: str) -> list[Sentence]:
    groups: dict[str, dict[str, Cell]] = {}
    for address, cell in cells.items():
        if address.startswith("equivalence/") and cell.value is not None:
            groups.setdefault(address.rsplit("/", 2)[1], {})[address] = cell
    found = []
    for row, mine in groups.items():
        count = len(mine)
        states = Counter(cell.state for cell in mine.values())
        parts = []
        if states["equivalent"]:
            parts.append(f"as long, within the margin, in {states['equivalent']} of {count}")
        if states["different"]:
            parts.append(f"{_range(mine)} in {states['different']} of {count}")
        if states["not different"]:
            parts.append(f"not told apart in {states['not different']} of {count}")
        if states["not tested"]:
            parts.append(f"not tested in {states['not tested']} of {count}")
        text = f"A query of {regime_name(row)} against one of {regime_name(against)}: {_listed(parts)}."
        found.append(Sentence(text=text, cells=tuple(mine)))
    return found


def _range(mine: Mapping[str, Cell]) -> str:
    values = [cell.value for cell in mine.values() if cell.state == "different" and cell.value is not None]
    low, high = significant(min(values)), significant(max(values))
    return f"{low}{f' to {high}' * (low != high)} times as long"


def _system(cells: Cells, against: str) -> list[Sentence]:  # noqa: ARG001
    found = []
    for address, cell in cells.items():
        if address.startswith("deploy/") and address.endswith("/ratio") and cell.value is not None:
            _, dtype, layout, heads, _ = address.split("/")
            verdict = cells[address.removesuffix("ratio") + "verdict"].text
            ratio = f"{cell.text} {cell.detail}".strip()
            said = {
                "better": f"takes {ratio} of the time",
                "worse": f"takes {ratio} times as long",
                "equivalent": f"takes as long, within the margin ({ratio})",
                "not tested": f"was not tested: {ratio}, of too few processes",
            }.get(verdict, f"is not told from that ({ratio})")
            tasks = "one task" if heads == "1" else f"{heads} tasks"
            text = f"Against a model a target, {LABELS[layout]} on a text of {tasks} ({dtype}) {said}."
            found.append(Sentence(text=text, cells=(address,)))
    for layout, cell in _rows(cells, "deploy", "weights").items():
        name = LABELS.get(layout.rsplit("/", 1)[-1], layout)
        if cell.value is not None:
            peak = cells[f"deploy/{layout}/peak"]
            at_most = f", at most {peak.text} GB in all" if peak.value is not None else ""
            text = f"{_capital(name)}: {cell.text} GB of weights{at_most}."
            found.append(Sentence(text=text, cells=(f"deploy/{layout}/weights", f"deploy/{layout}/peak")))
    return found


def _training(cells: Cells, against: str) -> list[Sentence]:
    totals = _rows(cells, "training", "total")
    base = totals.get(against)
    if base is None or not base.value:
        return []
    found = []
    for row, cell in totals.items():
        if row != against and cell.value is not None:
            models = cells[f"training/{row}/models"].text
            text = (
                f"{_capital(regime_name(row))} costs {significant(cell.value / base.value)} times the device "
                f"time of {regime_name(against)} to train, search included, and deploys {models} "
                f"model{'s' * (models != '1')}."
            )
            found.append(Sentence(text=text, cells=(f"training/{row}/total", f"training/{against}/total")))
    return found


def _break_even(cells: Cells, against: str) -> list[Sentence]:  # noqa: ARG001
    found = []
    for address, cell in cells.items():
        if address.startswith("deploy/") and address.endswith("/breakeven") and cell.text:
            _, _, layout, heads, _ = address.split("/")
            tasks = "one task" if heads == "1" else f"{heads} tasks"
            said = {
                "at once": "is cheaper from the first text on",
                "never": "never makes up for its costs",
                "not told apart": "is not told from a model a target in what a text costs",
                "not tested": "was not tested",
            }.get(
                cell.text, f"has repaid its training after {cell.text} {cell.detail} texts".replace("  ", " ")
            )
            if cell.text.startswith("ahead"):
                said = f"is {cell.text} {cell.detail} texts"
            text = f"With {tasks} a text, {LABELS[layout]} {said}."
            found.append(Sentence(text=text, cells=(address,)))
    return found


def _for_whom(cells: Cells, against: str) -> list[Sentence]:
    found = []
    gains = {
        row: cell
        for row, cell in _rows(cells, "scores", "trained").items()
        if cell.change is not None and row not in ("heads", "joint", "best")
    }
    better = {row: cell for row, cell in gains.items() if cell.shade == "better"}
    if better:
        top = max(better, key=lambda row: better[row].change or 0.0)
        text = (
            f"Whoever asks one task a text and wants accuracy: {regime_name(top)}, the largest gain shown on "
            f"trained targets ({better[top].change:+.1f} points); what its queries cost stands above."
        )
        found.append(Sentence(text=text, cells=(f"scores/{top}/trained",)))
    elif gains:
        text = (
            f"Whoever asks one task a text: {regime_name(against)}; no other regime with a model a target is "
            "shown to gain on the trained targets."
        )
        found.append(Sentence(text=text, cells=tuple(f"scores/{row}/trained" for row in gains)))
    joint = cells.get("scores/joint/trained")
    cheaper = [
        address
        for address, cell in cells.items()
        if address.startswith("deploy/")
        and "/shared/" in address
        and address.endswith("/verdict")
        and cell.text == "better"
    ]
    if joint is not None and joint.change is not None and cheaper:
        cost = {
            "worse": f"at the price of {abs(joint.change):.1f} points on the trained targets",
            "better": f"and gains {joint.change:.1f} points on the trained targets",
        }.get(
            joint.shade, f"with a change of accuracy that is not shown to be one ({joint.change:+.1f} points)"
        )
        heads = _listed([address.split("/")[3] for address in cheaper])
        text = f"Whoever asks {heads} tasks a text: one joint model, which serves them faster, {cost}."
        found.append(Sentence(text=text, cells=("scores/joint/trained", *cheaper)))
    return found


def _reported(cells: Cells) -> list[Sentence]:
    """What papers gain, against what serving was measured to cost; each side has its source in the table."""
    found = []
    for row, cell in _rows(cells, "combined", "all").items():
        trained, query = cells[f"combined/{row}/trained"], cells[f"combined/{row}/query"]
        if cell.value is None or row == "direct":
            continue
        cost = f"a query takes {query.text} ms, as without it ({query.note})" if query.text else ""
        held = cells[f"combined/{row}/weights"]
        cost += f"; {held.text} GB of weights" if held.text else ""
        text = (
            f"{_capital(regime_name(row))}: {cell.text} points reported on the mean of nine, {trained.text} "
            f"on that of seven ({cell.note}); {cost or 'its cost was not measured'}."
        )
        addresses = tuple(f"combined/{row}/{column}" for column in ("all", "trained", "query", "weights"))
        found.append(Sentence(text=text, cells=addresses))
    return found


def _listed(words: Sequence[str]) -> str:
    unique = list(dict.fromkeys(words))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}" if unique else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
