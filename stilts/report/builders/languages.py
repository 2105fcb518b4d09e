"""One table a target: regimes by languages, and in how many of them each helps or hurts."""

from collections.abc import Sequence

from stilts import tasks
from stilts.report import caption, inference
from stilts.report.builders import scores
from stilts.report.builders.scores import columns_of, score_cell
from stilts.report.compare import Column, Comparer
from stilts.report.evidence import Evidence
from stilts.report.form import DAGGER, EMPTY, Block, Cell, Header, Row, Table
from stilts.report.inference import Estimate
from stilts.report.names import regime_name, task_name
from stilts.report.spec import Spec
from stilts.report.trace import of_values

COLUMNS = scores.COLUMNS
_COUNTS = {"helped": 1, "hurt": -1}


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """Tables `languages-xnli` and so on, for the targets the study evaluates in any language."""
    comparer = Comparer(evidence, spec)
    targets = [column.key for column in columns_of(spec, evidence) if len(column.targets) == 1]
    return [_table(spec, comparer, target) for target in targets if _languages(evidence, target)]


def _languages(evidence: Evidence, target: str) -> list[str]:
    """Languages of a target, English first."""
    answers = [answer for (_, _, name), answer in evidence.answers.items() if name == target]
    found = sorted({language for answer in answers for language in answer.languages})
    return sorted(found, key=lambda language: language != "en")


def _columns(evidence: Evidence, target: str) -> tuple[list[Column], list[Column]]:
    """Of single languages, and of means over them."""
    names = _languages(evidence, target)
    columns = [Column(key=name, header=name, targets=(target,), languages=(name,)) for name in names]
    foreign = tuple(name for name in names if name != "en")
    means = [Column(key="mean", header="mean", targets=(target,))]
    if 0 < len(foreign) < len(names):
        means.insert(0, Column(key="foreign", header="mean w/o en", targets=(target,), languages=foreign))
    return columns, means


def _table(spec: Spec, comparer: Comparer, target: str) -> Table:
    evidence = comparer.evidence
    languages, means = _columns(evidence, target)
    columns = [*languages, *means]
    rows = [row for row in evidence.rows(spec.rows) if (row, evidence.seeds[0], target) in evidence.answers]
    changes = comparer.changes((row, column) for row in rows for column in columns)
    probed = [row for row in rows if evidence.answers[row, evidence.seeds[0], target].note == "probe"]
    level = 1 - (1 - spec.stats.level) / max(1, 2 * (len(rows) - 1))
    body = []
    for row in rows:
        cells = [
            score_cell(row, column, changes.get((row, column.key)), comparer=comparer) for column in columns
        ]
        found = [changes.get((row, column.key)) for column in languages]
        cells += [
            EMPTY if row == spec.against else _count(found, sign, level, cells) for sign in _COUNTS.values()
        ]
        body.append(Row(key=row, label=regime_name(row) + DAGGER * (row in probed), cells=tuple(cells)))
    block = Block(
        columns=(*(column.key for column in columns), *_COUNTS),
        headers=tuple(Header(text=text) for text in (*(column.header for column in columns), *_COUNTS)),
        groups=(
            Header(text="languages", span=len(languages), essential=False),
            Header(text="means", span=len(means), essential=False),
            Header(text="languages at least", span=len(_COUNTS)),
        ),
        rows=tuple(body),
    )
    return _captioned(spec, comparer, target, block, probed)


def _count(changes: Sequence[Estimate | None], sign: int, level: float, cells: Sequence[Cell]) -> Cell:
    """In how many languages at least a row is better (`sign` 1) or worse (-1)."""
    tested = [change for change in changes if change is not None and change.has_interval]
    if not tested:
        return Cell(note="no language was tested")
    p_values = []
    for change in tested:
        one_sided = change.spread.p_value(change.value) / 2
        p_values.append(one_sided if sign * change.value > 0 else 1 - one_sided)
    count = inference.partial_conjunction(p_values, level)
    trace = of_values(
        f"partial conjunction of one-sided p-values, level {1 - level:.4g}",
        dict(zip((f"language {n}" for n in range(1, len(p_values) + 1)), p_values, strict=True)),
    )
    runs = tuple(dict.fromkeys(run for cell in cells for run in cell.runs))
    return Cell(
        text=f"{count} of {len(tested)}", value=float(count), count=len(tested), runs=runs, trace=trace
    )


def _captioned(spec: Spec, comparer: Comparer, target: str, block: Block, probed: Sequence[str]) -> Table:
    evidence = comparer.evidence
    measured = [comparer.measure(row.key, Column(key="", header="", targets=(target,))) for row in block.rows]
    scores = [score for found in measured if found for score in found.by_seed.values()]
    runs = [run for score in scores for run in score.runs]
    level = f"{100 * spec.stats.level:g} %"
    text = caption.sentence(
        f"{task_name(target)}: {spec.question}",
        f"{spec.metric}; {spec.split} split",
        caption.seeds(evidence),
        caption.sizes(scores),
        f"Small print: change against {regime_name(spec.against)}, \u00b1 "
        f"{caption.intervals(evidence, spec)}; without \u00b1 there is no interval",
        "Helped, hurt: in how many languages at least, by partial conjunction, together right with "
        f"{level} over all rows",
        caption.retrieval(evidence) if tasks.load(target).train_task is None else "",
        caption.rules(evidence, [target]),
        caption.setting(evidence),
        evidence.study.caveat,
    )
    note = "No intermediate head answers this target: a linear probe on the frozen encoder."
    cells = [cell for row in block.rows for cell in row.cells]
    return Table(
        id=f"{spec.id}-{target}",
        question=f"{task_name(target)}: {spec.question}",
        caption=text,
        blocks=(block,),
        footnotes=(
            *caption.state_notes(spec, cells, regime_name(spec.against)),
            *(((DAGGER, note),) if probed else ()),
        ),
        warnings=tuple(caption.warnings(evidence, runs, scores)),
    )
