"""The packed encoder against Hugging Face's own at the size of XLM-R base, its heads, and its checkpoints."""

import pytest
import torch
from transformers import (
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaForMultipleChoice,
    XLMRobertaForQuestionAnswering,
    XLMRobertaForSequenceClassification,
    XLMRobertaForTokenClassification,
    XLMRobertaModel,
)

from kernels.packing import pack
from stilts.model import encoder as encoders
from stilts.model.head_modules import Batch
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model

VOCABULARY = 400
SHORT = (1, 2, 63, 64, 65)
"""One token, no content, and both sides of where blocks of the kernels end."""
LENGTHS = (*SHORT, 128)


def configuration(*, layers, hidden, positions=514, **others):
    return XLMRobertaConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
        max_position_embeddings=positions,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=1,
        **others,
    )


def moved(model):
    """Biases and LayerNorms off their start, where a forgotten one would not show."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def ragged(lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(4, VOCABULARY, (len(lengths), max(lengths)), generator=generator)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return ids.masked_fill(~mask, 1), mask


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    torch.manual_seed(0)
    model = moved(XLMRobertaModel(configuration(layers=12, hidden=768), add_pooling_layer=False))
    folder = tmp_path_factory.mktemp("base")
    model.save_pretrained(folder)
    return model, folder


def states_of(model, ids, mask):
    with torch.no_grad():
        states = model(ids, attention_mask=mask, output_hidden_states=True).hidden_states
    return [state[mask] for state in states]


@pytest.mark.parametrize("lengths", [SHORT, (128, 512)], ids=str)
def test_every_layer_of_the_base_shape(base, lengths):
    model, folder = base
    ours = encoders.load(folder).eval()
    assert ours.config.max_tokens == 512
    ids, mask = ragged(lengths)
    got = []
    for layer in ours.layers:
        layer.register_forward_hook(lambda layer, given, out: got.append(out))
    with torch.no_grad():
        ours(pack(ids, mask))
    for layer, (mine, expected) in enumerate(zip(got, states_of(model, ids, mask)[1:], strict=True), start=1):
        assert (mine - expected).abs().max() <= 2e-5, f"layer {layer}"


def test_every_early_exit_of_the_base_shape(base):
    model, folder = base
    ours = encoders.load(folder).eval()
    ids, mask = ragged((2, 65))
    packed = pack(ids, mask)
    states = states_of(model, ids, mask)
    assert len(states) == 13
    for layer, expected in enumerate(states):
        with torch.no_grad():
            assert (ours(packed, layers=layer) - expected).abs().max() <= 2e-5, f"layer {layer}"


def test_gradients_of_the_base_shape(tmp_path):
    torch.manual_seed(9)
    model = moved(XLMRobertaModel(configuration(layers=4, hidden=768), add_pooling_layer=False))
    model.save_pretrained(tmp_path)
    ours = encoders.load(tmp_path).train()
    ids, mask = ragged(SHORT, seed=2)
    weight = torch.randn(int(mask.sum()), 768, generator=torch.Generator().manual_seed(3))
    (ours(pack(ids, mask)) * weight).sum().backward()
    (model(ids, attention_mask=mask).last_hidden_state[mask] * weight).sum().backward()
    theirs = {name: parameter.grad for name, parameter in model.named_parameters()}
    for name, expected in encoders.from_huggingface(theirs, ours.config).items():
        difference = (ours.get_parameter(name).grad - expected).abs().max()
        assert difference <= 2e-5 * expected.abs().max(), name


HEADS = {
    "classify": (XLMRobertaForSequenceClassification, HeadSpec(kind="classify", labels=("a", "b", "c"))),
    "choice": (XLMRobertaForMultipleChoice, HeadSpec(kind="choice")),
    "tag": (XLMRobertaForTokenClassification, HeadSpec(kind="tag", labels=("a", "b", "c"))),
    "span": (XLMRobertaForQuestionAnswering, HeadSpec(kind="span")),
}
HEAD_MODULES = {
    "classify": {"dense": "classifier.dense", "out": "classifier.out_proj"},
    "choice": {"dense": "roberta.pooler.dense", "out": "classifier"},
    "tag": {"out": "classifier"},
    "span": {"out": "qa_outputs"},
}


def with_head(kind, folder):
    """A task model of Hugging Face's, saved, and ours read from its checkpoint with its head copied."""
    model_class, spec = HEADS[kind]
    torch.manual_seed(4)
    labels = 3 if spec.labels else 2
    theirs = moved(model_class(configuration(layers=2, hidden=128, num_labels=labels)))
    theirs.save_pretrained(folder)
    ours = Model(encoders.load(folder), {"head": spec}).eval()
    with torch.no_grad():
        for mine, name in HEAD_MODULES[kind].items():
            copied = ours.heads["head"].get_submodule(mine)
            copied.load_state_dict(theirs.get_submodule(name).state_dict())
    return theirs, ours


