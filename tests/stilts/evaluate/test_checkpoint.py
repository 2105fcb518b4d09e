"""Models from elsewhere: their heads answer as transformers has them answer, in our order of labels."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from hpc.errors import UserError
from hpc.zero import Zero
from stilts import data, tasks
from stilts.evaluate import predict
from stilts.evaluate.checkpoint import HeadChoice, answering, locate
from stilts.evaluate.loading import load
from stilts.run.folder import RunFolder
from stilts.run.settings import Optimisation
from stilts.run.specs import RunSpec, TrainSpec

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NLI = ("contradiction", "Entailment", "NEUTRAL")
POS = tuple(reversed(tasks.load("udpos").labels or ()))


def named(labels):
    return {"id2label": dict(enumerate(labels)), "label2id": {name: n for n, name in enumerate(labels)}}


def outputs_of(folder: Path, name: str, tmp_path: Path):
    """Our outputs of a task's head on its embedded English set, in the order of the items, and the set."""
    task = tasks.load(name)
    checkpoint = locate(str(folder))
    labels = task.labels or ()
    answers = {name: answering(checkpoint, task, labels)}
    loaded = load(checkpoint, answers, device="cpu", dtype=torch.float32, attention="sdpa", cache=tmp_path)
    split = "test" if "test" in task.splits else "dev"
    encoded = data.load(
        task,
        language="en",
        split=split,
        tokenizer_file=loaded.tokenizer_file,
        max_length=128,
        sources=("embedded",),
        cache=tmp_path / "data",
        limit=6,
    )
    head = loaded.heads[name]
    got = predict.collect(
        lambda batch: loaded.model(head, batch), task, encoded, loaded.model, tokens_per_batch=300
    )
    return got, encoded


def theirs_of(folder: Path, encoded, *, choices: bool = False):
    """Outputs of transformers' own model on each sequence by itself."""
    import transformers

    model = getattr(transformers, type_of(folder)).from_pretrained(folder).eval()
    separator = Tokenizer.from_file(str(folder / "tokenizer.json")).token_to_id("[SEP]")
    lengths = encoded.columns["lengths"].values.tolist()
    flat = torch.from_numpy(encoded.columns["input_ids"].values.astype(np.int64))
    found = []
    for ids in torch.split(flat, lengths):
        first = ids.tolist().index(separator) if separator else len(ids)
        types = (torch.arange(len(ids)) > first).long()
        rows = {"input_ids": ids[None], "token_type_ids": types[None]}
        with torch.no_grad():
            found.append(model(**{name: row[None] if choices else row for name, row in rows.items()}))
    return found


STEMS = pytest.mark.parametrize("stem", ["XLMRoberta", "Bert"])


@STEMS
def test_a_sentence_head_answers_in_our_order(make_theirs, tmp_path, stem):
    folder = make_theirs(f"{stem}ForSequenceClassification", num_labels=3, **named(NLI))
    got, encoded = outputs_of(folder, "xnli", tmp_path)
    expected = torch.cat([one.logits for one in theirs_of(folder, encoded)]).numpy()
    np.testing.assert_allclose(got, expected[:, [1, 2, 0]], atol=2e-5)


@STEMS
def test_a_token_head_answers_in_our_order(make_theirs, tmp_path, stem):
    folder = make_theirs(f"{stem}ForTokenClassification", num_labels=len(POS), **named(POS))
    got, encoded = outputs_of(folder, "udpos", tmp_path)
    rows = encoded.columns["positions"].rows()
    parts = [one.logits[0].numpy() for one in theirs_of(folder, encoded)]
    expected = np.concatenate([part[row] for part, row in zip(parts, rows, strict=True)])
    np.testing.assert_allclose(got, expected[:, ::-1], atol=2e-5)


@STEMS
def test_a_span_head_answers(make_theirs, tmp_path, stem):
    folder = make_theirs(f"{stem}ForQuestionAnswering")
    got, encoded = outputs_of(folder, "xquad", tmp_path)
    parts = [
        torch.stack([one.start_logits[0], one.end_logits[0]], dim=1) for one in theirs_of(folder, encoded)
    ]
    np.testing.assert_allclose(got, torch.cat(parts).numpy(), atol=2e-5)


