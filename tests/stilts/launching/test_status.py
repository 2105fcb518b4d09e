import json
import os
import time
from pathlib import Path

from stilts import status


def test_status_tells_how_runs_stand(launching, capsys) -> None:
    launching.order("mnli-s1.xnli", fail="no XNLI here")
    assert launching.here() == 1
    (launching.folder("mnli-s1.panx").done).unlink()
    with (
        launching.folder("multi-s1.panx").locked(),
        open(launching.folder("multi-s1.panx").progress, "a") as file,
    ):
        launching.folder("multi-s1.panx").done.unlink()
        now = time.time()
        file.write(
            json.dumps({"unix": now - 200, "done": 3, "total": 9, "unit": "steps", "note": "loss 0.1"}) + "\n"
        )
        file.flush()
        capsys.readouterr()
        assert status.main(["--runs", str(launching.runs)]) == 0
    shown = capsys.readouterr().out.splitlines()
    count = launching.num_runs - 4
    assert shown[0] == f"toys: {count} of {launching.num_runs} runs done, in {launching.runs}/toys"
    assert shown[1].split() == ["stage", "done", "running", "failed", "interrupted", "planned"]
    log = launching.folder("mnli-s1.xnli").submit / "log-1.txt"
    rows = [" ".join(line.split()) for line in shown]
    assert "running multi-s1.panx 3/9 steps, loss 0.1, 3 min ago" in rows
    assert f"failed mnli-s1.xnli no XNLI here; log {log}" in rows
    assert any(row.startswith("interrupted mnli-s1.panx 0/4 steps, loss 0.5, ") for row in rows)


def test_status_shows_the_queue(launching, capsys, monkeypatch) -> None:
    from hpc.slurm.queue import write_job

    launching.order("mnli-s1.xnli", fail="x")
    launching.here()
    for run_id, job in {"mnli-s1.xnli": "7_1", "mnli-s1.xnli.eval": "8"}.items():
        write_job(launching.folder(run_id).submit, {"token": "t", "job_id": job})
    programs = launching.path / "bin"
    programs.mkdir()
    (programs / "squeue").write_text(
        "#!/bin/sh\necho '7_1|PENDING|Priority|t'\necho '8|PENDING|Dependency|t'\n"
    )
    (programs / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    capsys.readouterr()
    assert status.main(["--runs", str(launching.runs), "--study", "toys"]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "queued mnli-s1.xnli.eval job 8 pending, Dependency" in rows
    assert any(
        row.startswith("queued mnli-s1.xnli x; log ") and row.endswith("job 7_1 pending, Priority")
        for row in rows
    )


def test_status_of_nothing_says_what_to_do(tmp_path: Path, capsys) -> None:
    assert status.main(["--runs", str(tmp_path)]) == 3
    assert "launch first" in capsys.readouterr().err
    assert status.main(["--runs", str(tmp_path), "--study", "mini"]) == 0
    assert capsys.readouterr().out.startswith("mini: 0 of ")
