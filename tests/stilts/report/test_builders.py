"""Builders against numbers worked out beside them, on invented records."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stilts import tasks
from stilts.report import inference, render
from stilts.report.builders import sanity, scores, training
from stilts.report.evidence import Evidence
from stilts.report.form import DAGGER, DOUBLE_DAGGER, Cell, Table
from stilts.report.items import ItemReader
from stilts.report.numbers import signed
from stilts.report.published import published, reported_rows
from stilts.report.scored import main_metric
from stilts.report.spec import load_spec
from stilts.study import regimes
from stilts.study.config import Study
from stilts.tasks import metrics
from stilts.tasks.metrics import _tagging as tagging

NINE = ("xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba")
SEVEN = NINE[:7]


def built(name: str, evidence: Evidence) -> dict[str, Cell]:
    """All cells of a table or figure by their address without its name."""
    tables = [render.table_of(one) for one in render.build(load_spec(name), evidence)]
    return {address.split("/", 1)[1]: cell for table in tables for address, cell in table.cells()}


def one_table(name: str, evidence: Evidence) -> Table:
    (one,) = render.build(load_spec(name), evidence)
    return render.table_of(one)


def raw_mean(evidence: Evidence, run: str, target: str) -> float:
    """Mean over languages of a target's metrics, straight from the records."""
    counted = {"udpos": ["f1"], "panx": ["f1"]}.get(target)
    values = [
        row["value"]
        for row in evidence.scores[run]
        if (row["target"], row["split"]) == (target, "test") and (counted is None or row["metric"] in counted)
    ]
    return float(np.mean(values))


def test_scores_are_means_over_languages_then_tasks(evidence: Evidence) -> None:
    cells = built("scores", evidence)
    runs = {target: f"direct-s1.{target}.eval" for target in SEVEN}
    runs |= {"xquad": "direct-s1.squad_v1.eval", "mlqa": "direct-s1.squad_v1.eval"}
    runs |= {"bucc2018": "direct-s1.eval", "tatoeba": "direct-s1.eval"}
    expected = {target: raw_mean(evidence, run, target) for target, run in runs.items()}
    for target, value in expected.items():
        assert cells[f"direct/{target}"].value == pytest.approx(value)
        assert cells[f"direct/{target}"].runs == (runs[target],)
    assert cells["direct/all"].value == pytest.approx(np.mean(list(expected.values())))
    assert cells["direct/trained"].value == pytest.approx(np.mean([expected[target] for target in SEVEN]))


def test_changes_are_differences_with_intervals_that_hold_them(evidence: Evidence) -> None:
    cells = built("scores", evidence)
    for row in ("single/mnli", "single/squad_v1", "multi", "heads", "joint"):
        for column in (*SEVEN, "tatoeba", "trained"):
            cell, base = cells[f"{row}/{column}"], cells[f"direct/{column}"]
            assert cell.value is not None
            assert base.value is not None
            assert cell.change == pytest.approx(cell.value - base.value)
            assert cell.change_low is not None
            assert cell.change_high is not None
            assert cell.change_low <= cell.change <= cell.change_high
    assert cells["direct/xnli"].change is None
    assert cells["multi/bucc2018"].state == "different"
    assert all(cells[f"{row}/all"].state != "not tested" for row in ("multi", "joint", "single/mnli"))


def test_planted_effects_are_found_and_nulls_are_not(evidence: Evidence) -> None:
    cells = built("scores", evidence)
    assert cells["heads/trained"].shade == "worse"
    assert cells["multi/tatoeba"].shade == "better"
    assert cells["single/mnli/xnli"].shade == ""
    assert cells["multi/trained"].best
    assert not cells["heads/trained"].best


def test_best_is_chosen_on_dev_scores_and_copies_the_chosen_row(evidence: Evidence) -> None:
    cells = built("scores", evidence)
    for target in NINE:
        dev = {row: evidence.dev_score(row, 1, target) for row in ("single/mnli", "single/squad_v1")}
        chosen = max(dev, key=lambda row: dev[row] or 0.0)
        assert evidence.best[target] == chosen
        assert cells[f"best/{target}"].value == cells[f"{chosen}/{target}"].value
    assert len(set(evidence.best.values())) == 2, "the invented dev scores should not all choose one task"


