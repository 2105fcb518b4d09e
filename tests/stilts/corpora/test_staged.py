"""Every task out of parquet in the Hub's own schema, as a staged folder has it."""

from pathlib import Path

import pytest
from datasets import ClassLabel, List, Value

from stilts import tasks
from stilts.data.reading import read
from stilts.data.sources import folder

TEXT, NUMBER = Value("string"), Value("int32")
NLI = ClassLabel(names=["entailment", "neutral", "contradiction"])
PAIR = {"premise": TEXT, "hypothesis": TEXT, "label": NLI}
SQUAD = {
    "id": TEXT,
    "title": TEXT,
    "context": TEXT,
    "question": TEXT,
    "answers": {"text": List(TEXT), "answer_start": List(NUMBER)},
}
QUESTION = {"title": "Anna", "context": "Anna reads.", "question": "Who?"}
ANSWER = {"text": ["Anna"], "answer_start": [0]}
TAGS = tasks.codes("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X")
POS = ClassLabel(names=list(TAGS))
NER = ClassLabel(names=["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"])
HELLASWAG = {
    "ind": NUMBER,
    "activity_label": TEXT,
    "ctx_a": TEXT,
    "ctx_b": TEXT,
    "ctx": TEXT,
    "endings": List(TEXT),
    "source_id": TEXT,
    "split": TEXT,
    "split_type": TEXT,
    "label": TEXT,
}
COSMOS = dict.fromkeys(("id", "context", "question", "answer0", "answer1", "answer2", "answer3"), TEXT)
COMMON = {
    "id": TEXT,
    "question": TEXT,
    "question_concept": TEXT,
    "choices": {"label": List(TEXT), "text": List(TEXT)},
    "answerKey": TEXT,
}
TRANSLATION = dict.fromkeys(("source_sentence", "target_sentence", "source_lang", "target_lang"), TEXT)
SAME = ClassLabel(names=["not_duplicate", "duplicate"])


def blank(features: dict, **values: object) -> dict:
    """A row of empty texts and zeros, but for the values given."""
    return {name: 0 if kind is NUMBER else "" for name, kind in features.items()} | values


def question(name: str, answers: dict = ANSWER) -> dict:
    return {"id": name, "answers": answers} | QUESTION


