"""End to end on the tiny study: launched for real, killed for real, and the same scores in the end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stilts.run import records

ROOT = Path(__file__).parents[2]


def command(runs, *arguments):
    study = ["--study", "tiny", "--runs", str(runs)]
    return [sys.executable, "-m", "stilts.launch", "--grid", "all", *study, *arguments]


def launch(runs, *arguments):
    return subprocess.run(
        command(runs, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )


def scores(runs):
    """Every score of the study, to the last digit."""
    table = records.read("scores", records.record_folders(runs / "tiny", "scores"))
    keys = ("run_id", "target", "language", "split", "metric", "value", "n")
    return sorted(tuple(row[key] for key in keys) for row in table.to_pylist())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    runs = tmp_path_factory.mktemp("undisturbed")
    done = launch(runs)
    assert done.returncode == 0, done.stderr + done.stdout
    return runs


def test_every_regime_has_scores(undisturbed):
    table = records.read("scores", records.record_folders(undisturbed / "tiny", "scores"))
    found = {(row["regime"], row["target"]) for row in table.to_pylist() if row["split"] == "test"}
    for regime in ("direct", "single", "multi", "heads", "joint"):
        assert {target for name, target in found if name == regime} == {"xnli", "udpos", "xquad", "tatoeba"}


def test_latency_rows_are_paired_and_complete(undisturbed):
    table = records.read("latency", records.record_folders(undisturbed / "tiny", "latency"))
    rows = table.to_pylist()
    cells = 2 * 2  # variants x languages
    warm = [row for row in rows if row["round"] < 0]
    assert len(warm) == cells * 8  # every query once
    assert len(rows) - len(warm) == 2 * cells * 4  # rounds x cells x calls
    assert all(row["wall_ns"] == row["pack_ns"] + row["device_ns"] > 0 for row in rows)
    assert all(0 < row["head_ns"] < row["device_ns"] and row["tokenize_ns"] > 0 for row in rows)
    # The same examples in each language, by each model.
    by_position = {}
    for row in rows:
        by_position.setdefault((row["round"], row["pos_in_block"]), set()).add(row["query_id"])
    assert all(len(queries) == 1 for queries in by_position.values())
    assert {row["lang"] for row in rows} == {"en", "de"}
    assert sum(row["is_warmup"] for row in rows) == len(warm) + 2 * cells
    assert {row["invalid_reason"] for row in rows if row["round"] >= 0 and row["n_compiles"] == 0} <= {
        None, "waited_for_processor", "page_fault", "stolen_time", "foreign_load",
    }  # fmt: skip


def test_what_is_timed_answers_as_eager_fp32_does_and_was_watched(undisturbed):
    gates = records.read("gate", records.record_folders(undisturbed / "tiny", "gate")).to_pylist()
    assert {(row["regime"], row["lang"]) for row in gates} == {
        ("direct", "en"), ("direct", "de"), ("joint", "en"), ("joint", "de"),
    }  # fmt: skip
    assert all(row["passed"] and row["flips"] == 0 and row["n"] == 8 for row in gates)
    assert all(0 <= row["difference"] < 1e-3 for row in gates)
    readings = records.read("telemetry", records.record_folders(undisturbed / "tiny", "telemetry"))
    assert len(readings) > 2


def test_a_phase_says_what_it_drew(undisturbed):
    for run in ("mnli-s1", "multi-s1"):
        folder = undisturbed / "tiny" / run
        asked, drawn = (json.loads((folder / name).read_text()) for name in ("spec.json", "mixture.json"))
        assert set(drawn) == set(asked["asked"]["tasks"])
        training = records.read("training", [folder / "records" / "training"]).to_pylist()
        assert sum(share["tokens"] for share in drawn.values()) == training[0]["tokens"]
        assert sum(share["probability"] for share in drawn.values()) == pytest.approx(1)


def test_a_second_launch_says_at_once_that_nothing_is_left(undisturbed):
    done = launch(undisturbed)
    assert done.returncode == 0
    assert "nothing" in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize(
    ("run", "head", "auto"),
    [
        ("mnli-s1", "mnli", "AutoModelForSequenceClassification"),
        ("direct-s1.udpos", "udpos", "AutoModelForTokenClassification"),
        ("mnli-s1.xquad", "squad_v1", "AutoModelForQuestionAnswering"),
    ],
)
def test_trained_weights_answer_in_transformers_as_here(undisturbed, run, head, auto):
    import torch
    import transformers

    from kernels.packing import from_lengths
    from stilts.model import folder
    from stilts.model.head_modules import Batch

    weights = undisturbed / "tiny" / run / "weights"
    theirs, ours = getattr(transformers, auto).from_pretrained(weights).eval(), folder.load(weights).eval()
    batch = transformers.AutoTokenizer.from_pretrained(weights)("Anna lives in Paris.", return_tensors="pt")
    ids = batch["input_ids"][0]
    asked = Batch(
        packed=from_lengths(ids, [len(ids)]), targets={"positions": torch.arange(len(ids))}, items=1
    )
    with torch.no_grad():
        out, expected = theirs(**batch), ours(head, asked)
    if "logits" in out:
        got = out.logits[0]
        labels = ours.specs[head].labels
        assert tuple(theirs.config.id2label[number] for number in range(len(labels))) == labels
    else:
        got = torch.stack([out.start_logits[0], out.end_logits[0]], dim=1)
    assert (got - expected.view_as(got)).abs().max() <= 2e-5


def test_weights_of_several_heads_are_read_as_an_encoder(undisturbed):
    from transformers import AutoModel, AutoTokenizer

    weights = undisturbed / "tiny" / "multi-s1" / "weights"
    model, tokenizer = AutoModel.from_pretrained(weights), AutoTokenizer.from_pretrained(weights)
    assert model.config.num_hidden_layers == 2
    assert model(**tokenizer("Anna lives in Paris.", return_tensors="pt")).last_hidden_state.isfinite().all()


def kill_then_finish(runs, *, kills, seed):
    """A kill comes when so many of the 33 runs are done, and a little later: it strikes however fast they
    are.
    """
    draw = random.Random(seed)
    for count in sorted(draw.randrange(26) for _ in range(kills)):
        process = subprocess.Popen(
            command(runs), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while len(list(runs.glob("*/*/done.json"))) < count and process.poll() is None:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 1))
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    done = launch(runs)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize(
    "kills", [pytest.param(2, id="2-kills"), pytest.param(10, id="10-kills", marks=pytest.mark.slow)]
)
def test_killed_at_random_moments_ends_with_the_same_scores(undisturbed, tmp_path, kills):
    kill_then_finish(tmp_path, kills=kills, seed=kills)
    assert scores(tmp_path) == scores(undisturbed)
    assert not list(tmp_path.rglob("step-*")), "checkpoints of finished runs are gone"
