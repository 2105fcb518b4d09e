"""Runs that another process is at: one by hand, or what a launch that was killed has not let go of yet."""

import sys
import time
from collections.abc import Callable

from hpc.files import signed_by
from hpc.jobs import Outcome
from stilts.launching.plan import Plan, narrowed

_DYING_SECONDS = 5.0
"""The processes of a launch end soon after it was killed, but after it."""
_LOOK_SECONDS = 0.2


def settled(read: Callable[[], Plan]) -> Plan:
    """The plan, once what is ending has ended."""
    plan = read()
    if not plan.elsewhere:
        return plan
    end = time.monotonic() + _DYING_SECONDS
    while _at_work(plan) and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
    return read()


def rounds(
    plan: Plan, read: Callable[[], Plan], work: Callable[[Plan], Outcome], *, follows: bool
) -> tuple[Plan, Outcome]:
    """Does what a plan has to do; then, where it follows, waits for what others are at and does the rest.

    Returns:
        What was planned last, and how everything ended.
    """
    ids = {spec.id for spec in plan.specs}
    _tell(plan, follows=follows)
    outcome = work(plan)
    while follows and plan.held and outcome.ok:
        print(f"waiting for {_named(plan)}; Ctrl-C leaves the rest for a later launch", file=sys.stderr)
        while len(_at_work(plan)) == len(plan.elsewhere):
            time.sleep(_LOOK_SECONDS)
        plan = narrowed(read(), ids)
        outcome = Outcome(states={**outcome.states, **work(plan).states})
    return plan, outcome


def _at_work(plan: Plan) -> list[str]:
    """Runs that were at work elsewhere and still are."""
    return [run_id for run_id in sorted(plan.elsewhere) if plan.folder(run_id).state() == "running"]


def _tell(plan: Plan, *, follows: bool) -> None:
    if not plan.held:
        return
    waiting = len(plan.held) - len(plan.elsewhere)
    then = "waited for once all else is done" if follows else "left for a later launch"
    needed = f" with {waiting} runs that need them" if waiting else ""
    print(f"running in another process: {_named(plan)}; {then}{needed}", file=sys.stderr)


def _named(plan: Plan) -> str:
    """The runs at work elsewhere, and who is at them."""
    return ", ".join(f"{run_id} ({signed_by(plan.folder(run_id).lock)})" for run_id in sorted(plan.elsewhere))
