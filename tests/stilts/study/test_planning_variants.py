"""Studies beyond mini: the published one, one without an intermediate phase, variants, and optional parts."""

import dataclasses
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts import launch
from stilts.launching.optional import describe_absent, record_absent, resolve_optional
from stilts.run.settings import Optimisation
from stilts.run.specs import BatchSize, EvaluateSpec, Text, TrainSpec
from stilts.study.grid import expand
from stilts.study.loading import load_study

ROOT = Path(__file__).parents[3]
VARIANTS = ROOT / "tests" / "studies" / "variants.toml"
GOLDEN = Path(__file__).parent / "golden" / "xlmr-large.json"
TARGETS = {"xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"}


def write(folder: Path, *changes: tuple[str, str], base: Path = VARIANTS) -> str:
    text = base.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "study.toml"
    path.write_text(text.replace('name = "xlmr-large"', 'name = "large"'))
    return str(path)


def summary(runs) -> dict[str, object]:
    """What would be noticed if the published study were planned otherwise."""
    training = {}
    for run in runs:
        if isinstance(run.asked, TrainSpec) and run.asked.seed == 1:
            settings = run.asked.optimisation
            names = ("learning_rate", "epochs", "examples_per_batch")
            training[run.id] = [*(getattr(settings, name) for name in names), ",".join(run.asked.tasks)]
    stages = Counter(
        f"{run.stage} {run.asked.phase}" if isinstance(run.asked, TrainSpec) else run.stage for run in runs
    )
    return {"counts": dict(sorted(stages.items())), "training": dict(sorted(training.items()))}


def test_the_published_study_is_planned_as_it_was() -> None:
    found = summary(expand(load_study("xlmr-large"), "all"))
    assert found == json.loads(GOLDEN.read_text())


def test_the_published_study_evaluates_all_of_xtreme_in_every_regime() -> None:
    runs = expand(load_study("xlmr-large"), "all")
    cells: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for run in runs:
        if isinstance(run.asked, EvaluateSpec) and run.asked.seed == 1:
            row = cells.setdefault((run.asked.regime, run.asked.intermediate), set())
            for name, target in run.asked.targets.items():
                row |= {(name, language) for language in target.languages}
    assert len(cells) == 1 + 9 + 3 + 4 + 3  # direct, single, multi heads joint, with text, translated
    assert all(len(found) == 162 for found in cells.values())
    assert all({name for name, _ in found} == TARGETS for found in cells.values())


def test_the_published_mixture_keeps_each_task_its_batch_size() -> None:
    runs = {run.id: run for run in expand(load_study("xlmr-large"), "multitask")}
    multi = runs["multi-s1"].asked
    assert multi.batch_sizes["squad_v1"] == BatchSize(examples_per_batch=8)
    assert multi.batch_sizes["commonsenseqa"] == BatchSize(examples_per_batch=4)
    assert multi.example_cap == 131072
    assert multi.left_out == ()


def test_mnli_is_trained_one_way_for_itself_and_another_for_xnli() -> None:
    runs = {
        run.id: run.asked.optimisation
        for run in expand(load_study("xlmr-large"), "targets")
        if isinstance(run.asked, TrainSpec)
    }
    alone, target = runs["mnli-s1"], runs["mnli-s1.xnli"]
    assert (alone.learning_rate, alone.examples_per_batch) == (5e-6, 24)
    assert (target.learning_rate, target.examples_per_batch) == (1e-5, 32)
    assert runs["mnli-s1.squad_v1"].examples_per_batch == 16


@pytest.mark.parametrize("name", ["xlmr-large", "mini"])
def test_a_dry_run_prints_the_plan(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "nothing"))
    asked = ["--grid", "all", "--study", name, "--runs", str(tmp_path / "runs"), "--dry-run"]
    assert launch.main(asked) == 0
    shown = capsys.readouterr()
    assert ("left out, being optional: ccg" in shown.err) == (name == "xlmr-large")
    assert "multi-s1" in shown.out
    assert ("mnli+mlm-s1" in shown.out) == (name == "xlmr-large")
    assert not (tmp_path / "runs").exists()


