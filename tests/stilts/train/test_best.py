"""The best weights of a phase: kept while it goes on, refused where they are no numbers."""

import pytest
import torch

from stilts.model.config import EncoderConfig
from stilts.model.encoder import PackedEncoder
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from stilts.run.folder import RunFolder
from stilts.train import best
from stilts.train.best import Best

CONFIG = EncoderConfig(
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    vocab_size=20,
    max_position_embeddings=12,
)


@pytest.fixture
def model() -> Model:
    made = Model(PackedEncoder(CONFIG, dropout=0.0), {"nli": HeadSpec(kind="classify", labels=("a", "b"))})
    made.encoder.reinitialise(0)
    made.freeze(["embeddings"])
    return made


def write(run: RunFolder, model: Model, step: int, *, precision="fp32", **changes):
    weights = {name: value.clone() for name, value in model.state_dict().items()} | changes
    said = {"tokenizer_from": run.path, "about": "", "precision": precision}
    return best.write(run, step, model, weights, **said)


def test_weights_that_are_no_numbers_are_never_kept(tmp_path, model) -> None:
    run = RunFolder(tmp_path / "mnli-s1")
    run.checkpoints.mkdir(parents=True)
    broken = model.state_dict()["encoder.norm.weight"].clone()
    broken[3] = float("nan")
    with pytest.raises(
        ArithmeticError, match=r"encoder\.norm\.weight holds numbers that are not finite at step 4"
    ):
        write(run, model, 4, **{"encoder.norm.weight": broken})
    assert list(run.checkpoints.iterdir()) == []


def test_a_score_that_is_no_number_beats_nothing_and_a_phase_without_one_fails(tmp_path) -> None:
    assert not Best().is_beaten_by(float("nan"))
    assert Best().is_beaten_by(0.0)
    assert not Best(step=3, score=1.0).is_beaten_by(1.0)
    with pytest.raises(ArithmeticError, match="ended without weights"):
        best.put_in_place(RunFolder(tmp_path), Best())


def test_changed_weights_are_told_and_others_than_named_go(tmp_path, model) -> None:
    run = RunFolder(tmp_path / "mnli-s1")
    run.checkpoints.mkdir(parents=True)
    kept = Best(step=4, score=1.0, files=write(run, model, 4))
    write(run, model, 8)
    best.prune(run, [4])
    assert [path.name for path in run.checkpoints.iterdir()] == ["best-00000004"]
    assert best.missing(run, kept) == ""
    best.put_in_place(run, kept)
    assert best.missing(run, kept) == "", "killed behind it, the phase is not lost"
    path = run.weights / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert best.missing(run, kept) == f"{path} is not as it was written"


def test_what_was_trained_is_kept_in_its_precision_and_the_rest_whole(tmp_path, model) -> None:
    from safetensors.torch import load_file

    run = RunFolder(tmp_path / "mnli-s1")
    run.checkpoints.mkdir(parents=True)
    write(run, model, 4, precision="bf16")
    found = load_file(best.folder_of(run, 4) / "model.safetensors")
    words = next(value for name, value in found.items() if "word_embeddings" in name)
    dense = next(value for name, value in found.items() if "intermediate" in name)
    assert dense.dtype == torch.bfloat16
    assert torch.equal(words, model.state_dict()["encoder.word.weight"]), "frozen: to the last bit"
    rounded = model.state_dict()["encoder.word.weight"].bfloat16().float()
    write(run, model, 8, precision="bf16", **{"encoder.word.weight": rounded})
    found = load_file(best.folder_of(run, 8) / "model.safetensors")
    words = next(value for name, value in found.items() if "word_embeddings" in name)
    assert words.dtype == torch.bfloat16, "nothing is lost by it"
