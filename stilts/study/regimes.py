"""The regimes: how weights come about that answer the targets, and what is deployed. One table for all.

Grids, tables, costs and captions are made from it. A regime is an intermediate phase and what follows it:

    intermediate  none                the pretrained encoder as it is
                  single              each task of the study's `single_tasks` alone
                  multi               all intermediate tasks mixed
                  text, translations  the study's variants of those phases
                  matched             none, but the target is trained for the steps of one more
    then          targets             fine-tuning on each English target set
                  joint               all English target sets together, one head each
                  heads               no fine-tuning: the intermediate heads answer, or linear probes

A regime that is `chosen_from` another one trains nothing of its own: it takes that one's best by target.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hpc.errors import unknown_name
from stilts.study.config import Study

Intermediate = Literal["none", "single", "multi", "text", "translations", "matched"]
Then = Literal["targets", "joint", "heads"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Regime:
    """One regime."""

    name: str
    label: str
    """In print; of a regime with several phases, what goes before or after the phase's own name."""
    summary: str
    """What is trained, in one line."""
    intermediate: Intermediate = "none"
    then: Then = "targets"
    encoder: Literal["pretrained", "random"] = "pretrained"
    chosen_from: str = ""
    """The regime whose best phase it is, by target, chosen on dev; its cost includes that whole search."""
    role: Literal["result", "variant", "control"] = "result"
    """`variant`: only where a study lists it; `control`: a baseline, in no table of results."""
    ruled: bool = False
    """A rule stands above its rows."""

    @property
    def deployed(self) -> str:
        """What answers the trained targets."""
        return "one model" if self.then in ("joint", "heads") else "one model a target"

    def phases(self, study: Study) -> tuple[str, ...]:
        """The intermediate phases a study varies under this regime; one empty name where it has one way only.

        Empty where the study has no such regime.
        """
        variants, phase = study.variants, study.intermediate
        if self.intermediate == "single":
            found = phase.single_tasks
            return (("",) if found else ()) if self.chosen_from else found
        if self.intermediate == "text":
            return _present(study, variants.mlm.phases) if variants.mlm else ()
        if self.intermediate == "translations":
            return _present(study, variants.translated.phases) if variants.translated else ()
        if self.intermediate == "matched":
            return _present(study, variants.long.phases) if variants.long else ()
        if self.intermediate == "multi":
            return ("",) if phase.tasks else ()
        return ("",) if self.role != "control" or self.name in study.baselines else ()

    def rows(self, study: Study) -> list[str]:
        """Keys of its rows in tables."""
        return [row_key(self.name, phase) for phase in self.phases(study)]

    def row_label(self, phase: str) -> str:
        """The printed name of a row, given the printed name of its phase, or of the regime as a whole."""
        return self.label.format(phase=phase).strip()


REGIMES: tuple[Regime, ...] = (
    Regime(name="direct", label="direct", summary="each target's English set only"),
    Regime(
        name="single",
        label="single {phase}",
        summary="one intermediate task, then each target",
        intermediate="single",
    ),
    Regime(
        name="best",
        label="best single",
        summary="the best single by target, chosen on English dev; its cost includes the search",
        intermediate="single",
        chosen_from="single",
        ruled=True,
    ),
    Regime(
        name="multi",
        label="multi-task",
        summary="all intermediate tasks mixed, then each target",
        intermediate="multi",
    ),
    Regime(
        name="heads",
        label="heads (one model)",
        summary="the multi-task model as it is: its own heads answer the targets",
        intermediate="multi",
        then="heads",
        ruled=True,
    ),
    Regime(
        name="joint",
        label="joint (one model)",
        summary="from the multi-task model, all English target sets together, one head each",
        intermediate="multi",
        then="joint",
    ),
    Regime(
        name="random",
        label="random encoder",
        summary="fine-tuned like direct, from random weights",
        encoder="random",
        role="control",
    ),
    Regime(
        name="mlm",
        label="{phase} with masked text",
        summary="an intermediate phase with multilingual masked text mixed in, then each target",
        intermediate="text",
        role="variant",
    ),
    Regime(
        name="translated",
        label="{phase} with translations",
        summary="an intermediate task with its machine translations, then each target",
        intermediate="translations",
        role="variant",
    ),
    Regime(
        name="long",
        label="direct, as long as {phase}",
        summary="each target's English set only, in as many steps as a phase and the target together",
        intermediate="matched",
        role="variant",
    ),
)


def names() -> list[str]:
    """All regimes in the order of the tables."""
    return [regime.name for regime in REGIMES]


def find(name: str) -> Regime:
    """The regime of that name.

    Raises:
        UserError: there is none.
    """
    for regime in REGIMES:
        if regime.name == name:
            return regime
    raise unknown_name("regime", name, names())


def row_key(regime: str, intermediate: str) -> str:
    """Key of a table row: the regime, with the intermediate phase where a regime has several."""
    return f"{regime}/{intermediate}" if intermediate and "{phase}" in find(regime).label else regime


def rows(study: Study, wanted: Sequence[str]) -> list[str]:
    """Row keys of the wanted regimes that a study has, or of one phase of a regime as in `single/mnli`.

    `all` stands for all regimes but controls.
    """
    chosen = [regime.name for regime in REGIMES if regime.role != "control"] if "all" in wanted else wanted
    found = []
    for name in chosen:
        regime, _, phase = name.partition("/")
        found += [row for row in find(regime).rows(study) if not phase or row == name]
    return found


def _present(study: Study, phases: tuple[str, ...]) -> tuple[str, ...]:
    """Phases without optional tasks that were left out."""
    absent = [name for name in study.intermediate.optional if name not in study.intermediate.tasks]
    return tuple(name for name in phases if name not in absent)