def test_best_of_retrieval_looks_at_mining_dev_and_never_at_tatoeba(evidence: Evidence) -> None:
    assert evidence.dev_score("single/mnli", 1, "tatoeba") == evidence.dev_score("single/mnli", 1, "bucc2018")
    dev = [row["value"] for row in evidence.scores["mnli-s1.eval"] if row["split"] == "dev"]
    assert evidence.dev_score("single/mnli", 1, "bucc2018") == pytest.approx(np.mean(dev))


def test_probes_carry_a_dagger_and_the_caption_says_why(evidence: Evidence) -> None:
    cells = built("scores", evidence)
    assert {column for column in NINE if DAGGER in cells[f"heads/{column}"].mark} == {
        "udpos",
        "panx",
        "tydiqa",
    } - ({"tydiqa"} if DAGGER not in cells["heads/tydiqa"].mark else set())
    assert DAGGER in cells["heads/all"].mark
    assert DAGGER not in cells["multi/udpos"].mark
    assert "linear probe" in dict(one_table("scores", evidence).footnotes)[DAGGER]


def test_a_missing_language_makes_the_mean_missing(without: Callable[..., Evidence]) -> None:
    smaller = without(run_id="direct-s1.xnli.eval", language="zh")
    cells = built("scores", smaller)
    assert cells["direct/xnli"].missing
    assert cells["direct/all"].missing
    assert cells["direct/trained"].missing
    assert not cells["direct/pawsx"].missing
    assert cells["multi/xnli"].change is None
    tables = [render.table_of(one) for one in render.build(load_spec("languages"), smaller)]
    cells = {address: cell for table in tables for address, cell in table.cells()}
    assert cells["languages-xnli/direct/zh"].missing
    assert not cells["languages-xnli/direct/de"].missing


def test_a_missing_dev_score_means_no_choice(without: Callable[..., Evidence]) -> None:
    smaller = without(run_id="mnli-s1.xnli", split="dev")
    assert "xnli" not in smaller.best
    assert built("scores", smaller)["best/xnli"].missing
    assert built("training", smaller)["best/total"].missing


def test_captions_say_what_the_numbers_are(evidence: Evidence) -> None:
    for name in ("scores", "languages", "latency", "training", "sanity", "heatmap", "pareto"):
        for one in render.build(load_spec(name), evidence):
            text = render.table_of(one).caption
            assert "Invented numbers." in text, name
            assert "cpu" in text, name
    text = one_table("scores", evidence).caption
    assert "Holm over all 57 comparisons" in str(one_table("scores", evidence).footnotes)
    for part in (
        "One seed (1)",
        "n = 60",
        "test split",
        "over test items",
        "trained in fp32",
        "hidden state 6",
    ):
        assert part in text


def test_three_seeds_get_a_paired_t_interval(seeded: Evidence) -> None:
    cell = built("scores", seeded)["multi/xnli"]
    pairs = [
        (seeded.mean_score("multi", seed, "xnli", "test"), seeded.mean_score("direct", seed, "xnli", "test"))
        for seed in (1, 2, 3)
    ]
    differences = [a.value - b.value for a, b in pairs if a and b]
    assert cell.change == pytest.approx(np.mean(differences))
    items = [
        inference.crossed(
            [value], ItemReader(seeded, "test").of_change(("multi", "direct"), [seed], ["xnli"])
        )
        for seed, value in zip((1, 2, 3), differences, strict=True)
    ]
    assert cell.change_low is not None
    assert cell.change_low >= min(one.low for one in items), "several seeds know more than each"
    alone = inference.t_estimate(differences)
    if alone.has_interval:
        assert cell.change_high is not None
        assert cell.change_high - cell.change_low >= 0.5 * (alone.high - alone.low)
    assert len(cell.runs) == 3
    assert "over seeds and test items" in one_table("scores", seeded).caption


