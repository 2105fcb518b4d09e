"""Checkpoints of the Hugging Face Hub, by name and revision."""

from pathlib import Path

from hpc.errors import UserError
from stilts.model.checkpoint import CONFIG, PIECES, TOKENIZER, WORDPIECES
from stilts.model.tensors import INDEX, PICKLED, WEIGHTS, shards


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
            for shard in shards(weights):
                fetch(shard)
        if fetch_first(TOKENIZER, PIECES, WORDPIECES).name == WORDPIECES:
            fetch("tokenizer_config.json")
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"the pretrained checkpoint {name} at {revision} could not be fetched from the Hub ({reason}): "
            "fetch it where there is a network, or name a folder that holds it.",
            code=3,
        ) from error
    return config.parent