@STEMS
def test_a_choice_head_answers(make_theirs, tmp_path, stem):
    folder = make_theirs(f"{stem}ForMultipleChoice")
    got, encoded = outputs_of(folder, "hellaswag", tmp_path)
    expected = [one.logits.item() for one in theirs_of(folder, encoded, choices=True)]
    np.testing.assert_allclose(got, expected, atol=2e-5)


def test_a_pickled_half_precision_checkpoint_with_a_sentencepiece_model(make_theirs, tmp_path):
    from safetensors.torch import load_file
    from sentencepiece import SentencePieceTrainer

    folder = make_theirs("XLMRobertaForSequenceClassification", num_labels=3, **named(NLI))
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(folder / "config.json", old)
    state = load_file(folder / "model.safetensors")
    torch.save({name: value.half() for name, value in state.items()}, old / "pytorch_model.bin")
    options = {"vocab_size": 60, "hard_vocab_limit": False, "minloglevel": 2}
    lines = ["Anna lives in Paris and works there.", "Who lives in Rome?"]
    with (old / "sentencepiece.bpe.model").open("wb") as file:
        SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=file, **options)
    checkpoint = locate(str(old))
    answers = {"xnli": answering(checkpoint, tasks.load("xnli"), tasks.load("xnli").labels)}
    loaded = load(checkpoint, answers, device="cpu", dtype=torch.float32, attention="sdpa", cache=tmp_path)
    Tokenizer.from_file(str(loaded.tokenizer_file))
    out = loaded.model.heads[loaded.heads["xnli"]].out.weight
    torch.testing.assert_close(out, state["classifier.out_proj.weight"].half().float()[[1, 2, 0]])


def type_of(folder: Path) -> str:
    return json.loads((folder / "config.json").read_text())["architectures"][0]


@pytest.mark.parametrize(
    ("labels", "task", "expected"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), "xnli", "write their names .entailment, neutral, contradiction"),
        (("yes", "no"), "xnli", "it knows no entailment, neutral, contradiction"),
        (NLI, "pawsx", "it knows no different, same"),
        (NLI, "udpos", r"has no head for udpos .tag.; it has: classify"),
    ],
)
def test_a_head_that_does_not_fit_is_refused_by_name(make_theirs, labels, task, expected):
    folder = make_theirs("XLMRobertaForSequenceClassification", num_labels=len(labels), **named(labels))
    one = tasks.load(task)
    with pytest.raises(UserError, match=expected):
        answering(locate(str(folder)), one, one.labels)


def test_paraphrase_heads_have_many_names(make_theirs):
    for labels, order in ((("0", "1"), (0, 1)), (("paraphrase", "not paraphrase"), (1, 0))):
        folder = make_theirs("XLMRobertaForSequenceClassification", num_labels=2, **named(labels))
        task = tasks.load("pawsx")
        assert answering(locate(str(folder)), task, task.labels) == HeadChoice(
            head="huggingface", order=order
        )


def test_our_heads_answer_their_targets_and_those_that_borrow(with_heads):
    checkpoint = locate(str(with_heads))
    found = {
        name: answering(checkpoint, tasks.load(name), tasks.load(name).labels or ()).head
        for name in ("xnli", "udpos", "xquad", "mlqa", "tydiqa", "hellaswag", "mnli")
    }
    assert found == {
        "xnli": "mnli",
        "udpos": "udpos",
        "xquad": "squad_v1",
        "mlqa": "squad_v1",
        "tydiqa": "squad_v1",
        "hellaswag": "hellaswag",
        "mnli": "mnli",
    }
    with pytest.raises(
        UserError, match=r"has no head for panx \(tag\); it has: hellaswag \(choice\), mnli \(classify\), "
    ):
        answering(checkpoint, tasks.load("panx"), tasks.load("panx").labels)


def test_an_encoder_alone_answers_retrieval_and_says_what_it_cannot(evaluate, encoder_alone, tmp_path):
    asked = (
        "run",
        "--model",
        encoder_alone,
        "--sources",
        "embedded",
        "--limit",
        "8",
        "--output",
        tmp_path / "out",
    )
    said = evaluate(*asked, "--tasks", "xtreme", "--languages", "de")
    assert said.code == 0, said.err
    for name in ("xnli", "pawsx", "udpos", "panx", "xquad", "mlqa"):
        line = next(line for line in said.out.splitlines() if line.startswith(f"{name} is left out"))
        assert line.endswith("an encoder alone, which answers retrieval only")
    assert "tydiqa is left out: it is not in de" in said.out
    assert "retrieval reads hidden state 2, the last: there is no 14" in said.out
    assert "\ntatoeba        de  accuracy " in said.out
    assert "\nbucc2018       de  f1 " in said.out
    said = evaluate(*asked, "--tasks", "xnli,tatoeba", "--languages", "de")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "has no head for xnli (classify)" in said.err
    said = evaluate(*asked, "--tasks", "tatoeba", "--layer", "3")
    assert "layer 3 was asked of a model whose hidden states are 0 to 2" in said.err


