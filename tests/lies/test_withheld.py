"""What this user may not read is told as that, of that run alone, and nothing is launched over it."""

from pathlib import Path
from typing import Any

import pytest

from stilts import launch, tables
from tests.withholding import withheld

RUN = "multi-s1.xnli.eval"
ASKED = ("--study", "small.toml")
PARTS = ("", "/predictions", "/records/scores", "/data.json", "/spec.json", "/done.json")


def test_of_what_is_no_run(study: Any) -> None:
    before = study.status()
    with withheld(study.root / ".launch"), withheld(study.root.parent / ".cache"):
        assert study.status() == before
        assert "damaged" not in before


@pytest.mark.parametrize("part", PARTS)
def test_of_a_run(study: Any, part: str) -> None:
    with withheld(Path(f"{study.root}/{RUN}{part}")):
        told = study.say(
            tables.main, *ASKED, "--tables", "scores,languages", "--formats", "md", "--output", "out"
        )
        stands = study.status()
        launched = study.say(launch.main, *ASKED, "--grid", "all", "--dry-run")
    assert f"nothing of {RUN} is shown: cannot read" in told
    assert told.endswith("exit code 0")
    assert "launch again" not in told
    assert f"damaged {RUN} cannot read" in stands
    assert "exit code 1" in stands
    assert "cannot read" in launched
    assert launched.endswith("exit code 3")
