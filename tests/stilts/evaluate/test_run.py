"""The command on small random models and embedded data: answers, resuming, refusals, scoring again."""

import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stilts import tasks
from stilts.evaluate.averages import COUNTED
from stilts.run import records

ROOT = Path(__file__).parents[3]
EMBEDDED = ("--sources", "embedded", "--limit", "8")


def scores(folder: Path) -> dict[tuple[str, str, str, str], tuple[float, int]]:
    table = records.read("scores", [folder / "records" / "scores"])
    return {
        (row["target"], row["language"], row["split"], row["metric"]): (row["value"], row["n"])
        for row in table.to_pylist()
    }


def shards(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every shard with its time and bytes."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*.arrow"))
    }


@pytest.fixture(scope="module")
def answered(with_heads, tmp_path_factory):
    """Seven tasks of every kind in up to two languages, answered in a process of its own."""
    folder = tmp_path_factory.mktemp("answered") / "out"
    names = "xnli,udpos,xquad,tatoeba,bucc2018,hellaswag,squad_v2"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "stilts.evaluate", "run", "--model", with_heads, "--tasks", names),
            *("--languages", "en,de", "--output", folder, *EMBEDDED),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return folder, done


def test_every_kind_is_answered_and_told_line_by_line(answered):
    folder, done = answered
    assert done.returncode == 0, done.stderr
    found = scores(folder)
    cells = {(task, language) for task, language, split, _ in found if split != "dev" or task not in COUNTED}
    both = {(task, code) for task in ("xnli", "udpos", "xquad") for code in ("en", "de")}
    assert cells == both | {
        ("tatoeba", "de"),
        ("bucc2018", "de"),
        ("hellaswag", "en"),
        ("squad_v2", "en"),
    }
    for task, language in cells:
        assert re.search(rf"^{task} +{language} .* LIMITED to 8", done.stdout, re.M), (task, language)
    assert ("bucc2018", "de", "dev", "f1") in found, "the score the threshold was tuned on"
    assert re.search(
        r"^xnli: \S+ accuracy, mean over 2 of 15 languages: incomplete .* NOT THE BENCHMARK'S DATA \(xnli",
        done.stdout,
        re.M,
    )
    assert not re.search(r"^(classification|tagging|qa|retrieval|XTREME average):", done.stdout, re.M)
    assert "fp32 on cpu, 4096 tokens a batch" in done.stdout


def test_predictions_have_the_columns_and_texts_of_a_grid_s(answered):
    folder, _ = answered
    rows = records.read("predictions", [folder / "predictions"]).to_pylist()
    xnli = [row for row in rows if (row["target"], row["language"]) == ("xnli", "de")]
    assert len(xnli) == 8
    assert {row["pred"] for row in xnli} <= set(tasks.load("xnli").labels)
    value = scores(folder)["xnli", "de", "test", "accuracy"][0]
    assert math.isclose(value, 100 * sum(row["gold"] == row["pred"] for row in xnli) / 8)
    assert {row["run_id"] for row in rows} == {"out"}
    mined = [row for row in rows if row["target"] == "bucc2018"]
    assert len({row["example_id"] for row in mined}) == len(mined)
    assert any(row["gold"] is None for row in mined), "a random model pairs distractors too"


def test_scores_come_out_of_stored_predictions_to_the_last_digit(answered, tmp_path, evaluate):
    folder, done = answered
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    before = scores(again)
    for path in (again / "records" / "scores").glob("*.arrow"):
        if not path.stem.endswith("-dev"):
            path.unlink()
    said = evaluate("score", again)
    assert said.code == 0, said.err
    assert scores(again) == before
    lines = [line.rsplit("  ", 1)[0] for line in done.stdout.splitlines() if "LIMITED to 8" in line]
    assert set(lines) <= set(said.out.splitlines())
    assert "missing: panx in all languages" in said.out
    assert "missing: tatoeba in af, ar, bg" in said.out


