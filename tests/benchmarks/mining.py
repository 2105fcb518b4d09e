"""Mining on CPU against plain faiss: `python tests/benchmarks/mining.py`.

200,000 x 200,000 synthetic vectors of 384 numbers, a quarter of which have their translation planted on the
other side. Ours mines (neighbours both ways, margins, one-to-one pairs); faiss only searches, an exact
`IndexFlatIP` of either side. Every similarity is 768 FLOP: 31 TFLOP for ours, which computes it once, 61 for
faiss.

Bars: on a slice of 5,000 x 5,000, F1 of the planted pairs equals that of brute force in float64; time >= 0.9x
faiss's; the process never holds 4 GiB before faiss begins. Exit code 1 when one is missed, 2 when faiss is
not installed. About ten minutes on two idle cores; `--quick` takes a tenth of the rows, three times, in a
minute, and shows nothing.
"""

import resource
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate
from timing import THREADS, Bar, arguments, interleave, machine, median, say, verdict

from stilts.evaluate.retrieval import Candidates, Vectors, best_threshold, mine
from stilts.tasks.metrics.pairs import Pair, pair_f1

SIZE = 384
ROWS = 200_000
SLICE = 5_000
NEIGHBOURS = 4
PLANTED = 1 / 4
LIKENESS = (0.1, 0.6)
"""How much of its own direction a planted translation keeps: from too little to be found to plenty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """Two sides, and which rows of them belong together."""

    x: Vectors
    y: Vectors
    gold: set[Pair]

    def head(self, rows: int) -> "Pool":
        """The first rows of either side; pairs are planted evenly."""
        gold = {pair for pair in self.gold if max(pair) < rows}
        return Pool(x=self.x[:rows].copy(), y=self.y[:rows].copy(), gold=gold)


def plant(rows: int, seed: int) -> Pool:
    """Random directions around a common one, as sentence vectors have it; every fourth has a pair nearby."""
    random = np.random.default_rng(seed)
    common = random.standard_normal(SIZE, np.float32)

    def side() -> Vectors:
        vectors = random.standard_normal((rows, SIZE), np.float32)
        vectors += common
        return vectors

    x, y = side(), side()
    # Partners stand within the same 1,000 rows: a slice has as large a share of pairs as the whole.
    places = np.arange(0, rows, round(1 / PLANTED))
    partners = places // 1000 * 1000 + random.permutation(1000)[places % 1000]
    kept = random.uniform(*LIKENESS, (len(places), 1)).astype(np.float32)
    y[partners] = common + kept * (x[places] - common) + np.sqrt(1 - kept**2) * (y[partners] - common)
    for vectors in (x, y):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Pool(x=x, y=y, gold=set(zip(places.tolist(), partners.tolist(), strict=True)))


def brute_force(pool: Pool) -> Candidates:
    """The definition in float64: all margins, then pairs from the best one down."""
    cosine = pool.x.astype(np.float64) @ pool.y.astype(np.float64).T
    means = (np.sort(cosine, 1)[:, -NEIGHBOURS:].mean(1), np.sort(cosine, 0)[-NEIGHBOURS:].mean(0))
    margin = cosine / ((means[0][:, None] + means[1]) / 2)
    proposed: dict[Pair, float] = {}
    for i, near in enumerate(np.argsort(-cosine, 1)[:, :NEIGHBOURS]):
        j = near[margin[i, near].argmax()]
        proposed[i, int(j)] = margin[i, j]
    for j, near in enumerate(np.argsort(-cosine, 0)[:NEIGHBOURS].T):
        i = near[margin[near, j].argmax()]
        proposed[int(i), j] = margin[i, j]
    free_x, free_y = np.ones(len(pool.x), bool), np.ones(len(pool.y), bool)
    kept = []
    for i, j in sorted(proposed, key=proposed.__getitem__, reverse=True):
        if free_x[i] and free_y[j]:
            free_x[i] = free_y[j] = False
            kept.append((i, j))
    return Candidates(rows=np.asarray(kept), scores=np.asarray([proposed[pair] for pair in kept], np.float32))


def pairs_of(found: Candidates) -> list[Pair]:
    """As tuples."""
    return [(i, j) for i, j in found.rows.tolist()]


def threshold_of(found: Candidates, gold: set[Pair]) -> float:
    """The best one for these candidates."""
    return best_threshold(found.scores.tolist(), [pair in gold for pair in pairs_of(found)], len(gold))


def f1(found: Candidates, gold: set[Pair], threshold: float) -> float:
    """Of the planted pairs, by the candidates that reach the threshold."""
    kept = {pair for pair, score in zip(pairs_of(found), found.scores, strict=True) if score >= threshold}
    return pair_f1(kept, gold)


class Mining:
    """Ours, as a call; keeps the pairs and the most memory the process had ever held when it first ended."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.found: Candidates | None = None
        self.gigabytes = 0.0

    def __call__(self) -> None:
        shown = 0

        def progress(done: int, total: int) -> None:
            nonlocal shown
            if 20 * done // total > shown:
                shown = 20 * done // total
                say(f"mining: {5 * shown} %")

        self.found = mine(self.pool.x, self.pool.y, neighbours=NEIGHBOURS, progress=progress)
        self.gigabytes = self.gigabytes or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def plain_faiss(pool: Pool) -> list[NDArray[np.int64]]:
    """Both directions by exact search."""
    import faiss

    found = []
    for number, (queries, candidates) in enumerate(((pool.x, pool.y), (pool.y, pool.x)), start=1):
        say(f"faiss: direction {number} of 2")
        index = faiss.IndexFlatIP(SIZE)
        index.add(candidates)
        found.append(index.search(queries, NEIGHBOURS)[1])
    return found


