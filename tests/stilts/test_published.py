"""The published study, whole but for its model and its data: every grid, table and submission.

The model is two untrained layers, the data are the hand-written files in the data sets' own formats: all nine
intermediate tasks, both variants, all targets in all languages.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stilts.evaluate.averages import COUNTED
from stilts.evaluate.submission.gathering import of_regime
from stilts.evaluate.submission.reading import scored_files
from stilts.evaluate.submission.writing import export
from stilts.report.evidence import Evidence
from stilts.report.scored import main_metric
from stilts.study.loading import STUDIES, load_study

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "stilts" / "data" / "fixtures"


def cut(study: dict[str, Any]) -> dict[str, Any]:
    """The study as it ships, cut to what two cores train in a minute."""
    study |= {"name": "published", "caveat": "Cut to nothing: a test.", "seeds": [1], "sources": ["folder"]}
    study["model"] = {"source": "random:toy", "layers": 2, "vocabulary": "study", "pooling": "cls"}
    for settings in study["optimisation"].values():
        settings["epochs"] = 1.0
    study["zero"] = {"stage": 2, "precision": "fp32"}
    study["evaluation"] = {"dtype": "fp32", "tokens_per_batch": 512}
    study["retrieval"]["layer"] = 2
    assert study["rules"] == {"decoding": "xtreme", "duplicates": "xtreme", "threshold": "xtreme"}
    few = {"processes": 1, "rounds": 2, "calls": 4, "warmup": 1, "queries": 8}
    study["latency"] |= {"batch_sizes": [1], "attention": ["sdpa"]} | few
    study["deploy"] |= {"dtypes": ["fp32"], "texts": [1, 2], "batch": 2, "requests": 20} | few
    return study


def toml(table: Mapping[str, Any]) -> str:
    """A table of TOML; tables within are written inline."""

    def value(of: Any) -> str:
        if isinstance(of, dict):
            return "{ " + ", ".join(f"{key} = {value(one)}" for key, one in of.items()) + " }"
        return json.dumps(of)

    return "".join(f"{key} = {value(one)}\n" for key, one in table.items())


class Published:
    """The study's folder, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "published.toml"
        self.file.write_text(toml(cut(tomllib.loads((STUDIES / "xlmr-large.toml").read_text()))))

    def call(self, module: str, *arguments: str, code: int = 0) -> str:
        result = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=os.environ
            | {"STILTS_DATA": str(DATA), "STILTS_CACHE": str(self.folder / "cache"), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert result.returncode == code, f"{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
        return result.stdout + result.stderr

    @property
    def evidence(self) -> Evidence:
        return Evidence(load_study(str(self.file)), self.folder / "runs" / "published")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    found = Published(tmp_path_factory.mktemp("published"))
    found.call("stilts.launch", "--grid", "all", "--study", "published.toml")
    return found


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILTS_DATA", str(DATA))


def test_every_run_is_done(published: Published) -> None:
    evidence = published.evidence
    assert len(evidence.plan) > 260
    runs = published.folder / "runs" / "published"
    assert all((runs / name / "done.json").exists() for name in evidence.plan)
    assert not evidence.damaged
    assert len(evidence.study.intermediate.tasks) == 9


def test_every_table_is_made(published: Published) -> None:
    said = published.call("stilts.tables", "--study", "published.toml", "--all")
    assert "NOT THE BENCHMARK'S DATA: 162 set(s)" in said
    main = next((published.folder / "tables").rglob("scores.json"))
    assert json.loads(main.read_text())


def rows_of(evidence: Evidence) -> list[str]:
    return [*dict.fromkeys(row for row, _, _ in evidence.answers), "best"]


def test_every_regime_is_a_submission_that_scores_what_the_tables_say(published: Published, tmp_path) -> None:
    """Written, read back and scored: in each cell the study's own number, to the last bit."""
    evidence = published.evidence
    compared = 0
    for number, row in enumerate(rows_of(evidence)):
        folder = tmp_path / str(number)
        export(of_regime(evidence, row, seed=1), what=row, to=folder, incomplete="allow")
        for one in scored_files(folder, ("folder",)):
            resolved = evidence.resolve(row, one.task.name)
            assert resolved is not None
            score = evidence.score(resolved, 1, one.task.name, "test", one.language)
            assert score is not None
            assert main_metric(one.task, dict(one.scored.values)) == score.value, (row, one)
            assert one.shortfall
            compared += 1
    assert compared > 15 * 162


def test_what_is_not_the_benchmark_is_no_submission(published: Published, tmp_path) -> None:
    asked = ("stilts.evaluate", "export", "--study", "published.toml", "--regime", "joint")
    said = published.call(*asked, "--output", str(tmp_path / "joint"), code=3)
    assert "bucc2018 is missing" not in said
    assert "which is not XTREME's; --incomplete allow" in said
    assert not (tmp_path / "joint").exists()


def test_best_takes_each_target_from_the_run_chosen_on_dev(published: Published, tmp_path) -> None:
    published.call(
        *("stilts.evaluate", "export", "--study", "published.toml", "--regime", "best"),
        *("--output", str(tmp_path / "best"), "--incomplete", "allow"),
    )
    manifest = json.loads((tmp_path / "best" / "manifest.json").read_text())
    evidence = published.evidence
    for entry in manifest["files"].values():
        row = evidence.best[entry["task"]]
        assert entry["run"] == evidence.answers[row, 1, entry["task"]].evaluation
    assert {entry["task"] for entry in manifest["files"].values()} == set(COUNTED)
    assert not manifest["is_complete"]


@pytest.fixture
def exported(published: Published, tmp_path) -> Path:
    published.call(
        *("stilts.evaluate", "export", "--study", "published.toml", "--regime", "multi"),
        *("--output", str(tmp_path / "multi"), "--incomplete", "allow"),
    )
    return tmp_path / "multi"


def test_a_changed_file_is_not_scored(published: Published, exported: Path) -> None:
    assert "no XTREME average: " in published.call("stilts.evaluate", "score", str(exported))
    file = exported / "panx" / "test-en.tsv"
    file.write_text(file.read_text().replace("B-", "I-").replace("O\n", "B-PER\n", 1))
    said = published.call("stilts.evaluate", "score", str(exported), code=3)
    assert "test-en.tsv is not the file that manifest.json names" in said


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("xnli/test-de.tsv", lambda text: text + "neutral\n", "lines for"),
        ("xnli/test-de.tsv", lambda text: text.rstrip("\n"), "cut short"),
        ("xnli/test-de.tsv", lambda text: "maybe\n" + text.partition("\n")[2], "line 1: 'maybe' is none of"),
        ("udpos/test-en.tsv", lambda text: text.replace("\n\n", "\n", 1), "an empty line is expected"),
        ("udpos/test-en.tsv", lambda text: text + "NOUN\n", "more tags than"),
        ("xquad/test-de.json", lambda text: text.replace('": "', 'x": "', 1), "no answer to"),
        ("xquad/test-de.json", lambda _: "[]", "one JSON object"),
        ("bucc2018/test-de.tsv", lambda text: text + "de-9\ten-9\n", "is no foreign id, tab, English id"),
        (
            "tatoeba/test-zh.tsv",
            lambda text: "7\n" + text.partition("\n")[2],
            "'7' is no number of a sentence",
        ),
    ],
)
def test_what_does_not_fit_the_data_is_refused(
    published: Published, exported: Path, file: str, change: Any, message: str
) -> None:
    """Without a manifest, as another program's submission comes."""
    (exported / "manifest.json").unlink()
    path = exported / file
    path.write_text(change(path.read_text()))
    said = published.call("stilts.evaluate", "score", str(exported), "--sources", "folder", code=3)
    assert f"{file.partition('/')[2]}: " in said
    assert message in said


