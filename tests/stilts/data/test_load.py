"""Loading through the embedded source: what is built, what is cached, what is refused."""

import errno
import json
import multiprocessing
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hpc.errors import UserError
from hpc.files import build_once
from stilts import data, tasks
from stilts.data import tokens as encoding
from stilts.data.entries import made_by
from stilts.run.settings import Limits
from stilts.tasks import types as task_types

KINDS = {
    "classify": "xnli",
    "choice": "commonsenseqa",
    "span": "squad_v1",
    "tag": "udpos",
    "retrieve": "tatoeba",
}


@pytest.fixture
def load(tokenizer_file: Path, tmp_path: Path):
    def call(task: str, **changes) -> data.Encoded:
        language = {"retrieve": "de"}.get(tasks.load(task).type, "en")
        split = "dev" if "dev" in tasks.load(task).splits else "train"
        asked = {
            "language": language,
            "split": split,
            "tokenizer_file": tokenizer_file,
            "max_length": 48,
            "sources": ("embedded",),
            "cache": tmp_path / "cache",
            "limit": 20,
        }
        return data.load(task, **asked | changes)

    return call


@pytest.mark.parametrize("kind", KINDS)
def test_a_set_is_tokenised_as_its_kind_does(kind: str, load, tokenizer) -> None:
    task = tasks.load(KINDS[kind])
    encoded = load(task.name)
    language, split = encoded.language, encoded.split
    examples = list(data.read(task, language=language, split=split, sources=("embedded",), limit=20))
    assert list(encoded.examples) == examples
    assert len({example["id"] for example in examples}) == len(examples) == 20
    labels = task.labels or ()
    direct = task_types.load(kind).encode(
        examples, task_types.Coding(tokenizer=tokenizer, max_length=48, labels=labels)
    )
    assert set(encoded.columns) == set(direct) == set(encoded.features.column_names)
    for name, column in direct.items():
        found = encoded.columns[name]
        if isinstance(column, task_types.Ragged):
            np.testing.assert_array_equal(found.values, column.values)
            np.testing.assert_array_equal(found.offsets, column.offsets)
        else:
            np.testing.assert_array_equal(found, column)
    row = encoded.features[3]
    assert row["input_ids"].dtype == np.int64 or row["input_ids"].dtype == np.int32
    assert len(row["input_ids"]) == row["num_tokens"] == encoded.num_tokens[3]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_its_rows_end_to_end(kind: str, load) -> None:
    encoded = load(KINDS[kind])
    rows = np.asarray([7, 2, 2, 11])
    batch = data.collate(encoded, rows)
    items = [encoded.features[int(row)] for row in rows]
    assert batch.input_ids.tolist() == [token for item in items for token in item["input_ids"]]
    assert batch.lengths.tolist() == [length for item in items for length in np.atleast_1d(item["lengths"])]
    assert (batch.input_ids.dtype, batch.lengths.dtype, batch.items) == (np.int64, np.int32, 4)
    assert batch.lengths.sum() == len(batch.input_ids)
    for name in ("label", "start", "end"):
        if name in batch.targets:
            assert batch.targets[name].tolist() == [int(item[name]) for item in items]
    assert {value.dtype for value in batch.targets.values()} <= {np.dtype(np.int64)}


def test_columns_are_views_of_the_mapped_file(load) -> None:
    encoded = load("mnli")
    values = encoded.columns["input_ids"].values
    assert not values.flags.owndata
    assert not values.flags.writeable
    assert len(encoded.features.data.table.column("input_ids").chunks) == 1


def test_examples_beyond_one_step_keep_their_numbers(load, monkeypatch, tmp_path: Path) -> None:
    whole = load("squad_v1", max_length=32)
    monkeypatch.setattr(encoding, "_STEP", 6)
    pieced = load("squad_v1", max_length=32, cache=tmp_path / "other")
    assert pieced.columns["example"].tolist() == whole.columns["example"].tolist()
    assert pieced.columns["input_ids"].values.tolist() == whole.columns["input_ids"].values.tolist()
    assert list(pieced.examples) == list(whole.examples)
    assert pieced.columns["example"].max() == 19
    assert len(pieced.columns["example"]) > 20


