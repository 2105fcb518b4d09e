"""An optional task without data: said on the way, kept beside the runs, and the same in status and tables."""

import json

from stilts import status
from tests.withholding import withheld

PHASE = 'tasks = ["mnli", "squad_v1", "ccg"], single_tasks = ["mnli", "ccg"], optional = ["ccg"]'


def ask_for_ccg(launching) -> None:
    text = launching.study.read_text().replace('sources = ["embedded"]', 'sources = ["folder"]')
    launching.study.write_text(text.replace('tasks = ["mnli", "squad_v1"], single_tasks = ["mnli"]', PHASE))


def test_what_is_withheld_is_not_left_out_for_good(launching, monkeypatch, tmp_path, capsys) -> None:
    (tmp_path / "data" / "ccg").mkdir(parents=True)
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "data"))
    ask_for_ccg(launching)
    with withheld(tmp_path / "data" / "ccg"):
        assert launching.here("--only", "multi-s1") == 3
    assert f"cannot read {tmp_path}/data/ccg" in capsys.readouterr().err
    assert not (launching.runs / "toys" / "left_out.json").exists()


def test_a_launch_says_and_keeps_what_it_leaves_out(launching, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("STILTS_DATA", str(tmp_path / "nothing"))
    ask_for_ccg(launching)
    assert launching.here("--only", "multi-s1") == 0
    assert "left out, being optional: ccg: folder: there is no data folder" in capsys.readouterr().err
    kept = json.loads((launching.runs / "toys" / "left_out.json").read_text())
    assert "CCGbank" in kept["ccg"]
    asked = launching.folder("multi-s1").read_spec().asked
    assert (asked.tasks, asked.left_out) == (("mnli", "squad_v1"), ("ccg",))

    # Data that comes later changes nothing under runs that are done.
    (tmp_path / "nothing" / "ccg").mkdir(parents=True)
    for name in ("train", "dev"):
        (tmp_path / "nothing" / "ccg" / f"{name}.txt").write_text("Anna|NNP|N sleeps|VBZ|S[dcl]\\NP\n")
    assert launching.here("--only", "multi-s1") == 0
    assert "nothing left to do" in capsys.readouterr().out
    asked = ["--study", str(launching.study), "--runs", str(launching.runs)]
    assert status.main(asked) == 0
    assert f"of {launching.num_runs} runs done" in capsys.readouterr().out
