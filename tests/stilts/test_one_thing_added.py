"""What a new regime, stage, type of task or metric costs in files, tried on a copy of the checkout."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

ROOT = Path(__file__).parents[2]


class Checkout:
    """A copy of the program that may be changed; it counts the files that were."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.touched: set[str] = set()
        for name in ("hpc", "stilts", "kernels", "slurm", "tables"):
            shutil.copytree(
                ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__", "rendered")
            )

    def change(self, file: str, before: str, after: str) -> None:
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{file} has {before!r} {text.count(before)} times"
        (self.path / file).write_text(text.replace(before, after), encoding="utf-8")
        self.touched.add(file)

    def add(self, file: str, text: str) -> None:
        (self.path / file).write_text(text, encoding="utf-8")
        self.touched.add(file)

    def run(self, *arguments: str, study: str = "tiny") -> str:
        environment = os.environ | {"PYTHONPATH": str(self.path), "STILTS_DATA": str(self.path / "data")}
        command = [
            sys.executable,
            "-m",
            "stilts",
            *map(str, arguments),
            *(["--study", study] if study else []),
        ]
        done = subprocess.run(
            command, cwd=self.path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def seconds(self, run: str) -> float:
        """What a run recorded that it took, all in all."""
        (shard,) = (self.path / "runs" / "tiny" / run / "records" / "training").glob("*.arrow")
        with pa.memory_map(str(shard)) as source:
            (row,) = pa.ipc.open_file(source).read_all().to_pylist()
        return float(row["total_seconds"] or row["seconds"])

    def table(self, name: str, study: str = "tiny") -> dict[tuple[str, str], str]:
        """Row and column to printed text of a rendered table."""
        path = self.path / "tables" / "rendered" / study / f"{name}.csv"
        with open(path, encoding="utf-8") as file:
            return {(row["row"], row["column"]): row["text"] for row in csv.DictReader(file)}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_regime_is_one_entry_in_the_table_of_regimes(checkout: Checkout) -> None:
    """Joint training from the raw encoder: planned, trained, evaluated, in the tables, its cost with it."""
    entry = """    Regime(
        name="joint-raw",
        label="joint, raw encoder",
        summary="all English target sets together, without an intermediate phase",
        then="joint",
    ),
    Regime(
        name="random","""
    checkout.change("stilts/study/regimes.py", '    Regime(\n        name="random",', entry)
    assert checkout.touched == {"stilts/study/regimes.py"}

    checkout.run("launch", "--grid", "all", "--only", "joint-raw*")
    checkout.run("tables", "--formats", "csv")
    scores, costs = checkout.table("scores"), checkout.table("training")
    assert float(scores["joint-raw", "xnli"]) >= 0
    assert costs["joint-raw", "models"] == "1"
    assert float(costs["joint-raw", "target"]) > 0
    assert costs["joint-raw", "intermediate"] == "0"


STAGE = '''

@dataclass(frozen=True, kw_only=True, slots=True)
class CopySpec(Stage):
    """Weights as they are, at a price."""

    name: ClassVar[str] = "copy"
    entry: ClassVar[str] = "stilts.copying:copy"
    is_training: ClassVar[bool] = True
    regime: str
    intermediate: str
    seed: int


def stages() ->'''

MODULE = '''"""A stage that hands on what it got."""

import shutil

from stilts.run import records


def copy(run, spec, asked):
    shutil.copytree(run.sibling(spec.needs[0]).weights, run.weights, dirs_exist_ok=True)
    row = {
        "run_id": spec.id,
        "regime": asked.regime,
        "intermediate": asked.intermediate,
        "seed": asked.seed,
        "stage": "copy",
        "device_class": "cpu",
        "seconds": 20.0,
        "tokens": 7,
    }
    records.write_shard(run.records / "training", "training", [row], name="training")
'''

PLACE = """    trained = add_training(builder, f"{phase}-s{seed}", parent, "single", [phase])
    copied = CopySpec(regime=regime, intermediate=phase, seed=seed)
    builder.add(f"{trained.id}+copy", copied, [trained.id])
    return replace(trained, id=f"{trained.id}+copy")
"""


def test_a_stage_is_three_files_and_its_cost_is_in_the_table(checkout: Checkout) -> None:
    """A stage between an intermediate task and its targets."""
    checkout.change("stilts/run/specs/asked.py", "\n\ndef stages() ->", STAGE)
    checkout.add("stilts/copying.py", MODULE)
    place = "stilts/study/grid/intermediate.py"
    checkout.change(
        place, '    return add_training(builder, f"{phase}-s{seed}", parent, "single", [phase])\n', PLACE
    )
    imported = "from stilts.run.specs import Text\n"
    checkout.change(place, imported, f"{imported}from stilts.run.specs.asked import CopySpec\n")
    checkout.change(place, "from collections.abc import Callable, Mapping\n", IMPORTS)
    assert len(checkout.touched) == 3

    checkout.run("launch", "--grid", "all", "--only", "mnli-s1*")
    assert "mnli-s1+copy" in os.listdir(checkout.path / "runs" / "tiny")
    assert "copy" in checkout.run("status")
    checkout.run("tables", "--formats", "csv")
    costs = checkout.table("training")
    trained, copied = (checkout.seconds(run) for run in ("mnli-s1", "mnli-s1+copy"))
    assert copied == 20
    assert float(costs["single/mnli", "intermediate"]) == pytest.approx(trained + copied, abs=0.06)
    assert costs["direct", "intermediate"] in ("0", "--", "")


IMPORTS = "from collections.abc import Callable, Mapping\nfrom dataclasses import replace\n"


TYPE = '''"""A sentence and one label. Example: {id, text, label}."""

import numpy as np
import pyarrow as pa

from stilts.tasks.coding.pieces import specials, tokenize
from stilts.tasks.coding.sequences import columns, single
from stilts.tasks.types import TaskType, classify, label_index, label_name


def encode(examples, coding):
    marks = specials(coding.tokenizer)
    pieces = tokenize([example["text"] for example in examples], coding.tokenizer)
    sequences = single(pieces.head(np.minimum(pieces.lengths, coding.max_length - marks.of_single)), marks)
    return columns(sequences) | {"label": np.asarray([example["label"] for example in examples], np.int32)}


TYPE = TaskType(
    schema=pa.schema([("id", pa.string()), ("text", pa.string()), ("label", pa.int32())]),
    texts=lambda example: iter([example["text"]]),
    encode=encode,
    targets=classify.targets,
    sizes=classify.sizes,
    head="classify",
    decode=classify.decode,
    is_labelled=True,
    gold=lambda example, labels: label_name(example["label"], labels),
    as_text=label_name,
    from_text=label_index,
    labels_of=lambda example: iter([str(example["label"])]),
)
'''

TASK = '''"""Whether a sentence is kind."""

from stilts.tasks import ALL_SPLITS, FolderFiles, Task

TASK = Task(
    name="polarity",
    type="sentence",
    role="target",
    read=lambda row: {"id": row["id"], "text": row["text"], "label": int(row["label"])},
    languages=("en", "de"),
    splits=ALL_SPLITS,
    train_task="polarity",
    labels=("unkind", "kind"),
    metric="accuracy",
    max_length=64,
    folder=(
        FolderFiles(
            format="jsonl",
            files=("polarity/{split}.{language}.jsonl",),
            sets={"train": ("train",), "dev": ("dev",), "test": ("test",)},
        ),
    ),
)
'''

METRIC = '''"""Cohen's kappa."""

import numpy as np

from stilts.tasks.metrics import Metric, Scored


def score(given):
    gold = np.asarray(given.column("label"))
    found = np.asarray([-1 if value is None else value for value in given.values])
    agreed = float((gold == found).mean())
    chance = sum(float((gold == n).mean() * (found == n).mean()) for n in set(gold.tolist()))
    kappa = 0.0 if chance == 1 else (agreed - chance) / (1 - chance)
    return Scored(values={"kappa": 100 * kappa}, by_example=(gold == found).astype(np.float32))


METRIC = Metric(score=score, reports=("kappa",), counted=("kappa",), contributions=None)
'''


def with_sentences(checkout: Checkout) -> str:
    """Data of the toy task, and a study of it; returns the study's path."""
    folder = checkout.path / "data" / "polarity"
    folder.mkdir(parents=True)
    texts = {"en": ("what a good day", "what a bad day"), "de": ("ein guter Tag", "ein schlechter Tag")}
    for name, language, count in (
        ("train", "en", 16),
        ("dev", "en", 6),
        ("dev", "de", 6),
        ("test", "en", 8),
        ("test", "de", 8),
    ):
        rows = [
            {"id": f"{n}", "text": f"{texts[language][n % 2]} {n}", "label": 1 - n % 2} for n in range(count)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.{language}.jsonl").write_text(lines, encoding="utf-8")
    tiny = (checkout.path / "stilts" / "study" / "studies" / "tiny.toml").read_text(encoding="utf-8")
    changes = {
        'name = "tiny"': 'name = "kind"',
        'sources = ["embedded"]': 'sources = ["folder", "embedded"]',
        'targets = ["xnli", "udpos", "xquad", "tatoeba"]': 'targets = ["polarity"]',
        'tatoeba = ["de"]\n': "",
        'targets = ["xnli"]\nregimes = ["direct", "joint"]': "targets = []",
    }
    for before, after in changes.items():
        assert tiny.count(before) == 1, before
        tiny = tiny.replace(before, after)
    path = checkout.path / "kind.toml"
    path.write_text(tiny, encoding="utf-8")
    return str(path)


def test_a_type_of_task_is_two_files_its_own_and_a_task_s(checkout: Checkout) -> None:
    """It is tokenised, trained, answered, stored, scored again without a model, and in the tables."""
    checkout.add("stilts/tasks/types/sentence.py", TYPE)
    checkout.add("stilts/tasks/polarity.py", TASK)
    assert len(checkout.touched) == 2
    study = with_sentences(checkout)
    checkout.run("launch", "--grid", "all", "--only", "direct*", study=study)
    said = checkout.run("evaluate", "score", "runs/kind/direct-s1.polarity.eval", study="")
    assert "polarity" in said
    assert "2 of 2 languages" in said
    checkout.run("tables", "--formats", "csv", study=study)
    assert 0 <= float(checkout.table("scores", "kind")["direct", "polarity"]) <= 100


def test_a_metric_is_two_files_its_own_and_a_task_s(checkout: Checkout) -> None:
    checkout.add("stilts/tasks/metrics/kappa.py", METRIC)
    checkout.change("stilts/tasks/pawsx.py", 'metric="accuracy"', 'metric="kappa"')
    assert len(checkout.touched) == 2
    study = checkout.path / "paws.toml"
    tiny = (checkout.path / "stilts" / "study" / "studies" / "tiny.toml").read_text(encoding="utf-8")
    tiny = tiny.replace('name = "tiny"', 'name = "paws"').replace(
        '["xnli", "udpos", "xquad", "tatoeba"]', '["pawsx"]'
    )
    tiny = tiny.replace('tatoeba = ["de"]\n', "").replace('["xnli"]\nregimes = ["direct", "joint"]', "[]")
    study.write_text(tiny, encoding="utf-8")
    checkout.run("launch", "--grid", "all", "--only", "direct*", study=str(study))
    assert "kappa" in checkout.run("evaluate", "score", "runs/paws/direct-s1.pawsx.eval", study="")
    checkout.run("tables", "--formats", "csv", study=str(study))
    assert -100 <= float(checkout.table("scores", "paws")["direct", "pawsx"].replace("\u2212", "-")) <= 100


TOY = '''"""Whether the second sentence says what the first one says, also in Klingon."""

from stilts.tasks import ALL_SPLITS, FolderFiles, Task

TASK = Task(
    name="echo",
    type="classify",
    role="target",
    read=lambda row: {name: row[name] for name in ("id", "first", "second")} | {"label": int(row["label"])},
    languages=("en", "tlh"),
    splits=ALL_SPLITS,
    train_task="echo",
    labels=("no", "yes"),
    metric="accuracy",
    max_length=64,
    folder=(
        FolderFiles(
            format="jsonl",
            files=("echo/{split}.{language}.jsonl",),
            sets={"train": ("train",), "dev": ("dev",), "test": ("test",)},
        ),
    ),
)
'''

OWN_TABLE = """id = "own"
question = "Which regime hears an echo?"
builder = "scores"
inputs = ["scores"]
rows = ["direct", "joint"]
columns = ["echo"]
metric = "Accuracy"
direction = "higher"
split = "test"
against = "direct"

[stats]
level = 0.95
correction = "holm"
"""

OWN_CLUSTER = """scheduler = "local"
summary = "one run after the other"

[local]
workers = 1

[shapes.default]
memory_gb = 2
"""


def test_a_task_in_a_new_language_a_table_and_a_cluster_are_one_file_each(checkout: Checkout) -> None:
    checkout.add("stilts/tasks/echo.py", TOY)
    checkout.add("tables/own.toml", OWN_TABLE)
    checkout.add("slurm/one.toml", OWN_CLUSTER)
    assert len(checkout.touched) == 3
    words = {"en": ("a red house", "an old dog"), "tlh": ("juH Doq", "Ha'DIbaH qan")}
    folder = checkout.path / "data" / "echo"
    folder.mkdir(parents=True)
    for name, language in (("train", "en"), ("dev", "en"), ("dev", "tlh"), ("test", "en"), ("test", "tlh")):
        first, second = words[language]
        rows = [
            {"id": f"{n}", "first": f"{first} {n}", "second": f"{(second, first)[n % 2]} {n}", "label": n % 2}
            for n in range(8)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.{language}.jsonl").write_text(lines, encoding="utf-8")
    tiny = (checkout.path / "stilts" / "study" / "studies" / "tiny.toml").read_text(encoding="utf-8")
    for before, after in {
        'name = "tiny"': 'name = "echoes"',
        'sources = ["embedded"]': 'sources = ["folder", "embedded"]',
        'targets = ["xnli", "udpos", "xquad", "tatoeba"]': 'targets = ["echo"]',
        'default = ["en", "de"]': 'default = ["en", "tlh"]',
        'tatoeba = ["de"]\n': "",
        'targets = ["xnli"]\nregimes = ["direct", "joint"]': "targets = []",
    }.items():
        assert tiny.count(before) == 1, before
        tiny = tiny.replace(before, after)
    study = checkout.path / "echoes.toml"
    study.write_text(tiny, encoding="utf-8")
    assert "echo" in checkout.run("evaluate", "ls", "tasks", study="")
    checkout.run("launch", "--grid", "all", "--cluster", "one", "--only", "direct*", study=str(study))
    checkout.run("tables", "--tables", "own", "--formats", "csv", study=str(study))
    assert 0 <= float(checkout.table("own", "echoes")["direct", "echo"]) <= 100
