"""Words alone, or one sentence of two alone, do not give the labels away."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from stilts import tasks as readers
from stilts.embedded.microworld import rows

Example = dict[str, Any]


def words(name: str, text: str) -> dict[str, int]:
    return {f"{name} {word}": 1 for word in text.lower().replace(".", " ").replace(",", " ").split()}


def both(example: Example) -> dict[str, int]:
    return words("first", example["first"]) | words("second", example["second"])


def second(example: Example) -> dict[str, int]:
    return words("second", example["second"])


def examples(task: str, split: str, count: int) -> list[Example]:
    read = readers.load(task).read
    found = [read(row) for row in rows(task, language="en", split=split, limit=count, seed=1)]
    return [example for example in found if example]


def accuracy(train: list[Any], train_labels: list[int], test: list[Any], test_labels: list[int]) -> float:
    vectorizer = DictVectorizer()
    model = LogisticRegression(max_iter=2000, C=0.3).fit(vectorizer.fit_transform(train), train_labels)
    return float(np.mean(model.predict(vectorizer.transform(test)) == np.array(test_labels)))


# Measured: the hypothesis alone is at chance; two sets of words, seen apart, can tell little.
@pytest.mark.parametrize(
    ("task", "features", "chance", "allowed"),
    [
        ("mnli", second, 1 / 3, 0.40),
        ("mnli", both, 1 / 3, 0.45),
        ("anli_plus", second, 1 / 3, 0.40),
        ("anli_plus", both, 1 / 3, 0.45),
        ("xnli", both, 1 / 3, 0.45),
        ("pawsx", both, 1 / 2, 0.56),
        ("qqp", both, 1 / 2, 0.56),
    ],
)
def test_pairs(
    task: str, features: Callable[[Example], dict[str, int]], chance: float, allowed: float
) -> None:
    trained, asked = (
        examples("mnli" if task == "xnli" else task, "train", 1000),
        examples(task, "test", 600),
    )
    found = accuracy(
        [features(example) for example in trained],
        [example["label"] for example in trained],
        [features(example) for example in asked],
        [example["label"] for example in asked],
    )
    assert chance - 0.1 < found < allowed


@pytest.mark.parametrize(
    ("task", "chance", "allowed"),
    [("hellaswag", 1 / 4, 0.33), ("cosmosqa", 1 / 4, 0.33), ("commonsenseqa", 1 / 5, 0.28)],
)
def test_choices_without_the_question(task: str, chance: float, allowed: float) -> None:
    """An option's words do not tell whether it is right: each is right and wrong alike often."""
    trained = examples(task, "train", 800)
    vectorizer = DictVectorizer()
    options = [
        (words("", choice), i == row["label"]) for row in trained for i, choice in enumerate(row["choices"])
    ]
    matrix = vectorizer.fit_transform([option for option, _ in options])
    model = LogisticRegression(max_iter=2000).fit(matrix, [right for _, right in options])
    asked = examples(task, "train", 1600)[800:]
    hits = [
        int(
            model.decision_function(
                vectorizer.transform([words("", text) for text in row["choices"]])
            ).argmax()
        )
        == row["label"]
        for row in asked
    ]
    assert chance - 0.1 < np.mean(hits) < allowed
