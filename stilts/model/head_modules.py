"""Heads on the packed encoder: what each sort of head computes from hidden states, and its loss.

Shapes: T tokens, B sequences, N words or pieces asked for, d hidden size, V pieces of the vocabulary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kernels import reference
from kernels.packing import Packed, padded_rows
from stilts.model.encoder import EncoderConfig, PackedEncoder, pool
from stilts.model.heads import HeadSpec
from stilts.tasks.types import IGNORED, Head


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Packed sequences of one task with what they should yield."""

    packed: Packed
    targets: Mapping[str, Tensor]
    """classify: label [B]; choice: label [items], counts [items] (sequences each); tag: positions [N] (rows
    of the packed stream), tags [N]; span: start [B], end [B] (within the sequence); mlm: positions [N],
    as of words, and pieces [N]."""
    items: int
    """Examples in the batch, the unit the loss is averaged over."""
    groups: "Groups | None" = None
    """Which scores compete with each other, where that is for spans and choices; only to learn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """Consecutive scores that are normalised together: tokens of a sequence, choices of an item."""

    places: Tensor
    """[N] rows of a table that has `width` slots for each group."""
    width: int
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, sizes: Sequence[int]) -> "Groups":
        """The groups of these sizes."""
        return cls(places=padded_rows(sizes), width=max(sizes), sizes=tuple(sizes))

    def table(self, scores: Tensor) -> Tensor:
        """[N] -> [groups, width], hugely negative where there is no score."""
        out = scores.new_full((len(self.sizes) * self.width,), -1e4)
        return out.index_copy(0, self.places, scores).view(len(self.sizes), self.width)


class HeadModule(nn.Module):
    """A head.

    Args:
        spec: what it answers.
        config: shape of the encoder below it.
        dropout: probability while training.
    """

    target: ClassVar[str]
    """The array of `Batch.targets` that it learns from; what is `IGNORED` there does not count."""

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:
        """Scores of hidden states [T, d]; `encoder` is that which they are from."""
        raise NotImplementedError

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of `answer`'s scores, summed over what `count` counts."""
        raise NotImplementedError

    def count(self, batch: Batch) -> Tensor:
        """How many sequences, items, spans, words or pieces the loss is a sum over, on the batch's device."""
        return (batch.targets[self.target] != IGNORED).sum()

    def rows(self, batch: Batch) -> int:
        """How many rows of hidden states pass through its matrices."""
        raise NotImplementedError

    def flops(self, batch: Batch) -> float:
        """Floating-point operations of one forward pass: two a weight of its matrices and row."""
        weights = sum(one.numel() for one in self.parameters() if one.ndim > 1)
        return 2.0 * weights * self.rows(batch)


class _SentenceHead(HeadModule):
    """Scores a sequence from its pooled states: dropout, dense, tanh, dropout, output."""

    outputs = 0
    """Numbers a sequence; 0: one a label."""

    def __init__(self, spec: HeadSpec, config: EncoderConfig, dropout: float) -> None:
        super().__init__()
        self.pooling = spec.pooling
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.out = nn.Linear(config.hidden_size, self.outputs or len(spec.labels))

    def forward(self, x: Tensor, packed: Packed) -> Tensor:
        """[T, d] -> [B, outputs]."""
        pooled = pool(x, packed, self.pooling)
        return self.out(self.dropout(torch.tanh(self.dense(self.dropout(pooled)))))

    def rows(self, batch: Batch) -> int:
        """Sequences."""
        return len(batch.packed.lengths)


class ClassifyHead(_SentenceHead):
    """A class for each sequence: [B, labels]."""

    target = "label"

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[B, labels]."""
        return self(x, batch.packed)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over sequences."""
        return _cross_entropy(scores, batch.targets["label"])


class ChoiceHead(_SentenceHead):
    """A number for each sequence, compared among the choices of an item: [B]."""

    target = "label"

    outputs = 1

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[B]."""
        return self(x, batch.packed).squeeze(-1)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over items."""
        return _cross_entropy(_groups(batch, "counts").table(scores), batch.targets["label"])


class _TokenHead(HeadModule):
    """Scores single tokens."""

    outputs = 0
    """Numbers a token; 0: one a label."""

    def __init__(self, spec: HeadSpec, config: EncoderConfig, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(config.hidden_size, self.outputs or len(spec.labels))

    def forward(self, x: Tensor) -> Tensor:
        """[N, d] -> [N, outputs]."""
        return self.out(self.dropout(x))

    def rows(self, batch: Batch) -> int:
        """Tokens that are asked for."""
        asked = batch.targets.get("positions")
        return sum(batch.packed.lengths) if asked is None else len(asked)


class TagHead(_TokenHead):
    """A class for each word, at its first piece: [N, labels]."""

    target = "tags"

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[N, labels]."""
        return self(x.index_select(0, batch.targets["positions"]))

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over words."""
        return _cross_entropy(scores, batch.targets["tags"])


class SpanHead(_TokenHead):
    """How well a span begins, and ends, at each token: [T, 2]."""

    target = "start"

    outputs = 2

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[T, 2]."""
        return self(x)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over sequences, half for either end."""
        groups, targets = _groups(batch, None), batch.targets
        starts, ends = (groups.table(scores[:, side]) for side in (0, 1))
        return (_cross_entropy(starts, targets["start"]) + _cross_entropy(ends, targets["end"])) / 2


class VocabularyHead(HeadModule):
    """Every piece of the vocabulary for a hidden token: dense, gelu, LayerNorm, then the word embeddings.

    The last matrix is the word embeddings themselves; the head owns a bias by piece.
    """

    target = "pieces"

    def __init__(self, spec: HeadSpec, config: EncoderConfig, dropout: float) -> None:  # noqa: ARG002
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """Scores [N, V] of hidden states [N, d], given the word embeddings [V, d]."""
        return F.linear(self.norm(reference.gelu(self.dense(x))), words, self.bias)

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:
        """[N, V]."""
        assert isinstance(encoder, PackedEncoder), "only a trainable encoder predicts text"
        return self(x.index_select(0, batch.targets["positions"]), encoder.word.weight)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over hidden tokens."""
        return _cross_entropy(scores, batch.targets["pieces"])

    def rows(self, batch: Batch) -> int:
        """Hidden tokens."""
        return len(batch.targets["positions"])

    def flops(self, batch: Batch) -> float:
        """Its own matrix, and the word embeddings."""
        return 2.0 * (self.dense.weight.numel() + len(self.bias) * self.dense.out_features) * self.rows(batch)


MODULES: Mapping[Head, type[HeadModule]] = {
    "classify": ClassifyHead,
    "choice": ChoiceHead,
    "tag": TagHead,
    "span": SpanHead,
    "mlm": VocabularyHead,
}


def _cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(scores.float(), targets, ignore_index=IGNORED, reduction="sum")


def _groups(batch: Batch, counts: str | None) -> Groups:
    """As the batch has them, else made here, which waits for the device."""
    if batch.groups is not None:
        return batch.groups
    sizes = batch.packed.lengths if counts is None else batch.targets[counts].tolist()
    made = Groups.of(sizes)
    return replace(made, places=made.places.to(batch.packed.ids.device))
