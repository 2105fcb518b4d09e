"""How a batch is dealt to ranks and passes, and handed out before it is needed."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, strategies as st

from stilts.train.steps import Feeder, deal

sizes = st.lists(st.integers(1, 300), min_size=1, max_size=40).map(lambda found: np.asarray(found, np.int64))


@given(tokens=sizes, ranks=st.integers(1, 5), limit=st.none() | st.integers(20, 2000))
def test_every_item_is_dealt_once_and_no_pass_is_too_large(tokens, ranks, limit) -> None:
    shares, passes = deal(tokens, ranks=ranks, tokens_per_pass=limit)
    assert len(shares) == ranks * passes
    assert sorted(np.concatenate(shares).tolist()) == list(range(len(tokens)))
    assert all(share.tolist() == sorted(share.tolist()) for share in shares)
    if limit is not None:
        assert all(tokens[share].sum() <= limit or len(share) == 1 for share in shares)


def test_ranks_have_about_as_much_to_do() -> None:
    random = np.random.default_rng(0)
    worst_in_turn, worst_dealt = [], []
    for _ in range(200):
        tokens = np.exp(random.normal(3.6, 0.5, 32)).astype(np.int64) + 4
        mean = tokens.sum() / 4
        worst_in_turn.append(max(tokens[rank::4].sum() for rank in range(4)) / mean)
        shares, _ = deal(tokens, ranks=4, tokens_per_pass=None)
        worst_dealt.append(max(tokens[share].sum() for share in shares) / mean)
    assert np.mean(worst_dealt) < 1.02
    assert np.mean(worst_in_turn) > 1.1, "the comparison shows something"


def test_one_pass_on_one_rank_is_the_batch_as_it_was_drawn() -> None:
    shares, passes = deal(np.asarray([9, 3, 7]), ranks=1, tokens_per_pass=None)
    assert passes == 1
    assert shares[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("ahead", [0, 3])
def test_steps_come_in_their_order_prepared_ahead_or_not(ahead: int) -> None:
    threads = set()

    def prepare(number: int):
        threads.add(threading.current_thread().name)
        time.sleep(0.001)
        return number

    feeder = Feeder(prepare, 5, ahead=ahead)
    assert [feeder.take() for _ in range(20)] == list(range(5, 25))
    feeder.close()
    assert (threads == {threading.current_thread().name}) == (ahead == 0)


def test_what_goes_wrong_in_the_thread_is_raised_where_the_step_is_taken() -> None:
    def prepare(number: int):
        if number == 2:
            raise ValueError("a bad row")
        return number

    feeder = Feeder(prepare, 0, ahead=2)
    assert [feeder.take(), feeder.take()] == [0, 1]
    with pytest.raises(ValueError, match="a bad row"):
        feeder.take()
    feeder.close()
