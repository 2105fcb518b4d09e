"""Yardsticks without an encoder: the majority answer, and what counting words gives.

Both learn from the English training set and are scored in every language, like the models. A task that is
easy for them measures no understanding; a model that does not beat them learned nothing.
`run(folder, spec, asked)` carries out a run of the stage `baseline`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from hpc.errors import UserError, unknown_name
from stilts import data, tasks
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.progress import Progress
from stilts.run.provenance import code_version
from stilts.run.settings import Baseline as Method, Limits
from stilts.run.specs import BaselineSpec, RunSpec
from stilts.tasks import Example, Task, metrics

Predict = Callable[[Sequence[Example]], list[Any]]

NOTES: Mapping[tuple[str, str], str] = {
    ("majority", "classify"): "most frequent label",
    ("majority", "choice"): "most frequent position",
    ("majority", "tag"): "most frequent tag",
    ("majority", "span"): "most frequent answer",
    ("bag-of-words", "classify"): "logistic regression on the words of both sides",
    ("bag-of-words", "choice"): "logistic regression on the words of a choice",
    ("word-overlap", "classify"): "logistic regression on the words of both sides and their overlap",
    (
        "word-overlap",
        "choice",
    ): "logistic regression on the words of a choice and its overlap with the prompt",
    ("bag-of-words", "tag"): "lexicon: most frequent tag of the word form, else of all",
    (
        "bag-of-words",
        "span",
    ): "untrained: names and numbers of the sentence that shares most with the question",
}
"""What each method really is, for the column `note`."""

# One character a word in scripts without spaces, or nothing would ever overlap.
_WORD = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")
_SENTENCE = re.compile("[^.!?\u3002\uff01\uff1f\u0964\u061f]+")


def run(folder: RunFolder, spec: RunSpec, asked: BaselineSpec) -> None:
    """Writes the scores of one training set's baselines to `records/scores`."""
    progress = Progress(folder, total=len(asked.methods), unit="methods")
    rows: list[dict[str, Any]] = []
    task_type = tasks.load(asked.train_task).type
    for done, method in enumerate(asked.methods):
        if (method, task_type) not in _FITS:
            continue
        progress.at(done, method)
        rows += score(
            method,
            train_task=asked.train_task,
            targets=asked.targets,
            sources=asked.sources,
            limits=asked.limits,
        )
    common = {"run_id": spec.id, "study": spec.study, "intermediate": ""}
    records.write_shard(folder.records / "scores", "scores", [common | row for row in rows], name="baseline")
    progress.at(len(asked.methods))


