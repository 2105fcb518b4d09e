"""Masked text: blocks lose nothing, and what is hidden follows from seed, step and item alone."""

import numpy as np
import pytest
from tokenizers import Tokenizer

from hpc.errors import UserError
from stilts.tasks.coding.pieces import tokenize
from stilts.tasks.coding.ragged import Ragged
from stilts.tasks.types import Coding, mlm

LONG = "Die Katze saß auf der Matte, weil es warm war. Wer wohnt in München? " * 6
TEXTS = [LONG, "We are in Paris.", "我们在北京。"]


@pytest.fixture(scope="module")
def masked(tokenizer: Tokenizer) -> Tokenizer:
    ours = Tokenizer.from_str(tokenizer.to_str())
    ours.add_special_tokens(["<mask>"])
    return ours


def test_blocks_hold_every_piece_in_order(tokenizer: Tokenizer) -> None:
    examples = [{"id": str(n), "text": text} for n, text in enumerate(TEXTS)]
    columns = mlm.encode(examples, Coding(tokenizer=tokenizer, max_length=16))
    blocks = columns["input_ids"]
    assert isinstance(blocks, Ragged)
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    pieces = tokenize(TEXTS, tokenizer)
    for number, text in enumerate(pieces.rows()):
        mine = [
            block for block, owner in zip(blocks.rows(), columns["example"], strict=True) if owner == number
        ]
        assert all((block[0], block[-1]) == (start, end) for block in mine)
        assert all(len(block) == 16 for block in mine[:-1])
        assert np.concatenate([block[1:-1] for block in mine]).tolist() == text.tolist()
    assert columns["num_tokens"].tolist() == blocks.lengths.tolist()
    assert list(mlm.texts(examples[1])) == [TEXTS[1]]


def test_a_text_without_pieces_has_no_block(tokenizer: Tokenizer) -> None:
    examples = [{"id": "0", "text": " "}, {"id": "1", "text": TEXTS[1]}]
    columns = mlm.encode(examples, Coding(tokenizer=tokenizer, max_length=16))
    assert set(columns["example"].tolist()) == {1}


def batch(count: int, length: int = 66) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sequences of `length` tokens: <s>, pieces from 10 on, </s>."""
    inner = np.random.default_rng(0).integers(10, 300, (count, length - 2))
    ids = np.pad(inner, ((0, 0), (1, 1)))
    ids[:, -1] = 2
    return ids.ravel(), np.full(count, length), np.arange(count) + 100


def make(seed: int = 1, share: float = 0.15) -> mlm.Masking:
    return mlm.Masking(mask=999, ordinary=np.arange(10, 300), before=1, after=1, share=share, seed=seed)


def test_fifteen_in_a_hundred_are_hidden_eight_one_and_one_in_ten() -> None:
    ids, lengths, rows = batch(4000)
    got = make().apply(ids, lengths, rows, step=7)
    # 4,000 x 64 tokens: the standard deviation of the shares below is under 0.003.
    assert len(got.positions) / (4000 * 64) == pytest.approx(0.15, abs=0.001)
    now, before = got.input_ids[got.positions], got.pieces
    np.testing.assert_array_equal(before, ids[got.positions])
    assert np.mean(now == 999) == pytest.approx(0.8, abs=0.01)
    assert np.mean((now != 999) & (now != before)) == pytest.approx(0.1 * (1 - 1 / 290), abs=0.01)
    assert np.mean(now == before) == pytest.approx(0.1 + 0.1 / 290, abs=0.01)
    replaced = now[(now != 999) & (now != before)]
    assert replaced.min() == 10
    assert replaced.max() == 299
    untouched = np.setdiff1d(np.arange(len(ids)), got.positions)
    np.testing.assert_array_equal(got.input_ids[untouched], ids[untouched])
    assert not set(got.positions % 66) & {0, 65}
    places = np.bincount(got.positions % 66, minlength=66)[1:65]
    assert places.min() > 0.8 * places.mean()


def test_what_is_hidden_follows_from_seed_step_and_item() -> None:
    ids, lengths, rows = batch(50)

    def hidden(seed: int, step: int) -> list[int]:
        return make(seed).apply(ids, lengths, rows, step=step).input_ids.tolist()

    assert hidden(1, 7) == hidden(1, 7)
    assert hidden(1, 7) != hidden(1, 8)
    assert hidden(1, 7) != hidden(2, 7)


def test_ranks_that_share_a_batch_hide_what_one_would() -> None:
    ids, lengths, rows = batch(10)
    whole = make().apply(ids, lengths, rows, step=3)
    mine = make().apply(ids.reshape(10, 66)[1::2].ravel(), lengths[1::2], rows[1::2], step=3)
    np.testing.assert_array_equal(mine.input_ids.reshape(5, 66), whole.input_ids.reshape(10, 66)[1::2])


def test_even_a_single_piece_is_predicted() -> None:
    for step in range(20):
        got = make(share=0.01).apply(np.asarray([0, 42, 2]), np.asarray([3]), np.asarray([5]), step=step)
        assert got.positions.tolist() == [1]
        assert got.pieces.tolist() == [42]


def test_the_vocabulary_has_a_mask_and_gives_no_special_token(masked: Tokenizer) -> None:
    made = mlm.masking(masked, share=0.15, seed=1)
    assert made.mask == masked.token_to_id("<mask>")
    special = {masked.token_to_id(token) for token in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")}
    assert special.isdisjoint(made.ordinary.tolist())
    assert len(made.ordinary) == masked.get_vocab_size() - 5


def test_a_tokenizer_without_a_mask_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(UserError, match="no mask token"):
        mlm.masking(tokenizer, share=0.15, seed=1)


def test_text_has_no_answers() -> None:
    assert mlm.TYPE.decode is None
    assert mlm.TYPE.head == "mlm"
