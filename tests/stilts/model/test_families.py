"""XLM-R and BERT against transformers: hidden states, gradients, and folders written with their heads."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoTokenizer, BertModel

from hpc.errors import UserError
from kernels.packing import from_lengths
from stilts.model import encoder as encoders, folder as models
from stilts.model.families import families
from stilts.model.head_modules import Batch
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from stilts.tasks.coding.pieces import open_tokenizer
from stilts.tasks.types import Coding, classify

PAIRS = [
    ("The cat sat on the mat because it was warm.", "Who lives in Paris?"),
    ("Кошка сидела на коврике, потому что было тепло.", "Кто живёт в Москве?"),
    ("我们在北京。他去了上海，因为天气很好。", "谁住在北京？"),
    ("जलती हुई धूप में बिल्ली चटाई पर बैठी थी।", "दिल्ली में कौन रहता है?"),
    ("جلست القطة على السجادة لأن الجو دافئ.", "من يعيش في باريس؟"),
]
SPECS = {
    "classify": HeadSpec(kind="classify", labels=("yes", "no", "maybe")),
    "choice": HeadSpec(kind="choice"),
    "tag": HeadSpec(kind="tag", labels=("NOUN", "VERB")),
    "span": HeadSpec(kind="span"),
}
AUTO = {
    "classify": "AutoModelForSequenceClassification",
    "choice": "AutoModelForMultipleChoice",
    "tag": "AutoModelForTokenClassification",
    "span": "AutoModelForQuestionAnswering",
}


@pytest.fixture(scope="module")
def bert(make_theirs) -> Path:
    return make_theirs("BertModel")


def packed_pairs(folder: Path):
    examples = [{"id": "", "first": one, "second": other, "label": 0} for one, other in PAIRS]
    columns = classify.encode(
        examples, Coding(tokenizer=open_tokenizer(folder / "tokenizer.json"), max_length=64)
    )
    ids = torch.from_numpy(columns["input_ids"].values.astype(np.int64))
    return from_lengths(ids, columns["input_ids"].lengths.tolist(), padding=None)


def test_tokens_and_every_hidden_state_equal_bert_s_in_five_scripts(bert) -> None:
    batch = AutoTokenizer.from_pretrained(bert)(
        *map(list, zip(*PAIRS, strict=True)),
        padding=True,
        return_tensors="pt",
        max_length=64,
        truncation=True,
    )
    packed, mask = packed_pairs(bert), batch["attention_mask"].bool()
    assert batch["input_ids"][mask].tolist() == packed.ids.tolist()
    assert 0 < batch["token_type_ids"].sum() < mask.sum()
    with torch.no_grad():
        expected = BertModel.from_pretrained(bert).eval()(**batch, output_hidden_states=True).hidden_states
        trained = encoders.load(bert).eval()
        for encoder in (trained, encoders.for_inference(trained, attention="sdpa")):
            for layer, states in enumerate(expected):
                got = encoder(packed, layers=layer)
                assert (got - states[mask]).abs().max() <= 1e-5, f"{type(encoder).__name__}, layer {layer}"


def test_gradients_equal_bert_s(bert) -> None:
    packed = packed_pairs(bert)
    ours, theirs = encoders.load(bert).train(), BertModel.from_pretrained(bert).eval()
    weight = torch.randn(len(packed.ids), 32, generator=torch.Generator().manual_seed(3))
    (ours(packed) * weight).sum().backward()
    start, separator = 0, open_tokenizer(bert / "tokenizer.json").token_to_id("[SEP]")
    for length in packed.lengths:
        ids = packed.ids[start : start + length]
        types = (torch.arange(length) > ids.tolist().index(separator)).long()
        states = theirs(input_ids=ids[None], token_type_ids=types[None]).last_hidden_state[0]
        (states * weight[start : start + length]).sum().backward()
        start += length
    found = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
    # Hugging Face's table passes no gradient to the padding row, which no text has.
    for name, expected in encoders.from_huggingface(found, ours.config).items():
        assert (ours.get_parameter(name).grad - expected).abs().max() <= 2e-5 * expected.abs().max(), name


def test_a_place_in_a_cuda_graph_that_no_token_takes_looks_up_a_row(bert) -> None:
    encoder = encoders.load(bert)
    packed = packed_pairs(bert)
    unused = from_lengths(
        torch.cat([packed.ids, torch.ones(7, dtype=torch.int64)]), [*packed.lengths, 7], padding=None
    )
    unused.positions[-7:] = 1  # as the graphs fill them
    rows = encoder.places(unused)
    assert torch.equal(rows[:-7], encoder.places(packed))
    assert 0 <= int(rows.min()) <= int(rows.max()) < len(encoder.tables()[0])


def batch_of(folder: Path, kind: str) -> Batch:
    packed = packed_pairs(folder)
    rows = torch.arange(len(packed.ids))
    return Batch(packed=packed, targets={"positions": rows} if kind == "tag" else {}, items=len(PAIRS))


def theirs_on_pairs(folder: Path, kind: str) -> torch.Tensor:
    """Outputs in the order of ours, by the class that `Auto...` finds for a folder."""
    model = getattr(transformers, AUTO[kind]).from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for pair in PAIRS:
        batch = tokenizer(*pair, return_tensors="pt")
        with torch.no_grad():
            out = model(**{k: v[None] for k, v in batch.items()} if kind == "choice" else batch)
        if kind == "span":
            found.append(torch.stack([out.start_logits[0], out.end_logits[0]], dim=1))
        else:
            found.append(out.logits[0])
    return torch.stack(found) if kind == "classify" else torch.cat(found)


@pytest.mark.parametrize("kind", SPECS)
@pytest.mark.parametrize("stem", ["XLMRoberta", "Bert"])
def test_one_head_loads_in_the_auto_class_with_equal_logits(make_theirs, tmp_path, stem, kind) -> None:
    source = make_theirs(f"{stem}Model")
    model = Model(encoders.load(source), {"task": SPECS[kind]}, seed=4).eval()
    models.save(model, model.state_dict(), tmp_path, tokenizer_from=source, about="Made here.")
    batch = batch_of(source, kind)
    with torch.no_grad():
        expected = model("task", batch)
        again = models.load(tmp_path).eval()("task", batch)
    assert torch.equal(again, expected)
    assert (theirs_on_pairs(tmp_path, kind) - expected).abs().max() <= 2e-5
    config = json.loads((tmp_path / "config.json").read_text())
    assert list(config.get("id2label", {}).values()) == list(SPECS[kind].labels)
    assert "Made here." in (tmp_path / "README.md").read_text()
    assert not (tmp_path / "heads.safetensors").exists()


@pytest.mark.parametrize("stem", ["XLMRoberta", "Bert"])
def test_one_head_of_several_is_exported(make_theirs, tmp_path, stem) -> None:
    source = make_theirs(f"{stem}Model")
    model = Model(
        encoders.load(source), SPECS | {"mean": HeadSpec(kind="classify", labels=("a",), pooling="mean")}
    )
    models.save(model.eval(), model.state_dict(), tmp_path / "run", tokenizer_from=source)
    assert (tmp_path / "run" / "heads.safetensors").exists()
    models.export(tmp_path / "run", "tag", to=tmp_path / "tag")
    with torch.no_grad():
        expected = models.load(tmp_path / "run").eval()("tag", batch_of(source, "tag"))
    assert (theirs_on_pairs(tmp_path / "tag", "tag") - expected).abs().max() <= 2e-5
    with pytest.raises(UserError, match="has no head 'tags'"):
        models.export(tmp_path / "run", "tags", to=tmp_path / "tags")
    with pytest.raises(UserError, match="reads the mean"):
        models.export(tmp_path / "run", "mean", to=tmp_path / "mean")
    with pytest.raises(UserError, match="holds a model already"):
        models.export(tmp_path / "run", "tag", to=tmp_path / "tag")


def test_a_family_is_one_file() -> None:
    """And nothing else in the packages knows its name, but what makes XLM-R's own models."""
    assert set(families()) == {"bert", "xlm-roberta"}
    root = Path(models.__file__).parents[1]
    names = [
        path.relative_to(root) for path in root.rglob("*.py") if '"bert"' in path.read_text(encoding="utf-8")
    ]
    assert names == [Path("model/families/bert.py")]
