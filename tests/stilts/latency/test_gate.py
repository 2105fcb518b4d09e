"""A fast form that does not answer as eager fp32 does is found, however fast it is."""

from typing import ClassVar

import numpy as np
import pytest
from datasets import Dataset

from hpc.errors import UserError
from stilts.evaluate import predict
from stilts.latency import gate
from stilts.tasks import load as load_task
from stilts.tasks.metrics import Scored


class Queries:
    """Forty examples; the gate only counts and names them."""

    language = "en"
    columns: ClassVar = {"example": np.arange(40)}

    examples = Dataset.from_dict({"id": [str(n) for n in range(40)]})


@pytest.fixture
def examined(monkeypatch):
    """The gate on numbers that are given: right where they agree with the first model's."""

    def run(expected, found):
        given = {"reference": expected, "fast": found}
        monkeypatch.setattr(predict, "outputs", lambda model, *_, **__: given[model])

        def judged(task, queries, numbers):
            labels = numbers.argmax(1)
            right = (labels == expected.argmax(1)).mean()
            return predict.Predicted(
                predictions=labels.tolist(),
                confidences=numbers.max(1),
                scored=Scored(values={"accuracy": 100 * float(right)}, by_example=np.ones(40, np.float32)),
            )

        monkeypatch.setattr(predict, "judged", judged)
        return gate.examine("reference", "fast", "nli", load_task("xnli"), Queries())

    return run


@pytest.fixture
def numbers():
    return np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)


def test_equal_answers_pass(examined, numbers):
    told = examined(numbers, numbers + np.float32(1e-4))
    assert told["passed"]
    assert told["flips"] == 0
    assert told["difference"] == pytest.approx(1e-4, rel=0.02)
    assert told["n"] == 40


def test_one_example_is_no_evidence_and_two_are(examined, numbers):
    for flips, passes in ((1, True), (2, False)):
        other = numbers.copy()
        other[:flips] = np.roll(other[:flips], 1, axis=1)
        told = examined(numbers, other)
        assert (told["flips"], told["passed"]) == (flips, passes)


@pytest.mark.parametrize("of", ["other numbers", "one number", "a tenth of the queries"])
def test_a_model_that_knows_nothing_hides_no_broken_form(examined, numbers, monkeypatch, of):
    """All labels are the same and so are all scores, whatever the numbers."""
    numbers[:, 0] = 9.0 + numbers[:, 0]
    other = numbers.copy()
    if of == "other numbers":
        other[:, 1:] = np.random.default_rng(2).normal(size=(40, 2)) * 4
    elif of == "one number":
        other[:] = other[0]
        other[:, 1] -= 3
    else:
        other[:4] = [60.0, -20.0, -20.0]
    told = examined(numbers, other)
    assert (told["flips"], told["score"]) == (0, told["reference"])
    assert told["deviation"] > gate.DEVIATION
    assert not told["passed"]


@pytest.mark.parametrize("size", [0.0, 1e-30, 5.0])
def test_rounding_of_numbers_that_hardly_differ_is_no_deviation(examined, size):
    flat = np.full((40, 3), size, np.float32)
    told = examined(flat, flat * np.float32(1.002))
    assert told["passed"]
    assert told["deviation"] <= 0.21


def test_what_is_not_finite_never_passes(examined, numbers):
    other = numbers.copy()
    other[3, 1] = np.nan
    told = examined(numbers, other)
    assert not told["passed"]
    assert told["flips"] == 40
    assert np.isfinite(told["difference"])


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_reference_that_is_not_finite_is_no_reference(examined, numbers, number):
    numbers[3, 1] = number
    with pytest.raises(
        UserError, match="head nli in fp32 are not finite for 1 of 40 items, first example '3'"
    ):
        examined(numbers, numbers.copy())
