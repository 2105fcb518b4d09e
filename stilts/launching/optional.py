"""Tasks and variants that a study goes without where their data is missing.

What is there is looked for once, by the first launch, and kept beside the runs: later launches, status and
tables go by that, so that a mixture never changes under runs that are done.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hpc.errors import Unreadable, UserError
from hpc.files import is_there, write_json
from stilts import tasks
from stilts.study.config import Study
from stilts.study.grid import TEXT, read_by_variants
from stilts.tasks import Task


def resolve_optional(study: Study, root: Path) -> tuple[Study, dict[str, str]]:
    """The study without the optional tasks and variants that have no data.

    Args:
        study: as it was written.
        root: the folder of its runs; a decision kept there stands.

    Returns:
        The study to expand, and why each part was left out.

    Raises:
        UserError: an optional task that does not exist, or a decision that cannot be read.
    """
    if not (study.intermediate.optional or study.variants.optional):
        return study, {}
    absent = _kept(root)
    if absent is None:
        absent = _look(study)
    return _without(study, absent), absent


def record_absent(absent: Mapping[str, str], root: Path) -> None:
    """Keeps what was left out beside the runs; a decision that is there stays."""
    if absent and not is_there(_path(root)):
        write_json(_path(root), dict(absent))


def describe_absent(absent: Mapping[str, str], root: Path) -> list[str]:
    """A line for each part that is left out."""
    tail = f" (as {_path(root)} says; to look again, remove it)" if is_there(_path(root)) else ""
    return [f"left out, being optional: {name}: {reason}{tail}" for name, reason in absent.items()]


def _path(root: Path) -> Path:
    return root / "left_out.json"


def _kept(root: Path) -> dict[str, str] | None:
    try:
        kept: dict[str, str] = json.loads(_path(root).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"{_path(root)} is not JSON ({error}); remove it") from error
    return kept


def _without(study: Study, absent: Mapping[str, str]) -> Study:
    phase, variants = study.intermediate, study.variants
    phase = replace(
        phase,
        tasks=tuple(name for name in phase.tasks if name not in absent),
        single_tasks=tuple(name for name in phase.single_tasks if name not in absent),
    )
    variants = replace(
        variants,
        mlm=None if "mlm" in absent else variants.mlm,
        translated=None if "translated" in absent else variants.translated,
    )
    return replace(study, intermediate=phase, variants=variants)


def _look(study: Study) -> dict[str, str]:
    """Why each optional part lacks data, of those that do."""
    wanted: dict[str, list[tuple[str, str, str]]] = {
        name: [(name, "en", "train"), (name, "en", "dev")] for name in study.intermediate.optional
    }
    read = read_by_variants(study)
    for variant in study.variants.optional:
        names = [name for name in read if (name == TEXT) == (variant == "mlm")]
        wanted[variant] = [(name, language, "train") for name in names for language in read[name]]
    absent = {}
    for part, sets in wanted.items():
        for name, language, split in sets:
            reason = _missing(tasks.load(name), language, split, study.sources)
            if reason:
                absent[part] = reason
                break
    return absent


def _missing(task: Task, language: str, split: str, sources: Sequence[str]) -> str:
    """Why no source has a set; empty when one has it. What is on the Hub is taken to be there."""
    from stilts.data.sources import load

    reasons = []
    for name in sources:
        if name == "hub":
            if task.hub:
                return ""
            reasons.append("hub: it is not published")
            continue
        source = load(name)
        # Files are only looked for, not read: planning takes no time over them.
        look = getattr(source, "find", source.version)
        try:
            look(task, language=language, split=task.set_of(split=split, language=language))
        except Unreadable:  # or the study would go without for good
            raise
        except UserError as problem:
            reasons.append(f"{name}: {problem}")
        else:
            return ""
    return "; ".join(reasons)
