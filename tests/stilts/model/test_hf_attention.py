"""The kernels' attention inside Hugging Face encoders; on the CPU it is the fall-back that computes."""

import copy
import subprocess
import sys

import pytest
import torch
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    BertConfig,
    BertLMHeadModel,
    BertModel,
    EuroBertConfig,
    EuroBertModel,
    ModernBertConfig,
    ModernBertModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from kernels import ops
from stilts.model import hf_attention as attention

LENGTHS = (70, 1, 64, 33)
ROBERTA = (XLMRobertaConfig, XLMRobertaModel, {"type_vocab_size": 1, "max_position_embeddings": 80})
BERT = (BertConfig, BertModel, {"max_position_embeddings": 80})
GROUPED = (EuroBertConfig, EuroBertModel, {"num_key_value_heads": 1, "max_position_embeddings": 80})


@pytest.fixture(autouse=True)
def registered():
    """Ours under the usual name in every test, and in no other."""
    interfaces = (AttentionInterface, AttentionMaskInterface)
    before = [dict(interface._global_mapping) for interface in interfaces]
    attention.register()
    yield
    for interface, mapping in zip(interfaces, before, strict=True):
        interface._global_mapping.clear()
        interface._global_mapping.update(mapping)


def made(architecture, head_dim=32, **others):
    make_config, make_model, own = architecture
    config = make_config(
        vocab_size=90,
        hidden_size=2 * head_dim,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        pad_token_id=1,
        **own | others,
    )
    torch.manual_seed(0)
    model = make_model(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Weights small enough for sums to be exact, large enough for attention to prefer some keys.
            parameter += 0.1 * torch.randn(parameter.shape)
    return model


def batch(lengths=LENGTHS):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(4, 90, (len(lengths), max(lengths)), generator=generator)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return ids.masked_fill(~mask, 1), mask.long()


def hidden(model, implementation, ids, mask, **more):
    model.set_attn_implementation(implementation)
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask, **more).last_hidden_state


def errors(model, ids, mask, implementations):
    """Largest difference to eager fp32 on real tokens, of each implementation in the model's precision."""
    expected = hidden(copy.deepcopy(model).float(), "eager", ids, mask)
    real = torch.ones(ids.shape, dtype=torch.bool) if mask is None else mask.bool()
    return [
        (hidden(model, name, ids, mask).float() - expected)[real].abs().max().item()
        for name in implementations
    ]


@pytest.mark.parametrize("head_dim", [32, 64])
@pytest.mark.parametrize("architecture", [ROBERTA, BERT], ids=["xlm-roberta", "bert"])
def test_equals_eager_in_fp32(architecture, head_dim):
    model = made(architecture, head_dim)
    ids, mask = batch()
    assert errors(model, ids, mask, ["stilts"])[0] <= 5e-6


@pytest.mark.parametrize("head_dim", [32, 64])
@pytest.mark.parametrize("architecture", [ROBERTA, BERT], ids=["xlm-roberta", "bert"])
def test_bf16_is_as_exact_as_sdpa(architecture, head_dim):
    model = made(architecture, head_dim).bfloat16()
    ids, mask = batch()
    ours, sdpa = errors(model, ids, mask, ["stilts", "sdpa"])
    assert 0 < ours <= 2 * sdpa


@pytest.mark.parametrize("architecture", [ROBERTA, BERT], ids=["xlm-roberta", "bert"])
@pytest.mark.parametrize("mask", [None, torch.ones(3, 20)], ids=["no mask", "mask of ones"])
def test_full_lengths(architecture, mask):
    model = made(architecture)
    ids, _ = batch((20, 20, 20))
    assert errors(model, ids, mask, ["stilts"])[0] <= 5e-6


@pytest.mark.parametrize("head_dim", [32, 64])
def test_heads_in_groups_are_as_exact_as_in_sdpa(head_dim):
    ours, sdpa = errors(made(GROUPED, head_dim), *batch(), ["stilts", "sdpa"])
    assert ours <= 2 * sdpa <= 2e-5


