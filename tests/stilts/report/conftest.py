"""A study that nobody ran: plausible records of every kind, deterministic, written by the real writer."""

import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hpc.usage import measured
from stilts import tasks
from stilts.report.evidence import Evidence
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.outputs import write_done
from stilts.run.specs import RunSpec, TimedModel
from stilts.study import grid
from stilts.study.config import Study
from stilts.study.loading import load_study
from stilts.tasks import Task
from stilts.tasks.metrics import _questions as questions, _tagging as tagging

STUDY = """
name = "sample"
summary = "invented records for tests of the tables"
caveat = "Invented numbers."
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"]
baselines = ["majority", "bag-of-words", "random"]

[model]
source = "random"

[intermediate]
tasks = ["mnli", "qqp", "squad_v1", "ccg"]
single_tasks = ["mnli", "squad_v1"]

[languages]
default = ["en", "de", "zh", "ru"]

[limits.default]
train = 400
dev = 60
test = 60

[optimisation.default]
max_steps = 50

[zero]
stage = 1
precision = "fp32"

[evaluation]
attention = "sdpa"
dtype = "fp32"

[retrieval]
layer = 6
pooling = "mean"
neighbours = 4

[latency]
targets = ["xnli", "xquad"]
regimes = ["direct", "multi", "joint"]
languages = ["en"]
attention = ["sdpa"]
queries = 40
batch_sizes = [1, 8]
processes = 5
rounds = 2
calls = 20
warmup = 3

[deploy]
targets = ["xnli", "xquad"]
texts = [1, 2]
dtypes = ["fp32"]
bound_ms = 50.0
in_time = 0.9
requests = 40
processes = 5
rounds = 2
calls = 10
warmup = 2
"""

THREE_SEEDS = """
name = "sample"
summary = "invented records with several seeds"
seeds = [1, 2, 3]
sources = ["embedded"]
targets = ["xnli", "xquad", "bucc2018"]

[model]
source = "random"

[intermediate]
tasks = ["mnli"]
single_tasks = ["mnli"]

[languages]
default = ["en", "de", "zh"]

[optimisation.default]

[latency]
regimes = []
"""

BASE = {"xnli": 0.66, "pawsx": 0.80, "udpos": 0.70, "panx": 0.60, "xquad": 0.55, "mlqa": 0.50, "tydiqa": 0.45}
BASE |= {"bucc2018": 0.60, "tatoeba": 0.35}
GAIN = {
    "direct": 0.0,
    "mnli": 0.02,
    "squad_v1": 0.04,
    "multi": 0.06,
    "heads": -0.08,
    "joint": 0.03,
    "random": -0.25,
}
RETRIEVAL_GAIN = 0.3
FOREIGN_LOSS = {"en": 0.0, "de": 0.05, "zh": 0.12, "ru": 0.08, "ar": 0.1}
ITEMS = 60


@dataclass(frozen=True, kw_only=True)
class World:
    """What is true of the invented systems."""

    items: int = ITEMS
    skill: Callable[[RunSpec, str, str], float] | None = None
    """The share of items a run gets right on a target in a language."""
    luck: Callable[[RunSpec, str, str, int], float] | None = None
    """What moves an item for a run, beside its difficulty."""
    slower: Mapping[str, float] = field(default_factory=lambda: {"direct": 1.0, "multi": 1.001, "joint": 1.2})
    tokens: Mapping[str, float] = field(default_factory=dict)
    """Tokens, and time, that a language takes of what English does."""
    passes: Callable[[str, int], float] = lambda layout, heads: 1 if layout == "shared" else heads
    """Times of one pass that a text of so many tasks takes, by way to serve."""


WORLD = World()


def chance(*parts: Any) -> random.Random:
    """A generator that depends on what it is for and on nothing else."""
    return random.Random(zlib.crc32(json.dumps(parts).encode()))


def skill(run: RunSpec, target: str, language: str) -> float:
    """The share of items a system gets right."""
    asked = run.asked
    name = asked.intermediate if asked.regime == "single" else asked.regime
    gain = GAIN[name]
    if target in ("bucc2018", "tatoeba") and gain > 0:
        gain += RETRIEVAL_GAIN
    drift = chance("drift", run.id, target).uniform(-0.01, 0.01)
    return min(0.97, max(0.02, BASE[target] + gain - FOREIGN_LOSS[language] + drift))


