"""The packed encoder against Hugging Face's on the converted weights and real sentences of many scripts."""

import pytest
import torch
from tokenizers import Tokenizer

from kernels.packing import pack
from stilts.model import encoder as encoders


@pytest.mark.parametrize(
    ("lengths", "layers"), [((1, 2, 63, 64, 65), range(13)), ((128, 512), (1, 6, 12))], ids=["short", "long"]
)
def test_equals_hugging_face_on_trained_weights(converted, sentences, lengths, layers):
    from transformers import XLMRobertaModel

    tokenizer = Tokenizer.from_file(str(converted / "tokenizer.json"))
    text = " ".join(sentences.values())
    stream = torch.tensor(tokenizer.encode(f"{text} {text}").ids[1:-1])
    longest, rows = max(lengths), range(len(lengths))
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    ids = torch.stack([stream.roll(-10 * row)[:longest] for row in rows]).masked_fill(~mask, 1)
    ids[rows, mask.sum(1) - 1] = 2
    ids[:, 0] = 0
    theirs = XLMRobertaModel.from_pretrained(converted, add_pooling_layer=False).eval()
    ours = encoders.load(converted).eval()
    packed = pack(ids, mask)
    with torch.no_grad():
        states = theirs(ids, attention_mask=mask, output_hidden_states=True).hidden_states
        assert len(states) == 13
        for layer in layers:
            got = ours(packed, layers=layer)
            assert (got - states[layer][mask]).abs().max() <= 2e-5, f"layer {layer}"


def test_a_saved_copy_is_the_same_model(converted, tmp_path):
    from transformers import XLMRobertaModel

    ours = encoders.load(converted)
    encoders.save(ours, ours.state_dict(), tmp_path)
    back = XLMRobertaModel.from_pretrained(tmp_path, add_pooling_layer=False)
    theirs = XLMRobertaModel.from_pretrained(converted, add_pooling_layer=False)
    for name, parameter in theirs.named_parameters():
        assert torch.equal(parameter, back.get_parameter(name)), name
