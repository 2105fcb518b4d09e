"""The bench's comparisons on the CPU: the gate, the rounds, and every peer that runs without a GPU."""

import itertools

import pytest
import torch

from kernels.bench import attention, rowwise
from kernels.bench.case import Call, Case, Plan, reasons, run
from kernels.bench.chips import named
from kernels.bench.roofline import Operation, Shape
from kernels.bench.workloads import Workload

SMALL = Shape(layers=1, hidden=64, heads=2, intermediate=128, vocabulary=50, positions=40)
DENSE = Workload(name="dense", lengths=(9, 9))
RAGGED = Workload(name="ragged", lengths=(3, 17, 1))


class Ticking:
    """Counts calls instead of timing them: the n-th call took n microseconds."""

    launch, reason = "graph", ""

    def __init__(self, call):
        self.launch = call.launch
        self.ticks = itertools.count(1)

    def cold(self, calls):
        return [float(next(self.ticks)) for _ in range(calls)]

    def warm(self, calls):
        return [0.5] * calls


class Watch:
    chip = named("H100 SXM")

    def synchronise(self):
        pass

    def prepare(self, call):
        return Ticking(call)

    def release(self):
        pass


def case(variants, *, reference=(1.0, 2.0), baseline=(1.001, 2.0)):
    return Case(
        family="attention",
        kernel="attention",
        workload=DENSE,
        dtype="float32",
        work=Operation(name="x", flop=3e9, bytes=6e6),
        reference=lambda: torch.tensor(reference),
        baseline=lambda: torch.tensor(baseline),
        variants=variants,
    )


def answering(*values, **fields):
    return lambda: Call(run=lambda: torch.tensor(values), **fields)


def missing():
    raise ImportError("no such peer\nand much more")


def test_a_wrong_answer_gets_no_time():
    rows = run(
        case(
            {
                "right": answering(1.0019, 2.0),
                "wrong": answering(1.0, 2.0021),
                "nan": answering(1.0, float("nan")),
                "shape": answering(1.0),
                "missing": missing,
            }
        ),
        Watch(),
        Plan(fewest=6, most=6, rounds=2),
    )
    found = {row.variant: row for row in rows}
    assert {name: row.status for name, row in found.items()} == {
        "right": "ok",
        "wrong": "wrong",
        "nan": "wrong",
        "shape": "wrong",
        "missing": "unavailable",
    }
    assert all(row.cold is None and row.warm is None for row in rows if row.variant != "right")
    assert found["missing"].reason == "ImportError: no such peer"
    assert "differs by 2.10e-03, 2.01e-03 is allowed" in found["wrong"].reason
    assert found["right"].difference == pytest.approx(1.9e-3, rel=1e-3)


def test_times_are_of_all_rounds_and_rates_of_real_work():
    (row,) = run(case({"x": answering(1.0, 2.0)}), Watch(), Plan(fewest=8, most=8, rounds=4))
    # Five calls of a pilot come first.
    assert row.cold.samples == tuple(float(n) for n in range(6, 14))
    assert (row.cold.p50, row.warm.p50) == (9.5, 0.5)
    assert row.tflops == pytest.approx(3e9 / 9.5e-6 / 1e12)
    assert row.gigabytes == pytest.approx(6e6 / 9.5e-6 / 1e9)
    assert row.roof_us == pytest.approx(3e9 / 989e12 * 1e6)
    assert row.roof_share == pytest.approx(row.roof_us / 9.5)


@pytest.mark.parametrize(("microseconds", "calls"), [(1.0, 125), (4e3, 63), (1e6, 25)])
def test_slow_calls_are_repeated_less_often(microseconds, calls):
    assert Plan().calls(microseconds) == calls


def test_reasons_for_falling_back_are_kept():
    import logging

    def make():
        return Call(run=lambda: (logging.getLogger("kernels").warning("too %s", "old"), torch.ones(1))[1])

    variants = {"x": make, "y": answering(1.0, refused=("too new",))}
    rows = run(case(variants, reference=(1.0,), baseline=(1.0,)), Watch(), Plan(fewest=1, most=1, rounds=1))
    assert [row.fallbacks for row in rows] == [("too old",), ("too new",)]
    with reasons() as said:
        logging.getLogger("kernels").info("all well")
    assert said == []


@pytest.mark.parametrize("workload", [DENSE, RAGGED], ids=lambda load: load.name)
def test_all_attentions_agree(workload):
    built = attention.case(workload, heads=2, head_dim=32, dtype=torch.float32, device="cpu")
    # Flex compiles C++ here and torch's variable-length attention wants a GPU: both belong to the hardware.
    variants = {
        name: make for name, make in built.variants.items() if name not in ("torch flex", "torch varlen")
    }
    assert len(variants) == 6
    rows = run(_with(built, variants), Watch(), Plan(fewest=1, most=1, rounds=1))
    assert {row.variant: row.status for row in rows} == dict.fromkeys(variants, "ok"), rows
    assert all(row.fallbacks for row in rows if not row.variant.startswith("torch"))
    assert all(row.tokens == sum(workload.lengths) for row in rows)


def test_a_mask_left_out_is_seen():
    built = attention.case(RAGGED, heads=2, head_dim=32, dtype=torch.float32, device="cpu")
    whole = Workload(name="ragged", lengths=(17, 17, 17))

    def unmasked():
        call = built.variants["torch sdpa"]()
        q, k, v = torch.nn.utils.rnn.pad_sequence(list(_qkv(built).split(RAGGED.lengths)), True).permute(
            2, 0, 3, 1, 4
        )
        return Call(run=lambda: attention._sdpa((q, k, v), whole)(), pick=call.pick)

    (row,) = run(_with(built, {"x": unmasked}), Watch(), Plan(fewest=1, most=1, rounds=1))
    assert row.status == "wrong"


def _qkv(built):
    """The case's own numbers, drawn again."""
    tokens = built.workload.tokens
    return torch.randn((tokens, 3, 2, 32), generator=torch.Generator("cpu").manual_seed(tokens))


def _with(built, variants):
    import dataclasses

    return dataclasses.replace(built, variants=variants)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("index", range(3))
def test_row_kernels_agree_with_their_twins(index, dtype):
    built = rowwise.cases(RAGGED, shape=SMALL, dtype=dtype, device="cpu")[index]()
    variants = {name: make for name, make in built.variants.items() if name != "torch inductor"}
    rows = run(_with(built, variants), Watch(), Plan(fewest=1, most=1, rounds=1))
    assert [row.status for row in rows] == ["ok", "ok"], rows
    assert rows[0].variant == built.kernel
    assert rows[0].dtype == str(dtype).removeprefix("torch.")


def test_row_kernels_move_what_they_must():
    norm, gelu, embed = (
        make().work.bytes for make in rowwise.cases(RAGGED, shape=SMALL, dtype=torch.bfloat16, device="cpu")
    )
    T = sum(RAGGED.lengths)
    assert norm == 2 * 64 * (3 * T + 3)
    assert gelu == 2 * 128 * (2 * T + 1)
    assert embed == 2 * 64 * (2 * T + 3 + 17) + 16 * T
