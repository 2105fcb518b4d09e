"""What a plan says that it will take, of the published study on GPUs before anything ran."""

from dataclasses import replace

import pytest

from hpc.cluster import load_cluster
from stilts.launching.describe import describe
from stilts.launching.estimate import learn, say_bytes
from stilts.launching.plan import make_plan
from stilts.run.specs import TrainSpec
from stilts.study.grid import expand
from stilts.study.grid.builder import training_shares
from stilts.study.loading import load_study


@pytest.fixture(scope="module")
def published():
    return load_study("xlmr-large"), load_cluster("example")


@pytest.fixture(scope="module")
def runs(published):
    study, _ = published
    return {spec.id: spec for spec in expand(study, "all")}


def test_nothing_of_the_published_study_is_unknown(published, runs) -> None:
    study, cluster = published
    estimator = learn([], study, cluster)
    assert all(estimator.seconds(spec) is not None for spec in runs.values())
    multi = runs["multi-s1"]
    assert estimator.ranks(multi) == 4
    # 6 operations a parameter of the layers and token, and a tenth for attention, at 35 % of 312 TFLOP/s.
    expected = 6.3 * 302e6 * multi.tokens / (4 * 0.35 * 312e12)
    assert estimator.seconds(multi) == pytest.approx(expected, rel=0.1)
    assert 5e9 < estimator.held(multi) < 40e9
    assert estimator.zero(multi).stage == 2
    smaller = replace(cluster, device=replace(cluster.device, memory_gb=6))
    auto = replace(multi, asked=replace(multi.asked, zero=replace(multi.asked.zero, stage="auto")))
    assert learn([], study, cluster).zero(auto).stage == 1
    assert learn([], study, smaller).zero(auto).stage == 3
    assert estimator.weights(multi) == pytest.approx(2 * 560e6, rel=0.01), "in bf16"


def test_text_counts(published, runs) -> None:
    study, cluster = published
    plain, mixed = runs["mnli-s1"], runs["mnli+mlm-s1"]
    assert mixed.tokens > 5 * plain.tokens, "a batch of 24 blocks of 256 tokens after each of 24 pairs"
    estimator = learn([], study, cluster)
    assert estimator.held(mixed) > 1.5 * estimator.held(plain)


def test_passes_follow_the_cap_and_the_batches(published) -> None:
    study, _ = published
    alike = replace(study.optimisation_of("multi"), batches="alike", examples_per_batch=24, epochs=3.0)
    shares = training_shares(study, ("mnli", "qqp", "ccg"), alike)
    assert shares["ccg"].passes == pytest.approx(3.0)
    assert shares["mnli"].passes == pytest.approx(3 * 131072 / 392702)
    assert sum(share.steps for share in shares.values()) == pytest.approx(3 * (2 * 131072 + 39604) / 24)
    own = training_shares(study, ("squad_v1", "hellaswag"), replace(alike, batches="own"))
    # SQuAD has batches of 8, HellaSwag of 24: a step of either is as likely as their sizes say.
    assert own["squad_v1"].steps / own["hellaswag"].steps == pytest.approx(87599 / 39905)
    assert own["hellaswag"].passes == pytest.approx(3 * own["squad_v1"].passes)


def test_the_plan_says_it_all(published, tmp_path) -> None:
    study, cluster = published
    plan = make_plan(study, "all", only=None, runs=tmp_path, cluster=cluster)
    text = list(describe(plan, cluster))
    head = "\n".join(text[:25])
    assert "unknown" not in head
    assert "(ZeRO 2)" in head
    assert any(line.startswith("passes over each set in multi-s1: anli_plus ") for line in text)
    assert any(line.startswith("disk: ") and "GB of weights" in line for line in text)
    assert any(line.startswith("search: ") and "of which best deploys one a target" in line for line in text)
    assert any(line.startswith("assumed: 312 TFLOP/s of A100-80GB at 35 %") for line in text)


def test_identical_trainings_are_one_run() -> None:
    runs = {spec.id: spec for spec in expand(load_study("mini"), "all")}
    assert "direct-s1.xnli" not in runs
    assert runs["direct-s1.xnli.eval"].needs == ("mnli-s1",)
    assert runs["mnli-s1.xnli"].needs == ("mnli-s1",)
    assert runs["direct-s1.squad_v1.eval"].needs == ("squad_v1-s1",)
    wanted = {spec.id for spec in expand(load_study("mini"), "targets")}
    assert {"mnli-s1", "squad_v1-s1"} <= wanted, "they are fine-tuning too"
    told = [
        repr(replace(spec.asked, phase="single", regime="", intermediate="", targets=()))
        for spec in runs.values()
        if isinstance(spec.asked, TrainSpec)
    ]
    parents = [spec.needs[0] for spec in runs.values() if isinstance(spec.asked, TrainSpec)]
    assert len(set(zip(told, parents, strict=True))) == len(told)


def test_bytes_are_said_shortly() -> None:
    assert [say_bytes(size) for size in (41.2e9, 2.35e12, 179e6)] == ["41.2 GB", "2.35 TB", "179 MB"]