def test_seeds_alone_are_what_is_left_without_predictions(seeded: Evidence) -> None:
    bare = replace(seeded)
    bare.shared["items", "test"] = _NoItems(seeded, "test")
    cells = built("scores", bare)
    for row in ("multi", "single/mnli"):
        values = [
            (seeded.mean_score(row, n, "xnli", "test"), seeded.mean_score("direct", n, "xnli", "test"))
            for n in (1, 2, 3)
        ]
        expected = inference.t_estimate([a.value - b.value for a, b in values if a and b])
        cell = cells[f"{row}/xnli"]
        known = expected.has_interval
        assert (cell.change_low, cell.change_high) == (
            (pytest.approx(expected.low), pytest.approx(expected.high)) if known else (None, None)
        )
        assert (cell.state == "not tested") is not known


class _NoItems(ItemReader):
    def of_change(self, *_: Any) -> None:  # type: ignore[override]
        """Nothing."""


def test_what_is_not_tested_looks_like_nothing_else(evidence: Evidence) -> None:
    """One seed without predictions: no number is bold, none is shaded, each change says `?`."""
    bare = replace(evidence)
    bare.shared["items", "test"] = _NoItems(evidence, "test")
    table = one_table("scores", bare)
    cells = [cell for address, cell in table.cells() if "/direct/" not in address and cell.change is not None]
    assert len(cells) > 40
    for cell in cells:
        assert (cell.state, cell.shade, cell.best, cell.change_low) == ("not tested", "", False, None)
        assert cell.detail.endswith("?")
    assert "Not tested" in dict(table.footnotes)["?"]


def test_a_seed_that_is_missing_is_marked(seeded: Evidence) -> None:
    smaller = replace(seeded)
    kept = {run: rows for run, rows in seeded.scores.items() if run != "multi-s3.xnli.eval"}
    smaller.__dict__["scores"] = kept
    table = one_table("scores", smaller)
    cell = dict(table.cells())["scores/multi/xnli"]
    assert cell.mark == scores.FEWER_SEEDS
    assert len(cell.runs) == 2
    assert "Fewer seeds" in dict(table.footnotes)[scores.FEWER_SEEDS]


@pytest.mark.parametrize("target", ["xnli", "udpos", "panx", "xquad", "mlqa", "tatoeba", "bucc2018"])
def test_effects_are_what_the_score_does_when_a_cluster_counts_twice(evidence: Evidence, target: str) -> None:
    run = evidence.answers["direct", 1, target].evaluation
    rows = [row for row in evidence.read("predictions")[run] if row["target"] == target]
    rows = [row for row in rows if row["language"] == "de" and row["split"] == "test"]
    task = tasks.load(target)
    metric = metrics.load(task.metric)
    assert metric.contributions is not None

    def score(rows: list[dict[str, Any]]) -> float:
        counts = metric.contributions(  # type: ignore[misc]
            {name: [row[name] for row in rows] for name in ("gold", "pred", "score")}, "de"
        ).sum(axis=0)
        return 100 * (counts[0] / len(rows) if len(counts) == 1 else 2 * counts[0] / (counts[1] + counts[2]))

    whole = evidence.score("direct", 1, target, "test", "de")
    assert whole is not None
    assert score(rows) == pytest.approx(whole.value)
    found = ItemReader(evidence, "test")._sets("direct", 1, target, ["de"])
    assert found is not None
    names = list(dict.fromkeys(row["cluster_id"] or row["example_id"] for row in rows))
    for number, effect in zip(found["de"].clusters, found["de"].effects, strict=True):
        again = [row for row in rows if (row["cluster_id"] or row["example_id"]) == names[number]]
        assert effect == pytest.approx(score(rows + again) - whole.value, rel=0.12, abs=0.02)


def test_items_of_other_examples_are_not_paired(evidence: Evidence) -> None:
    reader = ItemReader(evidence, "test")

    def known(target: str) -> bool:
        return reader.of_change(("multi", "direct"), (1,), (target,)) is not None

    assert known("xnli")
    run = evidence.answers["multi", 1, "xnli"].evaluation
    read = reader._read[run]
    read["xnli", "de"] = replace(read["xnli", "de"], examples="another")
    assert not known("xnli")
    assert known("pawsx")


