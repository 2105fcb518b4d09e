"""One table a target: regimes by languages, in blocks narrow enough to read."""

from collections.abc import Sequence

from stilts import tasks
from stilts.report import caption
from stilts.report.builders import scores
from stilts.report.builders.scores import columns_of, score_cell
from stilts.report.compare import Column, Comparer
from stilts.report.evidence import Evidence
from stilts.report.form import DAGGER, Block, Cell, Header, Row, Table
from stilts.report.names import regime_name, task_name
from stilts.report.spec import Spec

COLUMNS = scores.COLUMNS


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


def _columns(evidence: Evidence, target: str) -> list[Column]:
    languages = _languages(evidence, target)
    columns = [
        Column(key=language, header=language, targets=(target,), languages=(language,))
        for language in languages
    ]
    foreign = tuple(language for language in languages if language != "en")
    if len(foreign) < len(languages):
        columns.append(Column(key="foreign", header="mean w/o en", targets=(target,), languages=foreign))
    return [*columns, Column(key="mean", header="mean", targets=(target,))]


def _table(spec: Spec, comparer: Comparer, target: str) -> Table:
    evidence = comparer.evidence
    columns = _columns(evidence, target)
    rows = [row for row in evidence.rows(spec.rows) if (row, evidence.seeds[0], target) in evidence.answers]
    keys = [column.key for column in columns]
    cells = {row: dict(zip(keys, _row(comparer, row, columns), strict=True)) for row in rows}
    probed = [row for row in rows if evidence.answers[row, evidence.seeds[0], target].note == "probe"]
    blocks = []
    for part in _parts(columns, spec.block):
        body = tuple(
            Row(
                key=row,
                label=regime_name(row) + DAGGER * (row in probed),
                cells=tuple(cells[row][column.key] for column in part),
            )
            for row in rows
        )
        headers = tuple(Header(text=column.header) for column in part)
        blocks.append(Block(columns=tuple(column.key for column in part), headers=headers, rows=body))
    return _captioned(spec, comparer, target, tuple(blocks), probed)


def _row(comparer: Comparer, row: str, columns: Sequence[Column]) -> list[Cell]:
    found = {column.key: comparer.change(row, comparer.spec.against, column) for column in columns}
    changes = comparer.adjusted(
        {key: change for key, change in found.items() if change is not None and row != comparer.spec.against}
    )
    return [
        score_cell(comparer.measure(row, column), changes.get(column.key), comparer=comparer)
        for column in columns
    ]


def _parts(columns: Sequence[Column], most: int) -> list[Sequence[Column]]:
    """Blocks of about equal width."""
    count = -(-len(columns) // most)
    size = -(-len(columns) // count)
    return [columns[start : start + size] for start in range(0, len(columns), size)]


def _captioned(
    spec: Spec, comparer: Comparer, target: str, blocks: tuple[Block, ...], probed: Sequence[str]
) -> Table:
    evidence = comparer.evidence
    measured = [
        comparer.measure(row.key, Column(key="", header="", targets=(target,))) for row in blocks[0].rows
    ]
    scores = [score for found in measured if found for score in found.by_seed.values()]
    runs = [run for score in scores for run in score.runs]
    text = caption.sentence(
        f"{task_name(target)}: {spec.question}",
        f"{spec.metric}; {spec.split} split",
        f"{caption.seeds(evidence)}; {caption.sizes(scores)}",
        f"Small print: change against {regime_name(spec.against)}, \u00b1 "
        f"{caption.intervals(evidence, spec)}; without \u00b1 there is no interval",
        f"Shaded: a change that is not zero; {caption.correction(spec, 'a row')}, level "
        f"{1 - spec.stats.level:.2g}",
        caption.retrieval(evidence) if tasks.load(target).train_task is None else "",
        caption.setting(evidence),
        evidence.study.caveat,
    )
    note = "No intermediate head answers this target: a linear probe on the frozen encoder."
    return Table(
        id=f"{spec.id}-{target}",
        question=f"{task_name(target)}: {spec.question}",
        caption=text,
        blocks=blocks,
        footnotes=((DAGGER, note),) if probed else (),
        warnings=tuple(caption.warnings(evidence, runs, scores)),
    )
