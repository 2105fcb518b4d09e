"""What the jobs of a study have cost, cut short or not, and what is to come by what has been."""

from collections.abc import Sequence
from statistics import mean

from hpc.slurm.history import Attempt
from stilts.launching.standings import Overview


def in_words(overview: Overview) -> str:
    """One line in device-hours; empty where accounting tells of no job.

    Devices are GPUs where any job had one, else CPUs. What is to come is taken to cost as much as the runs of
    the same stage that are done.
    """
    every = [attempt for attempts in overview.attempts.values() for attempt in attempts]
    if not every:
        return ""
    unit = "GPU" if any(attempt.gpu_hours for attempt in every) else "CPU"
    line = f"cost so far: {_said(_hours(every, unit))} {unit}-hours"
    if count := sum(overview.unknown.values()):
        line += f" without {count} job{'s' * (count > 1)} that accounting does not know"
    cut = _hours([attempt for attempt in every if attempt.is_cut_short], unit)
    if cut:
        line += f", {_said(cut)} of them in attempts that were cut short"
    return line + _to_come(overview, unit)


def by_run(overview: Overview) -> dict[str, dict[str, object]]:
    """CPU- and GPU-hours of each run that was submitted; None where accounting does not know all its jobs."""

    def hours(run_id: str, unit: str) -> float | None:
        return None if run_id in overview.unknown else _hours(overview.attempts[run_id], unit)

    return {
        run_id: {"cpu_hours": hours(run_id, "CPU"), "gpu_hours": hours(run_id, "GPU")}
        for run_id in overview.attempts
    }


def _to_come(overview: Overview, unit: str) -> str:
    by_stage: dict[str, list[float]] = {}
    for run in overview.runs:
        if run.state == "done" and run.id in overview.attempts and run.id not in overview.unknown:
            by_stage.setdefault(run.stage, []).append(_hours(overview.attempts[run.id], unit))
    left = [run for run in overview.runs if run.state not in ("done", "stale")]
    unknown = [run for run in left if run.stage not in by_stage]
    hours = sum(mean(by_stage[run.stage]) for run in left if run.stage in by_stage)
    if not left:
        return ""
    if len(unknown) == len(left):
        return f"; {len(left)} runs to come, and none of their stages is done"
    beside = f" and {len(unknown)} runs of stages none of which is done" if unknown else ""
    return f"; about {_said(hours)} to come{beside}"


def _hours(attempts: Sequence[Attempt], unit: str) -> float:
    return sum(attempt.gpu_hours if unit == "GPU" else attempt.cpu_hours for attempt in attempts)


def _said(hours: float) -> str:
    return f"{hours:.3g}" if hours < 1000 else f"{hours:,.0f}"
