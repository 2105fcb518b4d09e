"""The evaluations of a grid: predictions and scores of one set of weights by target and language.

Each (target, language) is written as soon as it is done: a run that was killed computes what is missing.
"""

from hpc import ranks
from hpc.dtypes import DTYPES
from stilts import tasks
from stilts.data.sources import choose
from stilts.evaluate.checkpoint import HeadChoice, locate
from stilts.evaluate.evaluator import Evaluator
from stilts.evaluate.fitting import BatchSizeFinder
from stilts.evaluate.loading import load
from stilts.evaluate.store import Cell, Store, StoredCell
from stilts.run.folder import RunFolder
from stilts.run.outputs import weights_digest
from stilts.run.progress import Progress
from stilts.run.settings import Retrieval
from stilts.run.specs import EvaluateSpec, RunSpec, Target
from stilts.study.protocol import in_force
from stilts.tasks import Task


def evaluate(run: RunFolder, spec: RunSpec, asked: EvaluateSpec) -> None:
    """Carries out a run of the stage `evaluate`: answers every cell that is not there yet."""
    parent = run.sibling(spec.needs[0])
    model = weights_digest(parent.path) or ""
    store = Store(run)
    cells = [
        _cell(spec, asked, tasks.load(name), target, language, model)
        for name, target in asked.targets.items()
        for language in target.languages
    ]
    before = {name: kept.cell for name, kept in store.kept().items() if store.is_scored(name)}
    left = [kept for kept in cells if before.get(kept.cell.name) != kept.cell]
    progress = Progress(run, total=len(cells), unit="languages")
    if not left:
        progress.at(len(cells))
        return
    device = ranks.setup().device
    checkpoint = locate(str(parent.weights))
    answers = {name: HeadChoice(head=target.head) for name, target in asked.targets.items() if target.head}
    loaded = load(
        checkpoint,
        answers,
        device=device,
        dtype=DTYPES[asked.evaluation.dtype],
        attention=asked.evaluation.attention,
        cache=run.cache,
    )
    evaluator = Evaluator(
        loaded,
        store,
        retrieval=asked.retrieval or Retrieval(),
        rules=asked.rules,
        fitting=BatchSizeFinder(asked.evaluation.tokens_per_batch, device=device, say=lambda _: None),
        cache=run.cache,
    )
    for number, kept in enumerate(left, start=len(cells) - len(left)):
        progress.at(number, f"{kept.cell.task} {kept.cell.language}")
        evaluator.answer(kept)
    progress.at(len(cells))


def _cell(
    spec: RunSpec, asked: EvaluateSpec, task: Task, target: Target, language: str, model: str
) -> StoredCell:
    rows = asked.limit(task.name, "test")
    actual = task.set_of(split="test", language=language)
    chosen = choose(task, language=language, split=actual, sources=asked.sources)
    retrieval = None if target.head else asked.retrieval or Retrieval()
    cell = Cell(
        task=task.name,
        language=language,
        split="test",
        limit=str(rows or ""),
        model=model,
        head=target.head,
        dtype=asked.evaluation.dtype,
        max_length=task.max_length,
        source=chosen.name,
        version=chosen.version,
        layer=retrieval.layer if retrieval else None,
        pooling=retrieval.pooling if retrieval else None,
        neighbours=retrieval.neighbours if retrieval else None,
        rules=in_force(task, asked.rules),
    )
    common = {
        "run_id": spec.id,
        "study": spec.study,
        "regime": asked.regime,
        "intermediate": asked.intermediate,
        "seed": asked.seed,
        "note": target.note,
    }
    return StoredCell(
        cell=cell,
        sources=asked.sources,
        rows=rows,
        dev_rows=asked.limit(task.name, "dev"),
        num_full=0,
        common=common,
    )
