"""The encoder over packed tokens as it trains: no padding between the ids and the heads.

The parameters are those of Hugging Face's `XLMRobertaModel` or `BertModel`; only query, key and value are one
matrix.

Shapes: T tokens, B sequences, H heads, D head size, d hidden size.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from kernels import reference
from kernels.packing import FIRST_POSITION, Packed
from stilts.model.config import EncoderConfig

Pooling = Literal["cls", "mean"]
Attention = Literal["triton", "varlen", "sdpa"]
"""`triton`: our fused kernel, on a GPU, for answering; `varlen`: torch's own for packed tokens, on a GPU;
`sdpa`: runs of like length, everywhere."""


class Encoder(nn.Module):
    """What turns packed tokens into hidden states, for training or for answering."""

    config: EncoderConfig
    attention: Attention
    """The back end that runs."""
    padding: Literal["none", "graph"] = "none"
    """What is computed beside a batch's own tokens: nothing, or what fills the shapes of a CUDA graph."""

    def forward(self, packed: Packed, *, layers: int | None = None) -> Tensor:
        """Hidden states of the packed tokens.

        Args:
            packed: the tokens.
            layers: stop after this many layers; 0 is the embeddings, None the whole encoder.

        Returns:
            [T, d].

        Raises:
            ValueError: a sequence is longer than the position table, or there are fewer layers.
        """
        raise NotImplementedError

    def warm_up(self, *, layers: int | None = None) -> None:
        """Compiles and captures whatever a first call would otherwise wait for."""

    def refresh(self) -> None:
        """Answers with the parameters as they are now, after they were changed in place; on a GPU only."""
        raise NotImplementedError(f"{type(self).__name__} keeps a copy of its parameters")

    def computed_tokens(self, packed: Packed) -> int:
        """For how many tokens a batch's products are computed: no fewer than it has."""
        return len(packed.ids)

    @property
    def captured(self) -> int:
        """CUDA graphs captured so far."""
        return 0


class Linear(nn.Linear):
    """A linear layer that is born empty: it is filled from a checkpoint or by `reinitialise`."""

    def reset_parameters(self) -> None:
        """Leaves the memory as it is."""


class Embedding(nn.Embedding):
    """A table that is born empty: drawing a quarter of a million rows only to drop them takes seconds."""

    def reset_parameters(self) -> None:
        """Leaves the memory as it is."""


