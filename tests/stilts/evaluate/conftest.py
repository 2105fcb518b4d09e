"""Small models in Hugging Face's format and in ours, and the command in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from stilts.evaluate.__main__ import main
from stilts.model import multitask as models
from stilts.model.multitask import HeadSpec
from stilts.model.pretrained.tokenizer import train_tokenizer
from stilts.tasks import load

TEXTS = [
    "Anna lives in Paris and works there. Who lives in Rome?",
    "Die Kinder spielten gestern im Garten, während es regnete.",
    "Please enter a correct username and password. This field is required.",
    "Bitte einen Benutzernamen und ein Passwort eingeben. Dieses Feld ist zwingend erforderlich.",
]
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


@pytest.fixture(scope="session")
def make_theirs(tmp_path_factory) -> Callable[..., Path]:
    """Writes a random model of a class of transformers, as transformers writes it, with a tokenizer."""

    def make(architecture: str, **settings: Any) -> Path:
        import transformers

        folder = tmp_path_factory.mktemp("theirs")
        tokenizer = train_tokenizer(TEXTS, size=200)
        shape = {"max_position_embeddings": 514} | settings
        config = transformers.XLMRobertaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=48,
            type_vocab_size=1,
            pad_token_id=1,
            **shape,
        )
        torch.manual_seed(3)
        model = getattr(transformers, architecture)(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.2)
        model.save_pretrained(folder)
        tokenizer.save(str(folder / "tokenizer.json"))
        return folder

    return make


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