def folders(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.is_dir())


def test_the_second_time_nothing_is_built(load, tmp_path: Path, monkeypatch) -> None:
    first = load("mnli")
    monkeypatch.setattr(encoding, "_write", lambda *_: pytest.fail("built again"))
    again = load("mnli")
    assert again.columns["input_ids"].values.tolist() == first.columns["input_ids"].values.tolist()
    (name,) = folders(tmp_path / "cache")
    assert name.startswith("mnli.en.dev-")
    described = json.loads((tmp_path / "cache" / name / "entry.json").read_text())
    assert described["source"] == "embedded"
    assert described["limit"] == 20


def test_whatever_changes_the_tokens_changes_the_entry(load, tmp_path: Path, tokenizer, monkeypatch) -> None:
    load("mnli")
    other = tmp_path / "other.json"
    tokenizer.save(str(other), pretty=True)
    changes = [
        {"limit": 19},
        {"seed": 1},
        {"max_length": 40},
        {"tokenizer_file": other},
        {"split": "train"},
    ]
    for number, change in enumerate(changes, start=2):
        load("mnli", **change)
        assert len(folders(tmp_path / "cache")) == number, change
    for number, changed in enumerate(({"code": "newer"}, {"tokenizers": "9.9"}), start=len(changes) + 2):
        monkeypatch.setattr(encoding, "made_by", lambda task, changed=changed: made_by(task) | changed)
        load("mnli")
        assert len(folders(tmp_path / "cache")) == number


def test_another_task_or_a_change_elsewhere_leaves_an_entry_as_it_is(monkeypatch) -> None:
    """The code of an entry is that of its type, its task and its formats."""
    seen: list[Path] = []
    monkeypatch.setattr("stilts.data.versions.of_code", lambda *places: seen.extend(places) or "x")
    made_by(tasks.load("mnli"))
    assert {path.name for path in seen} == {
        *("__init__.py", "pieces.py", "ragged.py", "sequences.py", "classify.py"),
        *("mnli.py", "_pairs.py", "_columns.py", "parquet.py", "jsonl.py", "tsv.py", "reading.py"),
    }


@pytest.mark.parametrize("harm", ["cut", "emptied", "gone", "torn entry", "swapped"])
def test_an_entry_that_is_not_whole_is_built_anew_aloud(load, tmp_path: Path, harm: str, caplog) -> None:
    first = load("mnli").columns["input_ids"].values.tolist()
    (name,) = folders(tmp_path / "cache")
    features = tmp_path / "cache" / name / "features.arrow"
    content = features.read_bytes()
    if harm == "torn entry":
        (features.parent / "entry.json").write_text('{"half')
    elif harm == "gone":
        features.unlink()
    else:
        features.write_bytes({"cut": content[:-9], "emptied": b"", "swapped": content[::-1]}[harm])
    assert load("mnli").columns["input_ids"].values.tolist() == first
    assert "it is built anew" in caplog.text
    caplog.clear()
    assert load("mnli").columns["input_ids"].values.tolist() == first
    assert caplog.text == ""