# Task, language, split; file below the task's folder, features, rows; a field of the examples and its values.
CASES = [
    ("mnli", "en", "dev", "mnli/validation_matched-00000-of-00001", PAIR | {"idx": NUMBER},
     [{"premise": "a", "hypothesis": "b", "label": n, "idx": n} for n in (0, 1, 2)], "label", [0, 1, 2]),
    ("qqp", "en", "train", "qqp/train-00000-of-00001",
     {"question1": TEXT, "question2": TEXT, "label": SAME, "idx": NUMBER},
     [{"question1": "a", "question2": "b", "label": n, "idx": n} for n in (1, 0, -1)], "label", [1, 0]),
    ("squad_v1", "en", "dev", "plain_text/validation-00000-of-00001", SQUAD, [question("q")], "answers",
     [[{"text": "Anna", "start": 0}]]),
    ("squad_v2", "en", "train", "squad_v2/train-00000-of-00001", SQUAD,
     [question("q", {"text": [], "answer_start": []})], "answers", [[]]),
    ("hellaswag", "en", "dev", "data/validation-00000-of-00001", HELLASWAG,
     [blank(HELLASWAG, endings=["x", "y"], label=label) for label in ("1", "")], "label", [1]),
    ("cosmosqa", "en", "dev", "default/validation/0000", COSMOS | {"label": NUMBER},
     [blank(COSMOS, label=label) for label in (3, -1)], "label", [3]),
    ("commonsenseqa", "en", "dev", "data/validation-00000-of-00001", COMMON,
     [blank(COMMON, choices={"label": ["A", "B"], "text": ["x", "y"]}, answerKey=key) for key in ("B", "")],
     "label", [1]),
    ("xnli", "sw", "test", "XNLI/test-00000-of-00001",
     {"language": TEXT, "sentence1": TEXT, "sentence2": TEXT, "gold_label": TEXT},
     [{"language": code, "sentence1": code, "sentence2": "b", "gold_label": "contradiction"}
      for code in ("en", "sw")], "first", ["sw"]),
    ("pawsx", "de", "dev", "PAWS-X.de/validation-00000-of-00001",
     {"sentence1": TEXT, "sentence2": TEXT, "label": TEXT},
     [{"sentence1": "a", "sentence2": "b", "label": label} for label in ("1", "0")], "label", [1, 0]),
    ("udpos", "de", "test", "udpos.German/test-00000-of-00001", {"tokens": List(TEXT), "pos_tags": List(POS)},
     [{"tokens": ["Anna", "liest"], "pos_tags": [11, 15]}], "tags", [["PROPN", "VERB"]]),
    ("panx", "yo", "test", "PAN-X.yo/test-00000-of-00001",
     {"tokens": List(TEXT), "ner_tags": List(NER), "langs": List(TEXT)},
     [{"tokens": ["Anna", "ka"], "ner_tags": [1, 0], "langs": ["yo", "yo"]}], "tags", [["B-PER", "O"]]),
    ("xquad", "th", "dev", "XQuAD.th/validation-00000-of-00001", SQUAD, [question("q")], "id", ["q"]),
    ("mlqa", "hi", "test", "MLQA.hi.hi/test-00000-of-00001", SQUAD, [question("q")], "id", ["q"]),
    ("tydiqa", "ko", "test", "tydiqa/validation-00000-of-00001", SQUAD,
     [question("korean-1-0"), question("english-2-0")], "id", ["korean-1-0"]),
    ("tydiqa", "en", "train", "tydiqa/train-00000-of-00001", SQUAD,
     [question("korean-1-0"), question("english-2-0")], "id", ["english-2-0"]),
    ("tatoeba", "sw", "test", "tatoeba.swh/validation-00000-of-00001", TRANSLATION,
     [dict(zip(TRANSLATION, ("Habari.", "Hello.", "swh", "eng"), strict=True))],
     "foreign", ["Habari."]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]} {case[2]}")
def test_the_hubs_schema_is_read(case: tuple, tmp_path: Path, monkeypatch, parquet) -> None:
    name, language, split, file, features, rows, key, values = case
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "data"))
    path = tmp_path / "data" / name / f"{file}.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(parquet(rows, features))
    found = list(read(name, language=language, split=split, sources=("folder",)))
    assert [example[key] for example in found] == values


def test_the_parts_of_anli_plus_lie_side_by_side(tmp_path: Path, monkeypatch, parquet) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "data"))
    shard = "-00000-of-00001.parquet"
    anli = {"uid": TEXT, "reason": TEXT} | PAIR
    files = {f"anli/plain_text/train_r{n}{shard}": (anli, {"uid": f"u{n}", "reason": ""}) for n in (1, 2, 3)}
    files |= {f"snli/plain_text/train{shard}": (PAIR, {}), f"mnli/mnli/train{shard}": (PAIR, {})}
    for file, (features, extra) in files.items():
        path = tmp_path / "data/anli_plus" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        row = {"premise": file.partition("/")[0], "hypothesis": "b"} | extra
        path.write_bytes(parquet([row | {"label": label} for label in (-1, 2)], features))
    found = list(read("anli_plus", language="en", split="train", sources=("folder",)))
    assert [(example["first"], example["label"]) for example in found] == [
        ("snli", 2), ("mnli", 2), ("anli", 2), ("anli", 2), ("anli", 2),
    ]  # fmt: skip


def test_every_task_but_the_licensed_one_is_on_the_hub() -> None:
    found = {name: tasks.load(name) for name in tasks.names()}
    targets = {name: task for name, task in found.items() if task.role in ("intermediate", "target")}
    assert [name for name, task in targets.items() if not task.hub] == ["ccg"]
    open_ones = {files.repo for task in targets.values() for files in task.hub if files.standing == "open"}
    assert open_ones == {"google/xtreme"}
    for task in targets.values():
        assert task.folder
        for split in set(task.splits.values()) & {split for files in task.hub for split in files.sets}:
            for place in (folder.staged(task, files) for files in task.hub):
                assert place.patterns(language=task.languages[-1], split=split), (task.name, split)