def main() -> int:
    """Prints tables; returns the exit code."""
    asked = arguments("Mining on CPU against plain faiss.")
    try:
        import faiss
    except ImportError:
        say("faiss is not installed: pip install 'stilts[faiss]'")
        return 2
    faiss.omp_set_num_threads(THREADS)
    rows = ROWS // 10 if asked.quick else ROWS
    print(machine("torch", "faiss-cpu"))
    say("planting")
    pool = plant(rows, seed=1)
    print(f"{rows} x {rows} vectors of {SIZE}, {len(pool.gold)} pairs planted\n")
    small = pool.head(SLICE)
    say(f"slice of {SLICE} x {SLICE}, and brute force on it")
    ours, truth = mine(small.x, small.y, neighbours=NEIGHBOURS), brute_force(small)
    threshold = threshold_of(ours, small.gold)
    reached, wanted = f1(ours, small.gold, threshold), f1(truth, small.gold, threshold_of(truth, small.gold))
    mining = Mining(pool)
    taken = interleave({"ours": mining, "faiss": partial(plain_faiss, pool)}, rounds=3 if asked.quick else 1)
    seconds = {name: median(times) for name, times in taken.items()}
    assert mining.found is not None
    whole = f1(mining.found, pool.gold, threshold)
    print(
        tabulate(
            [
                ("ours: all of mining", f"{seconds['ours']:.1f}", f"{whole:.2f} of {rows}^2"),
                ("faiss: both searches", f"{seconds['faiss']:.1f}", ""),
                ("ours on the slice", "", f"{reached:.4f}"),
                ("brute force on the slice", "", f"{wanted:.4f}"),
            ],
            headers=["", "s", "F1 (threshold of the slice)"],
            tablefmt="github",
            disable_numparse=True,
        ),
        end="\n\n",
    )
    return verdict(
        [
            Bar(what="slice: F1 off brute force", value=abs(reached - wanted), bound=1e-9, side="at most"),
            Bar(what="time: x faiss", value=seconds["faiss"] / seconds["ours"], bound=0.9),
            Bar(what="memory (GiB)", value=mining.gigabytes, bound=4, side="at most"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
