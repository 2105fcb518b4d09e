"""Phases with text masked in or translations beside the English set: what they draw, and exact resume."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hpc.errors import UserError
from stilts.run import records, stages
from stilts.run.folder import RunFolder
from stilts.run.settings import Optimisation
from stilts.run.specs import TrainSpec
from stilts.study.grid import expand
from stilts.study.loading import load_study
from stilts.train.learner import Learner
from stilts.train.sets import TrainingData, training_data_of
from stilts.train.steps import Step

STUDY = Path(__file__).parents[2] / "studies" / "variants.toml"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    """The runs of the study, the encoder prepared."""
    root = tmp_path_factory.mktemp("runs") / "variants"
    found = {}
    for spec in expand(load_study(str(STUDY)), "all"):
        found[spec.id] = RunFolder(root / spec.id)
        found[spec.id].write_spec(spec)
    stages.run(str(found["model"].path))
    return found


def data_of(folders: dict[str, RunFolder], run_id: str) -> tuple[TrainingData, Optimisation]:
    run = folders[run_id]
    asked = run.read_spec().asked
    assert isinstance(asked, TrainSpec)
    return training_data_of(run, asked, folders["model"].weights), asked.optimisation


def test_a_batch_of_text_follows_each_batch_of_the_task(folders: dict[str, RunFolder]) -> None:
    plain, settings = data_of(folders, "mnli-s1")
    mixed, _ = data_of(folders, "mnli+mlm-s1")
    alone = plain.order.steps(settings.epochs)
    steps = mixed.order.steps(settings.epochs)
    assert steps == 2 * alone
    drawn = [mixed.order.draw(step) for step in range(steps)]
    assert {mixed.streams[name].head for name, _ in drawn[1::2]} == {"wikipedia"}
    assert {name for name, _ in drawn[::2]} == {"mnli"}
    # As often through its data as where it is trained alone, in an order of this run's own.
    mine = np.sort(np.concatenate([rows for _, rows in drawn[::2]]))
    others = np.sort(np.concatenate([plain.order.draw(step).rows for step in range(alone)]))
    np.testing.assert_array_equal(mine, others)
    assert set(mixed.streams) == {"mnli", "wikipedia/en", "wikipedia/de", "wikipedia/zh"}


def test_a_batch_of_text_says_what_is_hidden(folders: dict[str, RunFolder]) -> None:
    mixed, _ = data_of(folders, "mnli+mlm-s1")
    stream = mixed.streams["wikipedia/zh"]
    assert stream.encoded.language == "zh"
    assert stream.encoded.num_tokens.max() <= 16
    one, again, later = (stream.batch(np.asarray([3, 1]), step=step) for step in (4, 4, 5))
    assert stream.masking is not None
    assert set(one.targets) == {"positions", "pieces"}
    np.testing.assert_array_equal(one.input_ids, again.input_ids)
    assert one.input_ids.tolist() != later.input_ids.tolist()
    whole = one.input_ids.copy()
    whole[one.targets["positions"]] = one.targets["pieces"]
    blocks = [stream.encoded.features[row]["input_ids"] for row in (3, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(blocks))


def test_translations_train_the_head_of_their_task(folders: dict[str, RunFolder]) -> None:
    mixed, settings = data_of(folders, "mnli+translated-s1")
    plain, _ = data_of(folders, "mnli-s1")
    assert {name: stream.head for name, stream in mixed.streams.items()} == {
        "mnli": "mnli",
        "mnli/de": "mnli",
        "mnli/ru": "mnli",
    }
    labels = {name: list(stream.encoded.examples["label"]) for name, stream in mixed.streams.items()}
    assert labels["mnli"] == labels["mnli/de"] == labels["mnli/ru"]
    assert mixed.order.steps(settings.epochs) > 2 * plain.order.steps(settings.epochs)
    report = mixed.order.report(300)
    assert all(share.probability == pytest.approx(1 / 3) for share in report.values())


def broken_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Learner.learn

    def learn(self: Learner, each: Step) -> None:
        if self.totals.drawn == step:
            raise RuntimeError("the power went")
        whole(self, each)

    monkeypatch.setattr(Learner, "learn", learn)


def state(folder: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(folder.weights / "model.safetensors") | load_file(folder.weights / "heads.safetensors")


def test_a_run_with_text_goes_on_exactly(folders: dict[str, RunFolder], monkeypatch) -> None:
    undisturbed = folders["multi+mlm-s1"]
    stages.run(str(undisturbed.path))
    again = RunFolder(undisturbed.path.parent.parent / "again" / undisturbed.id)
    again.write_spec(replace(undisturbed.read_spec(), study="again"))
    (again.path.parent / "model").symlink_to(folders["model"].path)
    with monkeypatch.context() as patched:
        broken_at(11, patched)
        with pytest.raises(RuntimeError, match="the power went"):
            stages.run(str(again.path))
    assert list(again.checkpoints.glob("step-00000009/committed.json"))
    stages.run(str(again.path))
    before, after = state(undisturbed), state(again)
    assert before.keys() == after.keys()
    assert "wikipedia.dense.weight" in before
    assert all(torch.equal(before[name], after[name]) for name in before)
    rows = records.read("scores", [undisturbed.records / "scores"]).to_pylist()
    assert {row["target"] for row in rows} == {"mnli", "squad_v1"}
    assert {row["regime"] for row in rows} == {"mlm"}


def test_what_follows_a_variant_starts_from_its_encoder(folders: dict[str, RunFolder]) -> None:
    for run_id in ("mnli+translated-s1", "mnli+translated-s1.xnli", "mnli+translated-s1.xnli.eval"):
        stages.run(str(folders[run_id].path))
    rows = records.read("scores", [folders["mnli+translated-s1.xnli.eval"].records / "scores"]).to_pylist()
    assert {(row["regime"], row["intermediate"], row["language"]) for row in rows} == {
        ("translated", "mnli", "en"),
        ("translated", "mnli", "de"),
    }


def test_zero_3_cannot_share_the_embeddings(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.read_text().replace("stage = 1", "stage = 3"))
    with pytest.raises(UserError, match="ZeRO stage 2 or less"):
        expand(load_study(str(path)), "all")


def test_long_fine_tuning_takes_the_steps_of_the_phase_too(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    text = STUDY.read_text(encoding="utf-8").replace('name = "variants"', 'name = "long"')
    path.write_text(text + '\n[variants.long]\nphases = ["mnli", "multi"]\n', encoding="utf-8")
    specs = {spec.id: spec for spec in expand(load_study(str(path)), "variants")}
    long = specs["mnli+long-s1.xnli"]
    assert long.needs == ("model", "mnli-s1")
    assert specs["multi+long-s1.xnli"].needs == ("model", "multi-s1")
    assert specs["mnli+long-s1.xnli.eval"].asked.intermediate == "mnli"
    assert not any(
        "long" in run_id and "tatoeba" in spec.asked.targets
        for run_id, spec in specs.items()
        if hasattr(spec.asked, "targets")
    )
    root = tmp_path / "long"
    for run_id in ("model", "mnli-s1", "mnli-s1.xnli", long.id):
        RunFolder(root / run_id).write_spec(specs.get(run_id) or _all(path)[run_id])
        stages.run(str(root / run_id))
    steps = {
        row["run_id"]: row["steps"]
        for row in records.read("training", records.record_folders(root, "training")).to_pylist()
    }
    assert steps[long.id] == steps["mnli-s1"] + steps["mnli-s1.xnli"]


def _all(path: Path) -> dict:
    return {spec.id: spec for spec in expand(load_study(str(path)), "all")}
