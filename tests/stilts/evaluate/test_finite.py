"""A number that is none is never an answer, in any type of task: argmax would take it for the first label."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

TASKS = ("xnli", "udpos", "xquad", "hellaswag", "tatoeba", "bucc2018")
PLACES = {
    "word embeddings": "word_embeddings.weight",
    "a product": "layer.0.intermediate.dense.weight",
    "a bias": "layer.1.output.dense.bias",
    "a LayerNorm": "layer.1.attention.output.LayerNorm.weight",
}


def spoiled(folder: Path, copy: Path, end: str) -> Path:
    """A copy whose weight is finite, and too large to compute with."""
    shutil.copytree(folder, copy)
    tensors = load_file(copy / "model.safetensors")
    (name,) = [name for name in tensors if name.endswith(end)]
    tensors[name] = tensors[name].abs().clamp(min=1.0) * 3e38
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    return copy


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("place", PLACES)
def test_a_model_that_overflows_answers_nothing(
    with_heads: Path, tmp_path: Path, evaluate: Callable[..., Any], task: str, place: str
) -> None:
    model = spoiled(with_heads, tmp_path / "weights", PLACES[place])
    languages = "en" if task == "hellaswag" else "de"
    said = evaluate(
        "run", "--model", model, "--tasks", task, "--languages", languages, "--limit", "8", "--sources",
        "embedded", "--output", tmp_path / "out", "--layer", "2",
    )  # fmt: skip
    assert said.code == 1, said.err
    lines = [line for line in said.err.splitlines() if "not finite" in line]
    assert len(lines) == 1, said.err
    assert task in lines[0]
    assert not list((tmp_path / "out").rglob("records/scores/*.arrow"))


@pytest.mark.parametrize("head", ["mnli", "udpos", "squad_v1"])
def test_a_head_that_overflows_is_named(
    with_heads: Path, tmp_path: Path, evaluate: Callable[..., Any], head: str
) -> None:
    model = tmp_path / "weights"
    shutil.copytree(with_heads, model)
    tensors = load_file(model / "heads.safetensors")
    mine = [name for name in tensors if head in name and tensors[name].dim() == 2]
    assert mine, list(tensors)
    for name in mine:
        tensors[name] = tensors[name].sign() * 3e38
    save_file(tensors, model / "heads.safetensors", metadata={"format": "pt"})
    task = {"mnli": "xnli", "udpos": "udpos", "squad_v1": "xquad"}[head]
    said = evaluate(
        "run", "--model", model, "--tasks", task, "--languages", "de", "--limit", "8",
        "--sources", "embedded", "--output", tmp_path / "out",
    )  # fmt: skip
    assert said.code == 1
    assert f"head {head}" in said.err
    assert "example" in said.err


@pytest.mark.parametrize("task", ["xnli", "udpos", "xquad", "tatoeba", "bucc2018"])
def test_what_overflows_in_fp16_alone_is_refused_there_and_answered_in_fp32(
    with_heads: Path, tmp_path: Path, evaluate: Callable[..., Any], task: str
) -> None:
    model = tmp_path / "weights"
    shutil.copytree(with_heads, model)
    tensors = load_file(model / "model.safetensors")
    for name, tensor in tensors.items():
        if name.endswith("intermediate.dense.weight"):
            tensors[name] = tensor.sign() * 3e4
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    asked = (
        "--model", model, "--tasks", task, "--languages", "de", "--limit", "8", "--sources", "embedded",
        "--layer", "2",
    )  # fmt: skip
    said = evaluate("run", *asked, "--dtype", "fp32", "--output", tmp_path / "fp32")
    assert said.code == 0, said.err
    said = evaluate("run", *asked, "--dtype", "fp16", "--output", tmp_path / "fp16")
    assert said.code == 1, said.err
    assert "not finite" in said.err
    assert not list((tmp_path / "fp16").rglob("records/scores/*.arrow"))
