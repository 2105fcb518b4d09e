"""Model folders in Hugging Face's format, read and written here for all of the project.

What is read is read whole: a setting that is not computed here, a tensor that is missing or left over, of
another shape, or not finite is refused by name. Weights come out in fp32 by the names of the bare encoder.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from hpc.files import read_json, write_atomic, write_json
from stilts.model import tensors as files
from stilts.model.families import Family, family_of
from stilts.model.tensors import WEIGHTS, Tensors
from stilts.model.tokenizer import from_sentencepiece, from_wordpieces
from stilts.tasks.coding.pieces import parse_tokenizer, specials

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
PIECES = "sentencepiece.bpe.model"
WORDPIECES = "vocab.txt"
WORDS = "embeddings.word_embeddings.weight"
_ROWS: Mapping[str, str] = {
    "word": "vocab_size",
    "position": "max_position_embeddings",
    "token_type": "type_vocab_size",
}
_MODULES: Mapping[str, tuple[str, str]] = {
    "attention.self.query": ("hidden_size", "hidden_size"),
    "attention.self.key": ("hidden_size", "hidden_size"),
    "attention.self.value": ("hidden_size", "hidden_size"),
    "attention.output.dense": ("hidden_size", "hidden_size"),
    "intermediate.dense": ("intermediate_size", "hidden_size"),
    "output.dense": ("hidden_size", "intermediate_size"),
}
"""Matrices of a layer, with what gives their rows and columns."""
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A model in memory."""

    config: dict[str, Any]
    family: Family
    tensors: Tensors
    """Of the encoder, by the names of the bare one."""
    others: Tensors = field(default_factory=dict)
    """Heads and poolers, by their names without the encoder's prefix."""
    tokenizer: str = ""
    """The text of tokenizer.json, where it was asked for."""

    def module(self, places: Mapping[str, str]) -> Tensors:
        """Parameters of a head by our names; those it lacks are left out.

        Args:
            places: ours to transformers' modules, as `Family.head_places` has them.
        """
        names = {
            f"{ours}.{leaf}": f"{theirs.removeprefix(self.family.prefix)}.{leaf}"
            for ours, theirs in places.items()
            for leaf in ("weight", "bias")
        }
        return {ours: self.others[theirs] for ours, theirs in names.items() if theirs in self.others}

    @property
    def vocabulary_head(self) -> Tensors:
        """Parameters of the masked-language head by our names; empty where it has none."""
        places = self.family.vocabulary_head
        if not set(places.values()) <= self.others.keys():
            return {}
        return {ours: self.others[theirs] for ours, theirs in places.items()}


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a model folder.

    Raises:
        UserError: it is not there, or damaged (code 3).
    """
    try:
        config = read_json(folder / CONFIG)
    except FileNotFoundError as error:
        raise UserError(f"no model at {folder}: {CONFIG} is missing", code=3) from error
    if not isinstance(config, dict):
        raise UserError(f"{folder / CONFIG} is damaged: not a table", code=3)
    return config


def read(folder: Path) -> Checkpoint:
    """A model folder, but for its tokenizer.

    Raises:
        UserError: no model, or one that cannot be computed here as it says; which file and tensor (code 3).
    """
    config = read_config(folder)
    family = family_of(config, folder / CONFIG)
    config = {"type_vocab_size": 2, "layer_norm_eps": 1e-12} | config
    expected = dict(_shapes(config))
    tensors: Tensors = {}
    others: Tensors = {}
    found, paths = files.read_all(folder)
    for name, value in found.items():
        bare = name.removeprefix(family.prefix)
        if bare not in expected:
            others[bare] = value
        elif value.shape != expected[bare]:
            raise UserError(
                f"{paths[name]}: {name} has shape {value.shape}, not {expected[bare]} as {CONFIG} says",
                code=3,
            )
        else:
            tensors[bare] = value
    missing = [name for name in expected if name not in tensors]
    if missing:
        raise UserError(f"the weights in {folder} lack {len(missing)} tensors, {missing[0]} first", code=3)
    others = {name: value for name, value in others.items() if not re.fullmatch(family.derived, name)}
    _refuse_left_over(others, config, family, folder)
    return Checkpoint(config=config, family=family, tensors=tensors, others=others)


def read_tokenizer(folder: Path) -> str:
    """The text of a folder's tokenizer.json, made from what it has instead where it has none.

    Raises:
        UserError: there is no tokenizer (code 3).
    """
    if (folder / TOKENIZER).is_file():
        return (folder / TOKENIZER).read_text(encoding="utf-8")
    if (folder / PIECES).is_file():
        return str(from_sentencepiece((folder / PIECES).read_bytes()).to_str())
    if (folder / WORDPIECES).is_file():
        return str(from_wordpieces(folder / WORDPIECES).to_str())
    raise UserError(f"{folder} has no tokenizer: none of {TOKENIZER}, {PIECES}, {WORDPIECES}", code=3)


def separator(made: Checkpoint, folder: Path) -> int | None:
    """The token behind which token type 1 begins, which only the tokenizer beside the model knows.

    Raises:
        UserError: it tells two texts apart, and the model has one type of token.
    """
    if not made.family.has_token_types:
        return None
    found = specials(parse_tokenizer(read_tokenizer(folder).encode(), where=folder)).separator
    if found is not None and made.config["type_vocab_size"] < 2:
        raise UserError(f"the tokenizer in {folder} has two types of token, its model one", code=3)
    return found


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes config, weights and tokenizer, where it has one; `folder` exists and is nobody else's."""
    files.write(checkpoint.tensors | checkpoint.others, folder / WEIGHTS)
    write_json(folder / CONFIG, checkpoint.config)
    if not checkpoint.tokenizer:
        return
    write_atomic(folder / TOKENIZER, checkpoint.tokenizer)
    special = special_tokens(checkpoint.tokenizer)
    write_json(folder / "special_tokens_map.json", special)
    settings: dict[str, Any] = {
        "model_max_length": checkpoint.config["max_position_embeddings"] - checkpoint.family.first_position,
        "clean_up_tokenization_spaces": False,
    }
    if special["cls_token"] == "<s>":
        settings |= {"tokenizer_class": "XLMRobertaTokenizer", "mask_token": "<mask>"}
    else:
        # BERT's own class would build its tokenizer anew from the vocabulary; this one reads the file.
        names = ["input_ids", "token_type_ids", "attention_mask"]
        settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": names}
    write_json(folder / "tokenizer_config.json", special | settings)


