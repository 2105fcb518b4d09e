"""What only some of the runs tell is no sum over all of them."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stilts.report import render
from stilts.report.evidence import Evidence
from stilts.report.form import Cell, Table
from stilts.report.spec import load_spec
from tests.withholding import withheld


def cells(table: str, evidence: Evidence) -> dict[str, Cell]:
    return dict(built(table, evidence).cells())


def built(table: str, evidence: Evidence) -> Table:
    (one,) = render.build(load_spec(table), evidence)
    return render.table_of(one)


def telling(evidence: Evidence, run: str, **fields: Any) -> Evidence:
    """As if the training records of a run had said that."""
    changed = replace(evidence)
    changed.__dict__["training"] = {
        name: [row | fields for row in rows] if name == run else rows
        for name, rows in evidence.training.items()
    }
    return changed


@pytest.mark.parametrize(("field", "column"), [("flops_model", "flops"), ("tokens", "tokens")])
def test_a_cost_that_a_run_behind_it_does_not_tell_is_missing(
    evidence: Evidence, field: str, column: str
) -> None:
    before = cells("training", evidence)
    after = cells("training", telling(evidence, "multi-s1", **{field: None}))
    gone = {address for address, cell in after.items() if cell.value is None}
    assert f"training/multi/{column}" in gone
    assert all(address.endswith(f"/{column}") for address in gone)
    assert after[f"training/multi/{column}"].note == "a training record behind this row does not tell"
    assert {address: cell.text for address, cell in after.items() if address not in gone} == {
        address: cell.text for address, cell in before.items() if address not in gone
    }


def test_sums_say_over_how_many_they_are(evidence: Evidence) -> None:
    known = telling(evidence, "multi-s1", energy_j=3.6e6)
    assert cells("repro", known)["repro/energy (kWh)/value"].text == "1.00 (measured in 1 of 33)"
    unknown = telling(evidence, "multi-s1", flops_model=None)
    assert cells("repro", unknown)["repro/FLOPs of the models/value"].text.endswith("T (counted in 32 of 33)")
    assert "counted" not in cells("repro", evidence)["repro/FLOPs of the models/value"].text


def test_what_is_told_of_attempts_says_of_how_many_runs(evidence: Evidence, tmp_path: Path) -> None:
    folder = tmp_path / evidence.folder.name
    shutil.copytree(evidence.folder, folder)
    (folder / "multi-s1" / "done.json").unlink()
    (folder / "mnli-s1" / "provenance.jsonl").unlink()
    of_three = "Of the last attempts of 85 of 88 runs that are done and whole"
    with withheld(folder / "direct-s1.udpos" / "provenance.jsonl"):
        caption = built("repro", replace(evidence, folder=folder)).caption
    assert of_three in caption
    assert "Of mnli-s1, direct-s1.udpos it cannot be read" in caption
