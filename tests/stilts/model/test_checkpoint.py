"""Model folders are read whole or refused by name; what is prepared from them is theirs again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from hpc.errors import UserError
from stilts.evaluate.__main__ import main as evaluate
from stilts.model import checkpoint, encoder as encoders
from stilts.model.pretrained import prepare

TEXTS = [("Wer wohnt in München?", "Maria lives in Paris."), ("谁住在北京？", "Кошка.")]


@pytest.fixture(params=["XLMRobertaForSequenceClassification", "BertForSequenceClassification"])
def folder(request, make_theirs, tmp_path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(make_theirs(request.param, num_labels=3), tmp_path / "model"))


def configured(folder: Path, **changes) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        checkpoint.read(folder)
    assert caught.value.code == 3
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_hidden_layers": 0},
        {"num_hidden_layers": -1},
        {"num_hidden_layers": 2.0},
        {"hidden_act": "relu"},
        {"hidden_act": "gelu_new"},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
        {"layer_norm_eps": -1},
        {"layer_norm_eps": 0},
        {"layer_norm_eps": "small"},
        {"num_attention_heads": 5},
        {"vocab_size": None},
        {"type_vocab_size": 0},
        {"model_type": "roberta"},
    ],
    ids=str,
)
def test_what_changes_the_function_is_refused_by_name(folder, wrong) -> None:
    configured(folder, **wrong)
    assert next(iter(wrong)) in refused(folder)


def test_xlm_r_counts_positions_from_its_padding(make_theirs, tmp_path) -> None:
    shutil.copytree(make_theirs("XLMRobertaModel"), tmp_path / "model")
    configured(tmp_path / "model", pad_token_id=0)
    assert "pad_token_id" in refused(tmp_path / "model")


def test_weights_and_layers_belong_together(folder) -> None:
    configured(folder, num_hidden_layers=1)
    assert "encoder.layer.1." in refused(folder)
    configured(folder, num_hidden_layers=3)
    assert "encoder.layer.2." in refused(folder)


def changed(folder: Path, change) -> str:
    """One tensor of the encoder changed; its name."""
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(tensors) if name.endswith("layer.1.output.dense.weight"))
    change(tensors, name)
    save_file(tensors, folder / "model.safetensors")
    return name


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused(folder, number) -> None:
    def change(tensors, name):
        tensors[name][3, 4] = number

    name = changed(folder, change)
    said = refused(folder)
    assert name in said
    assert "model.safetensors" in said


def test_another_shape_or_type_and_a_tensor_too_many_or_too_few_are_refused(folder) -> None:
    name = changed(folder, lambda tensors, name: tensors.update({name: tensors[name].T.copy()}))
    assert name in refused(folder)
    changed(folder, lambda tensors, name: tensors.update({name: tensors[name].T.astype(np.int32)}))
    assert "not floating-point" in refused(folder)
    changed(folder, lambda tensors, name: tensors.pop(name))
    assert "layer.1.output.dense.weight" in refused(folder)


def test_a_head_that_the_architecture_does_not_promise_is_left_over(folder) -> None:
    configured(folder, architectures=["BertModel"])
    assert "classifier" in refused(folder)


@pytest.mark.parametrize("kept", [0, 7, 100, 5000])
def test_a_torn_file_is_refused_with_its_path(folder, kept) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert f"{path} is damaged" in refused(folder)


def test_a_torn_config_pickle_or_index_is_refused_with_its_path(folder) -> None:
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save({name: torch.from_numpy(value) for name, value in state.items()}, folder / "pytorch_model.bin")
    assert checkpoint.read(folder).tensors
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:1000])
    assert str(path) in refused(folder)
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../b"}}')
    assert "index.json is damaged" in refused(folder)
    (folder / "config.json").write_text('{"model_type": ')
    assert "config.json is damaged" in refused(folder)


def test_the_command_says_it_in_one_line(folder, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("STILTS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    configured(
        folder, num_hidden_layers=1, id2label={"0": "entailment", "1": "neutral", "2": "contradiction"}
    )
    asked = ["--tasks", "xnli", "--languages", "en", "--sources", "embedded", "--limit", "4"]
    assert evaluate(["run", "--model", str(folder), *asked]) == 3
    assert capsys.readouterr().err.strip().count("\n") == 0


@pytest.mark.parametrize("form", ["tokenizer.json", "vocab.txt"])
def test_a_prepared_bert_is_bert_again(make_theirs, tmp_path, form) -> None:
    source = Path(shutil.copytree(make_theirs("BertModel"), tmp_path / "source"))
    tokenizer = AutoTokenizer.from_pretrained(source)
    if form == "vocab.txt":
        pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        (source / "vocab.txt").write_text("".join(f"{piece}\n" for piece, _ in pieces), encoding="utf-8")
        (source / "tokenizer.json").unlink()
    prepare(str(source), destination=tmp_path / "made", layers=1, cache=tmp_path / "cache")
    made = AutoTokenizer.from_pretrained(tmp_path / "made")
    for pair in TEXTS:
        assert made(*pair)["input_ids"] == tokenizer(*pair)["input_ids"]
        assert made(*pair)["token_type_ids"] == tokenizer(*pair)["token_type_ids"]
    theirs, report = AutoModel.from_pretrained(tmp_path / "made", output_loading_info=True)
    assert not report["missing_keys"]
    assert (type(theirs).__name__, theirs.config.num_hidden_layers) == ("BertModel", 1)
    assert encoders.load(tmp_path / "made").config.separator == tokenizer.sep_token_id
    (source / "tokenizer_config.json").unlink()
    if form == "vocab.txt":
        with pytest.raises(UserError, match="do_lower_case"):
            prepare(str(source), destination=tmp_path / "again", cache=tmp_path / "cache")


def test_a_bert_with_xlm_r_s_tokenizer_has_one_type_of_token(make_theirs, tmp_path) -> None:
    """The form in which multilingual E5 is published."""
    source = Path(shutil.copytree(make_theirs("BertModel"), tmp_path / "source"))
    other = make_theirs("XLMRobertaModel")
    shutil.copyfile(other / "tokenizer.json", source / "tokenizer.json")
    encoder = encoders.load(source)
    assert encoder.config.separator is None
    assert encoder.tables()[0] is encoder.position.weight


def test_a_tokenizer_with_two_types_needs_a_model_with_two(make_theirs) -> None:
    with pytest.raises(UserError, match="two types of token, its model one"):
        encoders.load(make_theirs("BertModel", type_vocab_size=1))
