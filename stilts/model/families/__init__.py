"""Families of encoders that run packed: what differs between XLM-R and BERT, one file each.

A family is a module here with a `FAMILY`. All share one transformer; where positions begin, token types and
the names of tensors are a family's own. How sequences are framed is read off the tokenizer.
"""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from hpc.errors import UserError, unknown_name
from hpc.files import listing

HeadType = Literal["classify", "choice", "tag", "span"]

_SUFFIXES: Mapping[HeadType, str] = {
    "classify": "ForSequenceClassification",
    "choice": "ForMultipleChoice",
    "tag": "ForTokenClassification",
    "span": "ForQuestionAnswering",
}
_FUNCTION: Mapping[str, tuple[Any, ...]] = {
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
    "is_encoder_decoder": (False,),
    "pruned_heads": ({},),
    "chunk_size_feed_forward": (0,),
    "tie_word_embeddings": (True,),
}
"""Keys of config.json that change what an encoder computes, and the values that are computed here."""
_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """What is a family's own."""

    model_type: str
    """In config.json."""
    prefix: str
    """Of the encoder's tensors in a model with a head."""
    class_stem: str
    """Of its classes in transformers, as in `XLMRoberta` + `ForTokenClassification`."""
    first_position: int
    """Row of the position table that a sequence's first token takes."""
    has_token_types: bool
    """Whether the tokens of a second text are of a type of their own, where the tokenizer says so."""
    sentence_head: Mapping[str, str]
    """Modules of transformers' classifier, by ours: `dense` and `out`."""
    vocabulary_head: Mapping[str, str]
    """Tensors of the masked-language head, by ours."""
    unused: str
    """Pattern of the tensors, prefix aside, that no answer depends on here: they are carried along."""
    derived: str
    """Pattern of those that repeat others, and are dropped."""
    special_ids: Mapping[str, int]
    """What config.json says of special tokens."""
    fixed: Mapping[str, Any]
    """Keys of config.json that change the function, beyond those of all families, with what they must be."""

    def head_places(self, head: HeadType) -> Mapping[str, str]:
        """Where transformers keeps the modules of a head, by ours."""
        return {
            "classify": self.sentence_head,
            "choice": {"dense": f"{self.prefix}pooler.dense", "out": "classifier"},
            "tag": {"out": "classifier"},
            "span": {"out": "qa_outputs"},
        }[head]

    def architecture(self, head: HeadType | None) -> str:
        """Name of the class in transformers; of the encoder alone for None."""
        return self.class_stem + (_SUFFIXES[head] if head else "Model")

    def head_of(self, config: Mapping[str, Any]) -> HeadType | None:
        """The type of head that a config.json promises; None for an encoder alone."""
        named = config.get("architectures") or ()
        return next((head for head in _SUFFIXES if self.architecture(head) in named), None)


@cache
def families() -> dict[str, Family]:
    """All families by the model type of config.json."""
    names = [path.stem for path in listing(Path(__file__).parent, "[!_]*.py")]
    found = [importlib.import_module(f"{__name__}.{name}").FAMILY for name in names]
    return {family.model_type: family for family in found}


def family_of(config: Mapping[str, Any], where: Path) -> Family:
    """The family of a config.json, after all that changes what it computes was looked at.

    Args:
        config: the content.
        where: the file, for messages.

    Raises:
        UserError: another family, or a setting that is not computed here (code 3).
    """
    name = config.get("model_type")
    if name not in families():
        problem = unknown_name("model_type", str(name), families(), where=str(where))
        raise UserError(str(problem), code=3)
    family = families()[name]
    for key, allowed in {**_FUNCTION, **{key: (value,) for key, value in family.fixed.items()}}.items():
        if config.get(key) is not None and config[key] not in allowed:
            raise UserError(
                f"{where}: {key} = {config[key]!r} is not computed here, only {allowed[0]!r}", code=3
            )
    for key in (*_SIZES, "max_position_embeddings", "type_vocab_size"):
        value = config.get(key, 2 if key == "type_vocab_size" else None)
        if type(value) is not int or value < 1:
            raise UserError(f"{where}: {key} should be a whole number above 0, not {value!r}", code=3)
    if config["hidden_size"] % config["num_attention_heads"]:
        raise UserError(
            f"{where}: hidden_size {config['hidden_size']} is no multiple of num_attention_heads "
            f"{config['num_attention_heads']}",
            code=3,
        )
    epsilon = config.get("layer_norm_eps", 1e-12)
    if type(epsilon) not in (float, int) or not 0 < epsilon < math.inf:
        raise UserError(f"{where}: layer_norm_eps should be above 0, not {epsilon!r}", code=3)
    if config["max_position_embeddings"] <= family.first_position:
        raise UserError(f"{where}: max_position_embeddings leaves no position for a token", code=3)
    return family