@pytest.mark.parametrize("scheme", ["entities", "pos"])
def test_chunks_by_sentence_add_up_to_the_f1(scheme: Any) -> None:
    generator = np.random.default_rng(0)
    tags = (
        ["B-PER", "I-PER", "B-LOC", "I-LOC", "O"]
        if scheme == "entities"
        else ["SCONJ", "CCONJ", "NOUN", "X", "SYM"]
    )
    for _ in range(30):
        gold = [[str(tag) for tag in generator.choice(tags, size=6)] for _ in range(5)]
        predicted = [[str(tag) for tag in generator.choice(tags, size=6)] for _ in range(5)]
        right, found, wanted = tagging.chunk_counts(gold, predicted, scheme=scheme).sum(axis=0)
        f1 = 200 * right / (found + wanted) if found + wanted else 0.0
        assert f1 == pytest.approx(tagging.chunk_f1(gold, predicted, scheme=scheme))


def test_main_metric_counts_tags_by_f1_and_questions_by_both() -> None:
    assert main_metric(tasks.load("udpos"), {"f1": 40.0, "accuracy": 90.0}) == 40.0
    assert main_metric(tasks.load("xquad"), {"f1": 40.0, "em": 20.0}) == 30.0
    assert main_metric(tasks.load("xquad"), {"f1": 40.0}) is None


def seconds(evidence: Evidence, *runs: str) -> float:
    return float(sum(row["seconds"] for run in runs for row in evidence.training[run]))


def test_training_counts_every_run_once(evidence: Evidence) -> None:
    cells = built("training", evidence)
    shared = ("xnli", "pawsx", "udpos", "panx", "squad_v1", "tydiqa")
    # Fine-tuning on MNLI, or on SQuAD, is the intermediate run itself.
    direct = [
        {"xnli": "mnli-s1", "squad_v1": "squad_v1-s1"}.get(name, f"direct-s1.{name}") for name in shared
    ]
    single = {
        task: [f"{task}-s1", *(f"{task}-s1.{name}" for name in shared)] for task in ("mnli", "squad_v1")
    }
    assert cells["direct/runs"].value == 6, "XQuAD and MLQA share one fine-tuning"
    assert cells["direct/total"].value == pytest.approx(seconds(evidence, *direct))
    assert cells["direct/intermediate"].value == 0
    assert cells["single/mnli/intermediate"].value == pytest.approx(seconds(evidence, "mnli-s1"))
    assert cells["single/mnli/total"].value == pytest.approx(seconds(evidence, *single["mnli"]))
    assert cells["multi/intermediate"].value == pytest.approx(seconds(evidence, "multi-s1"))
    assert cells["joint/total"].value == pytest.approx(seconds(evidence, "multi-s1", "multi-s1.joint"))
    assert cells["joint/models"].value == 1
    assert cells["direct/models"].value == 7


def test_best_pays_for_the_whole_search(evidence: Evidence) -> None:
    cells = built("training", evidence)
    both = [cells[f"single/{task}/total"].value or 0.0 for task in ("mnli", "squad_v1")]
    assert cells["best/total"].value == pytest.approx(sum(both))
    costs = training.costs_of("best", evidence)
    assert costs is not None
    deployed = {evidence.answers[evidence.best[t], 1, t].weights for t in NINE}
    kept = seconds(evidence, *evidence.trained_before(deployed))
    assert costs[0].search == pytest.approx(sum(both) - kept)
    assert cells["multi/search"].value == 0


def test_a_row_without_all_its_training_records_is_missing(evidence: Evidence) -> None:
    smaller = replace(evidence)
    smaller.__dict__["training"] = {run: rows for run, rows in evidence.training.items() if run != "multi-s1"}
    cells = built("training", smaller)
    assert cells["multi/total"].missing
    assert cells["joint/total"].missing
    assert not cells["direct/total"].missing