def test_a_study_without_an_intermediate_phase_is_direct_only() -> None:
    runs = expand(load_study("pos-partut"), "all")
    assert [run.id for run in runs] == ["model", "direct-s1.udpos", "direct-s1.udpos.eval", "baseline.udpos"]
    assert runs[-1].asked.targets == {"udpos": ("de", "en", "tr", "zh")}


def test_variants_stand_beside_the_english_phases() -> None:
    study = load_study(str(VARIANTS))
    everything = {run.id: run for run in expand(study, "all")}
    chosen = {run.id: run for run in expand(study, "variants")}
    assert {run_id for run_id in chosen if "." not in run_id} == {
        "model",
        "mnli+mlm-s1",
        "multi+mlm-s1",
        "mnli+translated-s1",
    }
    assert chosen.keys() < everything.keys()
    text = chosen["multi+mlm-s1"].asked
    assert text.tasks == ("mnli", "squad_v1")
    assert text.text == Text(
        task="wikipedia", languages=("en", "de", "zh"), every=1, smoothing=0.3, block=16, masked=0.15
    )
    assert chosen["mnli+translated-s1"].asked.translations == {"mnli": ("de", "ru")}
    without = expand(dataclasses.replace(study, variants=type(study.variants)()), "all")
    assert {run.id for run in without} == {run_id for run_id in everything if "+" not in run_id}


def test_without_variants_there_is_no_such_grid() -> None:
    with pytest.raises(UserError, match=r"mini has no \[variants.mlm\]"):
        expand(load_study("mini"), "variants")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('phases = ["mnli", "multi"]', 'phases = ["qqp"]', "variant of 'qqp' has nothing to be held against"),
        ('languages = ["de", "ru"]', 'languages = ["en"]', "the English set is always there"),
        ('languages = ["de", "ru"]', 'languages = ["xx"]', "unknown language 'xx'"),
        ('languages = ["en", "de", "zh"]', 'languages = ["xx"]', "unknown language 'xx'"),
        ("block = 16", "block = 16\nmasked = 1.5", "masked should be above 0 and at most 1"),
        ("[limits.default]", "[limits.mnly]\ntrain = 2\n[limits.default]", "unknown table 'mnly'.*mnli"),
        ('single_tasks = ["mnli"]', 'single_tasks = ["mnli"]\noptional = ["cgc"]', "unknown task 'cgc'"),
        ("tokens_per_batch = 128", "tokens_per_batch = 128\nexamples_per_batch = 4", "not by both"),
        ("tokens_per_batch = 128", "examples_per_batch = 0", "examples_per_batch should be at least 1"),
    ],
)
def test_a_study_that_cannot_work_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        expand(load_study(write(tmp_path, (old, new))), "all")


def test_a_table_gives_its_batch_size_or_takes_the_default_one(tmp_path: Path) -> None:
    changed = "[optimisation.mnli]\nexamples_per_batch = 8\n\n[zero]"
    study = load_study(write(tmp_path, ("[zero]", changed)))
    mnli, other = study.optimisation_of("mnli"), study.optimisation_of("squad_v1")
    assert (mnli.tokens_per_batch, mnli.examples_per_batch, mnli.learning_rate) == (None, 8, 1e-3)
    assert (other.tokens_per_batch, other.examples_per_batch) == (128, None)
    assert Optimisation().tokens_per_batch == 2048
    assert Optimisation(examples_per_batch=4).tokens_per_batch is None


def test_settings_of_targets_that_share_a_run_must_agree(tmp_path: Path) -> None:
    targets = ('targets = ["xnli", "udpos"]', 'targets = ["xquad", "mlqa"]')
    timed = ('targets = ["xnli"]', 'targets = ["xquad"]')
    tables = "[optimisation.xquad]\nepochs = 3.0\n\n[optimisation.mlqa]\nepochs = {}\n\n[zero]"
    same = write(tmp_path, targets, timed, ("[zero]", tables.format("3.0")))
    runs = {run.id: run for run in expand(load_study(same), "targets")}
    assert runs["direct-s1.squad_v1"].asked.optimisation.epochs == 3.0
    with pytest.raises(UserError, match="xquad and mlqa are answered by one fine-tuning on squad_v1"):
        expand(load_study(write(tmp_path, targets, timed, ("[zero]", tables.format("2.0")))), "all")


