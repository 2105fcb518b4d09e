"""What is noticed of a phase, and what ends it."""

import json

import numpy as np
import pytest

from hpc.errors import UserError
from stilts.train.health import Health, alike
from stilts.train.loop import HANG_VARIABLE, hang_minutes


def test_a_few_gradients_may_be_left_out_and_no_more() -> None:
    health = Health()
    for _ in range(5):
        health.skip(float("inf"), step=10, steps=100)
    with pytest.raises(
        ArithmeticError, match=r"6 gradients were not finite \(norm inf\) by step 11 of 100, 5 may"
    ):
        health.skip(float("inf"), step=10, steps=100)
    assert Health().skip(float("nan"), step=0, steps=3) is None
    fp16 = Health()
    for _ in range(17):
        fp16.skip(float("inf"), step=0, steps=3, searching=16)


def test_a_loss_far_above_what_its_stream_had_is_a_spike() -> None:
    random = np.random.default_rng(0)
    health = Health()
    usual = [health.loss("mnli", float(value)) for value in random.normal(0.8, 0.1, 2000)]
    assert sum(usual) == 0
    assert not health.loss("squad_v1", 5.0), "another stream has its own course"
    assert health.loss("mnli", 4.0)
    assert health.spikes == 1
    assert health.notes([]) == ["1 spikes of the loss"]


def test_falling_losses_are_no_spikes() -> None:
    health = Health()
    random = np.random.default_rng(1)
    losses = 3 * np.exp(-np.arange(1000) / 200) * random.lognormal(0, 0.2, 1000)
    assert not any(health.loss("mnli", float(value)) for value in losses)


def test_answers_that_are_all_alike_and_heads_without_steps_are_noted() -> None:
    assert alike(["neutral"] * 12) == "'neutral'"
    assert alike([["O", "O"], ["O"] * 9]) == "'O'"
    assert alike(["neutral"] * 11 + ["entailment"]) is None
    assert alike(["neutral"] * 3) is None, "too few to say"
    health = Health(alike={"mnli": "'neutral'"})
    assert health.notes(["ccg"]) == ["mnli answers 'neutral' throughout", "ccg was never drawn"]


def test_the_state_goes_through_json_and_comes_back() -> None:
    health = Health(skipped=2, alike={"mnli": "'x'"})
    for value in (0.1, 0.7, 1 / 3):
        health.loss("mnli", value)
    again = Health.of(json.loads(json.dumps(health.state())))
    assert again == health


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf"])
def test_a_patience_that_is_no_time_is_refused(monkeypatch, given: str) -> None:
    monkeypatch.setenv(HANG_VARIABLE, given)
    with pytest.raises(UserError, match="STILTS_HANG_MINUTES should be a number of minutes above 0"):
        hang_minutes()
    monkeypatch.setenv(HANG_VARIABLE, "0.5")
    assert hang_minutes() == 0.5
