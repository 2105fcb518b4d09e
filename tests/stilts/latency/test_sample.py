"""Every query is asked as often as any other, and batches are as large as they say."""

from collections import Counter

import numpy as np

from stilts.latency.sample import Sample

WINDOWS = np.array([0, 0, 0, 1, 2, 2, 3, 4, 5, 6])


def sample(count=100, process=1, owners=WINDOWS, seed=3):
    return Sample(owners, count=count, seed=seed, process=process)


def test_all_queries_come_once_before_one_comes_again():
    some = sample()
    assert len(some) == 7
    for batch_size in (1, 3, 7, 10):
        count = -(-7 // batch_size)
        for first in range(0, 5 * count, count):
            asked = np.concatenate([some.examples(first + call, batch_size) for call in range(count)])
            counts = Counter(asked.tolist())
            assert counts.keys() == set(range(7))
            assert sum(counts.values()) == count * batch_size
            assert max(counts.values()) - min(counts.values()) <= 1


def test_a_batch_keeps_its_company_and_passes_have_an_order_of_their_own():
    some = sample(owners=np.arange(40), count=40)
    passes = [[some.examples(8 * n + call, 5).tolist() for call in range(8)] for n in range(4)]
    assert len({tuple(map(tuple, sorted(one))) for one in passes}) == 1
    assert len({tuple(map(tuple, one)) for one in passes}) == 4


def test_no_round_starts_over():
    """50 calls a round, and many more queries than that: rounds ask different ones."""
    some = sample(owners=np.arange(300), count=300)
    asked = [some.examples(call, 1)[0] for call in range(300)]
    assert Counter(asked) == dict.fromkeys(range(300), 1)
    assert asked[:50] != sorted(asked[:50])


def test_a_batch_has_its_size_where_fewer_examples_are_there():
    some = sample(count=3)
    examples = some.examples(0, 32)
    assert len(examples) == 32
    assert set(examples.tolist()) == {0, 1, 2}
    assert len(some.rows(examples)) == sum({0: 3, 1: 1, 2: 2}[one] for one in examples.tolist())


def test_an_example_brings_its_windows_in_order():
    assert sample().rows(np.array([2, 0, 2])).tolist() == [4, 5, 0, 1, 2, 4, 5]


def test_variants_of_a_process_draw_alike_and_processes_and_studies_do_not():
    first = [sample().examples(call, 2).tolist() for call in range(20)]
    assert first == [sample().examples(call, 2).tolist() for call in range(20)]
    assert first != [sample(process=2).examples(call, 2).tolist() for call in range(20)]
    assert first != [sample(seed=4).examples(call, 2).tolist() for call in range(20)]
