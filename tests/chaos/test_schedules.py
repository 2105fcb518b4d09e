"""A few of the schedules that `make chaos` tries by the hundred, and that they can find something."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

_SPEC = importlib.util.spec_from_file_location("chaos_schedules", Path(__file__).with_name("schedules.py"))
assert _SPEC is not None
schedules: Any = importlib.util.module_from_spec(_SPEC)
sys.modules["chaos_schedules"] = schedules  # its dataclass looks itself up there
assert _SPEC.loader is not None
_SPEC.loader.exec_module(schedules)

SEED = 11


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], int]:
    place = tmp_path_factory.mktemp("chaos")
    expected, changes = schedules.undisturbed(place)
    assert len(expected) > 20
    assert changes > 500
    return place, expected, changes


@pytest.mark.parametrize("number", range(4))
def test_struck_anywhere_it_ends_with_the_same_bytes(undisturbed: Any, number: int) -> None:
    place, expected, changes = undisturbed
    assert schedules.trial(place, number, SEED, expected, changes) == ""


def test_other_results_are_found(undisturbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place, expected, changes = undisturbed
    monkeypatch.setattr(schedules, "schedule", lambda *_: [schedules.Harm(how="pause", at=5)])
    one = next(iter(expected))
    problem = schedules.trial(place, 99, SEED, expected | {one: "0" * 64}, changes)
    assert "other results" in problem
    assert one in problem


def test_every_sort_of_strike_strikes(undisturbed: Any, tmp_path: Path) -> None:
    """A launch that is struck early on never ends as if nothing were, but for a pause."""
    for how in sorted(set(schedules.HOW) - {"pause", "SIGSTOP"}):
        folder = tmp_path / how
        schedules.prepare(folder)
        code, errors = schedules.launch(folder, schedules.Harm(how=how, at=3))
        assert code != 0, how
        assert "Traceback" not in errors, how
