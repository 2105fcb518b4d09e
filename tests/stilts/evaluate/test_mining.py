"""Mining in an evaluation: the threshold comes from dev, and dev's own score is recorded beside the test
score.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from stilts.evaluate.evaluator import Evaluator
from stilts.evaluate.fitting import BatchSizeFinder
from stilts.evaluate.retrieving import Retriever, Side
from stilts.evaluate.store import Cell, Store, StoredCell
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.settings import Retrieval


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