def test_latency_verdicts_find_what_was_planted(evidence: Evidence) -> None:
    cells = built("latency", evidence)
    for target in ("xnli", "xquad"):
        for batch in ("b1", "b8"):
            assert cells[f"{target}/{batch}/multi/verdict"].text == "equivalent"
            assert cells[f"{target}/{batch}/joint/verdict"].text == "worse"
            ratio = cells[f"{target}/{batch}/joint/ratio"]
            assert ratio.low is not None
            assert ratio.high is not None
            assert ratio.low <= 1.2 <= ratio.high
            assert not cells[f"{target}/{batch}/direct/ratio"].applies


def test_percentiles_need_enough_calls_and_leave_out_what_is_flagged(evidence: Evidence) -> None:
    cells = built("latency", evidence)
    cell = cells["xnli/b1/direct/p99"]
    assert (cell.text, cell.value) == ("n/a", None)
    assert cell.detail == f"n={cell.count}"
    median = cells["xnli/b1/direct/p50"]
    assert median.count is not None
    assert 5 * 2 * 17 - 12 <= median.count <= 5 * 2 * 17, "20 calls less 3 of warm-up, a few flagged"
    assert "foreign_process" in median.note or median.count == 170
    whole = cells["xnli/b1/direct/e2e_p50"]
    assert whole.value == pytest.approx((median.value or 0) + 0.2, abs=0.01)


@pytest.mark.parametrize("turn", [-np.inf, np.inf])
def test_as_good_as_a_baseline_is_not_above_it_though_the_last_digit_differs(turn: float) -> None:
    baseline = Cell(value=100 * 2 / 3)
    judged = Cell(value=float(np.nextafter(100 * 2 / 3, turn)))
    cell = sanity._above(judged, [baseline])
    assert (cell.value, cell.text, cell.mark) == (0, signed(0), sanity.NOT_ABOVE)


