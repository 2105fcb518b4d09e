"""Schedules of harm for a launch, and what has to hold in the end: `python schedules.py COUNT SEED`.

A schedule strikes a launch of a small study once or several times, before changes to its runs folder that
are drawn by the seed; then it is launched without harm. What was computed must be equal, byte for byte, to
what an undisturbed launch computed; a launch that was harmed must say why in one line.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
STRIKE = Path(__file__).parent / "strike"
STUDY = """
name = "chaos"
summary = "one intermediate task, one target, one model for all"
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "tatoeba"]
languages = { default = ["en", "de"], tatoeba = ["de"] }
baselines = ["majority"]
limits.default = { train = 24, dev = 8, test = 8 }
optimisation.default = { epochs = 1.0, tokens_per_batch = 256, save_every = 1, evaluate_every = 2 }
zero = { precision = "fp32" }
evaluation = { dtype = "fp32", tokens_per_batch = 512 }
retrieval.layer = 1

[model]
source = "random:toy"
layers = 1
vocabulary = "study"

[intermediate]
tasks = ["mnli"]
single_tasks = ["mnli"]
"""
HOW = (
    *("SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP"),
    *("launcher", "launcher", "ENOSPC", "EDQUOT", "EROFS", "EIO", "pause"),
)
PATIENCE = 240.0


@dataclass(frozen=True, kw_only=True)
class Harm:
    """One strike."""

    how: str
    at: int


def command(folder: Path) -> list[str]:
    """A launch in a folder."""
    return [sys.executable, "-m", "stilts.launch", "--grid", "all", "--study", "chaos.toml"]


def environment(folder: Path, harm: Harm | None) -> dict[str, str]:
    """Of a launch, harmed or not."""
    found = os.environ | {"PYTHONPATH": str(ROOT), "STILTS_CACHE": str(folder.parent / "cache")}
    found.pop("STILTS_DATA", None)
    if harm is not None:
        (folder / "counter").write_bytes(b"")
        found |= {
            "PYTHONPATH": f"{STRIKE}:{ROOT}",
            "CHAOS_PLACE": str(folder / "runs"),
            "CHAOS_COUNTER": str(folder / "counter"),
            "CHAOS_LAUNCHER": str(folder / "launcher"),
            "CHAOS_AT": str(harm.at),
            "CHAOS_HOW": harm.how,
        }
    return found


def launch(folder: Path, harm: Harm | None = None) -> tuple[int, str]:
    """Exit code and what was said on stderr; what is stopped is killed after a while.

    It returns when the launcher is gone: what it started may still be ending.
    """
    with open(folder / "said", "ab") as said, open(folder / "errors", "w+b") as errors:
        process = subprocess.Popen(
            command(folder), cwd=folder, env=environment(folder, harm), stdout=said, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
        (folder / "launcher").write_text(str(process.pid))
        until = 20.0 if harm and harm.how == "SIGSTOP" else PATIENCE
        try:
            process.wait(timeout=until)
        except subprocess.TimeoutExpired:
            process.kill()
            kill_all(folder)
            process.wait()
        errors.seek(0)
        return process.returncode, errors.read().decode(errors="replace").strip()


def kill_all(folder: Path) -> None:
    """Ends every process that a launch in the folder has left, also those that are stopped."""
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            with suppress(OSError):
                if Path(os.readlink(place / "cwd")).is_relative_to(folder):
                    os.kill(int(place.name), signal.SIGKILL)


def contents(folder: Path) -> dict[str, str]:
    """Digests of what counts: weights, and the values of predictions and scores."""
    import pyarrow as pa

    found = {}
    for path in sorted((folder / "runs").rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".safetensors" and "/weights/" in name:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.suffix == ".arrow" and ("/predictions/" in name or "/records/scores/" in name):
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
            found[name] = hashlib.sha256(repr(table.to_pylist()).encode()).hexdigest()
    return found


def prepare(folder: Path) -> None:
    """The study in a folder of its own."""
    folder.mkdir(parents=True)
    (folder / "chaos.toml").write_text(STUDY)


def undisturbed(place: Path) -> tuple[dict[str, str], int]:
    """What a launch computes, and how often it changes its runs folder."""
    folder = place / "undisturbed"
    prepare(folder)
    code, errors = launch(folder, Harm(how="pause", at=-1))
    assert code == 0, errors
    return contents(folder), (folder / "counter").stat().st_size


def schedule(number: int, seed: int, changes: int) -> list[Harm]:
    """The strikes of a schedule: one, or up to three of any sort."""
    draw = random.Random(f"{seed} {number}")
    count = draw.choice((1, 1, 2, 3))
    return [Harm(how=draw.choice(HOW), at=draw.randrange(1, changes + 1)) for _ in range(count)]


def trial(place: Path, number: int, seed: int, expected: dict[str, str], changes: int) -> str:
    """What went wrong; empty where all is as it should be."""
    folder = place / f"schedule-{number}"
    prepare(folder)
    strikes = schedule(number, seed, changes)
    for harm in strikes:
        code, errors = launch(folder, harm)
        if "Traceback" in errors:
            return f"{strikes}: a traceback: {errors[-400:]}"
    code, errors = launch(folder)
    if code != 0:
        return f"{strikes}: the launch without harm ended with {code}: {errors[-400:]}"
    found = contents(folder)
    if found != expected:
        differing = sorted(
            name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name)
        )
        return f"{strikes}: other results: {differing[:5]}"
    shutil.rmtree(folder)
    return ""


def main(count: int, seed: int) -> int:
    """Tries that many schedules, two at a time for a core; returns 1 where one ended otherwise."""
    tried: Counter[str] = Counter()
    at_once = 2 * len(os.sched_getaffinity(0))  # a strike is followed by waiting
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(at_once) as pool:
        place = Path(name)
        expected, changes = undisturbed(place)
        print(f"undisturbed: {len(expected)} results, {changes} changes to the runs folder", flush=True)
        bad = 0
        trials = pool.map(lambda number: trial(place, number, seed, expected, changes), range(count))
        for number, problem in enumerate(trials):
            tried.update(harm.how for harm in schedule(number, seed, changes))
            if problem:
                bad += 1
                print(f"schedule {number} of seed {seed}: {problem}", flush=True)
            elif number % 20 == 19:
                print(f"{number + 1} schedules, {bad} bad", flush=True)
    print(f"{count} schedules of seed {seed}, {bad} bad; strikes: {dict(sorted(tried.items()))}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
