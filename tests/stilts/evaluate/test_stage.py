"""A run of a grid: its predictions are scored again without a model, and it is not touched."""

import shutil
from pathlib import Path

import pytest

from stilts import evaluate as evaluation
from stilts.evaluate.scoring import read, score, stored_in
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.settings import Evaluation, Limits, Retrieval
from stilts.run.specs import EvaluateSpec, RunSpec, Target

TARGETS = {"xnli": "mnli", "udpos": "udpos", "xquad": "squad_v1", "tatoeba": "", "bucc2018": ""}


@pytest.fixture(scope="module")
def run(with_heads, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs") / "toy"
    shutil.copytree(with_heads, root / "joint" / "weights")
    asked = EvaluateSpec(
        regime="joint",
        intermediate="multi",
        seed=1,
        targets={name: Target(head=head, languages=("de",)) for name, head in TARGETS.items()},
        evaluation=Evaluation(dtype="fp32", attention="sdpa", tokens_per_batch=512),
        retrieval=Retrieval(layer=2),
        sources=("embedded",),
        limits={name: Limits(dev=8, test=8) for name in TARGETS},
    )
    folder = RunFolder(root / "joint.eval")
    spec = RunSpec(study="toy", id="joint.eval", needs=("joint",), asked=asked)
    folder.write_spec(spec)
    evaluation.evaluate(folder, spec, asked)
    return folder


def test_every_target_has_predictions_and_scores(run):
    shards = {f"{name}-de.arrow" for name in TARGETS}
    assert {path.name for path in run.predictions.iterdir()} == shards
    assert {path.name for path in (run.records / "scores").iterdir()} == shards | {"bucc2018-de-dev.arrow"}


def test_a_second_call_computes_nothing(run):
    times = {path: path.stat().st_mtime_ns for path in run.path.rglob("*.arrow")}
    spec = run.read_spec()
    evaluation.evaluate(run, spec, spec.asked)
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*.arrow")} == times


def test_its_scores_are_shown_again_and_nothing_is_written(run, evaluate):
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
    said = evaluate("score", run.path)
    assert said.code == 0, said.err
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()} == before
    for row in records.read("scores", [run.records / "scores"]).to_pylist():
        if row["split"] == "test":
            line = next(line for line in said.out.splitlines() if line.startswith(f"{row['target']} "))
            assert f"{row['metric']} {row['value']:6.2f}" in line


def test_a_pool_keeps_pairs_beside_the_gold_ones_and_scores_are_equal_to_the_bit(run):
    rows = records.read("predictions", [run.predictions]).to_pylist()
    assert any(row["gold"] is None for row in rows if row["target"] == "bucc2018")
    again = {
        (stored.task.name, name): value
        for stored in stored_in(run.path)
        for name, value in score(stored, read(stored)).values.items()
    }
    written = records.read("scores", [run.records / "scores"]).to_pylist()
    tested = [row for row in written if row["split"] == "test"]
    assert again == {(row["target"], row["metric"]): row["value"] for row in tested}


def test_it_is_exported_as_what_the_command_wrote(run, evaluate, with_heads, tmp_path):
    asked = ("--tasks", ",".join(TARGETS), "--languages", "de", "--limit", "8", "--sources", "embedded")
    said = evaluate("run", "--model", with_heads, *asked, "--batch-size", "512", "--output", tmp_path / "out")
    assert said.code == 0, said.err
    for source, to in ((run.path, "grid"), (tmp_path / "out", "command")):
        said = evaluate("export", source, "--output", tmp_path / to, "--incomplete", "allow")
        assert said.code == 0, said.err
    files = {
        path.relative_to(tmp_path / "grid"): path.read_text() for path in (tmp_path / "grid").rglob("*.*")
    }
    assert {path.parts[0] for path in files} == {*TARGETS, "manifest.json"}
    others = {
        path.relative_to(tmp_path / "command"): path.read_text()
        for path in (tmp_path / "command").rglob("*.*")
    }
    del files[Path("manifest.json")], others[Path("manifest.json")]
    assert files == others
    leads = records.read("predictions", [run.predictions]).to_pylist()
    assert all((row["aux"] is not None) == (row["target"] == "xquad") for row in leads)


def test_the_command_answers_as_the_grid_does(run, evaluate, with_heads, tmp_path):
    said = evaluate(
        *("run", "--model", with_heads, "--tasks", ",".join(TARGETS), "--languages", "de", "--limit", "8"),
        *("--sources", "embedded", "--batch-size", "512", "--output", tmp_path / "out"),
    )
    assert said.code == 0, said.err

    def values(folder):
        rows = records.read("scores", [folder / "records" / "scores"]).to_pylist()
        return {(row["target"], row["split"], row["metric"]): row["value"] for row in rows}

    assert values(tmp_path / "out") == values(run.path)


def test_an_evaluation_is_no_model(run, evaluate):
    said = evaluate("run", "--model", run.path, "--tasks", "xnli")
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "has no weights (it is planned); it reads those of joint" in said.err
