"""A small study that is done, and ways to make it tell what is not so."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hpc import children
from hpc.usage import Usage
from stilts import status, tables
from stilts.evaluate import __main__ as evaluate
from stilts.run import records
from stilts.run.outputs import write_done

STUDY = """
name = "small"
summary = "two targets, one of them in files"
seeds = [1, 2]
sources = ["folder", "embedded"]
targets = ["xnli", "udpos", "tatoeba"]
languages = { default = ["en", "de"], tatoeba = ["de"] }
baselines = ["majority"]
limits.default = { train = 24, dev = 8, test = 8 }
optimisation.default = { epochs = 1.0, tokens_per_batch = 256, frozen = ["embeddings"] }
zero = { precision = "fp32" }
evaluation = { dtype = "fp32", tokens_per_batch = 512 }
retrieval.layer = 1

[model]
source = "random:toy"
layers = 1
vocabulary = "study"

[intermediate]
tasks = ["mnli", "squad_v1"]
single_tasks = ["mnli"]

[latency]
targets = ["xnli"]
regimes = ["direct", "joint"]
batch_sizes = [1]
processes = 2
rounds = 2
calls = 5
warmup = 1
queries = 8

[deploy]
targets = ["xnli", "udpos"]
dtypes = ["fp32"]
texts = [1, 2]
batch = 2
requests = 20
processes = 2
rounds = 1
calls = 4
warmup = 1
queries = 8
"""
HEADER = (
    "language\tgold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\t"
    "sentence1\tsentence2\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tmatch"
)
LABELS = ("entailment", "neutral", "contradiction")


def rows_of(shard: Path) -> list[dict[str, Any]]:
    """As they lie in the file."""
    with pa.memory_map(str(shard)) as source:
        found: list[dict[str, Any]] = pa.ipc.open_file(source).read_all().to_pylist()
    return found


class Planted:
    """A copy of the study to plant something in, and what the commands then say."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str] | None = None) -> None:
        self.folder = folder
        self.root = folder / "runs" / "small"
        self.capsys = capsys

    rows_of = staticmethod(rows_of)

    @property
    def test_set(self) -> Path:
        return self.folder / "data" / "xnli" / "xnli.test.tsv"

    def write_study(self, text: str = STUDY) -> None:
        (self.folder / "small.toml").write_text(text, encoding="utf-8")

    def write_data(self) -> None:
        rows = [
            f"{code}\t{label}\tx\ty\tx\ty\t{text} {n}.\tIt: {n}.\tp{n}\tq{n}\tg\tTrue\tentailment\tw"
            for code, text in (("en", "Sentence number"), ("de", "Satz Nummer"))
            for n, label in enumerate(LABELS * 12)
        ]
        self.test_set.parent.mkdir(parents=True)
        self.test_set.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")

    def launch(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "stilts.launch", "--grid", "all", "--study", "small.toml"],
            cwd=self.folder,
            env=children.environment() | {"STILTS_DATA": str(self.folder / "data")},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def shards(self, kind: str, run: str) -> list[Path]:
        folder = self.root / run / ("predictions" if kind == "predictions" else f"records/{kind}")
        found = sorted(folder.glob("*.arrow"))
        assert found, f"{folder} has no shards"
        return found

    def rewrite(
        self,
        kind: str,
        run: str,
        change: Callable[[dict[str, Any]], dict[str, Any] | None],
        *,
        seal: bool = True,
    ) -> None:
        """Changes rows as if they had been measured so; a row that becomes None goes."""
        touched = False
        for shard in self.shards(kind, run):
            before = rows_of(shard)
            after = [row for row in (change(dict(row)) for row in before) if row is not None]
            touched |= after != before
            if after:
                records.write_shard(shard.parent, kind, after, name=shard.stem)
            else:
                shard.unlink()
        assert touched, f"nothing of {run} was changed"
        if seal:
            self.seal(run)

    def seal(self, run: str) -> None:
        """Makes what lies there what the run says it wrote."""
        done = json.loads((self.root / run / "done.json").read_text())
        kept = {name: done[name] for name in Usage.__dataclass_fields__ if name in done}
        write_done(self.root / run, done["fingerprint"], Usage(**kept))

    def say(self, main: Callable[[list[str]], int], *arguments: str) -> str:
        """What a command says, all of it on one line, and its exit code."""
        assert self.capsys is not None
        self.capsys.readouterr()
        code = main(list(arguments))
        told = self.capsys.readouterr()
        return " ".join(f"{told.out} {told.err} exit code {code}".split())

    def tables(self, *more: str) -> str:
        out = ("--formats", "md", "--output", str(self.folder / "rendered"))
        said = self.say(tables.main, "--study", "small.toml", "--all", *out, *more)
        shown = " ".join(path.read_text() for path in sorted((self.folder / "rendered").glob("*.md")))
        return f"{' '.join(shown.split())} {said}"

    def fresh_tables(self) -> str:
        """The same in a process of its own, which has not read the data before."""
        out = ("--formats", "csv", "--output", str(self.folder / "rendered"))
        told = subprocess.run(
            [sys.executable, "-m", "stilts.tables", "--study", "small.toml", "--all", "--strict", *out],
            cwd=self.folder,
            env=children.environment() | {"STILTS_DATA": str(self.folder / "data")},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return " ".join(f"{told.stdout} {told.stderr} exit code {told.returncode}".split())

    def status(self) -> str:
        return self.say(status.main, "--study", "small.toml")

    def evaluate(self, *arguments: str) -> str:
        return self.say(evaluate.main, *arguments)


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """The study as it came about."""
    found = Planted(tmp_path_factory.mktemp("honest"))
    found.write_study()
    found.write_data()
    done = found.launch()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for run in ("latency.p1", "latency.p2"):
        # As on a machine that does nothing else: what other tests do beside it is no lie.
        for shard in found.shards("latency", run):
            rows = [row | {"valid": True, "invalid_reason": None} for row in rows_of(shard)]
            records.write_shard(shard.parent, "latency", rows, name=shard.stem)
        found.seal(run)
    return found


@pytest.fixture
def study(
    honest: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Planted:
    folder = tmp_path / "study"
    shutil.copytree(honest.folder, folder, ignore=shutil.ignore_patterns("checkpoints"), symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STILTS_DATA", str(folder / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("STILTS_CODE", raising=False)
    assert os.environ["STILTS_DATA"]
    return Planted(folder, capsys)
