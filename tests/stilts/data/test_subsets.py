"""A part of a development set is drawn at random, once, and answers as it does within the whole."""

import numpy as np
import pytest

from stilts import data, tasks
from stilts.data.subsets import held_out, subset
from stilts.tasks import types as task_types
from stilts.tasks.coding.ragged import Ragged


@pytest.fixture
def load(tokenizer_file, tmp_path):
    def loaded(name: str):
        return data.load(
            name, language="en", split="dev", tokenizer_file=tokenizer_file, max_length=40,
            sources=("embedded",), cache=tmp_path, limit=60,
        )  # fmt: skip

    return loaded


@pytest.mark.parametrize("name", ["mnli", "hellaswag", "squad_v1", "udpos"])
def test_items_stay_with_their_examples(load, name: str) -> None:
    whole, part = load(name), subset(load(name), 20)
    assert len(part.examples) == 20
    places = [list(whole.examples["id"]).index(one) for one in part.examples["id"]]
    assert places == sorted(places)
    assert places != list(range(20)), "not the head of the file"
    assert [whole.examples[place] for place in places] == [part.examples[n] for n in range(20)]
    owner, before = np.asarray(part.columns["example"]), np.asarray(whole.columns["example"])
    assert sorted(set(owner.tolist())) == list(range(20))
    for column in ("input_ids", "lengths"):
        kept, of = part.columns[column], whole.columns[column]
        assert isinstance(kept, Ragged)
        assert isinstance(of, Ragged)
        for number, place in enumerate(places):
            mine = [kept.rows()[row].tolist() for row in np.flatnonzero(owner == number)]
            assert mine == [of.rows()[row].tolist() for row in np.flatnonzero(before == place)]
    outputs = np.random.default_rng(0).normal(
        size=(int(task_types.load(whole.type).sizes(part.columns).sum()), 3)
    )
    decode = task_types.load(whole.type).decode
    assert decode is not None
    shaped = outputs[:, :2] if name == "squad_v1" else outputs[:, :1] if name == "hellaswag" else outputs
    if name == "udpos":
        shaped = np.resize(outputs, (len(outputs), len(tasks.load(name).labels)))
    assert len(decode(shaped.astype(np.float32), part).values) == 20


def test_it_is_the_same_part_each_time_and_no_more_than_there_is(load) -> None:
    mnli = load("mnli")
    assert list(subset(mnli, 7).examples["id"]) == list(subset(load("mnli"), 7).examples["id"])
    assert subset(mnli, None) is mnli
    assert subset(mnli, 60) is mnli


def test_what_is_held_out_shares_no_passage_and_nothing_is_lost(tokenizer_file, tmp_path) -> None:
    whole = data.load(
        "tydiqa", language="en", split="train", tokenizer_file=tokenizer_file, max_length=40,
        sources=("embedded",), cache=tmp_path, limit=200,
    )  # fmt: skip
    train, dev = held_out(whole, 0.1)
    assert (dev.split, train.split) == ("dev", "train")
    assert not set(train.examples["cluster"]) & set(dev.examples["cluster"])
    assert sorted([*train.examples["id"], *dev.examples["id"]]) == sorted(whole.examples["id"])
    assert 0.02 < len(dev.examples) / len(whole.examples) < 0.3
    again = held_out(whole, 0.1)[1]
    assert list(again.examples["id"]) == list(dev.examples["id"])


def test_no_task_that_is_trained_on_chooses_by_what_it_reports() -> None:
    for name in tasks.names():
        task = tasks.load(name)
        if "train" in task.splits and "test" in task.splits:
            assert task.splits.get("dev") != task.splits["test"], name
