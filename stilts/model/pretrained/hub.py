"""XLM-R checkpoints as Hugging Face has them: from the Hub by name and revision, or from a folder."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from hpc.errors import UserError
from stilts.model.pretrained.checkpoint import CONFIG, TOKENIZER, WEIGHTS, Checkpoint, Tensors
from stilts.model.pretrained.tokenizer import from_sentencepiece

INDEX = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"
PIECES = "sentencepiece.bpe.model"
_KEPT = re.compile(r"(?:roberta\.)?((?:embeddings|encoder|pooler|lm_head)\..+)")
_DERIVED = re.compile(r"lm_head\.decoder\.|embeddings\.(position_ids|token_type_ids)$")


def download(name: str, *, revision: str) -> Path:
    """The folder of the Hub's local cache that holds `name` at `revision`, fetched where it is not there yet.

    Raises:
        UserError: the checkpoint does not exist, or is not in the cache and the Hub cannot be reached.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RemoteEntryNotFoundError

    def fetch(file: str) -> Path:
        return Path(hf_hub_download(name, file, revision=revision))

    def fetch_first(*files: str) -> Path:
        for file in files[:-1]:
            try:
                return fetch(file)
            except (RemoteEntryNotFoundError, FileNotFoundError):
                continue
        return fetch(files[-1])

    try:
        config = fetch(CONFIG)
        weights = fetch_first(WEIGHTS, INDEX, PICKLED)
        if weights.name == INDEX:
            for shard in _shards(weights):
                fetch(shard)
        fetch_first(TOKENIZER, PIECES)
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"the pretrained checkpoint {name} at {revision} could not be had from the Hub ({reason}): "
            "fetch it where there is a network, or name a folder that holds it.",
            code=3,
        ) from error
    return config.parent


def read_folder(folder: Path) -> Checkpoint:
    """Reads an XLM-R folder; weights come out in fp32 by the names of the bare encoder.

    The pooler and the masked-language-model head stay where the checkpoint has them.
    """
    config = _read_config(folder)
    tensors = _named(_read_weights(folder))
    if not any(name.startswith("embeddings.") for name in tensors):
        raise UserError(f"{folder} holds no XLM-R encoder: its weights have other names.", code=3)
    plain = {"architectures": ["XLMRobertaModel"], "dtype": "float32"}
    kept = {key: value for key, value in config.items() if key not in ("torch_dtype", "transformers_version")}
    return Checkpoint(config=kept | plain, tensors=tensors, tokenizer=_read_tokenizer(folder))


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        raise UserError(f"{folder} is no pretrained checkpoint: it has no {CONFIG}.", code=3)
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if config.get("model_type") != "xlm-roberta":
        raise UserError(
            f"{path} says model_type {config.get('model_type')!r}; this study needs 'xlm-roberta'."
        )
    return config


def _read_weights(folder: Path) -> Tensors:
    if (folder / WEIGHTS).is_file():
        return _read_safetensors(folder / WEIGHTS)
    if (folder / INDEX).is_file():
        tensors: Tensors = {}
        for shard in _shards(folder / INDEX):
            tensors |= _read_safetensors(folder / shard)
        return tensors
    if (folder / PICKLED).is_file():
        import torch

        state = torch.load(folder / PICKLED, map_location="cpu", weights_only=True)
        return {name: value.float().numpy() for name, value in state.items()}
    raise UserError(f"{folder} has no weights: none of {WEIGHTS}, {INDEX}, {PICKLED}.", code=3)


def _shards(index: Path) -> list[str]:
    return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))


def _read_safetensors(path: Path) -> Tensors:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        names = list(file.keys())
        if all(file.get_slice(name).get_dtype() != "BF16" for name in names):
            return {name: file.get_tensor(name).astype(np.float32, copy=False) for name in names}
    with safe_open(path, framework="pt") as file:  # numpy has no bfloat16
        return {name: file.get_tensor(name).float().numpy() for name in names}


def _named(tensors: Tensors) -> Tensors:
    matches = {_KEPT.fullmatch(name): value for name, value in tensors.items()}
    return {match[1]: value for match, value in matches.items() if match and not _DERIVED.match(match[1])}


def _read_tokenizer(folder: Path) -> str:
    path = folder / TOKENIZER
    if path.is_file():
        return path.read_text(encoding="utf-8")
    if not (folder / PIECES).is_file():
        raise UserError(f"{folder} has no tokenizer: neither {TOKENIZER} nor {PIECES}.", code=3)
    return str(from_sentencepiece((folder / PIECES).read_bytes()).to_str())
