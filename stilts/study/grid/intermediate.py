"""The intermediate phases that regimes start from; a phase that several regimes share is one run."""

from collections.abc import Callable, Mapping

from hpc.errors import UserError
from stilts import tasks
from stilts.run.specs import Text
from stilts.study.config import MaskedText, Study
from stilts.study.grid.builder import MODEL, GridBuilder, Parent, languages_of
from stilts.study.grid.training import add_training
from stilts.study.regimes import Intermediate, Regime

MULTI = "multi"
TEXT = "wikipedia"
"""Task that holds the text for masked-language modelling."""


def start(builder: GridBuilder, regime: Regime, phase: str, seed: int) -> Parent:
    """The weights a regime goes on from, given one of its phases."""
    return _STARTS[regime.intermediate](builder, regime.name, phase, seed)


def _none(builder: GridBuilder, regime: str, phase: str, seed: int) -> Parent:  # noqa: ARG001
    return Parent(id=MODEL, regime=regime, intermediate="", seed=seed)


def _single(builder: GridBuilder, regime: str, phase: str, seed: int) -> Parent:
    parent = Parent(id=MODEL, regime=regime, intermediate=phase, seed=seed)
    return add_training(builder, f"{phase}-s{seed}", parent, "single", [phase])


def _multi(builder: GridBuilder, regime: str, phase: str, seed: int) -> Parent:  # noqa: ARG001
    """All intermediate tasks mixed; tasks that were left out are named in the run."""
    # The run is the regime multi's, whichever regime goes on from it.
    parent = Parent(id=MODEL, regime=MULTI, intermediate=MULTI, seed=seed)
    trained = add_training(
        builder,
        f"{MULTI}-s{seed}",
        parent,
        "multi",
        builder.study.intermediate.tasks,
        extra={"left_out": _left_out(builder.study)},
    )
    return Parent(id=trained.id, regime=regime, intermediate=MULTI, seed=seed)


def _text(builder: GridBuilder, regime: str, phase: str, seed: int) -> Parent:
    """Masked text beside the English batches, which come in the order they have without it."""
    study, mlm = builder.study, builder.study.variants.mlm
    assert mlm is not None
    text = Text(
        task=TEXT,
        languages=text_languages(study, mlm),
        every=mlm.every,
        smoothing=mlm.smoothing,
        block=mlm.block,
        masked=mlm.masked,
    )
    is_multi = phase == MULTI
    return add_training(
        builder,
        f"{phase}+{regime}-s{seed}",
        Parent(id=MODEL, regime=regime, intermediate=phase, seed=seed),
        "multi" if is_multi else "single",
        study.intermediate.tasks if is_multi else [phase],
        extra={"text": text, "left_out": _left_out(study) if is_multi else ()},
        extra_data=[TEXT],
    )


def _translations(builder: GridBuilder, regime: str, phase: str, seed: int) -> Parent:
    translated = builder.study.variants.translated
    assert translated is not None
    return add_training(
        builder,
        f"{phase}+{regime}-s{seed}",
        Parent(id=MODEL, regime=regime, intermediate=phase, seed=seed),
        "single",
        [phase],
        extra={"translations": {phase: translated.languages}},
        extra_data=[tasks.translated(phase)],
    )


def _matched(builder: GridBuilder, regime: str, phase: str, seed: int) -> Parent:
    """No phase, but the steps of one."""
    trained = (
        _multi(builder, MULTI, phase, seed) if phase == MULTI else _single(builder, "single", phase, seed)
    )
    return Parent(
        id=MODEL,
        regime=regime,
        intermediate=phase,
        seed=seed,
        name=f"{phase}+{regime}-s{seed}",
        matched=trained.id,
    )


_STARTS: Mapping[Intermediate, Callable[[GridBuilder, str, str, int], Parent]] = {
    "none": _none,
    "single": _single,
    "multi": _multi,
    "text": _text,
    "translations": _translations,
    "matched": _matched,
}


def read_by_variants(study: Study) -> dict[str, tuple[str, ...]]:
    """Languages of what the variants read beside the English sets, by task.

    Raises:
        UserError: a phase that the study does not train, or a language that there is no data in.
    """
    found: dict[str, tuple[str, ...]] = {}
    phase = study.intermediate
    if (mlm := study.variants.mlm) is not None:
        _check_phases(study, mlm.phases, (*phase.single_tasks, MULTI))
        found[TEXT] = text_languages(study, mlm)
    if (translated := study.variants.translated) is not None:
        _check_phases(study, translated.phases, phase.single_tasks)
        for name in translated.phases:
            task = tasks.load(tasks.translated(name))
            for language in translated.languages:
                task.set_of(split="train", language=language)
            found[task.name] = translated.languages
    if (matched := study.variants.long) is not None:
        _check_phases(study, matched.phases, (*phase.single_tasks, MULTI))
    return found


def text_languages(study: Study, mlm: MaskedText) -> tuple[str, ...]:
    """Languages of the text: those named, or all of the targets that the source of text has.

    Raises:
        UserError: a language that there is no text in.
    """
    text = tasks.load(TEXT)
    for language in mlm.languages:
        text.set_of(split="train", language=language)
    spoken = {code for name in study.targets for code in languages_of(study, tasks.load(name))}
    return mlm.languages or tuple(language for language in text.languages if language in spoken)


def _left_out(study: Study) -> tuple[str, ...]:
    """Optional tasks that the mixture goes without."""
    return tuple(name for name in study.intermediate.optional if name not in study.intermediate.tasks)


def _check_phases(study: Study, asked: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in asked:
        if name not in known and name not in _left_out(study):
            raise UserError(
                f"study {study.name}: the variant of {name!r} has nothing to be held against; "
                f"phases of this study: {', '.join(known) or 'none'}"
            )
