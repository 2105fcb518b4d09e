"""Yardsticks: what needs no understanding, beside what fine-tuning reaches."""

from collections.abc import Callable, Sequence

from stilts import tasks
from stilts.report import caption, inference
from stilts.report.evidence import Evidence
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.names import regime_name, task_name
from stilts.report.numbers import points, signed
from stilts.report.scored import Score, mean_of
from stilts.report.spec import Spec
from stilts.report.trace import of_values
from stilts.study import regimes
from stilts.tasks import Task

NOT_ABOVE = "!"
METHODS = ("majority", "bag-of-words", "word-overlap")
ROWS = ("targets", "intermediate")
COLUMNS = (*METHODS, *regimes.names())


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """Targets in languages never trained on, then intermediate tasks on English dev."""
    blocks = []
    if "targets" in spec.rows:
        blocks.append(_targets(spec, evidence))
    if "intermediate" in spec.rows:
        blocks.append(_intermediates(evidence))
    cells = [cell for block in blocks for row in block.rows for cell in row.cells]
    runs = [run for cell in cells for run in cell.runs]
    text = caption.sentence(
        spec.question,
        f"{spec.metric}. Targets: mean over the languages other than English, {spec.split} split; "
        "intermediate tasks: English dev split",
        caption.seeds(evidence),
        _count_text(cells),
        "Yardsticks: majority, always the commonest answer of the training set; bag of words, a linear model "
        "on words, for tags a lexicon, for questions the sentence that shares most words; word overlap, the "
        "linear model with the overlap of both sides besides; random encoder, fine-tuned like direct, "
        "from random weights. Above: the trained model minus the best of its baselines; an empty cell: does "
        "not apply",
        caption.setting(evidence),
        evidence.study.caveat,
    )
    marked = any(cell.mark == NOT_ABOVE for cell in cells)
    note = "Not above its best baseline: nothing can be read from this row about transfer."
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=text,
            blocks=tuple(blocks),
            stub="Task",
            footnotes=((NOT_ABOVE, note),) if marked else (),
            warnings=tuple(caption.warnings(evidence, runs)),
        )
    ]


def _targets(spec: Spec, evidence: Evidence) -> Block:
    def measure(task: Task, column: str) -> Cell:
        if column in METHODS:
            asked = evidence.answers.get(("direct", evidence.seeds[0], task.name))
            languages = [language for language in (asked.languages if asked else ()) if language != "en"]
            return _baseline(evidence, task.train_task or "", task.name, spec.split, languages, column)
        by_seed = [
            evidence.mean_score(column, seed, task.name, spec.split, skip=("en",)) for seed in evidence.seeds
        ]
        return _score_cell(mean_of(by_seed))

    columns = _asked(evidence, spec.columns)
    return _block("Target, zero-shot", evidence.trained_targets, columns, "direct", measure)


def _intermediates(evidence: Evidence) -> Block:
    trained = [tasks.load(name) for name in evidence.study.intermediate.tasks]

    def measure(task: Task, column: str) -> Cell:
        if column in METHODS:
            return _baseline(evidence, task.name, task.name, "dev", ["en"], column)
        if column == "single" and task.name not in evidence.study.intermediate.single_tasks:
            return EMPTY
        name = task.name if column == "single" else "multi"
        scores = [evidence.score_of_run(f"{name}-s{seed}", task.name, "dev", "en") for seed in evidence.seeds]
        return _score_cell(mean_of(scores))

    columns = _asked(evidence, (*METHODS, "single", "multi"))
    return _block("Intermediate task, English dev", trained, columns, "multi", measure)


def _asked(evidence: Evidence, columns: Sequence[str]) -> list[str]:
    """Without baselines that the study does not ask for."""
    optional = (*METHODS, "random")
    return [name for name in columns if name not in optional or name in evidence.study.baselines]


def _block(
    title: str,
    rows: Sequence[Task],
    columns: Sequence[str],
    judged: str,
    measure: Callable[[Task, str], Cell],
) -> Block:
    body = []
    for task in rows:
        cells = {column: measure(task, column) for column in columns}
        baselines = [cell for column, cell in cells.items() if column in (*METHODS, "random")]
        above = _above(cells[judged], baselines)
        body.append(Row(key=task.name, label=task_name(task.name), cells=(*cells.values(), above)))
    headers = [*(regime_name(column) for column in columns), f"{regime_name(judged)} above"]
    return Block(
        title=title,
        columns=(*columns, "above"),
        headers=tuple(Header(text=text) for text in headers),
        rows=tuple(body),
    )


def _above(judged: Cell, baselines: Sequence[Cell]) -> Cell:
    asked = [cell for cell in baselines if cell.applies]
    if not asked:
        return EMPTY
    known = [cell.value for cell in asked if cell.value is not None]
    if judged.value is None or len(known) < len(asked):
        return Cell()
    margin = inference.without_rounding(judged.value - max(known))
    runs = tuple(dict.fromkeys(run for cell in (judged, *asked) for run in cell.runs))
    values = {"judged": judged.value, "best baseline": max(known)}
    return Cell(
        text=signed(margin),
        value=margin,
        change=margin,
        mark=NOT_ABOVE * (margin <= 0),
        runs=runs,
        trace=of_values("the judged model less the best of its baselines", values),
    )


def _baseline(
    evidence: Evidence, train_task: str, task: str, split: str, languages: Sequence[str], method: str
) -> Cell:
    if method not in evidence.study.baselines:
        return EMPTY
    run_id = f"baseline.{train_task}"
    found = [evidence.score_of_run(run_id, task, split, language, regime=method) for language in languages]
    if not any(found) and evidence.is_whole(run_id):
        return EMPTY  # the run is done and has no such number: the method cannot answer this kind of task
    return _score_cell(mean_of(found))


def _score_cell(score: Score | None) -> Cell:
    if score is None:
        return Cell()
    trace = of_values("mean over seeds and languages other than English, or dev", {"mean": score.value})
    return Cell(text=points(score.value), value=score.value, count=score.count, runs=score.runs, trace=trace)


def _count_text(cells: Sequence[Cell]) -> str:
    counts = sorted({cell.count for cell in cells if cell.count is not None})
    if not counts:
        return ""
    shown = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"n = {shown} examples a language"
