"""What a `run` will do, decided before anything heavy is loaded: tasks, heads, data, and where it goes."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hpc.errors import UserError, refuse_unknown
from hpc.files import is_there
from stilts import data
from stilts.data.sources import choose, names as source_names
from stilts.evaluate import request
from stilts.evaluate.checkpoint import Checkpoint, HeadChoice, answering, digest, locate
from stilts.evaluate.request import Limit, RequestedTask
from stilts.evaluate.store import Cell, Overwrite, Store, StoredCell
from stilts.run.folder import RunFolder
from stilts.run.settings import Retrieval, Rules
from stilts.study.config import Study
from stilts.study.loading import load_study
from stilts.study.protocol import in_force
from stilts.tasks import Task, types as task_types

SOURCES = ("folder", "hub", "embedded")
"""Where data are looked for when neither the command nor a study says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All that will be answered, decided before anything heavy is loaded."""

    checkpoint: Checkpoint
    store: Store
    cells: Sequence[StoredCell]
    answers: dict[str, HeadChoice]
    """Head by task."""
    retrieval: Retrieval
    rules: Rules
    sources: tuple[str, ...]
    device: str
    lines: Sequence[str]
    """What was left out, and why."""


def make_plan(asked: argparse.Namespace) -> Plan:
    """Decides what is answered, by which head, on which data.

    Raises:
        UserError: an unknown name, no head for a task, data that are missing, or a folder of other answers.
    """
    study = load_study(asked.study) if asked.study else None
    limit = None if asked.limit is None else request.parse_limit(asked.limit)
    wanted, lines = request.choose_languages(request.parse_tasks(asked.tasks), asked.languages, study)
    sources = _sources(asked, study)
    checkpoint = locate(asked.model)
    _refuse_damaged(checkpoint)
    wanted, answers, more = _answerable(checkpoint, wanted, sources)
    device = _device()
    retrieval, note = _retrieval(asked, study, checkpoint, any(_compares(one.task) for one in wanted))
    rules = study.rules if study else Rules()
    output = Path(asked.output) if asked.output else Path("runs") / "evaluate" / _label(checkpoint)
    store = Store(RunFolder(output.resolve()))
    common = {
        "run_id": store.folder.id,
        "study": asked.study or checkpoint.run.get("study", ""),
        "regime": checkpoint.run.get("regime", "checkpoint"),
        "intermediate": checkpoint.run.get("intermediate", ""),
        "seed": checkpoint.run.get("seed"),
    }
    made = _Cells(
        checkpoint=checkpoint,
        model=digest(checkpoint.folder),
        dtype=_dtype(asked, study, device),
        retrieval=retrieval,
        rules=rules,
        sources=sources,
        common=common,
    )
    limits = {one.task.name: _limit(one.task, limit, study) for one in wanted}
    cells = [
        made.cell(one.task, language, limits[one.task.name], answers.get(one.task.name))
        for one in wanted
        for language in one.languages
    ]
    store.refuse_mixture([kept.cell for kept in cells], asked.overwrite)
    return Plan(
        checkpoint=checkpoint,
        store=store,
        cells=cells,
        answers=answers,
        retrieval=retrieval,
        rules=rules,
        sources=sources,
        device=device,
        lines=[*lines, *more, *note, *_cuts(checkpoint, wanted)],
    )


def todo(plan: Plan, overwrite: Overwrite) -> list[StoredCell]:
    """Cells without whole predictions; all of them when they are to be computed anew."""
    there = plan.store.kept() if overwrite == "missing" else {}
    return [kept for kept in plan.cells if kept.cell.name not in there]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cells:
    """What all cells of a command share."""

    checkpoint: Checkpoint
    model: str
    dtype: str
    retrieval: Retrieval
    rules: Rules
    sources: tuple[str, ...]
    common: dict[str, Any]

    def cell(self, task: Task, language: str, limit: Limit, answer: HeadChoice | None) -> StoredCell:
        split = request.split_of(task)
        actual = task.set_of(split=split, language=language)
        chosen = choose(task, language=language, split=actual, sources=self.sources)
        rows = limit.rows(lambda: request.size_of(task, language=language, split=split, sources=self.sources))
        cell = Cell(
            task=task.name,
            language=language,
            split=split,
            limit=str(limit),
            model=self.model,
            head=answer.head if answer else "",
            dtype=self.dtype,
            max_length=min(task.max_length, self.checkpoint.max_tokens),
            source=chosen.name,
            version=chosen.version,
            rules=in_force(task, self.rules),
        )
        if _compares(task):
            cell = replace(cell, **asdict(self.retrieval))
        note = f"limited to {limit}" if str(limit) else ""
        return StoredCell(
            cell=cell,
            sources=self.sources,
            rows=rows,
            dev_rows=rows,
            num_full=0,
            common=self.common | {"note": note},
        )


def _answerable(
    checkpoint: Checkpoint, wanted: Sequence[RequestedTask], sources: tuple[str, ...]
) -> tuple[list[RequestedTask], dict[str, HeadChoice], list[str]]:
    """The tasks the model can answer: a named one that it cannot is refused, one of a group left out."""
    kept, answers, lines = [], {}, []
    for one in wanted:
        task = one.task
        try:
            if not _compares(task):
                labels = data.labels(task, sources=sources)
                answers[task.name] = answering(checkpoint, task, labels)
        except UserError as problem:
            if one.origin == "named":
                raise
            lines.append(f"{task.name} is left out: {problem}")
        else:
            kept.append(one)
    if not kept:
        raise UserError(f"nothing is left to answer: {'; '.join(lines)}")
    return kept, answers, lines


def _refuse_damaged(checkpoint: Checkpoint) -> None:
    """A run's weights have to be those that it wrote: whoever answers with others tells of another run."""
    run = RunFolder(checkpoint.folder.resolve().parent)
    reason = run.damage(contents=("weights",)) if is_there(run.done) and is_there(run.spec) else ""
    if reason:
        raise UserError(f"{run.path} is damaged ({reason}): launch again, which does it anew", code=3)


