import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tokenizers import Tokenizer, models

from hpc.errors import UserError
from stilts.embedded import catalogue
from stilts.model.pretrained.pruning import _verify, prune
from stilts.tasks.coding.pieces import parse_tokenizer

STRANGE = [
    "\U00013000\U00013001 x",
    "\U0001f469\u200d\U0001f467",
    "cafe\u0301",
    "",
    "  ",
    "a <mask> b",
    "<s>",
    "\x01",
]


def opened(text: str) -> Tokenizer:
    return parse_tokenizer(text.encode(), where=Path("tokenizer.json"))


@pytest.fixture(scope="module")
def whole(converted) -> str:
    return (converted / "tokenizer.json").read_text()


@pytest.fixture(scope="module")
def study(sentences) -> list[str]:
    texts = [
        text for language in ("de", "ru", "zh", "th") for pair in catalogue.pairs(language) for text in pair
    ]
    return [*texts, *sentences.values(), *STRANGE]


@pytest.fixture(scope="module")
def pruned(whole, study):
    return prune(whole, study)


def test_every_text_keeps_its_pieces(whole, pruned, study):
    before, after = opened(whole), opened(pruned.tokenizer)
    for text in study:
        was, now = before.encode(text, study[0]), after.encode(text, study[0])
        assert now.tokens == was.tokens
        assert now.offsets == was.offsets
        assert pruned.ids[now.ids].tolist() == was.ids


def test_only_what_is_used_stays(whole, pruned, study):
    before, after = opened(whole), opened(pruned.tokenizer)
    used = {before.id_to_token(i) for encoding in before.encode_batch(study) for i in encoding.ids}
    kept = {after.id_to_token(i) for i in range(after.get_vocab_size())}
    scores = dict(json.loads(whole)["model"]["vocab"])
    lowest = min(scores, key=scores.get)
    assert used <= kept
    assert all(len(piece) == 1 for piece in kept - used - {"<s>", "<pad>", "</s>", "<unk>", "<mask>", lowest})
    assert len(kept) < 10_000


def test_specials_have_the_ids_of_xlm_r(pruned):
    tokenizer = Tokenizer.from_str(pruned.tokenizer)
    assert [tokenizer.token_to_id(token) for token in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    assert tokenizer.token_to_id("<mask>") == tokenizer.get_vocab_size() - 1 == len(pruned.ids) - 1
    assert pruned.ids[[0, 1, 2, 3, -1]].tolist() == [0, 1, 2, 3, 250001]
    assert tokenizer.encode("<mask>").ids == [0, len(pruned.ids) - 1, 2]


def test_single_characters_stay_for_words_not_seen(whole):
    tokenizer = Tokenizer.from_str(prune(whole, ["internationalisation"]).tokenizer)
    assert 3 not in tokenizer.encode("tiles rotate", add_special_tokens=False).ids


@settings(max_examples=30)
@given(data=st.data())
def test_any_few_texts(pruned, study, data):
    texts = data.draw(st.lists(st.sampled_from(study) | st.text(max_size=30), min_size=1, max_size=5))
    texts.append("a <mask> b")
    before = opened(pruned.tokenizer)
    after = opened(prune(pruned.tokenizer, texts).tokenizer)
    for text in texts:
        assert after.encode(text).tokens == before.encode(text).tokens


def test_no_texts_leave_the_specials(whole):
    assert len(prune(whole, []).ids) <= 8


def test_a_changed_segmentation_is_found(whole, pruned):
    tokenizer = opened(whole)
    text = "Enter a valid email address."
    ids = np.array(tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int32)
    smaller = prune(whole, ["Enter a val"])
    with pytest.raises(UserError, match="segment 'Enter a valid email address"):
        _verify(opened(smaller.tokenizer), [[text]], [[ids]], smaller.ids, size=250002)


def test_other_tokenizers_are_refused(whole):
    bpe = Tokenizer(models.BPE()).to_str()
    with pytest.raises(UserError, match="pruning knows Unigram tokenizers, this one is BPE"):
        prune(bpe, ["a"])
    description = json.loads(whole)
    description["model"]["vocab"] = description["model"]["vocab"][:100]
    description["added_tokens"] = description["added_tokens"][:4]
    with pytest.raises(UserError, match="XLM-R's vocabulary"):
        prune(json.dumps(description), ["a"])