@pytest.fixture
def large(tmp_path: Path, monkeypatch):
    """The published study, a data folder, and a folder of runs."""
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return load_study("xlmr-large"), tmp_path / "data", tmp_path / "runs"


def test_an_optional_task_without_data_is_left_out_and_the_runs_say_so(large) -> None:
    study, _, root = large
    settled, absent = resolve_optional(study, root)
    assert set(absent) == {"ccg", "translated"}
    assert "CCGbank" in absent["ccg"]
    runs = {run.id: run for run in expand(settled, "all")}
    assert runs["multi-s1"].asked.tasks == tuple(name for name in study.intermediate.tasks if name != "ccg")
    assert runs["multi-s1"].asked.left_out == runs["multi+mlm-s1"].asked.left_out == ("ccg",)
    assert not [run_id for run_id in runs if run_id.startswith("ccg") or "translated" in run_id]
    whole = {run.id: run for run in expand(study, "all")}
    assert whole["multi-s1"].fingerprint != runs["multi-s1"].fingerprint
    assert whole["mnli-s1"].fingerprint == runs["mnli-s1"].fingerprint


def test_an_optional_task_with_data_stays(large) -> None:
    study, data, root = large
    (data / "ccg").mkdir()
    for name in ("train", "dev"):
        (data / "ccg" / f"{name}.txt").write_text("Anna|NNP|N sleeps|VBZ|S[dcl]\\NP\n")
    settled, absent = resolve_optional(study, root)
    assert "ccg" not in absent
    assert settled.intermediate == study.intermediate


def test_what_was_left_out_once_stays_out(large) -> None:
    study, data, root = large
    settled, absent = resolve_optional(study, root)
    record_absent(absent, root)
    (data / "ccg").mkdir()
    for name in ("train", "dev"):
        (data / "ccg" / f"{name}.txt").write_text("Anna|NNP|N sleeps|VBZ|S[dcl]\\NP\n")
    assert resolve_optional(study, root) == (settled, absent)
    assert "left_out.json says; to look again, remove it" in describe_absent(absent, root)[0]
    (root / "left_out.json").unlink()
    assert set(resolve_optional(study, root)[1]) == {"translated"}


def test_a_study_without_optional_parts_looks_nowhere(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("stilts.launching.optional._look", lambda _: pytest.fail("looked"))
    study = load_study("mini")
    assert resolve_optional(study, tmp_path) == (study, {})


def test_optional_variants_without_data_are_left_out(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "data"))
    path = write(
        tmp_path,
        ('sources = ["embedded"]', 'sources = ["folder"]'),
        ("[variants.mlm]", '[variants]\noptional = ["mlm", "translated"]\n\n[variants.mlm]'),
        ("[limits.default]", "[limits.wikipedia]\ntrain = 9\n\n[limits.default]"),
    )
    study = load_study(path)
    settled, absent = resolve_optional(study, tmp_path / "runs")
    assert set(absent) == {"mlm", "translated"}
    assert not [run.id for run in expand(settled, "all") if "+" in run.id]
    (tmp_path / "data" / "wikipedia").mkdir(parents=True)
    for language in ("en", "de"):
        (tmp_path / "data" / "wikipedia" / f"{language}.txt").write_text("A line.\n")
    assert "wikipedia zh train" in resolve_optional(study, tmp_path / "runs")[1]["mlm"]
    (tmp_path / "data" / "wikipedia" / "zh.txt").write_text("一行。\n")
    settled, absent = resolve_optional(study, tmp_path / "runs")
    assert set(absent) == {"translated"}
    assert {run.id for run in expand(settled, "variants") if "." not in run.id} == {
        "model",
        "mnli+mlm-s1",
        "multi+mlm-s1",
    }


def test_planning_the_published_study_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = ["torch", "transformers", "datasets", "deepspeed", "pyarrow", "huggingface_hub", "tokenizers"]
    asked = ["--grid", "all", "--study", "xlmr-large", "--runs", str(tmp_path), "--dry-run"]
    code = (
        f"import sys; from stilts import launch; assert launch.main({asked}) == 0; "
        f"print('loaded:', *[name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