def _compares(task: Task) -> bool:
    """Whether vectors are compared, and no head answers."""
    return task_types.load(task.type).head is None


def _retrieval(
    asked: argparse.Namespace, study: Study | None, checkpoint: Checkpoint, needed: object
) -> tuple[Retrieval, list[str]]:
    settings = study.retrieval if study else Retrieval()
    if asked.pooling:
        settings = replace(settings, pooling=asked.pooling)
    if asked.layer is not None:
        settings = replace(settings, layer=asked.layer)
    if not needed or 0 <= settings.layer <= checkpoint.layers:
        return settings, []
    if asked.layer is not None or study is not None:
        raise UserError(
            f"layer {settings.layer} was asked of a model whose hidden states are 0 to {checkpoint.layers}"
        )
    line = f"retrieval reads hidden state {checkpoint.layers}, the last: there is no {settings.layer}"
    return replace(settings, layer=checkpoint.layers), [line]


def _cuts(checkpoint: Checkpoint, wanted: Sequence[RequestedTask]) -> list[str]:
    """Says which tasks are read in shorter sequences than their protocol has."""
    short = [one.task.name for one in wanted if one.task.max_length > checkpoint.max_tokens]
    reason = f"in sequences of {checkpoint.max_tokens} tokens: the model has no more positions"
    return [f"{', '.join(short)}: {reason}"] if short else []


def _limit(task: Task, limit: Limit | None, study: Study | None) -> Limit:
    return request.limit_of(task, request.split_of(task), limit, study)


def _sources(asked: argparse.Namespace, study: Study | None) -> tuple[str, ...]:
    if asked.sources is None:
        return study.sources if study else SOURCES
    refuse_unknown("source", asked.sources, source_names())
    return tuple(asked.sources)


def _device() -> str:
    """Where the model will answer; torch is asked only where a driver promises a GPU."""
    from hpc import ranks

    if not ranks.has_gpu_driver():
        return "cpu"
    return ranks.setup().device


def _dtype(asked: argparse.Namespace, study: Study | None, device: str) -> str:
    if asked.dtype:
        return str(asked.dtype)
    if study is not None:
        return study.evaluation.dtype
    return "fp32" if device == "cpu" else "bf16"


def _label(checkpoint: Checkpoint) -> str:
    if checkpoint.run:
        return f"{checkpoint.run['study']}.{checkpoint.run['id']}"
    name = Path(checkpoint.source).expanduser().resolve().name if is_there(checkpoint.folder) else ""
    shown = checkpoint.source if "@" in checkpoint.source else name
    return re.sub(r"[^A-Za-z0-9._-]+", "--", shown).strip("-.") or "model"
