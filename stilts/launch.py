"""Runs a grid of a study.

    python -m stilts.launch --grid all
    python -m stilts.launch --grid all --study PATH.toml --cluster NAME --dry-run

What is done is skipped, what failed is tried again, and it may be stopped at any time.
"""

import argparse
import fnmatch
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hpc.cluster import Cluster, cluster_names, load_cluster
from hpc.command import Parser, command
from hpc.errors import UserError
from hpc.files import Held, lock
from hpc.jobs import Event, Outcome
from hpc.slurm.executor import SlurmExecutor
from stilts.launching.describe import describe
from stilts.launching.draining import Drain
from stilts.launching.estimate import say_seconds
from stilts.launching.optional import describe_absent, record_absent, resolve_optional
from stilts.launching.others import rounds, settled
from stilts.launching.plan import Plan, make_nodes, make_plan, retried
from stilts.launching.progress import PlainView, Tally, View
from stilts.run.provenance import CODE_VARIABLE, code_digest
from stilts.run.stages import PRELOAD
from stilts.study.grid import GRIDS
from stilts.study.loading import load_study, study_names


@command
def main(arguments: list[str]) -> int:
    """The command line; see `--help`."""
    asked = _parse(arguments)
    study, cluster = load_study(asked.study), load_cluster(asked.cluster)
    root = asked.runs / study.name
    study, absent = resolve_optional(study, root)
    for line in describe_absent(absent, root):
        print(line, file=sys.stderr)

    def read_all() -> Plan:
        return make_plan(study, asked.grid, only=asked.only, runs=asked.runs, cluster=cluster)

    def read() -> Plan:
        return retried(read_all()) if asked.retry else read_all()

    plan = read()
    if asked.dry_run:
        print("\n".join(describe(plan, cluster)))
        return 0
    if asked.cancel is not None:
        return _cancel(plan, cluster, asked.cancel)
    if asked.retry and not plan.specs:
        print(f"nothing to try again: no run of {asked.grid} has failed in {plan.root}")
        return 0
    if not plan.todo and not plan.held:
        print(f"nothing left to do: all {len(plan.specs)} runs are done in {plan.root}")
        _point_to_tables(plan, asked)
        return 0
    plan.root.mkdir(parents=True, exist_ok=True)
    with _alone(plan.root):
        # Read again under the lock: another launch may have ended in between.
        plan = settled(read)
        record_absent(absent, plan.root)
        if asked.write_only:
            _write(plan)
            print(f"{len(plan.todo)} runs written to {plan.root}; one by hand: stilts run FOLDER")
            return 0
        start = time.monotonic()
        follows = asked.wait or cluster.scheduler != "slurm"
        plan, outcome = rounds(
            plan, read_all, lambda plan: _run(plan, cluster, wait=asked.wait), follows=follows
        )
    return _conclude(plan, outcome, asked, time.monotonic() - start)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = Parser("stilts.launch", "Run a grid of a study.", epilog=_epilog(arguments))
    parser.add_argument("--grid", metavar="NAME", required=True, help="which runs: all, or one named below")
    parser.add_argument("--study", metavar="NAME", default="mini", help="name, or path of a TOML file (mini)")
    parser.add_argument(
        "--cluster", metavar="NAME", default="local", help="name in slurm/, or a path (local)"
    )
    parser.add_argument(
        "--only", metavar="PATTERN", help="runs whose id matches, as 'mnli-*', and their needs"
    )
    parser.add_argument(
        "--runs", metavar="FOLDER", type=Path, default=Path("runs"), help="where runs lie (runs)"
    )
    parser.add_argument("--wait", action="store_true", help="on SLURM: until all is done, feeding the queue")
    parser.add_argument(
        "--cancel", metavar="PATTERN", nargs="?", const="*", help="on SLURM: take these runs' jobs out (all)"
    )
    parser.add_argument(
        "--retry", action="store_true", help="only what failed or was interrupted, and what needs it"
    )
    parser.add_argument("--write-only", action="store_true", help="write the runs' folders and run nothing")
    parser.add_argument("--dry-run", action="store_true", help="show the plan and do nothing")
    return parser.parse_args(arguments)


