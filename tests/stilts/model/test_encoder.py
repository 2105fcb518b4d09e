"""The packed encoder against Hugging Face's own, on random weights and ragged batches."""

import pytest
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from hpc.errors import UserError
from kernels.packing import from_lengths, pack, unpack
from stilts.model import encoder as encoders


@pytest.fixture(params=[(64, 2, 32), (96, 3, 32)], ids=["d64-h2", "d96-h3"])
def reference(request, tmp_path):
    hidden, heads, _ = request.param
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=97,
        hidden_size=hidden,
        num_hidden_layers=3,
        num_attention_heads=heads,
        intermediate_size=2 * hidden,
        max_position_embeddings=66,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = XLMRobertaModel(config, add_pooling_layer=False).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(tmp_path / "hf")
    return model, tmp_path / "hf"


def ragged(lengths, vocabulary=97):
    ids = torch.randint(4, vocabulary, (len(lengths), max(lengths)))
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return ids.masked_fill(~mask, 1), mask


@pytest.mark.parametrize("lengths", [[7], [1, 64, 3, 3, 20], [12] * 5], ids=str)
def test_equals_hugging_face_at_every_layer(reference, lengths):
    model, folder = reference
    ids, mask = ragged(lengths)
    packed = pack(ids, mask)
    ours = encoders.load(folder).eval()
    with torch.no_grad():
        states = model(ids, attention_mask=mask, output_hidden_states=True).hidden_states
        for layer, expected in enumerate(states):
            got = unpack(ours(packed, layers=layer), packed)
            assert (got - expected * mask[..., None]).abs().max() <= 2e-5


def test_gradients_equal_hugging_face(reference):
    model, folder = reference
    ids, mask = ragged([5, 9, 2])
    packed = pack(ids, mask)
    ours = encoders.load(folder).train()
    weight = torch.randn(int(mask.sum()), model.config.hidden_size)
    (ours(packed) * weight).sum().backward()
    (model(ids, attention_mask=mask).last_hidden_state[mask] * weight).sum().backward()
    expected = encoders.from_huggingface({n: p.grad for n, p in model.named_parameters()}, ours.config)
    scale = max(gradient.abs().max() for gradient in expected.values())
    for name, parameter in ours.named_parameters():
        assert (parameter.grad - expected[name]).abs().max() <= 2e-5 * scale, name


def test_what_is_saved_is_read_by_hugging_face(reference, tmp_path):
    model, folder = reference
    ours = encoders.load(folder)
    encoders.save(ours, ours.state_dict(), tmp_path / "back")
    back = XLMRobertaModel.from_pretrained(tmp_path / "back", add_pooling_layer=False)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, back.state_dict()[name]), name
    assert back.config.layer_norm_eps == 1e-5


@pytest.mark.parametrize("lengths", [[7], [1], [4, 4], [3, 9]], ids=str)
def test_trains_with_dropout_on_few_sequences(reference, lengths):
    _, folder = reference
    ours = encoders.load(folder, dropout=0.2).train()
    ids, mask = ragged(lengths)
    first, second = (ours(pack(ids, mask)) for _ in range(2))
    assert not torch.equal(first, second)
    first.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in ours.parameters())


def test_a_sequence_does_not_depend_on_its_neighbours(reference):
    _, folder = reference
    ours = encoders.load(folder).eval()
    ids, mask = ragged([9, 4, 30])
    with torch.no_grad():
        together = ours(pack(ids, mask))[9:13]
        alone = ours(from_lengths(ids[1, :4], [4]))
    assert (together - alone).abs().max() <= 1e-5


def test_refuses_what_it_cannot_take(reference, tmp_path):
    _, folder = reference
    ours = encoders.load(folder)
    with pytest.raises(ValueError, match="takes 64"):
        ours(from_lengths(torch.full((65,), 5), [65]))
    with pytest.raises(ValueError, match="layer 4"):
        ours(from_lengths(torch.full((5,), 5), [5]), layers=4)
    with pytest.raises(UserError, match=r"config\.json is missing"):
        encoders.load(tmp_path / "nowhere")


def test_weights_in_shards_are_read(reference, tmp_path):
    model, _ = reference
    model.save_pretrained(tmp_path / "sharded", max_shard_size="50KB")
    assert not (tmp_path / "sharded" / "model.safetensors").exists()
    ours = encoders.to_huggingface(encoders.load(tmp_path / "sharded").state_dict())
    assert all(torch.equal(ours[name], tensor) for name, tensor in model.state_dict().items() if name in ours)
    assert len(ours) == 5 + 16 * model.config.num_hidden_layers
