"""Two sets of predictions compared example by example; where both have several runs, paired by run."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hpc.errors import UserError
from hpc.files import listing
from stilts import tasks
from stilts.report import caption, inference
from stilts.report.form import SIGNS, Block, Cell, Header, Row, State, Table
from stilts.report.inference import Estimate
from stilts.report.items import SetEffects, on_mean, read_sets, same_items
from stilts.report.names import task_name
from stilts.report.numbers import points, signed, spread

_SEED = re.compile(r"-s\d+")
Sets = Mapping[tuple[str, str], SetEffects]
"""By target and language."""


def versus(first: Path, second: Path, *, margin: float) -> Table:
    """A row for each target that both answered, and each recipe where the folders hold several.

    Args:
        first: a folder of a run or an evaluation, or of several runs.
        second: another one.
        margin: points; a difference shown to be smaller is called equivalent.

    Raises:
        UserError: no predictions, or none of the same examples (code 3).
    """
    numbers: dict[str, dict[str, int]] = {}
    runs, others = (_runs(folder, numbers) for folder in (first, second))
    if len(runs) == len(others) == 1:
        pairs = {"": list(zip(runs.values(), others.values(), strict=True))}
    else:
        # Seeds of one recipe are repetitions; recipes are compared each for itself.
        pairs = {}
        for name in runs:
            if name in others:
                pairs.setdefault(_SEED.sub("", name), []).append((runs[name], others[name]))
    found = {
        (recipe, target): by_run
        for recipe, both in pairs.items()
        for target, by_run in _targets(both).items()
    }
    count = sum(map(len, pairs.values()))
    if not found:
        raise UserError(f"{first} and {second} have no set of examples in common that both answered", code=3)
    rows = [(place, _change(by_run)) for place, by_run in found.items()]
    p_values = inference.holm([change.p_value for _, change in rows])
    equal = inference.holm([inference.equivalence_p(change, margin) for _, change in rows])
    body = [
        _row(place, found[place], change, _state(change, p, same))
        for (place, change), p, same in zip(rows, p_values, equal, strict=True)
    ]
    columns = ("first", "second", "change", "verdict")
    names = ("A", "B", "A less B", "verdict")
    text = caption.sentence(
        f"A: {first}; B: {second}; {count} pair{'s' * (count > 1)} of runs",
        "Points, mean over the languages both answered; \u00b1 half the 95 % interval over test items, and "
        "over seeds where there are several",
        f"Different, and equivalent within {margin:g} points: level 0.05 by Holm over all {len(rows)} rows",
    )
    return Table(
        id="compare",
        question=f"Does {first.name} answer other than {second.name}?",
        caption=text,
        blocks=(
            Block(columns=columns, headers=tuple(Header(text=name) for name in names), rows=tuple(body)),
        ),
        stub="Target",
    )


def _runs(folder: Path, numbers: dict[str, dict[str, int]]) -> dict[str, Sets]:
    """Predictions by run; a folder with predictions of its own is one run."""
    places = [folder] if (folder / "predictions").is_dir() else listing(folder)
    found = {
        place.name: read_sets(place / "predictions", "test", numbers)
        for place in places
        if (place / "predictions").is_dir()
    }
    if not any(found.values()):
        raise UserError(
            f"{folder} has no predictions of test sets; is it a folder of a run or a study?", code=3
        )
    return {name: sets for name, sets in found.items() if sets}


def _targets(pairs: Sequence[tuple[Sets, Sets]]) -> dict[str, list[tuple[Sets, Sets]]]:
    """By target, the pairs of runs that answered the same examples in some language, cut to those."""
    found: dict[str, list[tuple[Sets, Sets]]] = {}
    for first, second in pairs:
        shared = [place for place in first if place in second and same_items(first[place], second[place])]
        for target in dict.fromkeys(target for target, _ in shared):
            mine = [place for place in shared if place[0] == target]
            found.setdefault(target, []).append(
                ({place: first[place] for place in mine}, {place: second[place] for place in mine})
            )
    return found


def _change(by_run: Sequence[tuple[Sets, Sets]]) -> Estimate:
    values = [_mean(first) - _mean(second) for first, second in by_run]
    sides = [(list(first.values()), list(second.values())) for first, second in by_run]
    return inference.crossed(values, [on_mean(sides, 1)])


def _mean(sets: Sets) -> float:
    return sum(one.score for one in sets.values()) / len(sets)


def _state(change: Estimate, p_value: float, equal: float) -> State:
    if not change.has_interval:
        return "not tested"
    if equal < 0.05:
        return "equivalent"
    return "different" if p_value < 0.05 else "not different"


def _row(place: tuple[str, str], by_run: Sequence[tuple[Sets, Sets]], change: Estimate, state: State) -> Row:
    first, second = (sum(_mean(pair[side]) for pair in by_run) / len(by_run) for side in (0, 1))
    half = spread((change.high - change.low) / 2) if change.has_interval else ""
    better = change.value > 0
    words = {
        "different": "better" if better else "worse",
        "not different": "inconclusive",
    }.get(state, state)
    cells = (
        Cell(text=points(first), value=first),
        Cell(text=points(second), value=second),
        Cell(
            text=signed(change.value),
            detail=half + SIGNS.get(state, ""),
            value=change.value,
            low=change.low if change.has_interval else None,
            high=change.high if change.has_interval else None,
            count=sum(one.count for one in by_run[0][0].values()),
            state=state,
        ),
        Cell(
            text=words, state=state, shade=("better" if better else "worse") if state == "different" else ""
        ),
    )
    recipe, target = place
    label = task_name(tasks.load(target).name)
    return Row(
        key="/".join(filter(None, place)), label=f"{label}, {recipe}" if recipe else label, cells=cells
    )
