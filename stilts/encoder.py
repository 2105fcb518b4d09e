"""XLM-R over packed tokens: no padding between the ids and the heads.

The parameters are those of Hugging Face's `XLMRobertaModel`; only query, key and value are one matrix.
`load` and `save` speak its checkpoint format both ways.

Shapes: T tokens, B sequences, H heads, D head size, d hidden size.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kernels import reference
from kernels.packing import Packed
from stilts.errors import Problem
from stilts.files import replacing, write_json

Pooling = Literal["cls", "mean"]
QKV = ("query", "key", "value")


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderConfig:
    """The shape of an XLM-R encoder, in the names of Hugging Face's config.json."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    layer_norm_eps: float = 1e-5

    @property
    def max_tokens(self) -> int:
        """The longest sequence: two rows of the position table stand before the first token."""
        return self.max_position_embeddings - 2

    @property
    def layer_parameters(self) -> int:
        """Weights of the matrices a token passes through; the embeddings are looked up."""
        d = self.hidden_size
        return self.num_hidden_layers * (4 * d * d + 2 * d * self.intermediate_size)

    def forward_flops(self, lengths: Iterable[int]) -> float:
        """Floating-point operations of one forward pass: two a weight and token, and attention's products."""
        sizes = list(lengths)
        attention = 4 * self.num_hidden_layers * self.hidden_size * sum(size * size for size in sizes)
        return 2.0 * self.layer_parameters * sum(sizes) + attention

    @classmethod
    def read(cls, folder: Path) -> "EncoderConfig":
        """Reads config.json of a model folder.

        Raises:
            Problem: no model there, or not an XLM-R.
        """
        path = folder / "config.json"
        try:
            table = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise Problem(f"no model at {folder}: {path.name} is missing", code=3) from error
        if table.get("model_type") != "xlm-roberta":
            raise Problem(
                f"{path}: model_type is {table.get('model_type')!r}; only xlm-roberta can be packed"
            )
        return cls(**{name: table[name] for name in cls.__dataclass_fields__ if name in table})


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

    def forward(self, x: Tensor, lengths: tuple[int, ...], dropout: float) -> Tensor:
        """[T, d] -> [T, d]."""
        T, d = x.shape
        q, k, v = self.qkv(x).view(T, 3, self.heads, d // self.heads).unbind(1)
        context = reference.varlen_attention(q, k, v, lengths, dropout=dropout)
        attended = F.dropout(self.attention_output(context.view(T, d)), dropout, training=dropout > 0)
        x = self._residual_norm(attended, x, self.attention_norm)
        expanded = reference.gelu(self.intermediate(x))
        return self._residual_norm(
            F.dropout(self.output(expanded), dropout, training=dropout > 0), x, self.output_norm
        )

    def _residual_norm(self, x: Tensor, residual: Tensor, norm: nn.LayerNorm) -> Tensor:
        return reference.residual_layer_norm(x, residual, norm.weight, norm.bias, eps=self.eps)


class PackedEncoder(nn.Module):
    """XLM-R on packed tokens.

    Args:
        config: the encoder's shape.
        dropout: probability while training; none in eval mode.
    """

    def __init__(self, config: EncoderConfig, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.config = config
        self.dropout = dropout
        d = config.hidden_size
        self.word = Embedding(config.vocab_size, d)
        self.position = Embedding(config.max_position_embeddings, d)
        self.token_type = Embedding(1, d)
        self.norm = nn.LayerNorm(d, eps=config.layer_norm_eps)
        self.layers = nn.ModuleList(PackedLayer(config) for _ in range(config.num_hidden_layers))

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
        if packed.max_seqlen > self.config.max_tokens:
            raise ValueError(
                f"a sequence of {packed.max_seqlen} tokens; the encoder takes {self.config.max_tokens}"
            )
        depth = len(self.layers) if layers is None else layers
        if not 0 <= depth <= len(self.layers):
            raise ValueError(f"layer {layers} asked of an encoder of {len(self.layers)}")
        dropout = self.dropout if self.training else 0.0
        x = reference.embed_layer_norm(
            packed.ids,
            packed.positions,
            self.word.weight,
            self.position.weight,
            self.token_type.weight[0],
            self.norm.weight,
            self.norm.bias,
            eps=self.config.layer_norm_eps,
        )
        x = F.dropout(x, dropout, training=dropout > 0)
        for layer in self.layers[:depth]:
            x = layer(x, packed.lengths, dropout)
        return x

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


def pool(x: Tensor, packed: Packed, pooling: Pooling) -> Tensor:
    """One vector a sequence, [T, d] -> [B, d]: the mean over its tokens, special ones too, or `<s>`."""
    if pooling == "cls":
        return x.index_select(0, packed.cu_seqlens[:-1].long())
    return torch.segment_reduce(x, "mean", lengths=packed.cu_seqlens.diff().long())


# Our module names against Hugging Face's; {i} is the layer.
_OUTER = {
    "word": "embeddings.word_embeddings",
    "position": "embeddings.position_embeddings",
    "token_type": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}
_INNER = {
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}


def to_huggingface(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of a `PackedEncoder` under Hugging Face's names."""
    out: dict[str, Tensor] = {}
    for name, tensor in state.items():
        module, _, leaf = name.rpartition(".")
        if not module.startswith("layers."):
            out[f"{_OUTER[module]}.{leaf}"] = tensor
            continue
        _, layer, part = module.split(".")
        prefix = f"encoder.layer.{layer}"
        if part == "qkv":
            for which, chunk in zip(QKV, tensor.chunk(3), strict=True):
                out[f"{prefix}.attention.self.{which}.{leaf}"] = chunk.contiguous()
        else:
            out[f"{prefix}.{_INNER[part]}.{leaf}"] = tensor
    return out


def from_huggingface(state: Mapping[str, Tensor], config: EncoderConfig) -> dict[str, Tensor]:
    """Parameters of Hugging Face's `XLMRobertaModel` under ours; task-model prefixes are taken off."""
    prefix = "roberta." if any(name.startswith("roberta.") for name in state) else ""
    out = {
        f"{ours}.{leaf}": state[f"{prefix}{theirs}.{leaf}"]
        for ours, theirs in _OUTER.items()
        for leaf in (("weight", "bias") if ours == "norm" else ("weight",))
    }
    for i in range(config.num_hidden_layers):
        layer = f"{prefix}encoder.layer.{i}"
        for leaf in ("weight", "bias"):
            parts = [state[f"{layer}.attention.self.{which}.{leaf}"] for which in QKV]
            out[f"layers.{i}.qkv.{leaf}"] = torch.cat(parts)
            for ours, theirs in _INNER.items():
                out[f"layers.{i}.{ours}.{leaf}"] = state[f"{layer}.{theirs}.{leaf}"]
    return out


def load(folder: Path, *, dropout: float = 0.0) -> PackedEncoder:
    """An encoder from a model folder in Hugging Face's format.

    Raises:
        Problem: no such model, or a tensor is missing.
    """
    config = EncoderConfig.read(folder)
    path = folder / "model.safetensors"
    if not path.exists():
        raise Problem(f"no weights at {path}", code=3)
    try:
        state = from_huggingface(load_file(path), config)
    except KeyError as error:
        raise Problem(f"{path} lacks the tensor {error}") from error
    encoder = PackedEncoder(config, dropout=dropout)
    encoder.load_state_dict(state, assign=True)
    return encoder


def save(encoder: PackedEncoder, state: Mapping[str, Tensor], folder: Path) -> None:
    """Writes config.json and model.safetensors, readable by `XLMRobertaModel.from_pretrained`.

    Args:
        encoder: gives the shape.
        state: the parameters to write, under our names.
        folder: where; each file is replaced whole.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in to_huggingface(state).items()}
    with replacing(folder / "model.safetensors") as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})
    special = {
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "type_vocab_size": 1,
        "hidden_act": "gelu",
    }
    write_json(
        folder / "config.json",
        {
            "model_type": "xlm-roberta",
            "architectures": ["XLMRobertaModel"],
            **special,
            **asdict(encoder.config),
        },
    )
