"""Checkpoints as others save them: written by transformers, read by us."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

import stilts
from hpc.errors import UserError
from stilts.model.checkpoint import read, read_tokenizer
from stilts.model.pretrained import prepare

ROOT = Path(stilts.__file__).parents[1]
TEXTS = ["Hello world, this is a test.", "Die Kinder spielten im Garten."]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A small masked language model as transformers saves it, with a tokenizer of its own."""
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    from stilts.model.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("theirs")
    tokenizer = train_tokenizer(TEXTS, size=100)
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=66,
        type_vocab_size=1,
    )
    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder, model


def outputs(model, folder: Path) -> list[torch.Tensor]:
    from transformers import AutoTokenizer

    batch = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        result = model(**batch, output_hidden_states=True)
    return [*result.hidden_states, *([result.logits] if "logits" in result else [])]


@pytest.mark.parametrize("precision", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("form", ["one file", "shards", "pickle"])
def test_every_form_of_a_checkpoint_is_read(theirs, tmp_path, precision, form):
    from transformers import XLMRobertaModel

    folder, model = theirs
    saved = tmp_path / "saved"
    copy = type(model)(model.config).to(precision)
    copy.load_state_dict(model.state_dict())
    if form == "pickle":
        saved.mkdir()
        model.config.save_pretrained(saved)
        torch.save(copy.state_dict(), saved / "pytorch_model.bin")
    else:
        copy.save_pretrained(saved, max_shard_size="20KB" if form == "shards" else "1GB")
        assert (saved / "model.safetensors.index.json").exists() == (form == "shards")
    (saved / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    prepare(str(saved), destination=tmp_path / "made", cache=tmp_path / "cache")
    made, report = XLMRobertaModel.from_pretrained(
        tmp_path / "made", add_pooling_layer=False, output_loading_info=True
    )
    assert not report["missing_keys"]
    assert made.dtype == torch.float32
    expected = outputs(copy.float().eval(), folder)
    for mine, other in zip(outputs(made.eval(), tmp_path / "made"), expected[:-1], strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)


def test_the_language_model_head_stays(theirs, tmp_path):
    from transformers import XLMRobertaForMaskedLM

    folder, model = theirs
    prepare(str(folder), destination=tmp_path / "made", layers=2, texts=TEXTS, cache=tmp_path / "cache")
    made, report = XLMRobertaForMaskedLM.from_pretrained(tmp_path / "made", output_loading_info=True)
    assert not report["missing_keys"]
    assert made.config.num_hidden_layers == 2
    assert made.config.vocab_size <= model.config.vocab_size
    state = model.state_dict()
    torch.testing.assert_close(made.lm_head.dense.weight, state["lm_head.dense.weight"], rtol=0, atol=0)


def test_a_tokenizer_may_come_as_a_sentencepiece_model(theirs, tmp_path):
    from sentencepiece import SentencePieceTrainer

    folder, _ = theirs
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    options = {"vocab_size": 60, "hard_vocab_limit": False, "minloglevel": 2}
    with (tmp_path / "sentencepiece.bpe.model").open("wb") as file:
        SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=file, **options)
    tokenizer = Tokenizer.from_str(read_tokenizer(tmp_path))
    assert tokenizer.decode(tokenizer.encode(TEXTS[0]).ids) == TEXTS[0]


def in_hub_cache(folder: Path, root: Path) -> None:
    snapshot = root / "models--someone--xlmr" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for path in folder.iterdir():
        (snapshot / path.name).write_bytes(path.read_bytes())


def prepare_offline(source: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path / "hub")}
    line = [
        sys.executable,
        "-m",
        "stilts.model.pretrained",
        "--source",
        source,
        "--output",
        tmp_path / "made",
    ]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_pinned_name_is_read_from_the_hub_s_cache(theirs, tmp_path):
    folder, _ = theirs
    in_hub_cache(folder, tmp_path / "hub")
    ran = prepare_offline(f"someone/xlmr@{COMMIT}", tmp_path)
    assert ran.returncode == 0, ran.stderr
    config = json.loads((tmp_path / "made" / "config.json").read_text())
    assert config["stilts_pretrained"]["source"] == f"someone/xlmr@{COMMIT}"
    assert read(tmp_path / "made").tensors.keys() == read(folder).tensors.keys()


def test_the_revision_may_come_beside_the_name(theirs, tmp_path, monkeypatch):
    from huggingface_hub import constants

    in_hub_cache(theirs[0], tmp_path / "hub")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    prepare("someone/xlmr", destination=tmp_path / "made", cache=tmp_path, revision=COMMIT)
    config = json.loads((tmp_path / "made" / "config.json").read_text())
    label = {"source": "someone/xlmr", "revision": COMMIT, "vocabulary": "whole"}
    assert config["stilts_pretrained"] == label
    with pytest.raises(UserError, match="someone/xlmr at other could not be fetched"):
        prepare("someone/xlmr", destination=tmp_path / "made", cache=tmp_path, revision="other")


def test_a_name_that_is_not_there_is_one_line(tmp_path):
    ran = prepare_offline(f"someone/absent@{COMMIT}", tmp_path)
    assert ran.returncode == 3
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith(
        f"stilts: the pretrained checkpoint someone/absent at {COMMIT} could not be fetched"
    )
    assert "name a folder that holds it" in ran.stderr


def test_what_a_folder_lacks_is_said(theirs, tmp_path):
    folder, _ = theirs
    with pytest.raises(UserError, match=r"config\.json is missing"):
        read(tmp_path)
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(UserError, match="no weights"):
        read(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(UserError, match="has no tokenizer"):
        read_tokenizer(tmp_path)