def test_dev_and_test_of_a_single_set_share_an_entry(load, tmp_path: Path) -> None:
    assert load("tatoeba", split="dev").split == "dev"
    assert load("tatoeba", split="test").split == "test"
    assert len(folders(tmp_path / "cache")) == 1


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        ("xnli", {"language": "xx"}, "unknown language 'xx' in task xnli"),
        ("xnli", {"split": "train"}, "unknown split 'train' in task xnli"),
        ("xnli", {"sources": ("hub",)}, "no data for xnli en dev: hub: "),
        ("xnli", {"sources": ()}, "the study names no source"),
        ("tatoeba", {"language": "jv"}, "no data for tatoeba jv test: embedded: nothing in 'jv'"),
        ("panx", {"language": "ka"}, "no data for panx ka dev: embedded: unknown language 'ka'"),
        ("mnli", {"tokenizer_file": Path("nowhere.json")}, "no tokenizer at nowhere.json"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(load, task: str, changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        load(task, **changes)
    assert "\n" not in str(raised.value)


def test_sources_are_tried_in_order(load) -> None:
    assert len(load("mnli", sources=("nowhere", "embedded")).examples) == 20


def test_a_failed_build_leaves_nothing_behind(load, tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(encoding, "_write_features", fail)
    with pytest.raises(RuntimeError, match="on fire"):
        load("mnli")
    assert folders(tmp_path / "cache") == []
    monkeypatch.undo()
    assert len(load("mnli").examples) == 20


def _build_slowly(cache: Path, log: Path) -> None:
    def build(folder: Path) -> None:
        with open(log, "a") as file:
            file.write("built\n")
        time.sleep(0.3)
        (folder / "data").write_text("whole")

    assert (build_once(cache / "entry", build) / "data").read_text() == "whole"


def test_processes_that_ask_at_once_build_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_build_slowly, args=(tmp_path, tmp_path / "log")) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert (tmp_path / "log").read_text() == "built\n"
    assert folders(tmp_path) == ["entry"]


def test_without_locks_one_whole_result_stays(tmp_path: Path, monkeypatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr("fcntl.flock", no_locks)

    def build(folder: Path) -> None:
        (folder / "data").write_text("mine")
        (tmp_path / "entry").mkdir()
        (tmp_path / "entry" / "data").write_text("theirs")

    assert (build_once(tmp_path / "entry", build) / "data").read_text() == "mine"
    assert folders(tmp_path) == ["entry"]


def test_a_cache_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to"):
        build_once(tmp_path / "file" / "entry", lambda folder: None)


def test_labels_of_categories_do_not_hang_on_the_limit(load) -> None:
    few, many = load("ccg", limit=2), load("ccg", limit=20)
    assert few.labels == many.labels == data.labels("ccg", sources=("embedded",))
    assert list(few.labels) == sorted(set(few.labels))
    assert {tag for tags in many.examples["tags"] for tag in tags} <= set(many.labels)
    assert (many.columns["tags"].values >= 0).all()
    assert data.labels("xnli", sources=()) == ("entailment", "neutral", "contradiction")


def test_a_pool_to_mine_keeps_its_distractors(load) -> None:
    encoded = load("bucc2018", limit=5)
    both = [
        bool(e) and bool(f)
        for e, f in zip(encoded.examples["english"], encoded.examples["foreign"], strict=True)
    ]
    assert sum(both) == 5
    assert both[:5] == [True] * 5
    assert len(both) > 50
    assert encoded.num_full > 5
    assert len(encoded.columns["example"]) == len(both) + 5
    assert len(set(encoded.examples["id"])) == len(both)


def test_the_corpus_is_every_text_that_is_tokenised() -> None:
    limits = {name: Limits(train=3, dev=2, test=2) for name in ("panx", "xquad", "tatoeba")}
    texts = {"panx": ["en", "de"], "xquad": ["zh"], "tatoeba": ["de"]}
    got = list(data.corpus(texts, sources=("embedded",), limits=limits))
    expected = []
    for name, language, split in [
        *[("panx", "en", split) for split in ("train", "dev", "test")],
        *[("panx", "de", split) for split in ("dev", "test")],
        *[("xquad", "zh", "test")] * 2,
        *[("tatoeba", "de", "test")] * 2,
    ]:
        limit = limits[name].of(split)
        for example in data.read(name, language=language, split=split, sources=("embedded",), limit=limit):
            expected += list(task_types.load(tasks.load(name).type).texts(example))
    assert got == expected


def test_rows_of_another_language_in_the_same_file_are_left_out() -> None:
    from stilts.data.reading import examples_of

    def row(name: str) -> dict:
        answers = {"text": ["b"], "answer_start": [2]}
        return {"id": name, "question": "?", "context": "a b", "answers": answers}

    rows = [row("english-1"), row("finnish-2"), row("finnish-3")]
    chosen = SimpleNamespace(source=SimpleNamespace(rows=lambda *_, **__: rows))
    found = examples_of(chosen, tasks.load("tydiqa"), language="fi", split="test", limit=None, seed=0)
    assert [example["id"] for example in found] == ["finnish-2", "finnish-3"]
