"""Two folders compared on what both answered."""

import json
import re
from pathlib import Path

import pytest

from stilts import compare
from stilts.report.evidence import Evidence
from stilts.report.inference import crossed
from stilts.report.items import ItemReader
from stilts.study.config import Study


def test_two_runs_pair_by_example(evidence: Evidence, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (str(evidence.folder / run) for run in ("multi-s1.xnli.eval", "direct-s1.xnli.eval"))
    assert compare.main([first, second, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["blocks"][0]["rows"]
    scores = [evidence.mean_score(name, 1, "xnli", "test") for name in ("multi", "direct")]
    assert [cell["value"] for cell in row["cells"][:2]] == pytest.approx([one.value for one in scores if one])
    effects = ItemReader(evidence, "test").of_change(("multi", "direct"), [1], ["xnli"])
    expected = crossed([row["cells"][2]["value"]], effects)
    assert (row["cells"][2]["low"], row["cells"][2]["high"]) == pytest.approx((expected.low, expected.high))
    assert row["cells"][3]["text"] in ("better", "inconclusive")


def test_a_run_equals_itself_and_the_other_way_round_is_the_opposite(
    evidence: Evidence, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (str(evidence.folder / run) for run in ("multi-s1.eval", "direct-s1.eval"))
    found = []
    for pair in ((first, first), (first, second), (second, first)):
        assert compare.main([*pair, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["blocks"][0]["rows"]
        found.append({row["key"]: row["cells"] for row in rows})
    assert found[0]["tatoeba"][2].get("value", 0.0) == 0.0
    assert found[1]["tatoeba"][2]["value"] == pytest.approx(-found[2]["tatoeba"][2]["value"])
    assert (found[1]["tatoeba"][3]["text"], found[2]["tatoeba"][3]["text"]) == ("better", "worse")


def test_studies_pair_their_runs_by_name_and_seeds_are_repetitions(
    seeded: Evidence, evidence: Evidence, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.main([str(seeded.folder), str(seeded.folder)]) == 0
    told = capsys.readouterr().out
    assert "XNLI, multi.xnli.eval" in told
    assert not re.search(r"-s\d", told)
    assert compare.main([str(seeded.folder), str(evidence.folder)]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["{runs}/multi-s1.eval", "{runs}/nowhere"], 2, "is no folder"),
        (["{runs}/multi-s1.xnli.eval", "{runs}/multi-s1.panx.eval"], 3, "no set of examples in common"),
        (["{runs}/multi-s1", "{runs}/multi-s1.eval"], 3, "has no predictions"),
        (["{runs}/multi-s1.eval", "{runs}/direct-s1.eval", "--margin", "0"], 2, "--margin 0"),
        (["{runs}/multi-s1.eval", "{runs}/direct-s1.eval", "--margin", "nan"], 2, "--margin nan"),
    ],
)
def test_wrong_requests_are_answered_in_one_line(
    arguments: list[str],
    code: int,
    said: str,
    sample: tuple[Study, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, runs = sample
    assert compare.main([one.format(runs=runs) for one in arguments]) == code
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