def score(
    method: Method,
    *,
    train_task: str,
    targets: Mapping[str, Sequence[str]],
    sources: Sequence[str],
    limits: Mapping[str, Limits],
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Learns one English training set and scores it on its own dev set and on the test sets of its targets.

    Args:
        method: one of `Method`.
        train_task: task whose training set is learned.
        targets: languages by target task.
        sources: where data is looked for.
        limits: by task and split.
        seed: of the data.

    Returns:
        Rows for the records `scores`, without what names the run.
    """

    def read(task: Task, language: str, split: str) -> list[Example]:
        limit = limits.get(task.name, Limits()).of(split)
        return list(data.read(task, language=language, split=split, sources=sources, limit=limit, seed=seed))

    source = tasks.load(train_task)
    predict = fit(method, source.type, read(source, "en", "train"))
    asked = [(source, "en", "dev")] if "dev" in source.splits else []
    asked += [(tasks.load(name), language, "test") for name, some in targets.items() for language in some]
    rows = []
    for task, language, split in asked:
        examples = read(task, language, split)
        columns = {name: [example[name] for example in examples] for name in examples[0]}
        scored = metrics.score(
            task.metric, examples=columns, predictions=predict(examples), language=language
        )
        known = {
            "regime": method,
            "target": task.name,
            "language": language,
            "split": split,
            "n": len(examples),
            "n_full": len(examples),
            "note": NOTES[method, task.type],
            "data": data.version(task, language=language, split=split, sources=sources),
            "code": code_version(),
        }
        rows += [known | {"metric": name, "value": value} for name, value in scored.values.items()]
    return rows


def fit(method: Method, task_type: str, examples: Sequence[Example]) -> Predict:
    """A function from examples to predictions, learned from labelled ones.

    Raises:
        UserError: there is no such method for the task type, or nothing to learn from.
    """
    if (method, task_type) not in _FITS:
        raise unknown_name("baseline", f"{method} of {task_type}", (f"{m} of {k}" for m, k in _FITS))
    if not examples:
        raise UserError("a baseline needs training examples", code=3)
    return _FITS[method, task_type](examples)


def _constant(answers: Sequence[Any]) -> Predict:
    counts = Counter(answers)
    best = min(counts, key=lambda answer: (-counts[answer], answer))
    return lambda examples: [best] * len(examples)


def _majority_label(examples: Sequence[Example]) -> Predict:
    return _constant([example["label"] for example in examples])


def _majority_answer(examples: Sequence[Example]) -> Predict:
    firsts = (example["answers"][:1] or [{"text": ""}] for example in examples)
    return _constant([answer["text"] for (answer,) in firsts])


def _majority_tag(examples: Sequence[Example]) -> Predict:
    constant = _constant([tag for example in examples for tag in example["tags"]])
    return lambda asked: [constant(example["tokens"]) for example in asked]


def _lexicon(examples: Sequence[Example]) -> Predict:
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        for token, tag in zip(example["tokens"], example["tags"], strict=True):
            seen[token.lower()][tag] += 1
    counts = sum(seen.values(), Counter[str]())
    other = min(counts, key=lambda tag: (-counts[tag], tag))
    best = {word: min(tags, key=lambda tag: (-tags[tag], tag)) for word, tags in seen.items()}
    return lambda asked: [
        [best.get(token.lower(), other) for token in example["tokens"]] for example in asked
    ]


def _pair_classifier(examples: Sequence[Example], *, overlap: bool) -> Predict:
    def features_of(some: Sequence[Example]) -> list[dict[str, float]]:
        return [
            _words_of(example["first"], side=1)
            | _words_of(example["second"], side=2)
            | (_overlap(example["first"], example["second"]) if overlap else {})
            for example in some
        ]

    model = _logistic(
        features_of(examples),
        [example["label"] for example in examples],
    )

    def predict(asked: Sequence[Example]) -> list[Any]:
        return [int(label) for label in model.predict(features_of(asked))]

    return predict


def _choice_classifier(examples: Sequence[Example], *, overlap: bool) -> Predict:
    def features_of(example: Example) -> list[dict[str, float]]:
        return [
            _words_of(choice, side=2) | (_overlap(example["prompt"], choice) if overlap else {})
            for choice in example["choices"]
        ]

    features = [one for example in examples for one in features_of(example)]
    right = [int(n == example["label"]) for example in examples for n in range(len(example["choices"]))]
    model = _logistic(features, right)
    return lambda asked: [int(model.decision_function(features_of(example)).argmax()) for example in asked]


def _logistic(features: Sequence[Mapping[str, float]], labels: Sequence[int]) -> Any:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    if len(set(labels)) < 2:
        raise UserError("a classifier needs training examples of at least two labels")
    model = make_pipeline(DictVectorizer(), LogisticRegression(max_iter=1000))
    return model.fit(features, labels)


def _words_of(text: str, *, side: int) -> dict[str, float]:
    return {f"{side}:{word}": 1.0 for word in _words(text)}


def _overlap(first: str, second: str) -> dict[str, float]:
    """In how far two texts have the same words, which also works in languages never seen."""
    one, two = _words(first), _words(second)
    shared = len(one & two)
    return {
        "shared of the first": shared / max(1, len(one)),
        "shared of the second": shared / max(1, len(two)),
        "same words": float(one == two),
        "longer": float(len(one) > len(two)),
    }


def _best_names(examples: Sequence[Example]) -> Predict:  # noqa: ARG001
    return lambda asked: [_likely_answer(example["question"], example["context"]) for example in asked]


def _likely_answer(question: str, context: str) -> str:
    """The longest run of capitalised words or numbers that the question lacks, else the longest new word."""
    known = _words(question)
    sentences = _SENTENCE.findall(context) or [context]
    sentence = max(sentences, key=lambda text: len(_words(text) & known)).strip()
    named = groupby(sentence.split(), key=lambda word: word[0].isupper() or word[0].isdigit())
    runs = [" ".join(words) for is_name, words in named if is_name]
    fresh = [text for text in runs if not _words(text) <= known] or [
        word for word in sentence.split() if not _words(word) <= known
    ]
    return max(fresh, key=len, default=sentence)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


_FITS: Mapping[tuple[str, str], Callable[[Sequence[Example]], Predict]] = {
    ("majority", "classify"): _majority_label,
    ("majority", "choice"): _majority_label,
    ("majority", "tag"): _majority_tag,
    ("majority", "span"): _majority_answer,
    ("bag-of-words", "classify"): partial(_pair_classifier, overlap=False),
    ("bag-of-words", "choice"): partial(_choice_classifier, overlap=False),
    ("word-overlap", "classify"): partial(_pair_classifier, overlap=True),
    ("word-overlap", "choice"): partial(_choice_classifier, overlap=True),
    ("bag-of-words", "tag"): _lexicon,
    ("bag-of-words", "span"): _best_names,
}
