"""Intermediate phases of another kind: masked text mixed in, or translated sets beside the English ones.

Each starts from the pretrained encoder as its English counterpart does, sees the same English batches in the
same order, and is followed by the same fine-tuning and evaluation; no heads, no joint model.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hpc.errors import UserError
from stilts import tasks
from stilts.study.config import MaskedText, Study
from stilts.study.grid.draft import Draft, Start, languages_of
from stilts.study.grid.training import add_target_runs, add_training, left_out_of
from stilts.tasks import Task

TEXT = "wikipedia"
REGIMES = ("mlm", "translated")


def add_variants(draft: Draft, seed: int, targets: list[Task]) -> None:
    """The runs of all variants that the study lists.

    Raises:
        UserError: a phase that the study does not train, or a setting that cannot work.
    """
    study = draft.study
    if study.variants.mlm is not None:
        if study.zero.stage == 3:
            raise UserError(
                f"study {study.name}: masked text needs the word embeddings whole; use ZeRO stage 2 or less"
            )
        for phase in _phases(study, study.variants.mlm.phases, [*study.intermediate.singles, "multi"]):
            add_target_runs(draft, _with_text(draft, phase, seed), targets)
    if study.variants.translated is not None:
        for phase in _phases(study, study.variants.translated.phases, study.intermediate.singles):
            add_target_runs(draft, _with_translations(draft, phase, seed), targets)


def read_by_variants(study: Study) -> dict[str, list[str]]:
    """Languages of what the variants read beside the English sets, by task."""
    found = {}
    if (mlm := study.variants.mlm) is not None:
        found[TEXT] = text_languages(study, mlm)
    if (translated := study.variants.translated) is not None:
        found |= {tasks.translated(name): list(translated.languages) for name in translated.phases}
    return found


def text_languages(study: Study, mlm: MaskedText) -> list[str]:
    """Languages of the text: those named, or all of the targets that the source of text has.

    Raises:
        UserError: a language that there is no text in.
    """
    text = tasks.load(TEXT)
    if mlm.languages:
        for language in mlm.languages:
            text.set_of(split="train", language=language)
        return list(mlm.languages)
    spoken = {code for name in study.targets for code in languages_of(study, tasks.load(name))}
    return [language for language in text.languages if language in spoken]


def _with_text(draft: Draft, phase: str, seed: int) -> Start:
    study, mlm = draft.study, draft.study.variants.mlm
    assert mlm is not None
    how = {name: value for name, value in asdict(mlm).items() if name != "phases"}
    text = {"text": how | {"task": TEXT, "languages": text_languages(study, mlm)}}
    names = list(study.intermediate.tasks) if phase == "multi" else [phase]
    return _phase(draft, "mlm", phase, seed, names, text, reads=[TEXT])


def _with_translations(draft: Draft, phase: str, seed: int) -> Start:
    translated = draft.study.variants.translated
    assert translated is not None
    task = tasks.load(tasks.translated(phase))
    for language in translated.languages:
        task.set_of(split="train", language=language)
    languages = {"translations": {phase: list(translated.languages)}}
    return _phase(draft, "translated", phase, seed, [phase], languages, reads=[task.name])


def _phase(
    draft: Draft,
    regime: str,
    phase: str,
    seed: int,
    names: list[str],
    more: dict[str, Any],
    *,
    reads: Sequence[str],
) -> Start:
    start = Start(id="model", regime=regime, intermediate=phase, seed=seed)
    role = "multi" if phase == "multi" else "single"
    more = more | (left_out_of(draft.study) if phase == "multi" else {})
    run_id = add_training(draft, f"{phase}+{regime}-s{seed}", start, role, names, more=more, reads=reads)
    return Start(id=run_id, regime=regime, intermediate=phase, seed=seed)


def _phases(study: Study, asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """The phases to vary, without optional ones that are left out.

    Raises:
        UserError: one has no English counterpart in the study, so that nothing could be held against it.
    """
    absent = [name for name in study.intermediate.optional if name not in study.intermediate.tasks]
    for name in asked:
        if name not in known and name not in absent:
            raise UserError(
                f"study {study.name}: the variant of {name!r} has nothing to be held against; "
                f"phases of this study: {', '.join(known) or 'none'}"
            )
    return [name for name in asked if name not in absent]
