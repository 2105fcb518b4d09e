"""Small models in Hugging Face's format and in ours, and the command in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from hpc.files import digest
from stilts.evaluate.__main__ import main
from stilts.model import folder as models
from stilts.model.heads import HeadSpec
from stilts.run import records
from stilts.tasks import load

HEADS = {
    "mnli": HeadSpec(kind="classify", labels=load("mnli").labels or ()),
    "udpos": HeadSpec(kind="tag", labels=load("udpos").labels or ()),
    "squad_v1": HeadSpec(kind="span"),
    "squad_v2": HeadSpec(kind="span"),
    "hellaswag": HeadSpec(kind="choice"),
}


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch) -> None:
    """Tokenised data of these tests are nobody else's."""
    monkeypatch.setenv("STILTS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("STILTS_DATA", str(tmp_path_factory.getbasetemp() / "nothing"))


@pytest.fixture
def evaluate(capsys) -> Callable[..., Said]:
    """The command line, in this process."""

    def said(*arguments: Any) -> Said:
        code = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return Said(code, shown.out, shown.err)

    return said


@pytest.fixture
def rewrite() -> Callable[[Path, str, Any], None]:
    """Puts other predictions into an evaluation's folder, as if they had been answered so."""

    def write(folder: Path, name: str, rows: Any) -> None:
        shard = records.write_shard(folder / "predictions", "predictions", rows, name=name)
        path = folder / "cells" / f"{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": digest(shard)}))

    return write


@pytest.fixture(scope="session")
def encoder_alone(make_theirs) -> Path:
    """A model without heads."""
    return make_theirs("XLMRobertaModel")


@pytest.fixture(scope="session")
def with_heads(encoder_alone, tmp_path_factory) -> Path:
    """A model folder of ours with five heads."""
    model = models.load(encoder_alone)
    for name, spec in HEADS.items():
        model.add_head(name, spec, seed=1)
    folder = tmp_path_factory.mktemp("ours") / "weights"
    with torch.no_grad():
        for parameter in model.heads.parameters():
            parameter.mul_(20)  # answers that differ from example to example
    models.save(model, model.state_dict(), folder, tokenizer_from=encoder_alone)
    return folder
