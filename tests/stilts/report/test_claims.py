"""What a claim needs to be supported, and what contradicts it."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from stilts.report.answer import answer, change_in_words
from stilts.report.claims import Comparison, every_one, judge, most, no_gain
from stilts.report.compare import Comparer
from stilts.report.evidence import Evidence
from stilts.report.form import Cell
from stilts.report.inference import Estimate, Part, Spread, estimated
from stilts.report.spec import load_spec


def compared(*values: float, error: float = 0.5) -> list[Comparison]:
    """Differences with this standard error, well known."""
    spread = Spread(least=Part(error**2, 500))
    return [Comparison(name="one", estimate=estimated(value, spread)) for value in values]


def p_of(comparisons: Sequence[Comparison]) -> list[float]:
    return [math.nan if one.estimate is None else one.estimate.p_value for one in comparisons]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((5.0, 4.0, 3.0), "supported"),
        ((5.0, 4.0, 0.2), "inconclusive"),
        ((5.0, 4.0, -0.2), "inconclusive"),
        ((5.0, 4.0, -3.0), "contradicted"),
        ((), "not tested"),
    ],
)
def test_a_direction_needs_every_comparison(values: tuple[float, ...], verdict: str) -> None:
    found = compared(*values)
    assert every_one(found, p_of(found), 0.05) == verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((4.0, 4.0, 4.0, -1.0), "supported"),
        ((4.0, 4.0, 0.1, 0.1), "inconclusive"),
        ((-4.0, -4.0, 0.1, 4.0), "contradicted"),
    ],
)
def test_most_are_counted_by_partial_conjunction(values: tuple[float, ...], verdict: str) -> None:
    found = compared(*values)
    assert most(found, p_of(found), 0.05) == verdict


@pytest.mark.parametrize(
    ("values", "error", "verdict"),
    [
        ((-1.0, -2.0), 0.3, "supported"),
        ((0.0, 0.1), 0.1, "supported"),
        ((0.0, 0.1), 2.0, "inconclusive"),
        ((3.0, -2.0), 0.3, "contradicted"),
    ],
)
def test_no_gain_has_to_be_shown(values: tuple[float, ...], error: float, verdict: str) -> None:
    """That nothing was found is no evidence that nothing is there."""
    found = compared(*values, error=error)
    assert no_gain(found, p_of(found), 0.05) == verdict


def test_what_was_not_measured_is_not_tested() -> None:
    found = [*compared(5.0), Comparison(name="two", estimate=None)]
    for rule in (every_one, most, no_gain):
        assert rule(found, p_of(found), 0.05) == "not tested"
    untold = [Comparison(name="one", estimate=Estimate(value=5.0))]
    assert every_one(untold, p_of(untold), 0.05) == "not tested"


def test_a_study_that_is_no_evidence_judges_no_claim(evidence: Evidence) -> None:
    comparer = Comparer(evidence, load_spec("claims"))
    assert {one.verdict for one in judge(comparer)} == {"not tested"}
    honest = replace(evidence, study=replace(evidence.study, caveat=""))
    found = {one.claim.key: one for one in judge(Comparer(honest, load_spec("claims")))}
    assert found["3"].verdict == "supported", "retrieval was invented to gain thirty points"
    assert found["7"].verdict == "not tested"
    assert "(+8.7 reported, within)" in found["2"].evidence


def test_changes_in_words_are_those_of_their_state() -> None:
    cell = Cell(text="60.0", change=-1.2, change_low=-2.0, change_high=-0.4, state="different")
    assert change_in_words("It", "the mean", cell) == "It lowers the mean by 1.2 points (\u00b10.8)."
    open_ = replace(cell, state="not different")
    assert change_in_words("It", "the mean", open_) == "It is not shown to change the mean: -1.2 (\u00b10.8)."
    bare = Cell(text="60.0", change=1.2, state="not tested")
    assert change_in_words("It", "x", bare) == "It was not tested on x: +1.2 without an interval."


def test_nothing_measured_answers_nothing() -> None:
    parts = answer({}, caveat="")
    assert {sentence.text for part in parts for sentence in part.sentences} == {"Not measured."}
