"""Sentences a caption is made of, so that a table says by itself what its numbers are and are not."""

from collections.abc import Iterable, Sequence

from hpc.errors import Unreadable
from stilts import tasks
from stilts.report import origins
from stilts.report.evidence import Evidence
from stilts.report.form import SIGNS, Cell, State
from stilts.report.scored import Score
from stilts.report.spec import Spec
from stilts.run.data_log import read_data
from stilts.run.folder import RunFolder
from stilts.run.outputs import weights_digest
from stilts.run.specs import EvaluateSpec
from stilts.study.protocol import deviations


def sentence(*parts: str) -> str:
    """Parts as sentences; empty ones are left out."""
    return " ".join(part if part[-1] in ".?!" else f"{part}." for part in parts if part)


def seeds(evidence: Evidence) -> str:
    """How many seeds, and which."""
    count = len(evidence.seeds)
    listed = ", ".join(map(str, evidence.seeds))
    return f"One seed ({listed})" if count == 1 else f"Mean over {count} seeds ({listed})"


def intervals(evidence: Evidence, spec: Spec) -> str:
    """What the small print beside a score is."""
    over = (
        "over seeds and test items, both drawn again, paired by both"
        if len(evidence.seeds) > 1
        else "over test items, the same for both systems; it holds no variance between seeds"
    )
    level = f"{100 * spec.stats.level:g} %"
    clusters = "items in clusters: passage or parallel id"
    return f"half the {level} interval of each change by itself, {over} ({clusters})"


def correction(spec: Spec, count: int) -> str:
    """How p-values of a table's comparisons were adjusted."""
    alpha = f"level {1 - spec.stats.level:.2g}"
    over = f"over all {count} comparisons of the table"
    return {
        "none": f"{alpha} for each comparison, not adjusted",
        "holm": f"{alpha} by Holm {over}",
        "bh": f"by Benjamini and Hochberg {over}, to show where to look closer: of what is marked, "
        f"{100 * (1 - spec.stats.level):.2g} % is false on average",
    }[spec.stats.correction]


def state_notes(spec: Spec, cells: Iterable[Cell], against: str) -> list[tuple[str, str]]:
    """Footnotes of the signs that occur after changes."""
    found = [cell.state for cell in cells]
    tested = sum(state in ("different", "not different") for state in found)
    texts: dict[State, str] = {
        "different": f"Different from {against}: {correction(spec, tested)}.",
        "not tested": "Not tested: nothing is known of its spread.",
    }
    notes = [(SIGNS[state], text) for state, text in texts.items() if state in found]
    plain = [("", f"A change without a sign is not told from none: {correction(spec, tested)}.")]
    return notes + (plain if "different" not in found and tested else [])


def sizes(scores: Iterable[Score]) -> str:
    """How many examples stand behind the scores."""
    found = list(scores)
    if not found:
        return ""
    low, high = min(score.count for score in found), max(score.largest for score in found)
    return f"n = {low} examples a language" if low == high else f"n = {low} to {high} examples a language"


def setting(evidence: Evidence) -> str:
    """Devices and number formats."""
    devices = ", ".join(evidence.devices) or "unknown"
    study = evidence.study
    return (
        f"Study {study.name}; device {devices}; trained in {study.zero.precision}, "
        f"evaluated in {study.evaluation.dtype}"
    )


CHOICE = "chosen for each target on English dev scores; for retrieval on BUCC's dev set, over its languages"


def chosen_on(target: str) -> str:
    """What the best single of a target is chosen by."""
    return "English dev" if tasks.load(target).train_task else "BUCC's dev set, over its languages"


def retrieval(evidence: Evidence) -> str:
    """The recipe that retrieval scores depend on."""
    recipe = evidence.study.retrieval
    return (
        f"Retrieval: {recipe.pooling} of hidden state {recipe.layer}, margin over "
        f"{recipe.neighbours} neighbours"
    )


def rules(evidence: Evidence, targets: Sequence[str]) -> str:
    """Where scores of the targets come about otherwise than published: told for one, counted for more."""
    found = list(deviations(evidence.study, targets))
    if len(targets) == 1:
        return "; ".join(f"{one.title[0].upper()}{one.title[1:]}: {one.way}" for one in found)
    return f"In {len(found)} ways other than the published protocol: table repro" if found else ""


