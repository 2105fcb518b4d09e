"""The shape of an XLM-R encoder."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hpc.errors import UserError


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
    def head_size(self) -> int:
        """Dimensions of an attention head."""
        return self.hidden_size // self.num_attention_heads

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
            UserError: no model there, or not an XLM-R.
        """
        path = folder / "config.json"
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise UserError(f"no model at {folder}: {path.name} is missing", code=3) from error
        if table.get("model_type") != "xlm-roberta":
            raise UserError(
                f"{path}: model_type is {table.get('model_type')!r}; only xlm-roberta can be packed"
            )
        return cls(**{name: table[name] for name in cls.__dataclass_fields__ if name in table})
