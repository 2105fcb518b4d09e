"""A one-page study whose source is a local folder of BERT's form trains and evaluates."""

import json
import os
import subprocess
import sys
from pathlib import Path

import transformers

from stilts.run import records

ROOT = Path(__file__).parents[2]
STUDY = """
name = "mbert"
summary = "a random BERT from a local folder"
caveat = "A random BERT: only its plumbing means anything."
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "xquad", "tatoeba"]

[model]
source = "{source}"

[intermediate]
tasks = ["mnli"]

[languages]
default = ["en", "ru"]
tatoeba = ["ru"]

[limits.default]
train = 16
dev = 6
test = 6

[optimisation.default]
learning_rate = 1e-3
tokens_per_batch = 256
evaluate_every = 4

[zero]
precision = "fp32"

[evaluation]
dtype = "fp32"

[retrieval]
layer = 1
"""


def test_it_trains_and_evaluates(make_theirs, tmp_path) -> None:
    study = tmp_path / "mbert.toml"
    study.write_text(STUDY.format(source=make_theirs("BertModel")), encoding="utf-8")
    line = ["-m", "stilts.launch", "--grid", "all", "--study", str(study), "--runs", str(tmp_path / "runs")]
    environment = os.environ | {"STILTS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, *line], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folders = records.record_folders(tmp_path / "runs" / "mbert", "scores")
    rows = [row for row in records.read("scores", folders).to_pylist() if row["split"] == "test"]
    found = {(row["regime"], row["target"], row["language"]) for row in rows}
    for regime in ("direct", "multi", "joint"):
        for target in ("xnli", "xquad"):
            assert {(regime, target, "en"), (regime, target, "ru")} <= found
        assert (regime, "tatoeba", "ru") in found
    weights = tmp_path / "runs" / "mbert" / "direct-s1.xnli" / "weights"
    assert json.loads((weights / "config.json").read_text())["architectures"] == [
        "BertForSequenceClassification"
    ]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(weights)
    assert model.config.id2label == {0: "entailment", 1: "neutral", 2: "contradiction"}