def warnings(evidence: Evidence, runs: Iterable[str], scores: Sequence[Score] = ()) -> list[str]:
    """Why the numbers of these runs should not be published as they are."""
    used = sorted(set(runs))
    behind = sorted(_with_ancestors(evidence, used))
    found = []
    limited = [score for score in scores if score.count < score.full]
    if limited:
        least = min(limited, key=lambda score: score.count / score.full)
        found.append(f"LIMITED: scored on as few as {least.count} of {least.full} examples.")
    short = _not_the_benchmark(evidence, used)
    if short:
        place, reason = next(iter(short.items()))
        found.append(f"NOT THE BENCHMARK'S DATA: {len(short)} set(s), as {place}: {reason}.")
    changed = [run for run in evidence.changed_runs if run in used]
    if changed:
        found.append(f"STALE: {len(changed)} run(s) were launched with other settings ({changed[0]} ...).")
    stale = [run for run in used if run in evidence.stale]
    if stale:
        found.append(f"STALE: the data of {len(stale)} run(s) have changed ({evidence.stale[stale[0]]}).")
    known: dict[str, str] = evidence.shared.setdefault(("contradictions",), {})
    known |= {
        run: _contradiction(evidence, run) for run in used if run in evidence.scores and run not in known
    }
    contradicted = {run: known[run] for run in used if known.get(run)}
    if contradicted:
        first, reason = next(iter(contradicted.items()))
        found.append(f"CONTRADICTED: {len(contradicted)} evaluation(s), as {first}: {reason}.")
    left_out = {run: sum(row["skipped"] or 0 for row in evidence.training.get(run, ())) for run in behind}
    if any(left_out.values()):
        first = next(run for run, count in left_out.items() if count)
        count = sum(left_out.values())
        found.append(f"SKIPPED: {count} update(s) were left out, their gradients not finite ({first} ...).")
    noted = {
        run: note
        for run in behind
        for row in evidence.training.get(run, ())
        if (note := row["notes"] or "took no step" * (row["steps"] == 0))
    }
    if noted:
        first = next(iter(noted))
        found.append(f"UNHEALTHY: {len(noted)} training run(s), as {first}: {noted[first]}.")
    for what, values in origins.mixed(evidence, used, behind).items():
        found.append(f"MIXED: {what}: {', '.join(sorted(values))}.")
    return found


def _contradiction(evidence: Evidence, run_id: str) -> str:
    """What the scores of an evaluation say of themselves that the run does not bear out."""
    run = evidence.plan[run_id]
    asked = run.asked
    if not isinstance(asked, EvaluateSpec):
        return ""
    try:
        now = weights_digest(evidence.folder / run.needs[0])
    except Unreadable:  # told as damage
        now = None
    read = set(read_data(RunFolder(evidence.folder / run_id).data).values())
    mine = (asked.regime, asked.intermediate, asked.seed)
    for row in evidence.scores[run_id]:
        said = (row["regime"], row["intermediate"] or "", row["seed"])
        if now and row["model"] not in (None, now):
            return f"its scores are of other weights than {run.needs[0]} has now"
        if said != mine:
            return f"its scores name regime {'/'.join(filter(None, said[:2]))}, seed {said[2]}"
        if read and row["data"] and row["data"] not in read:
            return f"its scores name data of {row['target']} that it did not read"
    return ""


def _not_the_benchmark(evidence: Evidence, runs: Iterable[str]) -> dict[str, str]:
    """What keeps test sets behind scores from being the benchmark's; embedded data have the caveat for it."""
    found = {}
    for run in runs:
        for row in evidence.scores.get(run, ()):
            source = (row["data"] or "").partition(" ")[0]
            if row["split"] != "test" or not source or (source == "embedded" and evidence.study.caveat):
                continue
            task = tasks.load(row["target"])
            reason = task.shortfall(split="test", language=row["language"], source=source, count=row["n"])
            if reason and task.role == "target":
                found[f"{row['target']} {row['language']}"] = reason
    return found


def _with_ancestors(evidence: Evidence, runs: Iterable[str]) -> set[str]:
    """The runs, and all that they were made from."""
    found: set[str] = set()
    left = list(runs)
    while left:
        run = left.pop()
        if run not in found:
            found.add(run)
            left += evidence.plan[run].needs if run in evidence.plan else ()
    return found
