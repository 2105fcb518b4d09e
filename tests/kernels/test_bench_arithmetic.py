"""The bench's arithmetic: rooflines, percentiles, workloads, chips, goals."""

import statistics

import pytest

from kernels.bench import chips, goals
from kernels.bench.result import Row, Times, percentile
from kernels.bench.roofline import LARGE, Operation, Work, attention, encoder, gemm
from kernels.bench.workloads import QA, XNLI, dense, ragged, workloads

# XLM-R Large, worked out independently: batch, length, TFLOP, GB, roof in ms on an A100 and on an H100.
ROOFLINE = """
1 64 0.039 0.69 0.34 0.20
1 128 0.079 0.77 0.38 0.23
1 384 0.247 1.09 0.85 0.33
1 512 0.335 1.26 1.15 0.39
8 64 0.313 1.26 1.12 0.39
8 128 0.632 1.91 2.23 0.78
8 384 1.973 4.53 6.78 2.33
8 512 2.682 5.84 9.20 3.11
32 64 1.251 3.22 4.47 1.56
32 128 2.527 5.84 8.93 3.11
32 384 7.890 16.31 27.10 9.33
32 512 10.727 21.54 36.80 12.45
128 64 5.003 11.07 17.87 6.22
128 128 10.108 21.54 35.73 12.45
128 384 31.562 63.42 108.40 37.34
128 512 42.907 84.36 147.18 49.78
"""
CELLS = [tuple(map(float, line.split())) for line in ROOFLINE.strip().splitlines()]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0]:.0f}x{cell[1]:.0f}")
def test_the_roofline_of_xlm_r_large(cell):
    batch, length, tflop, gigabytes, on_a100, on_h100 = cell
    lengths = (int(length),) * int(batch)
    work = encoder(LARGE, lengths)

    def near(value, expected, digits):
        # Half a unit of the last digit, and what counting LayerNorm's own arithmetic would add.
        assert abs(value - expected) <= 0.5 * 10**-digits + 3e-3 * expected

    near(work.flop / 1e12, tflop, 3)
    near(work.bytes / 1e9, gigabytes, 2)
    for chip, roof in (("A100 SXM 80 GB", on_a100), ("H100 SXM", on_h100)):
        near(work.roof(chips.named(chip)) * 1e3, roof, 2)


def test_the_table_has_all_cells():
    assert len(CELLS) == 16
    assert {len(cell) for cell in CELLS} == {6}


def test_an_operation_takes_as_long_as_its_slowest_part():
    chip = chips.named("H100 SXM")
    assert Operation(name="x", flop=chip.flops).roof(chip) == pytest.approx(1.0)
    assert Operation(name="x", flop=1.0, bytes=2 * chip.bandwidth).roof(chip) == pytest.approx(2.0)
    assert Operation(name="x", bytes=1.0, exponentials=3 * chip.exponentials).roof(chip) == pytest.approx(3.0)
    twice = Work(operations=(Operation(name="x", flop=chip.flops),) * 2, repeats=3)
    assert twice.roof(chip) == pytest.approx(6.0)
    assert twice.flop == pytest.approx(6 * chip.flops)


def test_work_counts_what_is_moved_and_multiplied():
    product = gemm("x", 3, 5, 7)
    assert (product.flop, product.bytes) == (2 * 3 * 5 * 7, 2 * (15 + 35 + 21))
    attended = attention((3, 5), heads=2, head_dim=4)
    assert attended.exponentials == 2 * (9 + 25)
    assert attended.flop == 4 * 4 * 2 * (9 + 25)
    assert attended.bytes == 2 * 4 * 8 * 8


def test_an_exponential_costs_as_much_as_its_products_on_an_h100():
    for name, product, exponential in (("A100 SXM 80 GB", 0.821, 0.410), ("H100 SXM", 0.259, 0.270)):
        chip = chips.named(name)
        assert 256 / chip.flops * 1e12 == pytest.approx(product, abs=6e-4)
        assert 1 / chip.exponentials * 1e12 == pytest.approx(exponential, abs=6e-4)


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100 SXM 80 GB"),
        ("NVIDIA A100-SXM4-40GB", "A100 SXM 40 GB"),
        ("NVIDIA A100 80GB PCIe", "A100 PCIe 80 GB"),
        ("NVIDIA A100-PCIE-40GB", "A100 PCIe 40 GB"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA H100 NVL", "H100 NVL"),
        ("NVIDIA H200", "H200 SXM"),
        ("NVIDIA H200 NVL", "H200 NVL"),
    ],
)
def test_a_device_is_known_by_its_name(device, name):
    assert chips.find(device).name == name