class PackedLayer(nn.Module):
    """One transformer layer: attention, then feed-forward, each with residual and LayerNorm after it."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.heads = config.num_attention_heads
        self.eps = config.layer_norm_eps
        self.qkv = Linear(d, 3 * d)
        self.attention_output = Linear(d, d)
        self.attention_norm = nn.LayerNorm(d, eps=self.eps)
        self.intermediate = Linear(d, config.intermediate_size)
        self.output = Linear(config.intermediate_size, d)
        self.output_norm = nn.LayerNorm(d, eps=self.eps)

    def forward(self, x: Tensor, packed: Packed, dropout: float) -> Tensor:
        """[T, d] -> [T, d]."""
        T, d = x.shape
        q, k, v = self.qkv(x).view(T, 3, self.heads, d // self.heads).unbind(1)
        context = differentiable_attention(q, k, v, packed, dropout=dropout)
        attended = reference.drop(self.attention_output(context.view(T, d)), dropout)
        x = self._residual_norm(attended, x, self.attention_norm)
        expanded = reference.gelu(self.intermediate(x))
        return self._residual_norm(reference.drop(self.output(expanded), dropout), x, self.output_norm)

    def _residual_norm(self, x: Tensor, residual: Tensor, norm: nn.LayerNorm) -> Tensor:
        return reference.residual_layer_norm(x, residual, norm.weight, norm.bias, eps=self.eps)


class PackedEncoder(Encoder):
    """XLM-R or BERT on packed tokens.

    Args:
        config: the encoder's shape.
        dropout: probability while training; none in eval mode.
    """

    def __init__(self, config: EncoderConfig, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.config = config
        self.attention = "sdpa"
        self.dropout = dropout
        self.recompute = False
        """Whether training keeps the input of each layer alone, and computes the rest again later."""
        d = config.hidden_size
        self.word = Embedding(config.vocab_size, d)
        self.position = Embedding(config.max_position_embeddings, d)
        self.token_type = Embedding(config.type_vocab_size, d)
        self.norm = nn.LayerNorm(d, eps=config.layer_norm_eps)
        self.layers = nn.ModuleList(PackedLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, packed: Packed, *, layers: int | None = None) -> Tensor:
        """Hidden states [T, d] after so many layers."""
        depth = self.depth(packed, layers)
        dropout = self.dropout if self.training else 0.0
        x = self.embed(packed.ids, self.places(packed), self.tables())
        x = reference.drop(x, dropout)
        recompute = self.recompute and self.training and torch.is_grad_enabled()
        for layer in self.layers[:depth]:
            if recompute:
                x = checkpoint(layer, x, packed, dropout, use_reentrant=False)
            else:
                x = layer(x, packed, dropout)
        return x

    def depth(self, packed: Packed, layers: int | None) -> int:
        """How many layers to run on these tokens.

        Raises:
            ValueError: a sequence is longer than the position table, or there are fewer layers.
        """
        if packed.max_seqlen > self.config.max_tokens:
            raise ValueError(
                f"a sequence of {packed.max_seqlen} tokens; the encoder takes {self.config.max_tokens}"
            )
        depth = len(self.layers) if layers is None else layers
        if not 0 <= depth <= len(self.layers):
            raise ValueError(f"layer {layers} asked of an encoder of {len(self.layers)}")
        return depth

    def places(self, packed: Packed) -> Tensor:
        """[T] rows of the first of `tables`: what each token's position, and its type, looks up."""
        shift, separator = self.config.family.first_position - FIRST_POSITION, self.config.separator
        # Unused tokens of a CUDA graph stand before the first position: any row will do.
        rows = (packed.positions + shift).clamp_min(0) if shift else packed.positions
        if separator is None or not len(rows):
            return rows
        is_separator = packed.ids == separator
        before = is_separator.cumsum(0) - is_separator.long()
        index = torch.arange(len(rows), device=rows.device)
        first = (index - packed.positions + FIRST_POSITION).clamp_max(len(rows) - 1)
        types = (before - before[first]).clamp_max(1)
        return rows + types * self.config.max_position_embeddings

    def tables(self) -> tuple[Tensor, Tensor]:
        """[types * P, d] that `places` indexes, and [d] that every token has."""
        types = self.token_type.weight
        if self.config.separator is None:
            return self.position.weight, types[0]
        both = self.position.weight + types[:2, None]
        return both.flatten(0, 1), torch.zeros_like(types[0])

    def embed(self, ids: Tensor, places: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
        """Hidden state 0, [T, d], of ids [T] and what `places` and `tables` give."""
        return reference.embed_layer_norm(
            ids,
            places,
            self.word.weight,
            *tables,
            self.norm.weight,
            self.norm.bias,
            eps=self.config.layer_norm_eps,
        )

    def reinitialise(self, seed: int) -> None:
        """Fresh parameters as BERT starts: normal of 0.02, LayerNorm at one and zero, biases at zero."""
        generator = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02, generator=generator)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)


def differentiable_attention(q: Tensor, k: Tensor, v: Tensor, packed: Packed, *, dropout: float) -> Tensor:
    """Softmax attention within each sequence, with a backward pass: [T, H, D] each -> [T, H, D].

    On a GPU in 16 bits it is torch's flash attention for packed sequences, else `reference.varlen_attention`.
    """
    if not (q.is_cuda and q.dtype in (torch.float16, torch.bfloat16)):
        return reference.varlen_attention(q, k, v, packed.lengths, dropout=dropout)
    bounds, longest = packed.cu_seqlens, packed.max_seqlen
    # The public torch.nn.attention.varlen has no dropout; this is the operator below it.
    out, *_ = torch.ops.aten._flash_attention_forward(
        q, k, v, bounds, bounds, longest, longest, dropout, False, False
    )
    return out


def pool(x: Tensor, packed: Packed, pooling: Pooling) -> Tensor:
    """One vector a sequence, [T, d] -> [B, d]: the mean over its tokens, special ones too, or `<s>`."""
    if pooling == "cls":
        return x.index_select(0, packed.cu_seqlens[:-1].long())
    # `unsafe`: the lengths are known to add up, and to ask the device about them would be to wait for it.
    return torch.segment_reduce(x, "mean", lengths=packed.cu_seqlens.diff().long(), unsafe=True)
