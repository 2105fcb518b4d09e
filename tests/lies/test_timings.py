"""Timings of another machine, a throttled card, half a process, a fast form that answers otherwise."""

from collections.abc import Callable
from typing import Any

import pytest

FIRST = "latency.p1"


def a_device_mixed_in(study: Any) -> None:
    study.rewrite("latency", FIRST, lambda row: row | {"device_class": "H100", "device_name": "NVIDIA H100"})


def a_throttled_card(study: Any) -> None:
    study.rewrite("latency", FIRST, lambda row: row | {"valid": False, "invalid_reason": "clock_held_down"})


def half_a_process(study: Any) -> None:
    study.rewrite("latency", FIRST, lambda row: None if row["round"] > 0 else row)


def a_process_less(study: Any) -> None:
    (study.root / FIRST / "done.json").unlink()


def a_form_that_answers_otherwise(study: Any) -> None:
    study.rewrite("gate", FIRST, lambda row: row | {"passed": False, "flips": 4, "score": 1.0})


def another_back_end(study: Any) -> None:
    study.rewrite("latency", FIRST, lambda row: row | {"impl": "eager"})


def padded_calls(study: Any) -> None:
    study.rewrite("latency", FIRST, lambda row: row | {"padded_tokens": row["real_tokens"] * 3})


def no_gate(study: Any) -> None:
    found = list(study.root.glob("*/records/gate/*.arrow"))
    assert found
    for shard in found:
        shard.unlink()
        study.seal(shard.parents[2].name)


def other_queries(study: Any) -> None:
    study.rewrite(
        "latency", FIRST, lambda row: row | {"real_tokens": row["real_tokens"] + (row["regime"] == "joint")}
    )


LIES = [
    (a_device_mixed_in, "XNLI, batch 1, NVIDIA H100"),
    (a_throttled_card, "8 to 8 usable calls a row; 16 of 32 calls flagged and left out (clock"),
    (half_a_process, "FEW CALLS: 12 of 16 planned"),
    (a_process_less, "1 fresh processes of 2 planned"),
    (a_form_that_answers_otherwise, "GATE: resident and swapped in fp32 left out"),
    (another_back_end, "fp32, attention eager, en"),
    (padded_calls, "flagged and left out (padded 16)"),
    (no_gate, "GATE: nothing says whether"),
    (other_queries, "Not tested"),
]


@pytest.mark.parametrize(("plant", "mark"), LIES, ids=[lie[0].__name__ for lie in LIES])
def test_it_is_marked_by_name(study: Any, plant: Callable[[Any], None], mark: str) -> None:
    plant(study)
    assert mark in study.tables()


def test_honest_timings_have_none_of_these_marks(study: Any) -> None:
    said = study.tables()
    for _, mark in LIES:
        assert mark not in said, mark