def test_an_empty_sequence_harms_nobody():
    model = made(BERT)
    ids, mask = batch((9, 0, 5))
    assert errors(model, ids, mask, ["stilts"])[0] <= 5e-6
    assert hidden(model, "stilts", ids, mask).isfinite().all()


def test_the_kernel_is_called_in_every_layer_and_lengths_counted_once(monkeypatch):
    calls = []

    def counted(q, k, v, lengths, *, scale):
        calls.append((lengths, scale))
        return real(q, k, v, lengths, scale=scale)

    real = ops.padded_attention
    monkeypatch.setattr(ops, "padded_attention", counted)
    hidden(made(ROBERTA, head_dim=64), "stilts", *batch())
    (first, scale), (second, _) = calls
    assert first is second
    assert first.dtype == torch.int32
    assert first.tolist() == list(LENGTHS)
    assert scale == 64**-0.5


def test_setting_back_is_as_if_never_set():
    model = made(ROBERTA)
    ids, mask = batch()
    before = hidden(model, "sdpa", ids, mask)
    hidden(model, "stilts", ids, mask)
    assert torch.equal(hidden(model, "sdpa", ids, mask), before)


def test_loads_under_its_name(tmp_path):
    model = made(ROBERTA)
    model.save_pretrained(tmp_path)
    again = XLMRobertaModel.from_pretrained(tmp_path, attn_implementation="stilts").eval()
    ids, mask = batch()
    with torch.no_grad():
        got = again(ids, attention_mask=mask).last_hidden_state
    assert torch.equal(got, hidden(model, "stilts", ids, mask))


def test_compiles_without_a_break(monkeypatch):
    # Training through DeepSpeed switches it off for the process, which other tests may have done in this one.
    monkeypatch.delenv("TORCHDYNAMO_DISABLE", raising=False)
    monkeypatch.setattr("torch._dynamo.config.disable", False)
    model = made(ROBERTA)
    ids, mask = batch()
    expected = hidden(model, "stilts", ids, mask)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    with torch.no_grad():
        got = compiled(ids, attention_mask=mask).last_hidden_state
        assert (got - expected).abs().max() <= 5e-6
        with pytest.raises(RuntimeError, match="a token follows padding"):
            compiled(ids, attention_mask=mask.flip(1))


@pytest.mark.parametrize("missing", [AttentionInterface, AttentionMaskInterface])
def test_half_a_registration_is_refused(missing):
    del missing._global_mapping["stilts"]
    model = made(ROBERTA)
    with pytest.raises(ValueError, match=r"mask function is missing|is not supported"):
        hidden(model, "stilts", *batch())


def test_registering_twice_under_two_names():
    attention.register()
    attention.register("packed")
    model = made(ROBERTA)
    ids, mask = batch()
    assert torch.equal(hidden(model, "packed", ids, mask), hidden(model, "stilts", ids, mask))


@pytest.mark.parametrize("name", ["sdpa", "eager"])
def test_takes_no_name_of_another(name):
    with pytest.raises(ValueError, match=f"has an attention named '{name}' already"):
        attention.register(name)
    assert AttentionInterface().get(name) is not attention.attend
    assert AttentionMaskInterface()[name] is not attention.lengths_of


@pytest.mark.parametrize(
    "rows",
    [[[0, 1, 1], [1, 1, 1]], [[1, 0, 1], [1, 1, 1]], [[1, 1, 1], [0, 0, 1]]],
    ids=["left", "hole", "second row"],
)
def test_refuses_padding_before_a_token(rows):
    with pytest.raises(ValueError, match="right-padded batches only"):
        hidden(made(BERT), "stilts", torch.full((2, 3), 5), torch.tensor(rows))


