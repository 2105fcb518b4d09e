"""The head of masked-language modelling against Hugging Face's, and what becomes of a checkpoint's own."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

from kernels.packing import from_lengths
from stilts.model import checkpoint as checkpoints, encoder as encoders
from stilts.model.head_modules import Batch
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from stilts.model.pretrained import prepare


@pytest.fixture(scope="module")
def theirs() -> XLMRobertaForMaskedLM:
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=211,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=40,
        type_vocab_size=1,
        pad_token_id=1,
    )
    model = XLMRobertaForMaskedLM(config).eval()
    torch.nn.init.normal_(model.lm_head.bias)
    torch.nn.init.normal_(model.lm_head.layer_norm.weight)
    return model


@pytest.fixture
def folder(theirs: XLMRobertaForMaskedLM, tmp_path: Path) -> Path:
    theirs.save_pretrained(tmp_path)
    return tmp_path


def ours(folder: Path) -> Model:
    model = Model(encoders.load(folder), {"text": HeadSpec(kind="mlm")}, seed=1).eval()
    found = checkpoints.read(folder).vocabulary_head
    model.heads["text"].load_state_dict({name: torch.from_numpy(value) for name, value in found.items()})
    return model


def test_scores_loss_and_gradients_equal_hugging_face(theirs: XLMRobertaForMaskedLM, folder: Path) -> None:
    model = ours(folder)
    ids = torch.randint(5, 211, (2, 9))
    labels = torch.full_like(ids, -100)
    labels[0, 3], labels[1, 5], labels[1, 7] = 17, 42, 99
    expected = theirs(input_ids=ids, labels=labels)
    positions = (labels.flatten() != -100).nonzero().flatten()
    batch = Batch(
        packed=from_lengths(ids.flatten(), [9, 9]),
        targets={"positions": positions, "pieces": labels.flatten()[positions]},
        items=2,
    )
    scores = model("text", batch)
    torch.testing.assert_close(scores, expected.logits.flatten(0, 1)[positions], atol=2e-5, rtol=0)
    loss = model.loss("text", scores, batch)
    torch.testing.assert_close(loss, expected.loss, atol=1e-5, rtol=0)
    loss.backward()
    expected.loss.backward()
    # The word embeddings are read twice, below and above: their gradient is the sum of both.
    torch.testing.assert_close(
        model.trainable_encoder.word.weight.grad,
        theirs.roberta.embeddings.word_embeddings.weight.grad,
        atol=1e-5,
        rtol=0,
    )


def test_a_checkpoint_without_the_head_gives_none(folder: Path) -> None:
    kept = load_file(folder / "model.safetensors")
    save_file(
        {name: value for name, value in kept.items() if not name.startswith("lm_head.")},
        folder / "model.safetensors",
    )
    assert not checkpoints.read(folder).vocabulary_head


def test_the_untrained_encoder_has_no_head_to_take_over(tmp_path: Path) -> None:
    prepare("random", destination=tmp_path / "random", layers=1, texts=["Anna lives in Paris."])
    assert not checkpoints.read(tmp_path / "random").vocabulary_head
