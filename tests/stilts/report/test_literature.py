"""Our numbers beside reported ones: ours are those of the records, and between is one less the other."""

import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from stilts.report import published, render
from stilts.report.evidence import Evidence
from stilts.report.form import DOUBLE_DAGGER, Cell, Table
from stilts.report.spec import load_spec

REPORTED = """
[sources]
them = "Somebody 2020"

[[reported]]
study = "sample"
key = "direct"
label = "their encoder"
split = "test"
quantity = "score"
source = "them"
checked = ["xnli"]
cells = { xnli = 61.5, udpos = 70.25, all = 50.0 }
em_f1 = { xquad = [40.0, 60.0] }

[[reported]]
study = "sample"
key = "mnli"
label = "MNLI first"
split = "dev"
quantity = "change"
source = "them"
cells = { xnli = -0.75, udpos = 1.5 }

[[reported]]
study = "sample"
key = "unheard_of"
label = "a task that we have not"
split = "dev"
quantity = "change"
source = "them"
cells = { xnli = 2.0 }

[[reported]]
study = "another"
key = "direct"
label = "another encoder"
split = "test"
quantity = "score"
source = "them"
cells = { xnli = 1.0 }
"""


@pytest.fixture
def table(evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """Of what lies in the folder one works in."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "published.toml").write_text(REPORTED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    published.published.cache_clear()
    (built,) = render.build(load_spec("literature"), evidence)
    yield render.table_of(built)
    published.published.cache_clear()


def rows(table: Table) -> dict[str, dict[str, Cell]]:
    (block,) = table.blocks
    return {row.key: dict(zip(block.columns, row.cells, strict=True)) for row in block.rows}


def recorded(evidence: Evidence, model: str, target: str, metrics: tuple[str, ...]) -> float:
    """The mean over metrics and languages, as the run's records have it."""
    values = [
        row["value"]
        for row in evidence.scores[f"{model}.eval"]
        if (row["target"], row["split"]) == (target, "test") and row["metric"] in metrics
    ]
    assert len(values) == 4 * len(metrics)
    return statistics.fmean(values)


def test_a_score_stands_beside_ours_and_between_is_the_difference(evidence: Evidence, table: Table) -> None:
    found = rows(table)
    for target, model, metrics, theirs in (
        ("xnli", "direct-s1.xnli", ("accuracy",), 61.5),
        ("udpos", "direct-s1.udpos", ("f1",), 70.25),
        ("xquad", "direct-s1.squad_v1", ("em", "f1"), 50.0),
    ):
        mine = recorded(evidence, model, target, metrics)
        assert found["them/test/direct/ours"][target].value == pytest.approx(mine, abs=1e-9)
        assert found["them/test/direct/theirs"][target].value == theirs
        between = found["them/test/direct/between"][target]
        assert between.value == pytest.approx(mine - theirs, abs=1e-9)
        assert between.text == f"{mine - theirs:+.1f}"
    assert found["them/test/direct/between"]["tatoeba"].value is None  # they report none


def test_a_change_is_held_against_ours_from_the_same_start(evidence: Evidence, table: Table) -> None:
    found = rows(table)
    for target, metrics, theirs in (("xnli", ("accuracy",), -0.75), ("udpos", ("f1",), 1.5)):
        mine = recorded(evidence, f"mnli-s1.{target}", target, metrics)
        mine -= recorded(evidence, f"direct-s1.{target}", target, metrics)
        assert found["them/dev/mnli/ours"][target].value == pytest.approx(mine, abs=1e-9)
        assert found["them/dev/mnli/theirs"][target].text == f"{theirs:+.1f}"
        assert found["them/dev/mnli/between"][target].value == pytest.approx(mine - theirs, abs=1e-9)


def test_what_we_did_not_measure_is_said_and_what_is_second_hand_marked(table: Table) -> None:
    found = rows(table)
    assert found["them/dev/unheard_of/theirs"]["xnli"].text == "+2.0"
    for row in ("ours", "between"):
        cell = found[f"them/dev/unheard_of/{row}"]["xnli"]
        assert (cell.value, cell.note) == (None, "not measured here")
    assert found["them/test/direct/theirs"]["xnli"].mark == ""
    assert found["them/test/direct/theirs"]["udpos"].mark == DOUBLE_DAGGER
    assert not [key for key in found if "another" in key]
    assert "Somebody 2020" in table.caption
