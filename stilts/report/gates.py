"""Whether what is timed answers as eager fp32 does: its times are left out where it does not."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from stilts import tasks
from stilts.report.evidence import Evidence
from stilts.study.regimes import row_key

_Form = tuple[str, ...]
"""What a gate is about: batches and scenarios do not change an answer."""


class Timed(Protocol):
    """What was timed, as far as a gate is about it."""

    @property
    def row(self) -> str:
        """Its row in tables."""

    @property
    def target(self) -> str:
        """What it answers."""

    @property
    def language(self) -> str:
        """In which language."""

    @property
    def impl(self) -> str:
        """Its back end."""

    @property
    def dtype(self) -> str:
        """Its numbers."""

    @property
    def device(self) -> str:
        """Where it was timed."""


def answers(variant: Timed) -> _Form:
    """What of a variant a gate is about."""
    return (
        variant.row, variant.target, variant.language, variant.impl, variant.dtype, variant.device,
    )  # fmt: skip


def refused(evidence: Evidence) -> dict[_Form, str]:
    """What is timed and does not answer as eager fp32 does, and by how much."""
    return {form: why for form, why in _examined(evidence).items() if why}


def warnings(evidence: Evidence, timed: Iterable[Timed]) -> list[str]:
    """A line where something was left out, and one where nothing says whether it should be."""
    known, failed = _examined(evidence), refused(evidence)
    blank = [one for one in timed if tasks.load(one.target).train_task and answers(one) not in known]
    found = []
    if blank:
        first = f"{blank[0].row} on {blank[0].target} {blank[0].language}, {blank[0].impl}"
        found.append(f"GATE: nothing says whether {len(blank)} of what is timed answers rightly ({first}).")
    if failed:
        (row, target, language, impl, dtype, device), why = next(iter(failed.items()))
        first = f"{row} on {target} {language}, {impl} in {dtype} on {device}: {why}"
        found.append(
            f"GATE: {len(failed)} of what is timed does not answer as eager fp32 does and is left out "
            f"({first})."
        )
    return found


def _examined(evidence: Evidence) -> Mapping[_Form, str]:
    """What was held against eager fp32, and why it is refused; empty where it passed."""
    if ("gates",) not in evidence.shared:
        found: dict[_Form, str] = {}
        for rows in evidence.read("gate").values():
            for row in rows:
                why = "" if row["passed"] else _why(row)
                found[_form(row)] = why or found.get(_form(row), "")
        evidence.shared["gates",] = found
    gates: Mapping[_Form, str] = evidence.shared["gates",]
    return gates


def _why(row: Mapping[str, Any]) -> str:
    off = row["deviation"]
    told = "" if off is None else f", its numbers off by {100 * off:.0f} % of their spread"
    return f"{row['score']:.1f} where fp32 has {row['reference']:.1f}{told}"


def _form(row: Mapping[str, Any]) -> _Form:
    device = row["device_name"] or row["device_class"]
    return (
        row_key(row["regime"], row["train_tasks"] or ""), row["target_task"], row["lang"],
        row["impl"], row["dtype"], device,
    )  # fmt: skip
