import subprocess
import sys

import pytest

from hpc.errors import UserError
from stilts import tasks
from stilts.tasks import metrics, types as task_types

INTERMEDIATE = {
    "anli_plus", "mnli", "qqp", "squad_v1", "squad_v2", "hellaswag", "ccg", "cosmosqa", "commonsenseqa",
}  # fmt: skip
# Languages and training source of each target, as XTREME and the study have them.
TARGETS = {
    "xnli": (15, "mnli"),
    "pawsx": (7, "pawsx"),
    "udpos": (33, "udpos"),
    "panx": (40, "panx"),
    "xquad": (11, "squad_v1"),
    "mlqa": (7, "squad_v1"),
    "tydiqa": (9, "tydiqa"),
    "bucc2018": (4, None),
    "tatoeba": (36, None),
}


def test_every_task_of_the_study_is_found() -> None:
    found = {name: tasks.load(name) for name in tasks.names()}
    assert {name for name, task in found.items() if task.role == "intermediate"} == INTERMEDIATE
    assert {n: (len(t.languages), t.train_task) for n, t in found.items() if t.role == "target"} == TARGETS
    assert sum(cells for cells, _ in TARGETS.values()) == 162
    assert len({code for name in TARGETS for code in found[name].languages}) == 40
    for name, task in found.items():
        assert task.name == name
        assert len(set(task.languages)) == len(task.languages)
        assert task.role != "intermediate" or (task.languages, task.train_task) == (("en",), name)


def test_retrieval_has_no_english_and_all_others_do() -> None:
    for name in tasks.names():
        task = tasks.load(name)
        assert ("en" in task.languages) == (task.type != "retrieve"), name
    assert set(tasks.load("panx").languages) - set(tasks.load("tatoeba").languages) == {
        "en",
        "ms",
        "my",
        "yo",
    }


def test_a_borrowed_head_and_a_training_set_answer_in_the_targets_own_terms() -> None:
    for name in tasks.names():
        task = tasks.load(name)
        for other in (task.head_from, task.train_task):
            if other is not None:
                assert tasks.load(other).labels == task.labels
                assert tasks.load(other).type == task.type


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'xnli'"):
        tasks.load("xnlli")
    with pytest.raises(UserError, match="unknown task '_pairs'"):
        tasks.load("_pairs")


def test_every_type_and_metric_is_a_file_and_an_unknown_one_is_answered_with_the_nearest() -> None:
    for task in map(tasks.load, tasks.names()):
        assert task.type in task_types.names(), task.name
        assert task.metric in ("", *metrics.names()), task.name
    with pytest.raises(UserError, match="Did you mean 'classify'"):
        task_types.load("clasify")
    with pytest.raises(UserError, match="Did you mean 'accuracy'"):
        metrics.load("acuracy")


@pytest.mark.parametrize(
    ("name", "language", "split", "message"),
    [
        ("xnli", "fi", "test", "unknown language 'fi' in task xnli"),
        ("xnli", "en", "train", "unknown split 'train' in task xnli"),
        ("udpos", "th", "dev", "udpos has no dev set in 'th'"),
        ("panx", "de", "train", "training is in English only"),
    ],
)
def test_a_set_that_does_not_exist_is_refused(name: str, language: str, split: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tasks.load(name).set_of(split=split, language=language)


def test_a_single_evaluation_set_serves_as_dev_and_test() -> None:
    for name, language in (("xquad", "th"), ("tatoeba", "jv")):
        task = tasks.load(name)
        assert {task.set_of(split=split, language=language) for split in ("dev", "test")} == {"test"}


NLI = {"premise": "It rains.", "hypothesis": "It is wet."}
XNLI = {"sentence1": "It rains.", "sentence2": "It is wet.", "language": "en"}
PAIR = {"first": "It rains.", "second": "It is wet."}


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        ("mnli", NLI | {"label": 0, "idx": 7}, PAIR | {"id": "7", "label": 0}),
        ("mnli", NLI | {"label": -1, "idx": 7}, None),
        ("anli_plus", NLI | {"label": 2, "uid": "a1", "reason": ""}, PAIR | {"id": "a1", "label": 2}),
        ("anli_plus", NLI | {"label": -1}, None),
        ("anli_plus", NLI | {"label": 1}, PAIR | {"id": "", "label": 1}),
        ("xnli", XNLI | {"gold_label": "neutral"}, PAIR | {"id": "", "label": 1}),
        ("xnli", XNLI | {"gold_label": "contradictory"}, PAIR | {"id": "", "label": 2}),
        ("xnli", XNLI | {"gold_label": "-"}, None),
        ("pawsx", XNLI | {"label": "1"}, PAIR | {"id": "", "label": 1}),
        ("pawsx", XNLI | {"label": "0"}, PAIR | {"id": "", "label": 0}),
        ("qqp", {"question1": "A?", "question2": "B?", "label": 1, "idx": 0},
         {"id": "0", "first": "A?", "second": "B?", "label": 1}),
        ("qqp", {"question1": "A?", "question2": "B?", "label": -1, "idx": 0}, None),
        ("hellaswag",
         {"ind": 4, "ctx_a": "He sat.", "ctx_b": "then he", "endings": ["ate.", "ran."],
          "label": "1"},
         {"id": "4", "prompt": "He sat.", "choices": ["then he ate.", "then he ran."], "label": 1}),
        ("hellaswag", {"ctx_a": "", "ctx_b": "", "endings": [], "label": ""}, None),
        ("hellaswag", {"ctx_a": "He sat.", "ctx_b": "", "endings": ["He ate."], "label": "0"},
         {"id": "", "prompt": "He sat.", "choices": ["He ate."], "label": 0}),
        ("cosmosqa",
         {"id": "q", "context": "It was dark.", "question": "Why?", "answer0": "a", "answer1": "b",
          "answer2": "c", "answer3": "d", "label": 3},
         {"id": "q", "prompt": "It was dark. Why?", "choices": ["a", "b", "c", "d"], "label": 3}),
        ("cosmosqa", {"label": -1}, None),
        ("commonsenseqa",
         {"id": "c", "question": "Where?", "question_concept": "place", "answerKey": "B",
          "choices": {"label": ["A", "B"], "text": ["here", "there"]}},
         {"id": "c", "prompt": "Where?", "choices": ["here", "there"], "label": 1}),
        ("commonsenseqa", {"answerKey": "", "question": "?", "choices": {"label": [], "text": []}}, None),
        ("udpos", {"tokens": ["Cats", "and", "dogs"], "pos_tags": [7, 4, 7]},
         {"id": "", "tokens": ["Cats", "and", "dogs"], "tags": ["NOUN", "CCONJ", "NOUN"]}),
        ("udpos", {"tokens": ["Cats"], "pos_tags": ["NOUN"]},
         {"id": "", "tokens": ["Cats"], "tags": ["NOUN"]}),
        ("udpos", {"tokens": [], "pos_tags": []}, None),
        ("panx", {"tokens": ["Ann", "Lee"], "ner_tags": [1, 2], "langs": ["en", "en"]},
         {"id": "", "tokens": ["Ann", "Lee"], "tags": ["B-PER", "I-PER"]}),
        ("ccg", {"tokens": ["I", "sleep"], "tags": ["NP", "S\\NP"]},
         {"id": "", "tokens": ["I", "sleep"], "tags": ["NP", "S\\NP"]}),
        ("tatoeba", {"source_sentence": "Hallo.\n", "target_sentence": "Hello.\n", "source_lang": "deu",
                     "target_lang": "eng"}, {"id": "", "english": "Hello.", "foreign": "Hallo."}),
        ("bucc2018", {"source_sentence": "Hallo.", "target_sentence": "Hello.", "source_lang": "de-1",
                      "target_lang": "en-2"}, {"id": "de-1/en-2", "english": "Hello.", "foreign": "Hallo."}),
        ("bucc2018", {"source_sentence": "", "target_sentence": "Spam.", "source_lang": "",
                      "target_lang": "en-3"},
         {"id": "/en-3", "english": "Spam.", "foreign": ""}),
        ("bucc2018", {"source_sentence": "Hello.", "target_sentence": "Hallo.", "source_lang": "en-2",
                      "target_lang": "de-1"}, {"id": "en-2/de-1", "english": "Hello.", "foreign": "Hallo."}),
    ],
)  # fmt: skip
def test_rows_are_read_in_their_own_schema(name: str, row: dict, expected: dict | None) -> None:
    assert tasks.load(name).read(row) == expected


