"""Mining in an evaluation: the threshold comes from dev, and dev's own score is recorded beside the test
score.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from stilts import tasks
from stilts.evaluate.evaluator import Evaluator
from stilts.evaluate.fitting import BatchSizeFinder
from stilts.evaluate.retrieving import Retriever, Side
from stilts.evaluate.store import Cell, Store, StoredCell
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.settings import OURS, Retrieval, Rules


def encoded(language: str, size: int) -> Any:
    texts = [f"sentence {n}" for n in range(size)]
    examples = {"id": [str(n) for n in range(size)], "english": texts, "foreign": texts}
    return SimpleNamespace(
        language=language, examples=examples, num_full=size, size=size, version="embedded x", labels=()
    )


def sides(_: Any, pool: Any) -> tuple[Side, Side]:
    """English and foreign vectors that agree, but for the last pair, which points elsewhere."""
    generator = np.random.default_rng(pool.size)
    vectors = generator.normal(size=(pool.size, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    other = vectors.copy()
    other[-1] = -other[-1]
    rows = np.arange(pool.size, dtype=np.int32)
    texts = pool.examples["english"]
    return Side(rows=rows, vectors=vectors, texts=texts), Side(rows=rows, vectors=other, texts=texts)


def test_mining_writes_the_dev_score_it_was_tuned_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, loaded, device = Store(RunFolder(tmp_path / "mnli-s1.eval")), SimpleNamespace(model=None), "cpu"
    evaluator = Evaluator(
        cast("Any", loaded),
        store,
        retrieval=Retrieval(),
        rules=OURS,
        fitting=BatchSizeFinder(512, device=device, say=print),
        cache=tmp_path,
    )
    monkeypatch.setattr(Retriever, "sides", lambda self, task, pool: sides(task, pool))
    pools = {"dev": encoded("de", 30), "test": encoded("de", 50)}
    monkeypatch.setattr(Evaluator, "_read", lambda self, task, kept, split, rows: pools[split])
    cell = Cell(
        task="bucc2018",
        language="de",
        split="test",
        limit="",
        model="0" * 64,
        head="",
        dtype="fp32",
        max_length=512,
        source="embedded",
        version="x",
    )
    common = {
        "run_id": "x",
        "study": "mini",
        "regime": "single",
        "intermediate": "mnli",
        "seed": 1,
        "note": "",
    }
    evaluator.answer(
        StoredCell(
            cell=cell,
            sources=(),
            rows=None,
            dev_rows=None,
            num_full=0,
            common=common | {"seed": 1, "note": ""},
        )
    )

    rows = records.read("scores", [store.folder.records / "scores"]).to_pylist()
    found = {row["split"]: (row["n"], row["value"]) for row in rows}
    assert found["dev"][0] == 30
    assert found["test"][0] == 50
    assert 90 < found["dev"][1] < 100
    assert 60 < found["test"][1] < 100, "the threshold is not the one the test set would like best"
    predictions = records.read("predictions", [store.folder.predictions])
    assert set(predictions["split"].to_pylist()) == {"test"}


def retriever(
    monkeypatch: pytest.MonkeyPatch, rules: Rules, pools: dict[str, tuple[Side, Side]]
) -> Retriever:
    monkeypatch.setattr(Retriever, "sides", lambda self, task, pool: pools[pool.name])
    return Retriever(cast("Any", None), Retrieval(), rules, tokens_per_batch=512)


def pool(
    name: str, english: list[str], foreign: list[str], turned: bool = False
) -> tuple[Any, tuple[Side, Side]]:
    """Sentences as vectors that agree where their texts do; `turned`: where a sentence's neighbour's do."""
    distinct = sorted({*english, *foreign})
    random = np.random.default_rng(len(distinct)).normal(size=(len(distinct), 32)).astype(np.float32)
    unit = random / np.linalg.norm(random, axis=1, keepdims=True)
    found = []
    for texts, by in ((english, 0), (foreign, int(turned))):
        vectors = np.stack([unit[(distinct.index(text) + by) % len(distinct)] for text in texts])
        found.append(Side(rows=np.arange(len(texts), dtype=np.int32), vectors=vectors, texts=texts))
    examples = {"id": [str(n) for n in range(len(english))], "english": english, "foreign": foreign}
    return SimpleNamespace(name=name, language="de", examples=examples), (found[0], found[1])


def test_sentences_that_stand_twice_by_either_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks.load("bucc2018")
    texts = [f"s{n}" for n in range(9)]
    dev, test = pool("dev", texts, texts), pool("test", [*texts, "s3"], [*texts, "s3"])
    pools = {"dev": dev[1], "test": test[1]}
    ours = retriever(monkeypatch, OURS, pools).mine(task, dev[0], test[0]).test.predictions
    theirs = (
        retriever(monkeypatch, Rules(duplicates="xtreme"), pools).mine(task, dev[0], test[0]).test.predictions
    )
    assert sorted(ours) == [(n, n) for n in range(9)]
    assert sorted(theirs) == [(n, n) for n in range(9) if n != 3]


def test_the_threshold_where_nothing_is_right_by_either_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    task = tasks.load("bucc2018")
    texts = [f"s{n}" for n in range(9)]
    dev, test = pool("dev", texts, texts, turned=True), pool("test", texts, texts)
    pools = {"dev": dev[1], "test": test[1]}
    ours = retriever(monkeypatch, OURS, pools).mine(task, dev[0], test[0])
    theirs = retriever(monkeypatch, Rules(threshold="xtreme"), pools).mine(task, dev[0], test[0])
    assert ours.test.predictions == []
    assert len(theirs.test.predictions) == 9
    assert theirs.dev.scored.values == {"f1": 0.0}