def special_tokens(tokenizer: str) -> dict[str, Any]:
    """transformers' names of the special tokens of a tokenizer.json of XLM-R's or BERT's make."""
    added = {token["content"] for token in json.loads(tokenizer)["added_tokens"]}
    if "[CLS]" in added:
        names = {"cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "pad": "[PAD]", "mask": "[MASK]"}
        return {f"{role}_token": token for role, token in names.items()}
    plain = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
    return plain | {"unk_token": "<unk>", "pad_token": "<pad>", "mask_token": mask}


def encoder_alone(checkpoint: Checkpoint) -> Checkpoint:
    """Without a task's head; the pooler and the masked-language head stay."""
    family = checkpoint.family
    kept = {name: value for name, value in checkpoint.others.items() if re.fullmatch(family.unused, name)}
    dropped = ("torch_dtype", "transformers_version", "id2label", "label2id")
    config = {key: value for key, value in checkpoint.config.items() if key not in dropped}
    config |= {"architectures": [family.architecture(None)], "dtype": "float32"}
    return replace(checkpoint, config=config, others=kept)


def keep_layers(checkpoint: Checkpoint, layers: int) -> Checkpoint:
    """The first `layers` layers of the encoder.

    Raises:
        UserError: it has fewer.
    """
    there = checkpoint.config["num_hidden_layers"]
    if not 1 <= layers <= there:
        raise UserError(
            f"layers = {layers} was asked of a pretrained encoder that has {there}: choose 1 to {there}."
        )
    config = checkpoint.config | {"num_hidden_layers": layers}
    tensors = {name: checkpoint.tensors[name] for name, _ in _shapes(config)}
    return replace(checkpoint, config=config, tensors=tensors)


def keep_rows(checkpoint: Checkpoint, ids: NDArray[np.int64], *, tokenizer: str) -> Checkpoint:
    """The embedding rows `ids`, in that order, for the renumbered `tokenizer`."""
    bias = checkpoint.family.vocabulary_head["bias"]
    others = checkpoint.others | ({bias: checkpoint.others[bias][ids]} if bias in checkpoint.others else {})
    return replace(
        checkpoint,
        config=checkpoint.config | {"vocab_size": len(ids)},
        tensors=checkpoint.tensors | {WORDS: checkpoint.tensors[WORDS][ids]},
        others=others,
        tokenizer=tokenizer,
    )


def _refuse_left_over(names: Iterable[str], config: Mapping[str, Any], family: Family, folder: Path) -> None:
    head = family.head_of(config)
    places = family.head_places(head).values() if head else ()
    promised = {
        f"{place.removeprefix(family.prefix)}.{leaf}" for place in places for leaf in ("weight", "bias")
    }
    left = [name for name in names if name not in promised and not re.fullmatch(family.unused, name)]
    if left:
        raise UserError(
            f"the weights in {folder} hold {left[0]}, which {CONFIG} ({config['num_hidden_layers']} layers, "
            f"{', '.join(config.get('architectures') or ['no architecture'])}) has no use for: they do not "
            "belong together",
            code=3,
        )


def _shapes(config: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of each tensor of the encoder that config.json describes."""
    d = config["hidden_size"]
    for table, rows in _ROWS.items():
        yield f"embeddings.{table}_embeddings.weight", (config[rows], d)
    norms = ["embeddings.LayerNorm"]
    for layer in range(config["num_hidden_layers"]):
        for module, (rows, columns) in _MODULES.items():
            yield f"encoder.layer.{layer}.{module}.weight", (config[rows], config[columns])
            yield f"encoder.layer.{layer}.{module}.bias", (config[rows],)
        norms += [f"encoder.layer.{layer}.{norm}" for norm in _NORMS]
    for norm in norms:
        yield f"{norm}.weight", (d,)
        yield f"{norm}.bias", (d,)