def test_refuses_a_mask_of_scores():
    ids, mask = batch()
    with pytest.raises(ValueError, match=r"\[B, S\] padding mask given to the model, not \(4, 1, 1, 70\)"):
        hidden(made(BERT), "stilts", ids, mask[:, None, None, :])


def test_refuses_a_mask_of_another_shape():
    ids, mask = batch()
    with pytest.raises(ValueError, match=r"4 queries, 70 keys|70 queries, 69 keys"):
        hidden(made(BERT), "stilts", ids, mask[:, :-1])
    with pytest.raises(ValueError, match=r"takes a \[4, 70\] padding mask, not \(1, 70\)"):
        hidden(made(BERT), "stilts", ids, mask[:1])


def test_refuses_causal_models():
    model = made((BertConfig, BertLMHeadModel, {"is_decoder": True, "use_cache": False})).bert
    with pytest.raises(ValueError, match="this model is causal"):
        hidden(model, "stilts", *batch())


def test_refuses_a_causal_layer_behind_a_bidirectional_mask():
    model = made(BERT)
    model.encoder.layer[1].attention.self.is_causal = True
    with pytest.raises(ValueError, match="this model is causal"):
        hidden(model, "stilts", *batch())


def test_refuses_sliding_windows():
    architecture = (ModernBertConfig, ModernBertModel, {"local_attention": 8, "max_position_embeddings": 80})
    model = made(architecture, eos_token_id=2, bos_token_id=0, cls_token_id=0, sep_token_id=2)
    with pytest.raises(ValueError, match="sliding window"):
        hidden(model, "stilts", *batch())


def test_refuses_training():
    model = made(BERT, attention_probs_dropout_prob=0.1)
    model.set_attn_implementation("stilts")
    ids, mask = batch()
    with pytest.raises(ValueError, match="no_grad"):
        model(ids, attention_mask=mask)
    model.train()
    with torch.no_grad(), pytest.raises(ValueError, match=r"model\.eval"):
        model(ids, attention_mask=mask)


def test_refuses_to_return_weights():
    ids, mask = batch()
    with pytest.raises(ValueError, match="cannot return attention weights"):
        hidden(made(BERT), "stilts", ids, mask, output_attentions=True)
    model = made(BERT)
    model.set_attn_implementation("eager")
    model.config.output_attentions = True
    with pytest.raises(ValueError, match="cannot return attention weights"):
        hidden(model, "stilts", ids, mask)


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("head_mask", "mask heads"),
        ("layer_head_mask", "mask heads"),
        ("sliding_window", "sliding window"),
        ("position_bias", "position bias"),
        ("softcap", "cap the scores"),
        ("s_aux", "attention sinks"),
        ("cache", "read a cache"),
    ],
)
def test_refuses_what_only_others_compute(keyword, words):
    q = torch.randn(2, 2, 5, 32)
    asked = {keyword: torch.ones(2)}
    lengths = torch.tensor([5, 2], dtype=torch.int32)
    with pytest.raises(ValueError, match=words) as caught:
        attention.attend(torch.nn.Module(), q, q, q, lengths, **asked)
    assert "\n" not in str(caught.value)
    out, weights = attention.attend(torch.nn.Module(), q, q, q, lengths, **{keyword: None})
    assert (out.shape, weights) == ((2, 5, 2, 32), None)


def test_refuses_other_sequences_and_other_masks():
    q, k = torch.randn(2, 2, 5, 32), torch.randn(2, 2, 7, 32)
    with pytest.raises(ValueError, match="5 queries, 7 keys"):
        attention.attend(torch.nn.Module(), q, k, k, torch.tensor([7, 7], dtype=torch.int32))
    sizes = {"batch_size": 2, "q_length": 5, "kv_length": 5}
    with pytest.raises(ValueError, match="restricts attention otherwise"):
        attention.lengths_of(**sizes, mask_function=lambda *at: at[3] > at[2])


def test_importing_does_not_load_transformers():
    script = "import sys, stilts.model.hf_attention; print('transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
