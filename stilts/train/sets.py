"""What a run trains on: sets with their heads, the order of their batches, and the model that is to learn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError
from hpc.settings import decode
from stilts import data, tasks
from stilts.data import Encoded
from stilts.model import multitask as models
from stilts.model.encoder.vocabulary import read_vocabulary_head
from stilts.model.multitask import HeadSpec, Model
from stilts.run.folder import RunFolder
from stilts.study.config import BATCH_SIZES, MaskedText, Optimisation
from stilts.tasks import Task
from stilts.tasks.types.mlm import Masking, masking
from stilts.tasks.types.pieces import open_tokenizer
from stilts.train.mixing import Interleaved, Mixture, Order, Size, capped, smoothed


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingSet:
    """A task's English training and development sets."""

    task: Task
    train: Encoded
    dev: Encoded


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """Batches of one set, and the head that learns from them."""

    head: str
    encoded: Encoded
    masking: Masking | None = None

    def batch(self, rows: NDArray[np.int64], *, step: int) -> data.Batch:
        """The batch of these items at an optimizer step."""
        batch = data.collate(self.encoded, rows)
        if self.masking is None:
            return batch
        masked = self.masking.apply(batch.input_ids, batch.lengths, rows, step=step)
        hidden = {"positions": masked.positions, "pieces": masked.pieces}
        return replace(batch, input_ids=masked.input_ids, targets=hidden)


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """All that a run trains on."""

    sets: Mapping[str, TrainingSet]
    """By task: they have heads and are looked at while training."""
    streams: Mapping[str, Stream]
    """By the names that `order` draws."""
    order: Order
    text: Task | None
    """What is masked beside the tasks."""


def feed(run: RunFolder, asked: Mapping[str, Any], weights: Path, settings: Optimisation) -> Feed:
    """Reads and tokenises everything a run trains on.

    Args:
        run: its cache is used.
        asked: fields of the run's specification.
        weights: folder whose tokenizer is used.
        settings: how the run is trained.
    """
    english = {name: _english(name, run, asked, weights, settings) for name in asked["tasks"]}
    streams = {name: Stream(head=name, encoded=one.train) for name, one in english.items()}
    for name, languages in asked.get("translations", {}).items():
        task = tasks.load(tasks.translated(name))
        for language in languages:
            encoded = _read(task, language, "train", run, asked, weights)
            if encoded.labels != english[name].train.labels:
                raise UserError(f"{task.name} {language} has other labels than {name}", code=3)
            streams[f"{name}/{language}"] = Stream(head=name, encoded=encoded)
    order: Order
    main = _mixture(streams, asked, settings)
    if "text" not in asked:
        return Feed(sets=english, streams=streams, order=main, text=None)
    text = tasks.load(asked["text"]["task"])
    texts = _texts(text, run, asked, weights)
    how = _how(asked)
    order = Interleaved(main, _languages(texts, how, settings, asked["seed"]), every=how.every)
    return Feed(sets=english, streams=streams | texts, order=order, text=text)


def build(parent: Path, fed: Feed, asked: Mapping[str, Any], settings: Optimisation) -> Model:
    """The model to train: the parent's encoder with new heads; probes keep the parent's heads beside them.

    The head of masked text starts from the parent's own where it has one.
    """
    heads = {
        name: HeadSpec(kind=one.task.kind, labels=tuple(one.train.labels), pooling=asked["pooling"])  # type: ignore[arg-type]
        for name, one in fed.sets.items()
    }
    loaded = models.load(parent, dropout=settings.dropout)
    if asked["regime"] == "random":
        loaded.trainable_encoder.reinitialise(asked["seed"])
    if asked["role"] == "heads":
        for parameter in loaded.parameters():
            parameter.requires_grad_(False)
        for name, head in heads.items():
            loaded.add_head(name, head, seed=asked["seed"])
        return loaded
    if fed.text is not None:
        heads[fed.text.name] = HeadSpec(kind="mlm")
    model = Model(loaded.encoder, heads, dropout=settings.dropout, seed=asked["seed"])
    if fed.text is not None and (known := read_vocabulary_head(parent)) is not None:
        model.heads[fed.text.name].load_state_dict(known)
    model.freeze(settings.frozen)
    return model


def _english(
    name: str, run: RunFolder, asked: Mapping[str, Any], weights: Path, settings: Optimisation
) -> TrainingSet:
    task = tasks.load(name)
    train = _read(task, "en", "train", run, asked, weights)
    dev = _read(task, "en", "dev", run, asked, weights, at_most=settings.dev_examples)
    return TrainingSet(task=task, train=train, dev=dev)


def _read(
    task: Task,
    language: str,
    split: str,
    run: RunFolder,
    asked: Mapping[str, Any],
    weights: Path,
    *,
    at_most: int | None = None,
) -> Encoded:
    limits = [limit for limit in (asked["limits"][task.name][split], at_most) if limit is not None]
    return data.load(
        task,
        language=language,
        split=split,
        tokenizer_file=weights / "tokenizer.json",
        max_length=task.max_length,
        sources=asked["sources"],
        limit=min(limits, default=None),
        cache=run.cache,
    )


def _mixture(streams: Mapping[str, Stream], asked: Mapping[str, Any], settings: Optimisation) -> Mixture:
    """The tasks, in proportion to their capped sizes; a task's translations belong to it."""
    sizes = {name: len(stream.encoded.num_tokens) for name, stream in streams.items()}
    own = asked.get("batch_sizes", {})
    default = _size({name: getattr(settings, name) for name in BATCH_SIZES})
    return Mixture(
        {name: stream.encoded.num_tokens for name, stream in streams.items()},
        weights=capped(sizes, asked["cap"], sets={name: stream.head for name, stream in streams.items()}),
        size={name: _size(own[one.head]) if one.head in own else default for name, one in streams.items()},
        seed=asked["seed"],
    )


def _size(given: Mapping[str, int | None]) -> Size:
    return Size(tokens=given.get("tokens_per_batch"), items=given.get("examples_per_batch"))


def _how(asked: Mapping[str, Any]) -> MaskedText:
    fields = {name: value for name, value in asked["text"].items() if name != "task"}
    how: MaskedText = decode(MaskedText, fields | {"phases": list(asked["tasks"])}, "text")
    return how


def _texts(text: Task, run: RunFolder, asked: Mapping[str, Any], weights: Path) -> dict[str, Stream]:
    """The text of each language, cut into blocks."""
    how = _how(asked)
    cut = replace(text, max_length=how.block)
    hiding = masking(open_tokenizer(weights / "tokenizer.json"), share=how.masked, seed=asked["seed"])
    return {
        f"{text.name}/{language}": Stream(
            head=text.name, encoded=_read(cut, language, "train", run, asked, weights), masking=hiding
        )
        for language in how.languages
    }


def _languages(texts: Mapping[str, Stream], how: MaskedText, settings: Optimisation, seed: int) -> Mixture:
    """Languages by the smoothed amount of text each has, whatever part of it is read."""
    blocks = {name: len(one.encoded.num_tokens) for name, one in texts.items()}
    whole = {
        name: blocks[name] * one.encoded.num_full / len(one.encoded.examples) for name, one in texts.items()
    }
    return Mixture(
        {name: one.encoded.num_tokens for name, one in texts.items()},
        weights=smoothed(whole, how.smoothing),
        size=_size({name: getattr(settings, name) for name in BATCH_SIZES}),
        seed=seed,
    )
