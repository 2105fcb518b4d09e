"""The kernel itself inside Hugging Face encoders, by way of `stilts.model.hf_attention`."""

import pytest
import torch
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    BertConfig,
    BertModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from kernels import ops
from stilts.model import hf_attention as attention
from tests.kernels.devices import INTERPRETED, generator

LENGTHS = (70, 1, 64)
in_fp32 = pytest.mark.skipif(not INTERPRETED, reason="fp32 products are TF32 on a GPU")


@pytest.fixture(autouse=True)
def registered():
    interfaces = (AttentionInterface, AttentionMaskInterface)
    before = [dict(interface._global_mapping) for interface in interfaces]
    attention.register()
    yield
    for interface, mapping in zip(interfaces, before, strict=True):
        interface._global_mapping.clear()
        interface._global_mapping.update(mapping)


@pytest.fixture(params=[BertModel, XLMRobertaModel], ids=["bert", "xlm-roberta"])
def make_model(request):
    def make(head_dim, dtype=torch.float32):
        config_class = {BertModel: BertConfig, XLMRobertaModel: XLMRobertaConfig}[request.param]
        config = config_class(
            vocab_size=90,
            hidden_size=2 * head_dim,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=80,
            pad_token_id=1,
        )
        torch.manual_seed(0)
        model = request.param(config, add_pooling_layer=False).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn(parameter.shape)
        return model.to(dtype)

    return make


def batch(lengths=LENGTHS):
    draws = generator(1)
    ids = torch.randint(4, 90, (len(lengths), max(lengths)), generator=draws)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return ids.masked_fill(~mask, 1), mask


def hidden(model, implementation, ids, mask):
    model.set_attn_implementation(implementation)
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask).last_hidden_state.float()


@in_fp32
@pytest.mark.parametrize("head_dim", [32, 64])
def test_equals_eager_in_fp32(make_model, head_dim):
    model = make_model(head_dim)
    ids, mask = batch()
    assert ops.why_not(torch.empty(0), head_dim=head_dim) == ()
    difference = hidden(model, "stilts", ids, mask) - hidden(model, "eager", ids, mask)
    assert difference[mask].abs().max() <= 5e-6


@pytest.mark.parametrize("head_dim", [32, 64])
def test_bf16_is_as_exact_as_sdpa(make_model, head_dim):
    model = make_model(head_dim, torch.bfloat16)
    ids, mask = batch()
    got = {name: hidden(model, name, ids, mask) for name in ("stilts", "sdpa")}
    expected = hidden(model.float(), "eager", ids, mask)
    ours, sdpa = ((got[name] - expected)[mask].abs().max() for name in ("stilts", "sdpa"))
    assert 0 < ours <= 2 * sdpa


@in_fp32
def test_full_lengths_without_a_mask(make_model):
    model = make_model(32)
    ids, _ = batch((20, 20))
    difference = hidden(model, "stilts", ids, None) - hidden(model, "eager", ids, None)
    assert difference.abs().max() <= 5e-6


def test_padding_leaves_no_trace(make_model):
    model = make_model(32)
    ids, mask = batch((20, 66))
    other = torch.where(mask, ids, 7)
    model.set_attn_implementation("stilts")
    with torch.no_grad():
        positions = torch.arange(2, 68).expand(2, -1)
        first, second = (
            model(input_ids=x, attention_mask=mask, position_ids=positions).last_hidden_state[mask]
            for x in (ids, other)
        )
    assert torch.equal(first, second)
