"""What a run trains on: sets with their heads, the order of their batches, and the model that is to learn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hpc.errors import UserError
from stilts import data, tasks
from stilts.data import Encoded
from stilts.data.subsets import held_out, subset
from stilts.model import checkpoint as checkpoints, folder as models
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from stilts.run.folder import RunFolder
from stilts.run.seeds import seed_of
from stilts.run.settings import Optimisation
from stilts.run.specs import BatchSize, Text, TrainSpec
from stilts.tasks import Task, types as task_types
from stilts.tasks.coding.pieces import open_tokenizer
from stilts.tasks.types.mlm import Masking, masking
from stilts.train.mixing import Interleaved, Mixture, Order, Size, capped, smoothed

HELD_OUT = 0.1
"""Share of a training set that chooses checkpoints, where a task has no development set of its own."""


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
class TrainingData:
    """All that a run trains on."""

    sets: Mapping[str, TrainingSet]
    """By task: they have heads and are looked at while training."""
    streams: Mapping[str, Stream]
    """By the names that `order` draws."""
    order: Order
    text: Task | None
    """What is masked beside the tasks."""

    @property
    def heads(self) -> set[str]:
        """Heads that are to learn."""
        return {one.head for one in self.streams.values()}


def training_data_of(run: RunFolder, asked: TrainSpec, weights: Path) -> TrainingData:
    """Reads and tokenises everything a run trains on.

    Args:
        run: its cache is used.
        asked: what the run was asked.
        weights: folder whose tokenizer is used.
    """
    english = {name: _english(name, run, asked, weights) for name in asked.tasks}
    streams = {name: Stream(head=name, encoded=one.train) for name, one in english.items()}
    for name, languages in asked.translations.items():
        task = tasks.load(tasks.translated(name))
        for language in languages:
            encoded = _read(task, language, "train", run, asked, weights)
            if encoded.labels != english[name].train.labels:
                raise UserError(f"{task.name} {language} has other labels than {name}", code=3)
            streams[f"{name}/{language}"] = Stream(head=name, encoded=encoded)
    order: Order
    main = _mixture(streams, asked, seed_of(asked.seed, run.id, "order"))
    if asked.text is None:
        return TrainingData(sets=english, streams=streams, order=main, text=None)
    text = tasks.load(asked.text.task)
    texts = _texts(text, asked.text, run, asked, weights)
    other = _languages(texts, asked.text, asked, seed_of(asked.seed, run.id, "text"))
    order = Interleaved(main, other, every=asked.text.every)
    return TrainingData(sets=english, streams=streams | texts, order=order, text=text)


def build(parent: Path, training_data: TrainingData, asked: TrainSpec, *, run_id: str) -> Model:
    """The model to train: the parent's encoder with new heads; probes keep the parent's heads beside them.

    The head of masked text starts from the parent's own where it has one.
    """
    heads = {}
    for name, one in training_data.sets.items():
        kind = task_types.load(one.task.type).head
        assert kind is not None, "only tasks with a head have a training set"
        heads[name] = HeadSpec(kind=kind, labels=tuple(one.train.labels), pooling=asked.pooling)
    settings, seed = asked.optimisation, seed_of(asked.seed, run_id, "heads")
    loaded = models.load(parent, dropout=settings.dropout)
    if asked.encoder == "random":
        loaded.trainable_encoder.reinitialise(seed_of(asked.seed, "random encoder"))
    if asked.phase == "heads":
        for parameter in loaded.parameters():
            parameter.requires_grad_(False)
        for name, head in heads.items():
            loaded.add_head(name, head, seed=seed)
        return loaded
    if training_data.text is not None:
        heads[training_data.text.name] = HeadSpec(kind="mlm")
    model = Model(loaded.encoder, heads, dropout=settings.dropout, seed=seed)
    if training_data.text is not None and (known := checkpoints.read(parent).vocabulary_head):
        state = {name: torch.from_numpy(value) for name, value in known.items()}
        model.heads[training_data.text.name].load_state_dict(state)
    model.freeze(settings.frozen)
    return model


def _english(name: str, run: RunFolder, asked: TrainSpec, weights: Path) -> TrainingSet:
    task = tasks.load(name)
    train = _read(task, "en", "train", run, asked, weights)
    if "dev" in task.splits:
        dev = _read(task, "en", "dev", run, asked, weights)
    else:
        train, dev = held_out(train, HELD_OUT)
    return TrainingSet(task=task, train=train, dev=subset(dev, asked.dev_examples.get(name)))


def _read(
    task: Task,
    language: str,
    split: str,
    run: RunFolder,
    asked: TrainSpec,
    weights: Path,
) -> Encoded:
    return data.load(
        task,
        language=language,
        split=split,
        tokenizer_file=weights / "tokenizer.json",
        max_length=task.max_length,
        sources=asked.sources,
        limit=asked.limit(task.name, split),
        cache=run.cache,
    )


def _mixture(streams: Mapping[str, Stream], asked: TrainSpec, seed: int) -> Mixture:
    """The tasks, in proportion to their capped sizes; a task's translations belong to it."""
    sizes = {name: len(stream.encoded.num_tokens) for name, stream in streams.items()}
    own, default = asked.batch_sizes, _size(asked.optimisation)
    return Mixture(
        {name: stream.encoded.num_tokens for name, stream in streams.items()},
        weights=capped(
            sizes, asked.example_cap, sets={name: stream.head for name, stream in streams.items()}
        ),
        size={name: _size(own[one.head]) if one.head in own else default for name, one in streams.items()},
        seed=seed,
    )


def _size(given: BatchSize | Optimisation) -> Size:
    return Size(tokens=given.tokens_per_batch, items=given.examples_per_batch)


def _texts(text: Task, how: Text, run: RunFolder, asked: TrainSpec, weights: Path) -> dict[str, Stream]:
    """The text of each language, cut into blocks."""
    cut = replace(text, max_length=how.block)
    hiding = masking(
        open_tokenizer(weights / "tokenizer.json"),
        share=how.masked,
        seed=seed_of(asked.seed, run.id, "masks"),
    )
    return {
        f"{text.name}/{language}": Stream(
            head=text.name, encoded=_read(cut, language, "train", run, asked, weights), masking=hiding
        )
        for language in how.languages
    }


def _languages(texts: Mapping[str, Stream], how: Text, asked: TrainSpec, seed: int) -> Mixture:
    """Languages by the smoothed amount of text each has, whatever part of it is read."""
    blocks = {name: len(one.encoded.num_tokens) for name, one in texts.items()}
    whole = {
        name: blocks[name] * one.encoded.num_full / len(one.encoded.examples) for name, one in texts.items()
    }
    return Mixture(
        {name: one.encoded.num_tokens for name, one in texts.items()},
        weights=smoothed(whole, how.smoothing),
        size=_size(asked.optimisation),
        seed=seed,
    )
