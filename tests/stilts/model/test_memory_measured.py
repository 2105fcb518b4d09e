"""The estimate of a plan against the memory that training really takes, on a CPU."""

import json
from pathlib import Path

import pytest

from tests.starting import outputs_of_ranks

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("memory_worker.py")
HALF = ["embeddings", *(f"layers.{n}" for n in range(4))]
PLAIN = {
    "stage": "auto",
    "precision": "fp32",
    "hidden": 512,
    "tokens": 4096,
    "passes": 1,
    "recompute": False,
    "frozen": [],
    "dropout": 0.1,
}
CASES = {
    "as it comes": {},
    "recomputed": {"recompute": True},
    "half frozen": {"frozen": HALF},
    "in two passes": {"tokens": 2048, "passes": 2},
    "mostly parameters": {"hidden": 768, "tokens": 512},
    "ZeRO 2 on two ranks": {"stage": 2, "world": 2, "tokens": 2048},
    "ZeRO 1 on two ranks": {"stage": 1, "world": 2, "tokens": 2048, "dropout": 0.0},
}


def measured(case: dict, *, world: int) -> dict:
    # What is freed goes back at once: as on a GPU, what tensors hold is measured, not what malloc keeps.
    malloc = {"MALLOC_MMAP_THRESHOLD_": 2**16, "MALLOC_TRIM_THRESHOLD_": 2**16}
    first = outputs_of_ranks([WORKER, json.dumps(case)], world=world, timeout=600, **malloc)[0]
    told = next(line for line in first.splitlines() if line.startswith("RESULT "))
    return json.loads(told.removeprefix("RESULT "))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_estimate_is_within_15_per_cent(name: str) -> None:
    case = PLAIN | CASES[name]
    found = measured(case, world=case.pop("world", 1))
    print(
        f"{name}: measured {found['measured'] / 2**20:.0f} MiB, estimate {found['estimate'] / 2**20:.0f} MiB"
    )
    assert found["estimate"] == pytest.approx(found["measured"], rel=0.15)
