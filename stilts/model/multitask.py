"""An encoder with a dict of heads: one model answers as many tasks as it has heads."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hpc.errors import unknown_name
from kernels.packing import Packed, padded_rows
from stilts.model import encoder as encoders
from stilts.model.encoder import Attention, Encoder, PackedEncoder, Pooling, pool
from stilts.model.encoder.vocabulary import VocabularyHead
from stilts.model.heads import HeadSpec


class SentenceHead(nn.Module):
    """Scores a sequence from its pooled states: dropout, dense, tanh, dropout, output."""

    def __init__(self, hidden: int, outputs: int, dropout: float, pooling: Pooling) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor, packed: Packed) -> Tensor:
        """[T, d] -> [B, outputs]."""
        pooled = pool(x, packed, self.pooling)
        return self.out(self.dropout(torch.tanh(self.dense(self.dropout(pooled)))))


class TokenHead(nn.Module):
    """Scores single tokens."""

    def __init__(self, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[N, d] -> [N, outputs]."""
        return self.out(self.dropout(x))


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Packed sequences of one task with what they should yield."""

    packed: Packed
    targets: Mapping[str, Tensor]
    """classify: label [B]; choice: label [items], counts [items] (sequences each); tag: positions [W] (rows
    of the packed stream), tags [W]; span: start [B], end [B] (within the sequence); mlm: positions [M],
    as of words, and pieces [M]."""
    items: int
    """Examples in the batch, the unit the loss is averaged over."""


class Model(nn.Module):
    """Encoder and heads.

    Args:
        encoder: the packed encoder.
        heads: head specifications by name; new heads are initialised from `seed`.
        dropout: probability in new heads while training.
        seed: decides the new heads' parameters, each from its name, so that order does not matter.
    """

    def __init__(
        self, encoder: Encoder, heads: Mapping[str, HeadSpec], *, dropout: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.specs: dict[str, HeadSpec] = {}
        self.heads = nn.ModuleDict()
        self._dropout = dropout
        for name, spec in heads.items():
            self.add_head(name, spec, seed=seed)

    @property
    def trainable_encoder(self) -> PackedEncoder:
        """The encoder in the form that trains and is saved."""
        assert isinstance(self.encoder, PackedEncoder), "this model only answers"
        return self.encoder

    def add_head(self, name: str, spec: HeadSpec, *, seed: int) -> None:
        """Adds or replaces a head with fresh parameters (normal of 0.02, biases at zero)."""
        outputs = {"choice": 1, "span": 2}.get(spec.kind, len(spec.labels))
        hidden = self.encoder.config.hidden_size
        head: SentenceHead | TokenHead | VocabularyHead
        if spec.kind == "mlm":
            head = VocabularyHead(self.encoder.config)
        elif spec.kind in ("classify", "choice"):
            head = SentenceHead(hidden, outputs, self._dropout, spec.pooling)
        else:
            head = TokenHead(hidden, outputs, self._dropout)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(name.encode()))
        for module in head.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02, generator=generator)
                nn.init.zeros_(module.bias)
        self.specs[name] = spec
        self.heads[name] = head

    def freeze(self, parts: Sequence[str]) -> None:
        """Takes parts of the encoder out of training: `encoder`, `embeddings` or `layers.N`.

        Raises:
            UserError: the encoder has no such part.
        """
        encoder = self.trainable_encoder
        embeddings = [encoder.word, encoder.position, encoder.token_type, encoder.norm]
        layers = {f"layers.{n}": [layer] for n, layer in enumerate(encoder.layers)}
        known: dict[str, list[nn.Module]] = {"encoder": [encoder], "embeddings": embeddings, **layers}
        for part in parts:
            if part not in known:
                raise unknown_name("part to freeze", part, known)
            for module in known[part]:
                module.requires_grad_(False)

    def for_inference(self, *, attention: Attention = "triton") -> "Model":
        """A model with the same answers on the fastest encoder for its device; parameters are shared.

        Args:
            attention: the back end wanted; where it cannot run the next best does, and says so once.
        """
        fast = Model(encoders.for_inference(self.trainable_encoder, attention=attention), {})
        fast.heads, fast.specs = self.heads, self.specs
        return fast.eval()

    def forward(self, head: str, batch: Batch) -> Tensor:
        """Scores of one head.

        Returns:
            classify [B, C]; choice [sequences]; tag [W, C]; span [T, 2]; mlm [M, V].
        """
        return self.answer(head, self.encoder(batch.packed), batch)

    def answer(self, head: str, x: Tensor, batch: Batch) -> Tensor:
        """Scores of one head on hidden states [T, d] computed before: several heads can share one pass."""
        kind, module = self.specs[head].kind, self.heads[head]
        if kind == "classify":
            return module(x, batch.packed)
        if kind == "choice":
            return module(x, batch.packed).squeeze(-1)
        if kind == "tag":
            return module(x.index_select(0, batch.targets["positions"]))
        if kind == "mlm":
            hidden = x.index_select(0, batch.targets["positions"])
            return module(hidden, self.trainable_encoder.word.weight)
        return module(x)

    def loss(self, head: str, scores: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy, averaged over the batch's items (over words for tagging and hidden text)."""
        kind, targets = self.specs[head].kind, batch.targets
        if kind == "classify":
            return F.cross_entropy(scores, targets["label"])
        if kind == "tag":
            return F.cross_entropy(scores, targets["tags"])
        if kind == "mlm":
            return F.cross_entropy(scores, targets["pieces"])
        if kind == "choice":
            counts = targets["counts"].tolist()
            rows = torch.nn.utils.rnn.pad_sequence(
                list(torch.split(scores, counts)), batch_first=True, padding_value=-1e4
            )
            return F.cross_entropy(rows, targets["label"])
        starts, ends = (_by_sequence(scores[:, side], batch.packed.lengths) for side in (0, 1))
        return (F.cross_entropy(starts, targets["start"]) + F.cross_entropy(ends, targets["end"])) / 2


def _by_sequence(scores: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """[T] -> [B, S], hugely negative where there is no token."""
    out = scores.new_full((len(lengths) * max(lengths),), -1e4)
    return out.index_copy(0, padded_rows(lengths).to(scores.device), scores).view(len(lengths), -1)