def answers(kind, model, ids, mask):
    """Scores, loss by Hugging Face's arithmetic, and the targets of our batch."""
    rows, generator = len(ids), torch.Generator().manual_seed(5)
    if kind == "classify":
        label = torch.randint(3, (rows,), generator=generator)
        out = model(ids, attention_mask=mask, labels=label)
        return out.logits, out.loss, {"label": label}
    if kind == "choice":
        label = torch.randint(3, (rows // 3,), generator=generator)
        shape = (rows // 3, 3, -1)
        out = model(ids.view(shape), attention_mask=mask.view(shape), labels=label)
        counts = torch.full((rows // 3,), 3)
        return out.logits.flatten(), out.loss, {"label": label, "counts": counts}
    if kind == "tag":
        first = mask & (torch.rand(mask.shape, generator=generator) < 0.5)
        tags = torch.randint(3, mask.shape, generator=generator)
        out = model(ids, attention_mask=mask, labels=tags.masked_fill(~first, -100))
        return out.logits[first], out.loss, {"positions": first[mask].nonzero()[:, 0], "tags": tags[first]}
    start = (torch.rand(rows, generator=generator) * mask.sum(1)).long()
    end = (start + 3).minimum(mask.sum(1) - 1)
    out = model(ids, attention_mask=mask)
    # Hugging Face's own loss lets an answer begin in the padding.
    starts, ends = (x.masked_fill(~mask, -1e4) for x in (out.start_logits, out.end_logits))
    cross_entropy = torch.nn.functional.cross_entropy
    loss = (cross_entropy(starts, start) + cross_entropy(ends, end)) / 2
    scores = torch.stack([out.start_logits[mask], out.end_logits[mask]], dim=1)
    return scores, loss, {"start": start, "end": end}


@pytest.mark.parametrize("kind", HEADS)
def test_heads_are_those_of_hugging_face(kind, tmp_path):
    theirs, ours = with_head(kind, tmp_path)
    ids, mask = ragged(LENGTHS, seed=6)
    with torch.no_grad():
        scores, loss, targets = answers(kind, theirs, ids, mask)
        batch = Batch(packed=pack(ids, mask), targets=targets, items=len(ids))
        got = ours("head", batch)
        assert got.shape == scores.shape
        assert (got - scores).abs().max() <= 2e-5
        assert abs(ours.loss("head", got, batch) - loss) <= 2e-5


def test_all_heads_on_one_pass(tmp_path):
    ids, mask = ragged(LENGTHS, seed=6)
    packed = pack(ids, mask)
    torch.manual_seed(7)
    XLMRobertaModel(configuration(layers=2, hidden=128)).save_pretrained(tmp_path)
    model = Model(encoders.load(tmp_path), {kind: spec for kind, (_, spec) in HEADS.items()}).eval()
    batch = Batch(packed=packed, targets={"positions": torch.arange(int(mask.sum()))}, items=len(ids))
    with torch.no_grad():
        hidden = model.encoder(packed)
        for kind in HEADS:
            assert torch.equal(model.answer(kind, hidden, batch), model(kind, batch)), kind


@pytest.mark.parametrize(
    "model_class",
    [XLMRobertaModel, XLMRobertaForMaskedLM, XLMRobertaForSequenceClassification],
    ids=lambda model_class: model_class.__name__,
)
def test_checkpoints_go_both_ways(model_class, tmp_path):
    torch.manual_seed(8)
    theirs = moved(model_class(configuration(layers=2, hidden=128)))
    theirs.save_pretrained(tmp_path / "theirs")
    ours = encoders.load(tmp_path / "theirs")
    encoders.save(ours, ours.state_dict(), tmp_path / "ours")
    back, report = XLMRobertaModel.from_pretrained(
        tmp_path / "ours", add_pooling_layer=False, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    expected = dict(theirs.base_model.named_parameters())
    for name, parameter in back.named_parameters():
        assert torch.equal(parameter, expected[name]), name
    again = encoders.load(tmp_path / "ours")
    assert again.config == ours.config
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[name]), name