def test_labels_that_no_data_set_has_are_refused() -> None:
    with pytest.raises(UserError, match="unknown NLI label 'maybe'"):
        tasks.load("mnli").read(NLI | {"label": "maybe"})
    with pytest.raises(UserError, match="unknown tag 'NOUNS'"):
        tasks.load("udpos").read({"tokens": ["Cats"], "pos_tags": ["NOUNS"]})
    with pytest.raises(ValueError, match="1 words but 2 tags"):
        tasks.load("panx").read({"tokens": ["Ann"], "ner_tags": [1, 2]})


def squad(context: str, texts: list[str], starts: list[int]) -> dict:
    answers = {"text": texts, "answer_start": starts}
    return {"id": "s", "title": "", "context": context, "question": " Who? ", "answers": answers}


@pytest.mark.parametrize(
    ("context", "text", "start", "found"),
    [
        ("Ann met Bob.", "Bob", 8, 8),
        ("Ann met Bob.", "Bob", 9, 8),  # the context lost a leading space, its answers' starts did not
        ("Bob met Bob.", "Bob", 7, 8),
        ("Bob met Bob.", "Bob", 1, 0),
        ("Ann met Bob.", "Eve", 3, -1),
    ],
)
def test_answers_stand_where_they_are(context: str, text: str, start: int, found: int) -> None:
    example = tasks.load("squad_v1").read(squad(context, [text], [start]))
    assert example is not None
    assert example["answers"] == [{"text": text, "start": found}]
    assert example["question"] == "Who?"


def test_questions_on_one_passage_share_a_cluster() -> None:
    read = tasks.load("squad_v2").read
    one, two, other = (
        read(squad("A b.", [], [])),
        read(squad("A b.", ["b"], [2])),
        read(squad("A c.", [], [])),
    )
    assert one is not None
    assert two is not None
    assert other is not None
    assert one["cluster"] == two["cluster"] != other["cluster"]
    assert one["answers"] == []


def test_languages_in_one_file_are_told_apart() -> None:
    tydiqa, xnli = tasks.load("tydiqa"), tasks.load("xnli")
    assert tydiqa.language_of is not None
    assert tydiqa.language_of({"id": "swahili-123-0"}) == "sw"
    assert tydiqa.language_of({"id": "123"}) == ""
    assert tydiqa.language_of({"id": "hindi-123-0"}) == "hindi"
    assert xnli.language_of is not None
    assert xnli.language_of(XNLI) == "en"
    with pytest.raises(KeyError, match="language"):  # else every language would pass for the one asked for
        xnli.language_of(NLI)


def test_tasks_can_be_planned_with_without_heavy_imports() -> None:
    code = (
        "import sys; from stilts import tasks; [tasks.load(n) for n in tasks.names()];"
        "print([m for m in ('torch', 'numpy', 'pyarrow', 'datasets', 'tokenizers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
