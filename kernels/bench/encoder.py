"""XLM-R's forward pass from the fused operations and nothing else: one kernel for the embeddings, 8 a layer.

    weights = Weights.of(random_state(LARGE, device="cuda", dtype=torch.bfloat16), LARGE)
    x_Td = forward(weights, packed)

A baseline for whole-model figures; parameters go by Hugging Face's names, so that one state serves both.
Shapes: T tokens, H heads, D head size, d hidden size, f intermediate size.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from kernels import ops
from kernels.bench.attention import fused
from kernels.bench.roofline import Shape
from kernels.packing import Packed

Attend = Callable[[Tensor, Packed], Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Affine:
    """Weight and bias of a linear layer or a LayerNorm."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """Parameters of one layer."""

    qkv: Affine
    """[3 d, d]: query, key and value as one matrix."""
    output: Affine
    output_norm: Affine
    up: Affine
    down: Affine
    down_norm: Affine


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Parameters of the encoder."""

    shape: Shape
    word: Tensor
    position: Tensor
    type_row: Tensor
    norm: Affine
    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, state: Mapping[str, Tensor], shape: Shape) -> "Weights":
        """From a state dict of Hugging Face's `XLMRobertaModel`."""

        def affine(name: str) -> Affine:
            return Affine(weight=state[f"{name}.weight"], bias=state[f"{name}.bias"])

        def layer(prefix: str) -> Layer:
            parts = [affine(f"{prefix}.attention.self.{which}") for which in ("query", "key", "value")]
            return Layer(
                qkv=Affine(
                    weight=torch.cat([part.weight for part in parts]),
                    bias=torch.cat([part.bias for part in parts]),
                ),
                output=affine(f"{prefix}.attention.output.dense"),
                output_norm=affine(f"{prefix}.attention.output.LayerNorm"),
                up=affine(f"{prefix}.intermediate.dense"),
                down=affine(f"{prefix}.output.dense"),
                down_norm=affine(f"{prefix}.output.LayerNorm"),
            )

        return cls(
            shape=shape,
            word=state["embeddings.word_embeddings.weight"],
            position=state["embeddings.position_embeddings.weight"],
            type_row=state["embeddings.token_type_embeddings.weight"][0],
            norm=affine("embeddings.LayerNorm"),
            layers=tuple(layer(f"encoder.layer.{i}") for i in range(shape.layers)),
        )


def random_state(
    shape: Shape, *, device: torch.device | str, dtype: torch.dtype, seed: int = 0
) -> dict[str, Tensor]:
    """Parameters as a fresh BERT has them, but with biases that are not zero: one left out would not show."""
    generator = torch.Generator(device).manual_seed(seed)
    d, f = shape.hidden, shape.intermediate

    def normal(*size: int) -> Tensor:
        return (0.02 * torch.randn(*size, generator=generator, device=device)).to(dtype)

    state = {
        "embeddings.word_embeddings.weight": normal(shape.vocabulary, d),
        "embeddings.position_embeddings.weight": normal(shape.positions, d),
        "embeddings.token_type_embeddings.weight": normal(1, d),
    }
    norms = ["embeddings.LayerNorm"]
    for i in range(shape.layers):
        prefix = f"encoder.layer.{i}"
        linear = {f"attention.self.{which}": (d, d) for which in ("query", "key", "value")}
        linear |= {"attention.output.dense": (d, d), "intermediate.dense": (f, d), "output.dense": (d, f)}
        for name, size in linear.items():
            state[f"{prefix}.{name}.weight"] = normal(*size)
            state[f"{prefix}.{name}.bias"] = normal(size[0])
        norms += [f"{prefix}.attention.output.LayerNorm", f"{prefix}.output.LayerNorm"]
    for name in norms:
        state[f"{name}.weight"] = 1 + normal(d)
        state[f"{name}.bias"] = normal(d)
    return state


def forward(weights: Weights, packed: Packed, *, attend: Attend = fused) -> Tensor:
    """Hidden states after the last layer.

    Args:
        weights: on the device of `packed`.
        packed: T tokens.
        attend: attention on the packed stream.

    Returns:
        [T, d].
    """
    shape = weights.shape
    T, d = packed.ids.numel(), shape.hidden
    x = ops.embed_layer_norm(
        packed.ids,
        packed.positions,
        weights.word,
        weights.position,
        weights.type_row,
        weights.norm.weight,
        weights.norm.bias,
        eps=shape.eps,
    )
    for layer in weights.layers:
        qkv = F.linear(x, layer.qkv.weight, layer.qkv.bias).view(T, 3, shape.heads, shape.head_dim)
        context = F.linear(attend(qkv, packed).view(T, d), layer.output.weight)
        x = _norm(context, x, layer.output_norm, layer.output.bias, shape.eps)
        inner = ops.bias_gelu(F.linear(x, layer.up.weight), layer.up.bias)
        x = _norm(F.linear(inner, layer.down.weight), x, layer.down_norm, layer.down.bias, shape.eps)
    return x


def _norm(x: Tensor, residual: Tensor, norm: Affine, linear_bias: Tensor, eps: float) -> Tensor:
    return ops.residual_layer_norm(x, residual, norm.weight, norm.bias, linear_bias=linear_bias, eps=eps)