def test_a_folder_of_other_things_is_left_alone(published: Published, tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    asked = ("stilts.evaluate", "export", "--study", "published.toml", "--regime", "multi", "--output")
    said = published.call(*asked, str(tmp_path), "--incomplete", "allow", code=2)
    assert "thesis.tex is no part of a submission" in said
    assert list(tmp_path.iterdir()) == [tmp_path / "thesis.tex"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--regime", "multy"), "unknown regime 'multy'"),
        (("--regime", "multi", "--seed", "7"), "unknown seed '7'"),
        ((), "--study needs a --regime"),
    ],
)
def test_what_is_no_regime_is_told(published: Published, tmp_path, flags, message) -> None:
    said = published.call(
        *("stilts.evaluate", "export", "--study", "published.toml", *flags, "--output", str(tmp_path / "x")),
        code=2,
    )
    assert message in said
    assert said.count("\n") == 1


def test_what_changed_since_is_told(published: Published, tmp_path) -> None:
    """A prediction that was edited after its run was done."""
    again = tmp_path / "again"
    shutil.copytree(published.folder, again, ignore=shutil.ignore_patterns("weights", "cache"))
    (shard,) = (again / "runs/published/multi-s1.panx.eval/predictions").glob("panx-en.arrow")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    other = Published(again)
    said = other.call(
        *("stilts.evaluate", "export", "--study", "published.toml", "--regime", "multi"),
        *("--output", str(tmp_path / "x"), "--incomplete", "allow"),
        code=3,
    )
    assert "multi-s1.panx.eval" in said
