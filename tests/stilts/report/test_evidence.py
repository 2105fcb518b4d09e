"""What a mean says about the sets behind it, and which rows a study has."""

from pathlib import Path

import pytest

from stilts.report.evidence import Evidence
from stilts.report.names import regime_name
from stilts.report.scored import Score, mean_of
from stilts.study.loading import load_study

STUDIES = Path(__file__).parents[2] / "studies"
ROWS = ["direct", "single", "best", "multi", "mlm", "translated"]


def score(count: int, full: int) -> Score:
    return Score(value=50.0, count=count, largest=count, full=full, runs=("a",))


def test_sets_of_different_sizes_are_no_limit() -> None:
    mean = mean_of([score(153, 153), score(1000, 1000)])
    assert mean is not None
    assert (mean.count, mean.largest, mean.full) == (153, 1000, 153)


def test_one_cell_scored_in_part_limits_the_mean() -> None:
    mean = mean_of([score(153, 153), score(100, 1000)])
    assert mean is not None
    assert (mean.count, mean.full) == (100, 1000)


@pytest.mark.parametrize(
    ("study", "rows"),
    [
        (str(STUDIES / "variants.toml"), ["mlm/mnli", "mlm/multi", "translated/mnli"]),
        ("mini", []),
    ],
)
def test_variants_are_rows_where_the_study_has_them(study: str, rows: list[str], tmp_path: Path) -> None:
    evidence = Evidence(load_study(study), tmp_path)
    found = evidence.rows(ROWS)
    assert [row for row in found if row.startswith(("mlm", "translated"))] == rows
    assert {"best", "single/mnli"} < set(found)
    assert set(rows) <= {row for row, _, _ in evidence.answers}


def test_a_direct_only_study_has_nothing_to_choose_from(tmp_path: Path) -> None:
    evidence = Evidence(load_study("pos-partut"), tmp_path)
    assert evidence.rows(ROWS) == ["direct"]
    assert evidence.best == {}


def test_variants_have_names_in_print() -> None:
    assert regime_name("mlm/multi") == "multi-task with masked text"
    assert regime_name("translated/mnli") == "MNLI with translations"
    assert regime_name("single/mnli") == "single MNLI"
    assert regime_name("direct") == "direct"
