"""Models, data sets and submissions that would make an answer untrue."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from stilts.corpora import __main__ as corpora

MODEL = "mnli-s1.xnli"


def with_weights(study: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Sealed, as if a training had ended so."""
    path = study.root / MODEL / "weights" / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})
    study.seal(MODEL)


def planted(number: float, end: str) -> Callable[[dict[str, Any]], None]:
    def plant(tensors: dict[str, Any]) -> None:
        name = next(name for name in tensors if name.endswith(end))
        tensors[name].reshape(-1)[0] = number

    return plant


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("end", ["word_embeddings.weight", "LayerNorm.bias", "dense.weight", "dense.bias"])
def test_one_number_that_is_none(study: Any, number: float, end: str) -> None:
    with_weights(study, planted(number, end))
    said = study.evaluate(
        "run", "--model", str(study.root / MODEL), "--tasks", "xnli", "--languages", "de", "--limit", "4"
    )
    assert "holds numbers that are not finite" in said
    assert "exit code 3" in said


def test_weights_of_another_run(study: Any) -> None:
    """Of the same size, so that only their contents tell."""
    for path in (study.root / MODEL / "weights").glob("*.safetensors"):
        shutil.copy(study.root / "mnli-s2.xnli" / "weights" / path.name, path)
    said = study.evaluate("run", "--model", str(study.root / MODEL), "--tasks", "xnli", "--limit", "4")
    assert f"{MODEL} is damaged" in said
    assert "exit code 3" in said


def test_a_head_of_another_task(study: Any) -> None:
    said = study.evaluate("run", "--model", str(study.root / MODEL), "--tasks", "udpos", "--limit", "4")
    assert "no head" in said or "head" in said
    assert "exit code 2" in said or "exit code 3" in said


def test_a_tokenizer_of_another_vocabulary(study: Any) -> None:
    path = study.root / MODEL / "weights" / "tokenizer.json"
    described = json.loads(path.read_text())
    vocabulary = described["model"]["vocab"]
    described["model"]["vocab"] = [
        *vocabulary[:-1],
        *([f"\u2581x{n}", -20.0] for n in range(5000)),
        vocabulary[-1],
    ]
    for token in described["added_tokens"]:
        if token["content"] == "<mask>":
            token["id"] = len(described["model"]["vocab"]) - 1
    path.write_text(json.dumps(described))
    study.seal(MODEL)
    said = study.evaluate(
        "run", "--model", str(study.root / MODEL), "--tasks", "xnli", "--languages", "de", "--limit", "4"
    )
    assert "they do not belong together" in said
    assert "exit code 3" in said


def data(study: Any, task: str) -> str:
    return study.say(
        corpora.main,
        "check",
        "--study",
        "small.toml",
        "--tasks",
        task,
        "--sources",
        "folder",
        "--extent",
        "whole",
    )


def test_half_a_data_set(study: Any) -> None:
    said = data(study, "xnli")
    assert "36 examples, 5,010 are published" in said
    assert "exit code 1" in said


def test_labels_taken_out(study: Any) -> None:
    rows = study.test_set.read_text().splitlines()
    study.test_set.write_text("\n".join([rows[0], *(row.replace(f"\t{label}\t", "\tneutral\t", 1)
        for row in rows[1:] for label in [row.split("\t")[1]])]) + "\n")  # fmt: skip
    said = data(study, "xnli")
    assert "XTREME's own download takes the labels out of test sets" in said


def test_another_language_under_the_name(study: Any) -> None:
    text = (
        study.test_set.read_text().replace("en\t", "xx\t").replace("\nde\t", "\nen\t").replace("xx\t", "de\t")
    )
    rows = text.splitlines()
    more = [row.replace("Satz Nummer", "The cat sat on the mat because it was warm outside") for row in rows]
    study.test_set.write_text("\n".join(more) + "\n")
    assert "exit code 1" in data(study, "xnli")


def test_the_same_example_twice(study: Any) -> None:
    rows = study.test_set.read_text().splitlines()
    study.test_set.write_text("\n".join([*rows, rows[1]]) + "\n")
    assert "an id that an example before it has" in data(study, "xnli")


@pytest.fixture
def submission(study: Any) -> Path:
    said = study.evaluate(
        *("export", "--study", "small.toml", "--regime", "multi", "--output", "out", "--incomplete", "allow")
    )
    assert "exit code 0" in said
    return study.folder / "out"


def test_an_incomplete_submission(study: Any) -> None:
    said = study.evaluate("export", "--study", "small.toml", "--regime", "multi", "--output", "out")
    assert "is no complete XTREME submission: xnli is missing in ar, bg" in said
    assert "exit code 3" in said


def test_answers_in_another_order(study: Any, submission: Path) -> None:
    path = submission / "xnli" / "test-de.tsv"
    lines = path.read_text().splitlines()
    other = next(label for label in ("neutral", "entailment") if label != lines[0])
    path.write_text("\n".join([other, *lines[1:]]) + "\n")
    assert "is not the file that manifest.json names" in study.evaluate("score", str(submission))


def test_answers_to_other_data(study: Any, submission: Path) -> None:
    study.test_set.write_text(study.test_set.read_text().replace("Satz", "Spruch"))
    assert "answers other data" in study.evaluate("score", str(submission))


def test_a_file_that_the_manifest_does_not_know(study: Any, submission: Path) -> None:
    shutil.copy(submission / "xnli" / "test-de.tsv", submission / "xnli" / "test-sw.tsv")
    assert "is not in" in study.evaluate("score", str(submission))


def test_less_than_the_benchmark_is_called_no_average_of_it(study: Any, submission: Path) -> None:
    said = study.evaluate("score", str(submission))
    assert "NOT THE BENCHMARK'S DATA" in said
    assert "XTREME average:" not in said.replace("no XTREME average:", "")


def test_a_limited_evaluation(study: Any) -> None:
    said = study.evaluate(
        "run", "--model", str(study.root / MODEL), "--tasks", "xnli", "--languages", "de", "--limit", "4"
    )
    assert "LIMITED to 4" in said
    assert "NOT THE BENCHMARK'S DATA" in said


def test_answers_of_two_models_in_one_folder(study: Any) -> None:
    asked = ("--tasks", "xnli", "--languages", "de", "--limit", "4", "--output", "mixed")
    assert "exit code 0" in study.evaluate("run", "--model", str(study.root / MODEL), *asked)
    said = study.evaluate("run", "--model", str(study.root / "mnli-s2.xnli"), *asked)
    assert "asked otherwise (model" in said
    assert "exit code 2" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = [1, 2]", "seeds = [1, 1]", "seeds"),
        ('targets = ["xnli", "udpos", "tatoeba"]', 'targets = ["xnli", "xnli"]', "xnli"),
        ('baselines = ["majority"]', 'baselines = ["majorty"]', "majorty"),
        ("rounds = 2", "rounds = 0", "rounds"),
        ("warmup = 1", "warmup = 50", "warmup"),
        ('tasks = ["mnli", "squad_v1"]', 'tasks = ["mnli", "xnli"]', "xnli"),
    ],
)
def test_a_study_that_would_mislead_is_refused(study: Any, old: str, new: str, said: str) -> None:
    path = study.folder / "small.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    told = study.tables()
    assert "exit code 2" in told
    assert said in told