def predictions(run: RunSpec, task: Task, language: str) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Prediction rows and the metrics they amount to. Items are as hard for one system as for another."""
    share = (WORLD.skill or skill)(run, task.name, language)
    luck = WORLD.luck or (
        lambda run, target, language, n: chance("noise", run.id, target, language, n).gauss(0, 0.08)
    )
    rows: list[dict[str, Any]] = []
    for n in range(WORLD.items):
        difficulty = chance("item", task.name, language, n).random()
        right = difficulty + luck(run, task.name, language, n) < share
        rows.append({"example_id": f"{n:03}", "cluster_id": f"p{n // 3}", **answer(task, n, right)})
    return rows, metrics_of(task, rows, language)


def answer(task: Task, n: int, right: bool) -> dict[str, Any]:
    if task.type == "span":
        pred = "the red house" if right else ("red" if n % 2 else "blue")
        return {"gold": "red house | house", "pred": pred, "score": float(right)}
    if task.type == "tag":
        gold = "B-PER I-PER O" if task.metric == "entities" else "NOUN VERB PUNCT"
        wrong = "B-PER O O" if task.metric == "entities" else "NOUN NOUN PUNCT"
        return {"gold": gold, "pred": gold if right else wrong, "score": 1.0 if right else 2 / 3}
    return {"gold": "1", "pred": str(int(right)), "score": float(right)}


def metrics_of(task: Task, rows: list[dict[str, Any]], language: str) -> dict[str, float]:
    if task.type == "span":
        golds = [row["gold"].split(" | ") for row in rows]
        em, f1 = questions.score_answers(
            [row["pred"] for row in rows], golds, rules=task.metric, language=language
        )
        return {"em": 100 * float(em.mean()), "f1": 100 * float(f1.mean())}
    if task.type == "tag":
        gold, pred = ([row[side].split() for row in rows] for side in ("gold", "pred"))
        return {"f1": tagging.chunk_f1(gold, pred, scheme=task.metric), "accuracy": 90.0}
    share = 100 * sum(row["score"] for row in rows) / len(rows)
    return {task.metrics[0]: share}


def write_run(folder: RunFolder, run: RunSpec) -> None:
    """What a finished run leaves behind, weights apart."""
    folder.write_spec(run)
    attempt = {"unix": 0.0, "cpu": "Sample CPU", "git": {"sha": "0" * 40, "diff": ""}}
    folder.provenance.write_text(json.dumps(attempt) + "\n")
    writers: dict[str, Callable[[RunFolder, RunSpec], None]] = {
        "train": write_training,
        "evaluate": write_evaluation,
        "baseline": write_baseline,
        "latency": write_latency,
        "deploy": write_deploy,
    }
    if run.stage in writers:
        writers[run.stage](folder, run)
    with measured() as meter:
        pass
    write_done(folder.path, run.fingerprint, meter.usage)


def score_rows(run: RunSpec, target: str, language: str, split: str, values: dict[str, float]) -> list[dict]:
    known = {"run_id": run.id, "study": run.study, "target": target, "language": language, "split": split}
    asked = {name: getattr(run.asked, name, None) for name in ("regime", "intermediate", "seed")}
    size = {"n": WORLD.items, "n_full": WORLD.items}
    return [known | asked | size | {"metric": metric, "value": value} for metric, value in values.items()]


def write_training(folder: RunFolder, run: RunSpec) -> None:
    asked = run.asked
    roll = chance("training", run.id)
    cost = {
        "run_id": run.id,
        "stage": asked.phase,
        "tasks": ",".join(asked.tasks),
        "targets": ",".join(asked.targets),
        "device_class": "cpu",
        "seconds": 20.0 * len(asked.tasks) * roll.uniform(0.9, 1.1),
        "tokens": 51_200 * len(asked.tasks),
        "flops_model": 3.1e11 * len(asked.tasks) * roll.uniform(0.9, 1.1),
        "world_size": 1,
        "parent_run_id": run.needs[0],
    }
    common = {name: getattr(asked, name) for name in ("regime", "intermediate", "seed")}
    records.write_shard(folder.records / "training", "training", [common | cost], name="training")
    rows = []
    for name in asked.tasks:
        task = tasks.load(name)
        values = {metric: 60.0 + roll.uniform(0, 20) for metric in task.metrics}
        rows += score_rows(run, name, "en", "dev", values)
    records.write_shard(folder.records / "scores", "scores", rows, name="dev")


def write_evaluation(folder: RunFolder, run: RunSpec) -> None:
    rows, items = [], []
    for name, asked in run.asked.targets.items():
        task = tasks.load(name)
        for language in asked.languages:
            predicted, values = predictions(run, task, language)
            scored = score_rows(run, name, language, "test", values)
            rows += [row | {"note": asked.note} for row in scored]
            place = {"run_id": run.id, "cell_id": name + language, "target": name, "language": language}
            items += [place | {"split": "test"} | row for row in predicted]
            if task.metric == "pairs":
                rows += score_rows(run, name, language, "dev", {"f1": values["f1"] - 1.0})
    records.write_shard(folder.records / "scores", "scores", rows, name="scores")
    records.write_shard(folder.predictions, "predictions", items, name="predictions")


def write_baseline(folder: RunFolder, run: RunSpec) -> None:
    rows = []
    for level, method in ((30.0, "majority"), (48.0, "bag-of-words")):
        places = [(run.asked.train_task, "en", "dev")]
        places += [(name, lang, "test") for name, langs in run.asked.targets.items() for lang in langs]
        for name, language, split in places:
            task = tasks.load(name)
            if method == "bag-of-words" and task.type == "choice":
                continue
            roll = chance("baseline", method, name, language)
            values = {metric: level + roll.uniform(-5, 5) for metric in task.metrics}
            rows += [row | {"regime": method} for row in score_rows(run, name, language, split, values)]
    records.write_shard(folder.records / "scores", "scores", rows, name="baseline")


def write_latency(folder: RunFolder, run: RunSpec) -> None:
    settings, process = run.asked.protocol, run.asked.process
    level = chance("process", process).gauss(1.0, 0.01)
    rows: list[dict[str, Any]] = []
    for round_ in range(settings.rounds):
        for variant in run.asked.models:
            for batch in settings.batch_sizes:
                for language in settings.languages:
                    rows += calls(run, variant, batch, round_, level, start=len(rows), language=language)
    records.write_shard(folder.records / "latency", "latency", rows, name=f"lat-{run.id}")


def calls(
    run: RunSpec, variant: TimedModel, batch: int, round_: int, level: float, start: int, language: str
) -> list[dict[str, Any]]:
    settings = run.asked.protocol
    slower = WORLD.slower[variant.regime]
    foreign = [language] * (language != "en")
    roll = chance("calls", run.id, variant.regime, variant.target, batch, round_, *foreign)
    tax = WORLD.tokens.get(language, 1.0)
    middle = 4e6 * batch**0.8 * slower * level * tax * (2.5 if variant.target == "xquad" else 1.0)
    rows = []
    for position in range(settings.calls):
        flagged = roll.random() < 0.01
        rows.append(
            {
                "run_id": run.id,
                "cell_id": f"{variant.regime}-{variant.target}-{batch}",
                "regime": variant.regime,
                "train_tasks": variant.intermediate,
                "seed": 1,
                "target_task": variant.target,
                "lang": language,
                "impl": "sdpa",
                "dtype": "fp32",
                "device_class": "cpu",
                "clock": "perf_counter",
                "scenario": "single_stream" if batch == 1 else "batch",
                "heads": 1,
                "batch_size": batch,
                "padding": "graph",
                "process_rep": run.asked.process,
                "round": round_,
                "block": round_,
                "pos_in_block": position,
                "order_pos": start + position,
                "query_id": position,
                "n_windows": 1,
                "real_tokens": round((20 + position) * tax) * batch,
                "padded_tokens": round(1.25 * (20 + position) * tax) * batch,
                "max_len": 128,
                "t_start_ns": 1000 * (start + position),
                "wall_ns": int(middle * roll.lognormvariate(0, 0.01)),
                "tokenize_ns": int(2e5 * batch),
                "n_compiles": 0,
                "is_warmup": position < settings.warmup,
                "valid": not flagged,
                "invalid_reason": "foreign_process" if flagged else None,
            }
        )
    return rows


def write_study(folder: Path, text: str = STUDY, world: World | None = None) -> tuple[Study, Path]:
    """Writes the study and all its runs below `folder`; returns the study and its runs folder."""
    global WORLD
    WORLD = world or World()
    path = folder / "sample.toml"
    path.write_text(text)
    study = load_study(str(path))
    runs = folder / "runs" / study.name
    for run in grid.expand(study, "all"):
        write_run(RunFolder(runs / run.id), run)
    return study, runs


@pytest.fixture(scope="session")
def invent() -> Callable[..., tuple[Study, Path]]:
    """`invent(folder, text, **what is true)` writes another study."""

    def written(folder: Path, text: str, **true: Any) -> tuple[Study, Path]:
        return write_study(folder, text, World(**true))

    return written


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    """One seed, everything done."""
    return write_study(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def three_seeds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    """Three seeds of a smaller study, everything done."""
    return write_study(tmp_path_factory.mktemp("three"), THREE_SEEDS)


@pytest.fixture(scope="session")
def evidence(sample: tuple[Study, Path]) -> Evidence:
    """What the tables read of the one-seed study."""
    study, runs = sample
    return Evidence(study, runs)


@pytest.fixture(scope="session")
def seeded(three_seeds: tuple[Study, Path]) -> Evidence:
    """What the tables read of the three-seed study."""
    study, runs = three_seeds
    return Evidence(study, runs)


@pytest.fixture
def without(evidence: Evidence) -> Callable[..., Evidence]:
    """The evidence with the score rows left out that match all the fields given."""

    def removed(**fields: Any) -> Evidence:
        kept = {
            run: [row for row in rows if any(row[name] != value for name, value in fields.items())]
            for run, rows in evidence.scores.items()
        }
        smaller = replace(evidence)
        smaller.__dict__["scores"] = kept
        return smaller

    return removed


RATES = (0.0, 20.0, 40.0, 80.0)
BORNE = {"shared": 80.0, "resident": 40.0, "swapped": 0.0}
"""The highest rate that holds, by layout."""


def write_deploy(folder: RunFolder, run: RunSpec) -> None:
    """One encoder answers two tasks in the time of one; what is swapped waits for its weights."""
    process = run.asked.process
    level = chance("deployment", process).gauss(1.0, 0.01)
    place = {
        "run_id": run.id, "dtype": "fp32", "impl": "sdpa", "device_class": "cpu", "device_name": "Sample CPU",
        "process_rep": process,
    }  # fmt: skip
    rows, memory = [], []
    for layout in ("shared", "resident", "swapped"):
        models = 1 if layout == "shared" else 2
        memory.append(
            place
            | {
                "layout": layout,
                "num_models": models,
                "weights": 4 * 10**8 * (2 if layout == "resident" else 1),
                "host_weights": 8 * 10**8 if layout == "swapped" else 0,
                "host_rss": 10**9 * models,
                "cold_start_ns": 3 * 10**9 * models,
                "load_ns": 2 * 10**9 * models,
            }
        )
        for row in served(run, layout, level):
            own = {
                "layout": layout,
                "order_pos": len(rows),
                "n_compiles": 0,
                "waited_ns": 0,
                "major_faults": 0,
            }
            rows.append(place | own | {"invalid_reason": None if row["valid"] else "stolen_time"} | row)
    records.write_shard(folder.records / "serving", "serving", rows, name="serving")
    records.write_shard(folder.records / "memory", "memory", memory, name="memory")


def served(run: RunSpec, layout: str, level: float) -> list[dict[str, Any]]:
    """Rows of one layout, as far as they are its own."""
    roll = chance("served", run.id, layout)
    common = {
        "block": 0, "query_id": 0, "batch_size": 1, "real_tokens": 30, "t_start_ns": 0, "queue_ns": 0,
        "swap_ns": 0, "valid": True, "is_warmup": False, "place": "", "rate": 0.0, "heads": 1, "round": 0,
    }  # fmt: skip
    rows: list[dict[str, Any]] = []
    for heads in (1, 2):
        passes = WORLD.passes(layout, heads)
        swap = 9e6 * heads if layout == "swapped" else 0.0
        for n in range(20):
            wall = int((5e6 * passes + swap) * level * roll.gauss(1.0, 0.01))
            rows.append(
                common
                | {
                    "scenario": "text",
                    "heads": heads,
                    "round": n // 10,
                    "pos_in_block": n % 10,
                    "wall_ns": wall,
                    "task": "xnli+xquad",
                    "is_warmup": n % 10 < 2,
                    "valid": roll.random() > 0.01,
                }
            )
    for rate in RATES:
        middle = 10e6 if 0 < rate <= BORNE[layout] else 200e6
        for n in range(40):
            wall = int(middle * level * roll.gauss(1.0, 0.05))
            own = {"scenario": "server", "rate": rate, "pos_in_block": n, "wall_ns": wall, "task": "xnli"}
            rows.append(common | own)
    for n, (where, time) in enumerate((("host", 9e6), ("cache", 40e6), ("disk", 90e6))):
        if layout == "swapped":
            own = {"scenario": "swap", "place": where, "pos_in_block": n, "wall_ns": int(time * level)}
            rows.append(common | own | {"task": "xnli"})
    return rows