def _epilog(arguments: list[str]) -> str:
    if not {"-h", "--help"}.intersection(arguments):
        return ""
    grids = "\n".join(f"  {name:<13}{summary}" for name, (summary, _) in GRIDS.items())
    return (
        f"grids:\n{grids}\n\nstudies: {', '.join(study_names())}\nclusters: {', '.join(cluster_names())}\n\n"
        "exit codes: 0 all well, 1 a run failed, 2 wrong request, 3 inputs missing, 130 interrupted"
    )


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Holds the study's runs folder for this launch.

    Raises:
        UserError: another launch works on it.
    """
    try:
        with lock(root / "launch.lock"):
            yield
    except Held as held:
        raise UserError(f"another launch ({held}) is working on {root}; wait for it or stop it") from None


def _cancel(plan: Plan, cluster: Cluster, pattern: str) -> int:
    """Takes jobs out of the queue; what has been done stays."""
    executor = cluster.executor(preload=(), folder=plan.root / ".launch")
    if not isinstance(executor, SlurmExecutor):
        raise UserError("--cancel is for SLURM; a launch on this machine is stopped by Ctrl-C")
    nodes = [node for node in make_nodes(plan, cluster) if fnmatch.fnmatchcase(node.name, pattern)]
    cancelled = executor.cancel(nodes)
    for name, job_id in cancelled.items():
        print(f"cancelled {name}: job {job_id}")
    print(f"{len(cancelled)} jobs cancelled; the same launch without --cancel submits their runs again")
    return 0


def _write(plan: Plan) -> None:
    for spec in plan.todo:
        folder = plan.folder(spec.id)
        folder.write_spec(spec)
        if reason := plan.damaged.get(spec.id):
            what = "mended" if folder.state(spec) == "done" else "done again"
            print(f"damaged, {what}: {spec.id}: {reason}", file=sys.stderr)


def _run(plan: Plan, cluster: Cluster, *, wait: bool) -> Outcome:
    _write(plan)
    nodes = make_nodes(plan, cluster)
    if not nodes:
        return Outcome(states={})
    tally = Tally({node.name: node.cost for node in nodes}, plan.folder)

    def explain(event: Event) -> str:
        return _reason(plan, event.name) or event.detail

    if cluster.scheduler == "slurm":
        # Jobs may start days later.
        code = {CODE_VARIABLE: code_digest()}
        cluster = replace(cluster, environment={**cluster.environment, **code})
    executor = cluster.executor(preload=PRELOAD, folder=plan.root / ".launch")
    in_slurm = cluster.scheduler == "slurm"
    # Not in the debugger's own terminal.
    with _view(tally, explain, follows=wait if in_slurm else cluster.scheduler == "local") as view:
        try:
            if wait and in_slurm:
                return Drain(plan, nodes, executor, cluster.slurm.retries, view.watch).run()
            return executor.run(nodes, view.watch)
        except KeyboardInterrupt:
            if in_slurm:
                print("the jobs stay in the queue; launch --cancel takes them out", file=sys.stderr)
            raise


def _view(tally: Tally, explain: Callable[[Event], str], *, follows: bool) -> View:
    """Bars where runs are followed and a terminal can draw them, else lines."""
    if follows and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from stilts.launching.live import LiveView

        return LiveView(tally, explain)
    return PlainView(tally, explain, sys.stdout)


def _reason(plan: Plan, run_id: str) -> str:
    """Why the stage itself says it failed; empty when it was ended from outside."""
    failure = plan.folder(run_id).failure()
    return failure.error if failure else ""


def _conclude(plan: Plan, outcome: Outcome, asked: argparse.Namespace, seconds: float) -> int:
    counts = [
        (outcome.count(state), state)
        for state in ("done", "submitted", "waiting", "failed", "cancelled", "blocked")
    ]
    said = ", ".join(f"{count} {state}" for count, state in counts if count)
    print(f"{said or 'nothing'} in {say_seconds(seconds)}; runs lie in {plan.root}")
    if outcome.count("waiting"):
        print(
            "the queue takes no more of your jobs for now: give the same command again later, or launch with "
            "--wait, which feeds it",
            file=sys.stderr,
        )
    if outcome.ok:
        if outcome.count("submitted"):
            print(f"how they stand: python -m stilts.status{_options(asked, 'runs')}")
        elif not plan.held:
            _point_to_tables(plan, asked)
        return 0
    failed = [name for name, state in outcome.states.items() if state == "failed"]
    print("the same command tries the failed runs again, after their cause is fixed", file=sys.stderr)
    codes = {_code(plan, name) for name in failed}
    return codes.pop() if len(codes) == 1 else 1


def _code(plan: Plan, run_id: str) -> int:
    failure = plan.folder(run_id).failure()
    return failure.code if failure else 1


def _point_to_tables(plan: Plan, asked: argparse.Namespace) -> None:
    if plan.grid == "all" and asked.only is None:
        print(f"tables and figures: python -m stilts.tables{_options(asked, 'study', 'runs')}")


def _options(asked: argparse.Namespace, *names: str) -> str:
    """The options to repeat in the next command."""
    defaults = {"study": "mini", "runs": Path("runs")}
    given = {name: getattr(asked, name) for name in names}
    return "".join(
        f" --{name} {shlex.quote(str(value))}" for name, value in given.items() if value != defaults[name]
    )


if __name__ == "__main__":
    sys.exit(main())
