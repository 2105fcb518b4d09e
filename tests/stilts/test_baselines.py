from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts import baselines, data, tasks
from stilts.baselines import fit
from stilts.launching.progress import last_line
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.settings import Limits
from stilts.run.specs import BaselineSpec, RunSpec

SOURCES = ("embedded",)


def some(task: str, split: str, limit: int = 300, language: str = "en") -> list[dict]:
    return list(data.read(task, language=language, split=split, sources=SOURCES, limit=limit))


def test_the_majority_is_the_most_frequent_answer_of_each_kind() -> None:
    labels = [{"label": 2}, {"label": 1}, {"label": 2}, {"label": 1}]
    assert fit("majority", "classify", labels)([{}, {}]) == [1, 1]
    assert fit("majority", "choice", labels[:3])([{}]) == [2]
    tagged = [{"tokens": ["a", "b", "c"], "tags": ["X", "Y", "Y"]}]
    assert fit("majority", "tag", tagged)([{"tokens": ["a", "z"]}]) == [["Y", "Y"]]
    asked = [{"answers": [{"text": "x"}]}, {"answers": []}, {"answers": []}]
    assert fit("majority", "span", asked)([{}]) == [""]
    assert fit("majority", "span", asked[:1])([{}]) == ["x"]


def test_a_lexicon_knows_words_and_guesses_the_rest() -> None:
    tagged = [
        {"tokens": ["The", "cat", "the", "run"], "tags": ["DET", "NOUN", "DET", "VERB"]},
        {"tokens": ["run", "run", "dog"], "tags": ["NOUN", "NOUN", "NOUN"]},
    ]
    predict = fit("bag-of-words", "tag", tagged)
    assert predict([{"tokens": ["THE", "run", "xyz"]}]) == [["DET", "NOUN", "NOUN"]]


def test_word_counts_learn_what_words_tell() -> None:
    def pair(n: int) -> dict:
        same = n % 2
        return {
            "first": f"bird {n} sings",
            "second": f"bird {n} sings" if same else f"fish {n} swims",
            "label": same,
        }

    predict = fit("word-overlap", "classify", [pair(n) for n in range(40)])
    # Overlap carries over to words, and to a script, that were never seen.
    unseen = [("猫在睡觉", "猫在睡觉"), ("猫在睡觉", "他去了上海"), ("der Hund", "der Hund")]
    assert predict([{"first": a, "second": b} for a, b in unseen]) == [1, 0, 1]


def test_word_counts_choose_within_a_question() -> None:
    train = [
        {"prompt": f"Where is the hat {n}?",
         "choices": ["on a moon", f"the hat {n} here"][:: 1 - 2 * (n % 2)],
         "label": 1 - n % 2}
        for n in range(30)
    ]  # fmt: skip
    predict = fit("word-overlap", "choice", train)
    asked = [{"prompt": "Where is the cup?", "choices": ["on a moon", "on a moon", "the cup here"]}]
    assert predict(asked) == [2]


@pytest.mark.parametrize(
    ("question", "context", "answer"),
    [
        ("Where does Maria live?", "Tom met Eve. Maria does live in New York with a cat.", "New York"),
        ("Where does Maria live?", "Maria does live in 1987.", "1987."),
        ("Где живёт Мария?", "Том пел. Мария живёт в Москве.", "Москве"),
        ("what is it?", "it is yellowish.", "yellowish"),
        ("谁住在北京？", "他去了上海。我们住在北京。", "我们住在北京"),
        ("Who?", "", ""),
    ],
)
def test_the_answer_is_a_name_of_the_nearest_sentence(question: str, context: str, answer: str) -> None:
    (found,) = fit("bag-of-words", "span", [{}])([{"question": question, "context": context}])
    assert found.strip(".") == answer.strip(".")


def test_what_cannot_be_learned_is_refused() -> None:
    with pytest.raises(UserError, match="unknown baseline 'majority of retrieve'"):
        fit("majority", "retrieve", [{}])
    with pytest.raises(UserError, match="needs training examples"):
        fit("majority", "classify", [])
    with pytest.raises(UserError, match="at least two labels"):
        fit("bag-of-words", "classify", [{"first": "a", "second": "b", "label": 1}])


def test_scores_cover_the_own_dev_set_and_every_language_of_every_target() -> None:
    limits = {name: Limits(train=200, dev=40, test=30) for name in ("squad_v1", "xquad", "mlqa")}
    rows = baselines.score(
        "bag-of-words",
        train_task="squad_v1",
        targets={"xquad": ["en", "zh"], "mlqa": ["de"]},
        sources=SOURCES,
        limits=limits,
    )
    cells = {(row["target"], row["language"], row["split"], row["metric"], row["n"]) for row in rows}
    assert cells == {
        (target, language, split, metric, n)
        for target, language, split, n in [
            ("squad_v1", "en", "dev", 40),
            ("xquad", "en", "test", 30),
            ("xquad", "zh", "test", 30),
            ("mlqa", "de", "test", 30),
        ]
        for metric in ("em", "f1")
    }
    assert all(row["note"].startswith("untrained") and 0 <= row["value"] <= 100 for row in rows)


def test_a_lexicon_beats_the_majority_in_english_and_falls_back_to_it_elsewhere() -> None:
    limits = {"udpos": Limits(train=200, dev=50, test=50)}
    found = {
        (method, row["language"]): row["value"]
        for method in ("majority", "bag-of-words")
        for row in baselines.score(
            method, train_task="udpos", targets={"udpos": ["en", "zh"]}, sources=SOURCES, limits=limits
        )
        if (row["metric"], row["split"]) == ("accuracy", "test")
    }
    assert found["bag-of-words", "en"] > found["majority", "en"] + 30
    assert found["bag-of-words", "zh"] < 60


@pytest.mark.parametrize("name", [name for name in tasks.names() if tasks.load(name).train_task])
def test_every_training_set_has_its_baselines(name: str) -> None:
    task = tasks.load(name)
    if task.role == "target" and task.train_task != name:
        return
    limits = {name: Limits(train=60, dev=20, test=20)}
    targets = {} if "dev" in task.splits else {name: ["en"]}
    for method in ("majority", "bag-of-words"):
        rows = baselines.score(method, train_task=name, targets=targets, sources=SOURCES, limits=limits)
        assert {row["metric"] for row in rows} == set(task.metrics)


def test_a_run_writes_one_row_a_score(tmp_path: Path) -> None:
    asked = BaselineSpec(
        methods=("majority", "bag-of-words"),
        train_task="mnli",
        targets={"xnli": ("en", "de")},
        sources=SOURCES,
        limits={name: Limits(train=60, dev=20, test=20) for name in ("mnli", "xnli")},
    )
    spec = RunSpec(study="mini", id="baseline.mnli", asked=asked)
    folder = RunFolder(tmp_path / spec.id)
    baselines.run(folder, spec, asked)
    rows = records.read("scores", records.record_folders(tmp_path, "scores")).to_pylist()
    assert len(rows) == 6
    assert {(row["regime"], row["target"], row["language"]) for row in rows} == {
        (method, target, language)
        for method in asked.methods
        for target, language in [("mnli", "en"), ("xnli", "en"), ("xnli", "de")]
    }
    assert last_line(folder.progress)["done"] == 2