def test_of_equal_rows_the_first_is_chosen_though_their_seeds_add_up_in_another_order(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {False: (60.3, 60.2, 60.1), True: (60.1, 60.2, 60.3)}
    assert sum(scores[True]) > sum(scores[False]), "no example of what this is about"
    first, *others = regimes.find("single").rows(evidence.study)
    assert others
    monkeypatch.setattr(Evidence, "dev_score", lambda self, row, seed, target: scores[row != first][seed - 1])
    monkeypatch.setattr(Evidence, "seeds", (1, 2, 3))
    assert set(evidence.chosen("best").values()) == {first}


def test_sanity_counts_no_english_and_marks_what_is_not_above(evidence: Evidence) -> None:
    table = one_table("sanity", evidence)
    cells = {address.split("/", 1)[1]: cell for address, cell in table.cells()}
    values = [
        row["value"]
        for row in evidence.scores["direct-s1.xnli.eval"]
        if row["split"] == "test" and row["language"] != "en"
    ]
    assert cells["xnli/direct"].value == pytest.approx(np.mean(values))
    for task in SEVEN:
        baselines = [cells[f"{task}/{name}"].value for name in ("majority", "bag-of-words", "random")]
        above = (cells[f"{task}/direct"].value or 0) - max(value or 0 for value in baselines)
        assert cells[f"{task}/above"].value == pytest.approx(above)
        assert (cells[f"{task}/above"].mark == "!") == (above <= 0)
    assert not cells["qqp/single"].applies, "qqp is in the mixture only"
    assert cells["mnli/single"].value is not None
    assert "!" in dict(table.footnotes)


def test_languages_have_their_means_and_counts(evidence: Evidence) -> None:
    cells = {
        address: cell
        for one in render.build(load_spec("languages"), evidence)
        for address, cell in render.table_of(one).cells()
    }
    table = "languages-tatoeba"
    assert {address.split("/")[-1] for address in cells if address.startswith(f"{table}/direct/")} == {
        "de", "ru", "zh", "mean", "helped", "hurt",
    }  # fmt: skip
    assert cells[f"{table}/multi/helped"].text == "3 of 3"
    assert cells[f"{table}/multi/hurt"].text == "0 of 3"
    assert not cells[f"{table}/direct/helped"].applies
    assert cells["languages-xnli/single/mnli/helped"].value == 0


def test_published_means_follow_from_their_cells() -> None:
    for row in published().reported:
        values = row.cells | {task: sum(both) / 2 for task, both in row.em_f1.items()}
        mean = np.mean([values[task] for task in NINE])
        known_to_differ = "cells give a mean" in row.note
        assert (abs(mean - values["all"]) > 0.06) == known_to_differ, row.key
        if "trained" in values:
            assert np.mean([values[task] for task in SEVEN]) == pytest.approx(values["trained"], abs=0.06)
        assert row.source in published().sources
        assert set(row.checked) <= set(values)


def test_published_rows_print_with_their_study_only_and_are_marked() -> None:
    assert reported_rows("mini", "test", ["xnli"]) == []
    rows = reported_rows("xlmr-large", "dev", ["xnli", "xquad", "tatoeba"])
    base, change = rows[0].row, rows[1].row
    assert [cell.text for cell in base.cells] == ["80.1", "68.0", "31.0"]
    assert [cell.mark for cell in base.cells] == [DOUBLE_DAGGER, DOUBLE_DAGGER, ""]
    assert change.cells[0].text == "-0.8"
    assert change.cells[0].value is None
    assert all(not cell.best and not cell.shade for reported in rows for cell in reported.row.cells)


def test_limited_scores_and_changed_runs_are_warned_of(sample: tuple[Study, Any], evidence: Evidence) -> None:
    assert one_table("scores", evidence).warnings == ()
    smaller = replace(evidence)
    smaller.__dict__["scores"] = {
        run: [row | {"n_full": 5010} for row in rows] for run, rows in evidence.scores.items()
    }
    assert any("60 of 5010" in warning for warning in one_table("scores", smaller).warnings)
    study, runs = sample
    changed = Evidence(replace(study, retrieval=replace(study.retrieval, layer=7)), runs)
    assert "multi-s1.eval" in changed.changed_runs
    assert "multi-s1.xnli.eval" not in changed.changed_runs
    assert any("STALE" in warning for warning in one_table("scores", changed).warnings)


def test_sets_that_are_not_the_benchmark_s_are_warned_of(evidence: Evidence) -> None:
    read = replace(evidence)
    read.__dict__["scores"] = {
        run: [row | {"data": "folder 0123", "n": 5010, "n_full": 5010} for row in rows]
        for run, rows in evidence.scores.items()
    }
    (found,) = [one for one in one_table("scores", read).warnings if one.startswith("NOT THE")]
    assert "examples" in found
    assert " xnli " not in found, "5,010 are published"
    caveat = replace(evidence)
    caveat.__dict__["scores"] = {
        run: [row | {"data": "embedded 0123"} for row in rows] for run, rows in evidence.scores.items()
    }
    assert not [one for one in one_table("scores", caveat).warnings if one.startswith("NOT THE")]
    bare = replace(caveat, study=replace(evidence.study, caveat=""))
    bare.__dict__["scores"] = caveat.scores
    (found,) = [one for one in one_table("scores", bare).warnings if one.startswith("NOT THE")]
    assert "embedded data" in found


def test_updates_left_out_anywhere_behind_a_number_are_warned_of(evidence: Evidence) -> None:
    spoiled = replace(evidence)
    spoiled.__dict__["training"] = {
        run: [row | {"skipped": 3 if run == "multi-s1" else 0} for row in rows]
        for run, rows in evidence.training.items()
    }
    said = "SKIPPED: 3 update(s) were left out, their gradients not finite (multi-s1 ...)."
    for name in ("scores", "training"):
        assert said in one_table(name, spoiled).warnings


def test_columns_of_a_study_without_retrieval(evidence: Evidence) -> None:
    spec = load_spec("scores")
    smaller = replace(evidence, study=replace(evidence.study, targets=("xnli", "pawsx")))
    assert [column.header for column in scores.columns_of(spec, smaller)] == ["XNLI", "PAWS-X", "mean of 2"]
