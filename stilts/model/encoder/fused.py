"""The encoder on a GPU, for answering: seven or eight kernels a layer, four of them matrix products.

Per layer: query, key and value in one product; attention on its output as it lies; projection; residual +
LayerNorm; expansion with bias and GELU, in one kernel or two; contraction; residual + LayerNorm.
`kernels.ops` decides which product runs, and what runs where no fused kernel can.

Shapes: T tokens, B sequences, R rows of the block table, H heads, D head size, d hidden size.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from kernels import ops, reference
from kernels.ops.dispatch import attention_route
from kernels.packing import Packed
from stilts.model.encoder.packed import Attention, Encoder, PackedEncoder, PackedLayer


class FusedEncoder(Encoder):
    """Answers what a `PackedEncoder` answers, through the fused kernels; it takes no gradients.

    Args:
        encoder: gives the parameters, which are shared and not copied.
        attention: the back end wanted; where `triton` cannot run, the next best does and says so.
    """

    def __init__(self, encoder: PackedEncoder, *, attention: Attention = "triton") -> None:
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config
        self.attention = attention
        if attention == "triton":
            heads = torch.empty(0, device=encoder.word.weight.device, dtype=encoder.word.weight.dtype).view(
                0, self.config.head_size
            )
            self.attention = attention_route(heads)
        self._attend = _BACKENDS[self.attention]
        with torch.no_grad():
            self._tables = encoder.tables()

    def refresh(self) -> None:
        """See `Encoder`."""
        for old, new in zip(self._tables, self.encoder.tables(), strict=True):
            old.data.copy_(new)

    def forward(self, packed: Packed, *, layers: int | None = None) -> Tensor:
        """Hidden states [T, d] after so many layers, as `PackedEncoder.forward`."""
        depth = self.encoder.depth(packed, layers)
        # The type of number is the weights': a caller's autocast would mix it with another.
        with torch.autocast(packed.ids.device.type, enabled=False):
            return self._states(packed, depth)

    def _states(self, packed: Packed, depth: int) -> Tensor:
        encoder = self.encoder
        x = ops.embed_layer_norm(
            packed.ids,
            encoder.places(packed),
            encoder.word.weight,
            *self._tables,
            encoder.norm.weight,
            encoder.norm.bias,
            eps=self.config.layer_norm_eps,
        )
        for layer in encoder.layers[:depth]:
            assert isinstance(layer, PackedLayer)
            x = self._layer(layer, x, packed)
        return x

    def _layer(self, layer: PackedLayer, x: Tensor, packed: Packed) -> Tensor:
        T, d = x.shape
        qkv = ops.linear(x, layer.qkv.weight, layer.qkv.bias).view(T, 3, layer.heads, d // layer.heads)
        context = self._attend(qkv, packed).view(T, d)
        x = _residual_norm(context, layer.attention_output, x, layer.attention_norm)
        expanded = ops.linear_gelu(x, layer.intermediate.weight, layer.intermediate.bias)
        return _residual_norm(expanded, layer.output, x, layer.output_norm)


def _residual_norm(x: Tensor, linear: nn.Linear, residual: Tensor, norm: nn.LayerNorm) -> Tensor:
    return ops.linear_residual_norm(
        x, linear.weight, linear.bias, residual, norm.weight, norm.bias, eps=norm.eps
    )


def _triton(qkv: Tensor, packed: Packed) -> Tensor:
    return ops.varlen_attention_qkv(
        qkv, packed.cu_seqlens, packed.max_seqlen, blocks=packed.blocks, block_m=packed.block_m
    )


def _varlen(qkv: Tensor, packed: Packed) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = qkv.unbind(1)
    longest = packed.max_seqlen
    out = varlen_attn(q, k, v, packed.cu_seqlens, packed.cu_seqlens, longest, longest)
    assert isinstance(out, Tensor)
    return out


def _sdpa(qkv: Tensor, packed: Packed) -> Tensor:
    q, k, v = qkv.unbind(1)
    return reference.varlen_attention(q, k, v, packed.lengths)


_BACKENDS: dict[Attention, Callable[[Tensor, Packed], Tensor]] = {
    "triton": _triton,
    "varlen": _varlen,
    "sdpa": _sdpa,
}
