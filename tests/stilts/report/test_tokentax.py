"""What languages pay is told from the same examples; another target's, or one language's, is none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stilts.report.builders import tokentax
from stilts.report.evidence import Evidence
from stilts.report.form import Cell
from stilts.report.spec import load_spec
from stilts.study.config import Study

STUDY = """
name = "taxed"
summary = "invented timings in several languages"
seeds = [1]
sources = ["embedded"]
targets = ["xnli", "mlqa"]
[model]
source = "random"
[intermediate]
tasks = ["mnli"]
single_tasks = ["mnli"]
[languages]
default = ["en", "de", "zh", "ar"]
[optimisation.default]
[latency]
targets = ["xnli", "mlqa"]
regimes = ["direct"]
languages = ["en", "de", "ar", "zh"]
attention = ["sdpa"]
queries = 40
batch_sizes = [1]
processes = 5
rounds = 2
calls = 20
warmup = 3
"""


@pytest.fixture(scope="module")
def cells(
    invent: Callable[..., tuple[Study, Path]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Cell]:
    tokens = {"en": 1.0, "de": 1.25, "ar": 1.5, "zh": 0.8}
    study, runs = invent(tmp_path_factory.mktemp("taxed"), STUDY, tokens=tokens)
    (table,) = tokentax.build(load_spec("tokentax"), Evidence(study, runs))
    assert "Spearman" in table.caption
    return {address.removeprefix("tokentax/"): cell for address, cell in table.cells()}


@pytest.mark.parametrize(("language", "tax"), [("de", 1.25), ("ar", 1.5), ("zh", 0.8)])
def test_premium_and_time_are_what_was_planted(cells: dict[str, Cell], language: str, tax: float) -> None:
    assert cells[f"xnli/{language}/premium"].value == pytest.approx(tax, rel=0.02)
    time = cells[f"xnli/{language}/time"]
    assert time.value == pytest.approx(tax, rel=0.01)
    assert time.low is not None
    assert time.high is not None
    assert time.low - 0.005 <= tax <= time.high + 0.005
    assert cells[f"xnli/{language}/padding"].value == pytest.approx(20, abs=0.5)
    assert cells[f"xnli/{language}/score"].value is not None


def test_english_is_compared_with_nothing(cells: dict[str, Cell]) -> None:
    assert not cells["xnli/en/premium"].applies
    assert not cells["xnli/en/time"].applies
    assert cells["xnli/en/tokens"].value == pytest.approx(29.5)


def test_sets_that_are_no_translations_are_not_compared(cells: dict[str, Cell]) -> None:
    assert not [address for address in cells if address.startswith("mlqa/")]