def test_scoring_loads_no_torch(answered):
    folder, _ = answered
    program = (
        "import sys\nfrom stilts.evaluate.__main__ import main\ncode = main(['score', sys.argv[1]])\n"
        "assert not {'torch', 'datasets', 'transformers'} & sys.modules.keys()\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_same_command_computes_only_what_is_missing(answered, tmp_path, evaluate, with_heads):
    folder, _ = answered
    again = tmp_path / "out"
    shutil.copytree(folder, again)
    before, gone = shards(again), ("cells/xnli-de.json", "predictions/udpos-en.arrow")
    for name in gone:
        (again / name).unlink()
    (again / "records" / "scores" / "xquad-en.arrow").unlink()
    asked = ("run", "--model", with_heads, "--tasks", "xnli,udpos,xquad", "--languages", "en,de", *EMBEDDED)
    assert "2 of 6 to do" in evaluate(*asked, "--output", again, "--dry-run").out
    said = evaluate(*asked, "--output", again)
    assert said.code == 0, said.err
    assert said.out.count("(was there)") == 4
    after = shards(again)
    new = {name for name in after if after[name][0] != before.get(name, (0, b""))[0]}
    assert new == {
        "predictions/xnli-de.arrow",
        "records/scores/xnli-de.arrow",
        "predictions/udpos-en.arrow",
        "records/scores/udpos-en.arrow",
        "records/scores/xquad-en.arrow",
    }
    assert scores(again) == scores(folder)


def test_another_way_of_asking_is_refused_and_never_mixed(answered, tmp_path, evaluate, with_heads):
    again = tmp_path / "out"
    shutil.copytree(answered[0], again)
    before = shards(again)
    asked = ["run", "--model", with_heads, "--output", again, "--sources", "embedded", "--languages", "de"]
    for change, said_so in (
        (("--tasks", "xnli", "--limit", "5"), "limit: 8 -> 5"),
        (("--tasks", "xnli", "--limit", "8", "--dtype", "bf16"), "dtype: fp32 -> bf16"),
        (("--tasks", "tatoeba", "--limit", "8", "--layer", "1"), "layer: 2 -> 1"),
        (("--tasks", "tatoeba", "--limit", "8", "--pooling", "cls"), "pooling: mean -> cls"),
    ):
        said = evaluate(*asked, *change)
        assert (said.code, said.err.count("\n")) == (2, 1), said.err
        assert said_so in said.err
        assert "asked otherwise" in said.err
        assert "another --output" in said.err
    said = evaluate(*asked, "--tasks", "xnli", "--limit", "5", "--overwrite", "all")
    assert said.code == 2
    assert "also holds xnli-en, asked otherwise (limit: 8 -> 5)" in said.err
    assert shards(again) == before


def test_all_of_a_task_can_be_computed_anew(answered, tmp_path, evaluate, with_heads):
    again = tmp_path / "out"
    shutil.copytree(answered[0], again)
    asked = ("run", "--model", with_heads, "--output", again, "--sources", "embedded", "--languages", "en,de")
    said = evaluate(*asked, "--tasks", "xnli", "--limit", "5", "--overwrite", "all")
    assert said.code == 0, said.err
    found = scores(again)
    assert {found["xnli", code, "test", "accuracy"][1] for code in ("en", "de")} == {5}
    assert found["udpos", "de", "test", "f1"] == scores(answered[0])["udpos", "de", "test", "f1"]


def test_a_changed_model_is_refused(answered, tmp_path, evaluate, with_heads):
    other = tmp_path / "weights"
    shutil.copytree(with_heads, other)
    table = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(table | {"layer_norm_eps": 1e-6}))
    asked = ("run", "--model", other, "--output", answered[0], "--languages", "de", *EMBEDDED)
    said = evaluate(*asked, "--tasks", "xnli")
    assert said.code == 2
    assert "asked otherwise (model: " in said.err
    said = evaluate(*asked, "--tasks", "mlqa")
    assert said.code == 2
    assert "also holds bucc2018-de, asked otherwise (model: " in said.err


def test_predictions_alone_are_scored_later(tmp_path, evaluate, with_heads):
    asked = ("run", "--model", with_heads, "--tasks", "xnli", "--languages", "de", *EMBEDDED)
    first = evaluate(*asked, "--output", tmp_path / "whole")
    only = evaluate(*asked, "--output", tmp_path / "only", "--predict-only")
    assert (first.code, only.code) == (0, 0), only.err
    assert "accuracy" not in only.out
    assert not (tmp_path / "only" / "records").exists()
    assert evaluate("score", tmp_path / "only").code == 0
    assert scores(tmp_path / "only") == scores(tmp_path / "whole")


def test_a_share_of_the_data_is_a_limit_too(tmp_path, evaluate, with_heads):
    asked = ("--tasks", "xnli", "--languages", "en", "--sources", "embedded", "--output", tmp_path / "out")
    said = evaluate("run", "--model", with_heads, *asked, "--limit", "0.01")
    assert said.code == 0, said.err
    assert scores(tmp_path / "out")["xnli", "en", "test", "accuracy"][1] == 10
    assert "LIMITED to 0.01" in said.out
    (note,) = {row["note"] for row in records.read("scores", [tmp_path / "out/records/scores"]).to_pylist()}
    assert note == "limited to 0.01"


def test_a_lost_prediction_counts_as_wrong_and_is_told(answered, tmp_path, evaluate, rewrite):
    again = tmp_path / "out"
    shutil.copytree(answered[0], again)
    rows = records.read("predictions", [again / "predictions"]).to_pylist()
    xnli = [row for row in rows if (row["target"], row["language"]) == ("xnli", "en")]
    rewrite(again, "xnli-en", xnli[:5])
    said = evaluate("score", again)
    assert "3 of 8 have no prediction: they count as wrong" in said.out
    right = 100 * sum(row["pred"] == row["gold"] for row in xnli[:5]) / 8
    assert scores(again)["xnli", "en", "test", "accuracy"] == (pytest.approx(right, abs=1e-5), 8)
    strange = [row | {"example_id": f"no-{number}"} for number, row in enumerate(xnli)]
    rewrite(again, "xnli-en", strange)
    said = evaluate("score", again)
    assert said.code == 3
    assert "8 predictions are for examples that the data do not have, such as 'no-0'" in said.err


def test_memory_decides_the_batches():
    import torch

    from hpc.errors import UserError
    from stilts.evaluate.fitting import CPU_TOKENS, FIRST_TOKENS, BatchSizeFinder

    said: list[str] = []
    tried: list[int] = []

    def work(tokens: int) -> int:
        tried.append(tokens)
        if tokens > room:
            raise torch.OutOfMemoryError
        return tokens

    room = FIRST_TOKENS // 3
    fitting = BatchSizeFinder(None, device="cpu", say=said.append)
    assert fitting.tokens == CPU_TOKENS
    fitting.tokens = FIRST_TOKENS
    assert fitting.run(work) == FIRST_TOKENS // 4
    assert tried == [FIRST_TOKENS, FIRST_TOKENS // 2, FIRST_TOKENS // 4]
    assert said[-1].startswith(f"batches of {FIRST_TOKENS // 4} tokens from here on")
    assert fitting.run(work) == FIRST_TOKENS // 4, "what was found stays"
    with pytest.raises(UserError, match=f"no memory for batches of {FIRST_TOKENS} tokens"):
        BatchSizeFinder(FIRST_TOKENS, device="cpu", say=said.append).run(work)
    room = 100
    with pytest.raises(UserError, match="no memory for batches of 512 tokens"):
        fitting.run(work)