def test_a_model_with_few_positions_reads_shorter_sequences_and_says_so(evaluate, make_theirs, tmp_path):
    folder = make_theirs("XLMRobertaForQuestionAnswering", max_position_embeddings=66)
    asked = ("--tasks", "xquad", "--languages", "en", "--sources", "embedded", "--limit", "4")
    said = evaluate("run", "--model", folder, *asked, "--output", tmp_path / "out")
    assert said.code == 0, said.err
    assert "xquad: in sequences of 64 tokens: the model has no more positions" in said.out


def test_data_that_are_not_there_are_named_before_any_work(evaluate, with_heads, tmp_path):
    said = evaluate(
        *("run", "--model", with_heads, "--tasks", "xnli", "--languages", "sw", "--sources", "folder"),
        *("--output", tmp_path / "out"),
    )
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "no data for xnli sw test: folder: " in said.err
    assert not (tmp_path / "out").exists()


def test_a_run_lends_its_weights_and_its_place_in_the_study(evaluate, with_heads, tmp_path):
    from stilts.run import records

    asked = TrainSpec(
        phase="single",
        regime="single",
        intermediate="mnli",
        seed=3,
        tasks=("mnli",),
        optimisation=Optimisation(),
        zero=Zero(),
        pooling="cls",
        example_cap=1,
    )
    run = RunFolder(tmp_path / "toy" / "mnli-s3")
    run.write_spec(RunSpec(study="toy", id="mnli-s3", asked=asked))
    said = evaluate("run", "--model", run.path, "--tasks", "xnli")
    assert said.code == 3
    assert "has no weights (it is planned)" in said.err
    shutil.copytree(with_heads, run.weights)
    asked = ("--tasks", "xnli", "--languages", "en", "--sources", "embedded", "--limit", "4")
    said = evaluate("run", "--model", run.path, *asked, "--output", tmp_path / "out")
    assert said.code == 0, said.err
    (row,) = records.read("scores", [tmp_path / "out" / "records" / "scores"]).to_pylist()
    assert (row["study"], row["regime"], row["intermediate"], row["seed"]) == ("toy", "single", "mnli", 3)


def test_a_model_of_the_hub_is_read_from_its_cache(evaluate, make_theirs, tmp_path, monkeypatch):
    from huggingface_hub import constants

    folder = make_theirs("XLMRobertaForSequenceClassification", num_labels=3, **named(NLI))
    snapshot = tmp_path / "hub" / "models--someone--nli" / "snapshots" / COMMIT
    shutil.copytree(folder, snapshot)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    asked = ("--tasks", "xnli", "--languages", "de", "--sources", "embedded", "--limit", "4")
    said = evaluate("run", "--model", f"someone/nli@{COMMIT}", *asked)
    assert said.code == 0, said.err
    assert [path.name for path in (tmp_path / "runs" / "evaluate").iterdir()] == [f"someone--nli--{COMMIT}"]
    said = evaluate("run", "--model", f"someone/other@{COMMIT}", *asked)
    assert said.code == 3
    assert f"someone/other at {COMMIT} could not be fetched from the Hub" in said.err


def test_an_exported_head_answers_as_before(evaluate, with_heads, tmp_path):
    import transformers

    said = evaluate("export", with_heads, "--hf", "udpos", "--output", tmp_path / "tagger")
    assert said.code == 0, said.err
    model = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path / "tagger")
    assert tuple(model.config.id2label[n] for n in range(17)) == tasks.load("udpos").labels
    (before, _), (after, _) = (
        outputs_of(path, "udpos", tmp_path) for path in (with_heads, tmp_path / "tagger")
    )
    np.testing.assert_array_equal(before, after)
    said = evaluate("export", with_heads, "--hf", "udpo", "--output", tmp_path / "other")
    assert said.code == 2
    assert "has no head 'udpo'; it has: hellaswag" in said.err
