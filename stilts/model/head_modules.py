"""Heads on the packed encoder: what each sort of head computes from hidden states, and its loss.

Shapes: T tokens, B sequences, N words or pieces asked for, d hidden size, V pieces of the vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass

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


class HeadModule(nn.Module):
    """A head.

    Args:
        spec: what it answers.
        config: shape of the encoder below it.
        dropout: probability while training.
    """

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:
        """Scores of hidden states [T, d]; `encoder` is that which they are from."""
        raise NotImplementedError

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of `answer`'s scores, summed over what `count` counts."""
        raise NotImplementedError

    def count(self, batch: Batch) -> Tensor:
        """How many classes, spans, words or pieces the loss is a sum over, on the batch's device."""
        raise NotImplementedError


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


class ClassifyHead(_SentenceHead):
    """A class for each sequence: [B, labels]."""

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[B, labels]."""
        return self(x, batch.packed)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over sequences."""
        return _cross_entropy(scores, batch.targets["label"])

    def count(self, batch: Batch) -> Tensor:
        """Sequences."""
        return _counted(batch.targets["label"])


class ChoiceHead(_SentenceHead):
    """A number for each sequence, compared among the choices of an item: [B]."""

    outputs = 1

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[B]."""
        return self(x, batch.packed).squeeze(-1)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over items."""
        counts = batch.targets["counts"].tolist()
        rows = nn.utils.rnn.pad_sequence(
            list(torch.split(scores, counts)), batch_first=True, padding_value=-1e4
        )
        return _cross_entropy(rows, batch.targets["label"])

    def count(self, batch: Batch) -> Tensor:
        """Items."""
        return _counted(batch.targets["label"])


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


class TagHead(_TokenHead):
    """A class for each word, at its first piece: [N, labels]."""

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[N, labels]."""
        return self(x.index_select(0, batch.targets["positions"]))

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over words."""
        return _cross_entropy(scores, batch.targets["tags"])

    def count(self, batch: Batch) -> Tensor:
        """Words whose tag is known."""
        return _counted(batch.targets["tags"])


class SpanHead(_TokenHead):
    """How well a span begins, and ends, at each token: [T, 2]."""

    outputs = 2

    def answer(self, x: Tensor, batch: Batch, encoder: nn.Module) -> Tensor:  # noqa: ARG002
        """[T, 2]."""
        return self(x)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Over sequences, half for either end."""
        starts, ends = (_by_sequence(scores[:, side], batch.packed.lengths) for side in (0, 1))
        targets = batch.targets
        return (_cross_entropy(starts, targets["start"]) + _cross_entropy(ends, targets["end"])) / 2

    def count(self, batch: Batch) -> Tensor:
        """Sequences."""
        return _counted(batch.targets["start"])


class VocabularyHead(HeadModule):
    """Every piece of the vocabulary for a hidden token: dense, gelu, LayerNorm, then the word embeddings.

    The last matrix is the word embeddings themselves; the head owns a bias by piece.
    """

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

    def count(self, batch: Batch) -> Tensor:
        """Hidden tokens."""
        return _counted(batch.targets["pieces"])


MODULES: Mapping[Head, type[HeadModule]] = {
    "classify": ClassifyHead,
    "choice": ChoiceHead,
    "tag": TagHead,
    "span": SpanHead,
    "mlm": VocabularyHead,
}


def _cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(scores.float(), targets, ignore_index=IGNORED, reduction="sum")


def _counted(targets: Tensor) -> Tensor:
    return (targets != IGNORED).sum()


def _by_sequence(scores: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """[T] -> [B, S], hugely negative where there is no token."""
    out = scores.new_full((len(lengths) * max(lengths),), -1e4)
    return out.index_copy(0, padded_rows(lengths).to(scores.device), scores).view(len(lengths), -1)