@pytest.mark.parametrize("device", ["NVIDIA GeForce RTX 4090", "NVIDIA A10", "NVIDIA GH200 480GB"])
def test_an_unknown_device_has_no_roofline(device):
    assert chips.find(device) is None


def test_an_unknown_chip_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="H100 SXM"):
        chips.named("H100")


def test_percentiles_interpolate():
    samples = [40.0, 10.0, 30.0, 20.0]
    assert percentile(samples, 0.0) == 10.0
    assert percentile(samples, 0.5) == 25.0
    assert percentile(samples, 0.9) == pytest.approx(37.0)
    assert percentile(samples, 1.0) == 40.0
    assert percentile([7.0], 0.99) == 7.0
    thousand = [float(n) for n in range(1000)]
    assert percentile(thousand, 0.99) == pytest.approx(
        statistics.quantiles(thousand, n=100, method="inclusive")[-1]
    )


@pytest.mark.parametrize(("samples", "share"), [([], 0.5), ([1.0], 1.1), ([1.0], -0.1)])
def test_there_is_no_percentile_of_nothing(samples, share):
    with pytest.raises(ValueError, match="no percentile"):
        percentile(samples, share)


def test_workloads_cover_the_grid_and_the_mixes():
    full = workloads("full")
    dense_cells = {(load.batch, load.longest) for load in full if load.kind == "dense"}
    assert dense_cells == {(b, s) for b in (1, 8, 32, 128) for s in (64, 128, 384, 512)}
    assert {load.name.split()[0] for load in full if load.kind == "ragged"} == {"XNLI-like", "QA-like"}
    assert {load.name for load in workloads("quick")} <= {load.name for load in full}
    assert len({load.name for load in full}) == len(full)


def test_mixes_have_the_lengths_they_promise():
    lengths = XNLI.draw(20_000)
    assert statistics.mean(lengths) == pytest.approx(42, abs=1.0)
    assert min(lengths) >= 8
    assert max(lengths) <= 128
    assert max(QA.draw(2000)) == 384
    assert XNLI.draw(32) == XNLI.draw(32) != XNLI.draw(32, seed=1)


def test_padding_is_what_is_no_token():
    assert dense(8, 64).padding == 0.0
    load = ragged(XNLI, 32)
    assert load.padding == pytest.approx(1 - sum(load.lengths) / (32 * max(load.lengths)))
    assert 0.3 < load.padding < 0.9


def row(kernel, variant, workload, microseconds, **fields):
    values = {
        "family": kernel,
        "batch": 1,
        "longest": 512,
        "tokens": 512,
        "padding": 0.0,
        "dtype": "bfloat16",
        "status": "ok",
        "cold": Times.of([microseconds]),
    }
    return Row(kernel=kernel, variant=variant, workload=workload, **(values | fields))


def verdicts(rows, chip):
    return {goal.what: goal.verdict for goal in goals.judge(rows, chip)}


def test_goals_are_met_not_met_or_not_measured():
    chip = chips.named("H100 SXM")
    ours = row("attention", "varlen_attention_qkv", "32x512", 100.0, flop=341e8)
    unmeasured = "attention, every length up to 512"
    assert verdicts([ours], chip) == {"attention, 32x512": "met", unmeasured: "not measured"}
    slow = row("attention", "varlen_attention_qkv", "32x512", 102.0, flop=341e8)
    assert verdicts([slow], chip)["attention, 32x512"] == "not met"
    assert verdicts([], chip) == {"attention, 32x512": "not measured", unmeasured: "not measured"}


def test_the_slowest_length_decides_against_torch():
    rows = [
        row("attention", variant, workload, microseconds)
        for variant, times in (("varlen_attention_qkv", (10.0, 20.0)), ("torch varlen", (11.0, 19.0)))
        for workload, microseconds in zip(("8x64", "8x128"), times, strict=True)
    ]
    (verdict,) = goals.judge(rows, None)
    assert (verdict.verdict, verdict.measured) == ("not met", "0.95x at worst (8x128)")
    assert goals.judge(rows[::2], None)[0].verdict == "met"


def test_a_fall_back_meets_no_goal():
    chip = chips.named("A100 SXM 80 GB")
    fell_back = row("attention", "varlen_attention_qkv", "32x512", 1.0, flop=1e9, fallbacks=("no Triton",))
    assert verdicts([fell_back], chip)["attention, 32x512"] == "not measured"
