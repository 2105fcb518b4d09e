"""The command line of the tables: exit codes, what it prints, and that it is quick and says when it has
nothing.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stilts import tables
from stilts.report import figures, pdf, render, trace
from stilts.report.evidence import Evidence
from stilts.report.spec import load_spec
from stilts.study.config import Study

FLAGS = {
    "--help",
    "--study",
    "--runs",
    "--tables",
    "--all",
    "--report",
    "--formats",
    "--output",
    "--strict",
    "--explain",
    "--check-pdf",
    "--traceback",
}


def call(sample: tuple[Study, Path], out: Path, *more: str) -> int:
    _, runs = sample
    study = runs.parents[1] / "sample.toml"
    return tables.main(["--study", str(study), "--runs", str(runs.parent), "--output", str(out), *more])


def test_the_flags_are_these() -> None:
    options = {option for action in tables.parser()._actions for option in action.option_strings}
    assert options - {"-h"} == FLAGS


def test_help_plans_without_torch() -> None:
    code = "import sys; from stilts import tables; tables.parser().format_help(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "datasets", "pyarrow", "numpy", "scipy", "matplotlib", "rich.console"}
    assert not heavy & set(eval(done.stdout))


def test_nothing_measured_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.main(["--runs", str(tmp_path)]) == 3
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"python -m stilts.launch --grid all --runs {tmp_path}" in told
    (tmp_path / "mini").mkdir()
    assert tables.main(["--runs", str(tmp_path)]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tables", "score"], "Did you mean 'scores'"),
        (["--formats", "xml"], "unknown format 'xml'"),
        (["--study", "minni"], "Did you mean 'mini'"),
    ],
)
def test_wrong_names_are_answered_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tables.main(arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_table_is_written_and_the_main_one_shown(
    sample: tuple[Study, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(sample, tmp_path, "--tables", "scores,training", "--strict") == 0
    told = capsys.readouterr()
    assert "Regime  " in told.out
    assert "joint (one model)" in told.out
    assert told.out.rstrip().splitlines()[-1] == f"11 files in {tmp_path}/: scores, training"
    assert told.err == ""
    names = {
        f"{table}.{end}" for table in ("scores", "training") for end in ("tex", "md", "html", "csv", "json")
    }
    assert {path.name for path in tmp_path.iterdir()} == names | {"stilts.tex"}


def test_formats_can_be_chosen(sample: tuple[Study, Path], tmp_path: Path) -> None:
    assert call(sample, tmp_path, "--tables", "training", "--formats", "csv") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["training.csv"]


def test_equal_records_give_equal_files(sample: tuple[Study, Path], tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert call(sample, tmp_path / name, "--tables", "scores,latency,heatmap") == 0
    first = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    second = {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert first == second
    assert len(first) > 10


def test_strict_fails_on_what_is_missing_and_names_it(
    sample: tuple[Study, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, runs = sample
    shard = runs / "multi-s1.joint" / "records" / "training" / "training.arrow"
    hidden = shard.with_suffix(".hidden")
    shard.rename(hidden)
    try:
        assert call(sample, tmp_path, "--tables", "training") == 0
        assert "no number yet for 10 in training; first training/joint/runs" in capsys.readouterr().err
        assert call(sample, tmp_path, "--tables", "training", "--strict") == 1
        assert "| joint (one model) |   -- |" in (tmp_path / "training.md").read_text()
    finally:
        hidden.rename(shard)


def test_tables_without_their_records_are_skipped_aloud(
    three_seeds: tuple[Study, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(three_seeds, tmp_path, "--tables", "latency,training") == 0
    told = capsys.readouterr()
    assert "note: latency: no latency records yet" in told.err
    assert not (tmp_path / "latency.md").exists()
    assert call(three_seeds, tmp_path, "--tables", "latency") == 3


def test_explain_names_runs_and_shards(
    sample: tuple[Study, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(sample, tmp_path, "--explain", "scores/multi/xnli") == 0
    told = capsys.readouterr().out
    assert "run multi-s1.xnli.eval" in told
    assert "multi-s1.xnli.eval/records/scores/scores.arrow" in told
    assert "multi-s1.xnli.eval/predictions/predictions.arrow" in told
    assert call(sample, tmp_path, "--explain", "languages-panx/heads/zh") == 0
    assert "run multi-s1.heads.eval" in capsys.readouterr().out
    assert call(sample, tmp_path, "--explain", "scores/multy/xnli") == 2
    assert "Did you mean 'scores/multi/xnli'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_shards_are_narrowed_to_the_cell() -> None:
    shards = [Path(f"{name}.arrow") for name in ("bucc2018-de-dev", "bucc2018-de", "bucc2018-fr", "xnli-de")]
    about = trace._about
    assert about(shards, "languages-bucc2018/multi/de", "test") == [shards[1]]
    assert about(shards, "scores/multi/bucc2018", "test") == shards[1:3]
    assert about(shards, "scores/multi/all", "test") == shards


def test_figures_are_drawn_or_skipped_aloud(
    sample: tuple[Study, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("matplotlib")
    assert call(sample, tmp_path, "--tables", "pareto,heatmap", "--formats", "md,latex") == 0
    assert (tmp_path / "pareto.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    assert "![" in (tmp_path / "heatmap.md").read_text()
    assert r"\includegraphics" in (tmp_path / "heatmap.tex").read_text()
    capsys.readouterr()
    monkeypatch.setattr(figures, "can_draw", lambda: False)
    assert call(sample, tmp_path / "none", "--tables", "heatmap", "--formats", "md") == 0
    assert "matplotlib is not installed" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "none").iterdir()] == ["heatmap.md"]


def test_no_letter_of_a_figure_is_smaller_than_seven_points(
    sample: tuple[Study, Path], tmp_path: Path, evidence: Evidence
) -> None:
    """In a paper as wide as ACL's, which includes them as they are."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for name in ("pareto", "heatmap", "breakeven"):
        (made,) = render.build(load_spec(name), evidence)
        assert isinstance(made, figures.Figure)
        with matplotlib.rc_context(figures.SETTINGS):
            drawn = plt.figure(figsize=made.size)
            made.draw(drawn)
            figures._add_caveat(drawn, made.caveat)
            sizes = [one.get_fontsize() for one in drawn.findobj(matplotlib.text.Text) if one.get_text()]
            plt.close(drawn)
        assert min(sizes) >= 7, name
        figures.save(made, tmp_path)
        content = (tmp_path / f"{name}.pdf").read_bytes()
        (width,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ", content)
        assert float(width) <= 72 * 6.35, name


def test_check_pdf_compiles_or_says_that_it_cannot(
    sample: tuple[Study, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pdf, "can_compile", lambda: False)
    assert call(sample, tmp_path, "--tables", "training", "--check-pdf") == 0
    assert "SKIPPED --check-pdf: no pdflatex" in capsys.readouterr().out
    monkeypatch.undo()
    if not pdf.can_compile():
        pytest.skip("no pdflatex on this machine")
    assert call(sample, tmp_path, "--check-pdf") == 0
    assert (tmp_path / "check.pdf").exists()


def test_strict_passes_where_all_that_was_asked_is_there(
    invent: Callable[..., tuple[Study, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a random encoder, without BUCC, whose dev set the best single of retrieval is chosen on."""
    text = """
        name = "whole"
        summary = "a study without baselines and without mined pairs"
        seeds = [1]
        sources = ["embedded"]
        targets = ["xnli", "tatoeba"]
        [model]
        source = "random"
        [intermediate]
        tasks = ["mnli", "squad_v1"]
        single_tasks = ["mnli", "squad_v1"]
        [languages]
        default = ["en", "de"]
        tatoeba = ["de"]
        [optimisation.default]
        [latency]
        regimes = []
    """
    _, runs = invent(tmp_path, text)
    study = runs.parents[1] / "sample.toml"
    asked = ["--study", str(study), "--runs", str(runs.parent), "--output", str(tmp_path / "out")]
    assert tables.main([*asked, "--tables", "scores,languages,training,heatmap,sanity", "--strict"]) == 0
    assert capsys.readouterr().err == ""


def test_tables_without_records_need_no_runs(tmp_path: Path) -> None:
    asked = ["--study", "xlmr-large", "--runs", str(tmp_path), "--output", str(tmp_path / "out")]
    assert tables.main([*asked, "--tables", "combined,kernels", "--report"]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "+8.7 points reported on the mean of nine" in page
    assert "Phang et al. 2020" in page
    assert tables.main([*asked, "--tables", "combined,scores"]) == 3
