"""The shape of an encoder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from stilts.model.families import Family, families


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderConfig:
    """The shape of an encoder, in the names of Hugging Face's config.json."""

    model_type: str = "xlm-roberta"

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    layer_norm_eps: float = 1e-5
    type_vocab_size: int = 1
    separator: int | None = None
    """Token behind which token type 1 begins; None where all tokens are of type 0."""

    @property
    def family(self) -> Family:
        """What it is a member of."""
        return families()[self.model_type]

    @property
    def head_size(self) -> int:
        """Dimensions of an attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def max_tokens(self) -> int:
        """The longest sequence: as many tokens as the position table has rows for."""
        return self.max_position_embeddings - self.family.first_position

    @property
    def layer_parameters(self) -> int:
        """Weights of the matrices of a layer."""
        d = self.hidden_size
        return 4 * d * d + 2 * d * self.intermediate_size

    def forward_flops(self, lengths: Iterable[int]) -> float:
        """Floating-point operations of one forward pass; the embeddings are looked up."""
        return self.num_hidden_layers * sum(self.layer_flops(lengths))

    def input_flops(self, lengths: Iterable[int]) -> float:
        """Operations of a layer's queries, keys and values, and as many for the gradient of its input."""
        return 2.0 * 3 * self.hidden_size**2 * sum(lengths)

    def layer_flops(self, lengths: Iterable[int]) -> tuple[float, float]:
        """Operations of one layer's forward pass: two a weight and token, and attention's products."""
        sizes = list(lengths)
        attention = 4.0 * self.hidden_size * sum(size * size for size in sizes)
        return 2.0 * self.layer_parameters * sum(sizes), attention

    @classmethod
    def of(cls, config: Mapping[str, Any], *, separator: int | None = None) -> "EncoderConfig":
        """The shape that a checked config.json describes."""
        known = {field.name: config[field.name] for field in fields(cls) if field.name in config}
        return cls(**known | {"separator": separator})

    def as_json(self) -> dict[str, Any]:
        """The content of config.json, but for the architecture."""
        shape = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "separator"}
        return {**self.family.special_ids, "hidden_act": "gelu", "dtype": "float32", **shape}
