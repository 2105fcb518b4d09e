"""The queries that a deployment answers: the targets' own, or random tokens as long as real ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from kernels.packing import from_lengths
from stilts import data, tasks
from stilts.latency import lengths
from stilts.model.head_modules import Batch
from stilts.run.folder import RunFolder
from stilts.run.seeds import seed_of
from stilts.run.specs import DeploySpec, TimedModel
from stilts.tasks.coding.ragged import Ragged

_FIRST_PIECE = 4
"""Ids below it are special."""


@dataclass(frozen=True, eq=False, slots=True)
class Query:
    """A text as tokens: its windows end to end."""

    number: int
    ids: NDArray[np.int64]
    lengths: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A text and what is asked about it."""

    query: Query
    targets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """What comes in.

    Args:
        queries: by target.
        shares: of the targets; they sum up to 1.
        seed: of all that is drawn, but for what is asked of each method.
    """

    queries: Mapping[str, Sequence[Query]]
    shares: Mapping[str, float]
    seed: tuple[int, ...]

    def requests(self, count: int, purpose: str) -> list[Request]:
        """So many queries of single targets, by their shares; all of a target before one comes again."""
        chance = np.random.default_rng(seed_of(*self.seed, "requests", purpose))
        names = list(self.queries)
        drawn = chance.choice(len(names), size=count, p=[self.shares[name] for name in names])
        decks: dict[str, list[int]] = {name: [] for name in names}
        found = []
        for one in drawn.tolist():
            name = names[one]
            deck = decks[name] = decks[name] or chance.permutation(len(self.queries[name])).tolist()
            found.append(Request(query=self.queries[name][deck.pop()], targets=(name,)))
        return found

    def texts(self, count: int) -> list[Query]:
        """So many texts of any target, drawn by their shares: the same in every process of a study."""
        alike = replace(self, seed=self.seed[:1])
        return [request.query for request in alike.requests(count, "texts")]

    def arrivals(self, count: int, rate: float, purpose: str) -> NDArray[np.float64]:
        """Seconds at which queries of a Poisson process of so many a second are to be sent."""
        chance = np.random.default_rng(seed_of(*self.seed, "arrivals", purpose))
        return np.cumsum(chance.exponential(1 / rate, count))


def batch_of(queries: Sequence[Query]) -> Batch:
    """Packed on the host, for any head: a head on words reads every token."""
    ids = torch.from_numpy(np.concatenate([query.ids for query in queries]))
    sizes = [length for query in queries for length in query.lengths]
    packed = from_lengths(ids, sizes, padding=None)
    return Batch(packed=packed, targets={"positions": torch.arange(len(ids))}, items=len(queries))


def read(run: RunFolder, asked: DeploySpec, *, vocabulary: int) -> Traffic:
    """The traffic of a deployment; every process draws another one from the same texts.

    Raises:
        UserError: a set, or the lengths of one, are not there.
    """
    settings = asked.protocol
    total = sum(settings.shares.get(name, 1.0) for name in settings.targets)
    queries = {}
    for target in settings.targets:
        found: list[Query] = []
        for language in settings.languages:
            share = -(-settings.queries // len(settings.languages))
            if settings.lengths:
                source = settings.lengths[target]
                sizes = lengths.read(source, language)
                chosen = np.linspace(0, len(sizes) - 1, min(share, len(sizes))).astype(int)
                found += _invented(
                    [sizes[one] for one in chosen],
                    vocabulary,
                    seed_of(asked.seed, target, language),
                    len(found),
                )
            else:
                found += _own(run, asked, target, language, share, len(found))
        queries[target] = found
    return Traffic(
        queries=queries,
        shares={name: settings.shares.get(name, 1.0) / total for name in settings.targets},
        seed=(asked.seed, asked.process),
    )


def _invented(sizes: Sequence[Sequence[int]], vocabulary: int, seed: int, first: int) -> list[Query]:
    chance = np.random.default_rng(seed)
    return [
        Query(first + n, chance.integers(_FIRST_PIECE, vocabulary, sum(windows)), tuple(windows))
        for n, windows in enumerate(sizes)
    ]


def _own(
    run: RunFolder, asked: DeploySpec, target: str, language: str, count: int, first: int
) -> list[Query]:
    (model,) = (model for model in asked.apart if model.target == target)
    encoded = test_set(run, asked, model, language)
    return [Query(first + n, ids, sizes) for n, (ids, sizes) in enumerate(by_example(encoded, count))]


def test_set(run: RunFolder, asked: DeploySpec, model: TimedModel, language: str) -> data.Encoded:
    """The test set of a model's target, as that model reads it."""
    task = tasks.load(model.target)
    return data.load(
        task,
        language=language,
        split="test",
        tokenizer_file=run.sibling(model.weights).weights / "tokenizer.json",
        max_length=task.max_length,
        sources=asked.sources,
        limit=asked.limit(model.target, "test"),
        cache=run.cache,
    )


def by_example(encoded: data.Encoded, count: int) -> list[tuple[NDArray[np.int64], tuple[int, ...]]]:
    """Tokens and lengths of examples from all over the set, each with all its windows."""
    ids, sizes = encoded.columns["input_ids"], encoded.columns["lengths"]
    owners = np.asarray(encoded.columns["example"])
    assert isinstance(ids, Ragged)
    assert isinstance(sizes, Ragged)
    found = []
    there = np.unique(owners)
    # As many languages of a parallel set have, the same examples.
    for example in there[np.unique(np.linspace(0, len(there) - 1, count).astype(int))]:
        rows = np.flatnonzero(owners == example)
        found.append((ids.take(rows).values.astype(np.int64), tuple(sizes.take(rows).values.tolist())))
    return found
