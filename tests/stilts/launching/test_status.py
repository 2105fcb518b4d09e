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
        assert status.main(["--runs", str(launching.runs)]) == 1
    shown = capsys.readouterr().out.splitlines()
    count = launching.num_runs - 4
    assert shown[0] == f"toys: {count} of {launching.num_runs} runs done, in {launching.runs}/toys"
    assert shown[1].split() == ["stage", "done", "running", "failed", "blocked", "interrupted"]
    log = launching.folder("mnli-s1.xnli").submit / "log-1.txt"
    rows = [" ".join(line.split()) for line in shown]
    assert "running multi-s1.panx 3/9 steps, loss 0.1, 3 min ago" in rows
    assert f"failed mnli-s1.xnli no XNLI here; log {log}" in rows
    assert any(row.startswith("interrupted mnli-s1.panx 0/4 steps, loss 0.5, ") for row in rows)


def test_status_shows_the_queue(launching, capsys, monkeypatch) -> None:
    from hpc.slurm.queue import write_job

    launching.order("mnli-s1.xnli", fail="x")
    launching.here()
    jobs = {
        "mnli-s1.xnli": "7_1",
        "mnli-s1.xnli.eval": "8",
        "mnli-s1.panx": "9",
        "mnli-s1.panx.eval": "10",
        "multi-s1.panx": "11",
        "multi-s1.panx.eval": "12",
    }
    for run_id, job in jobs.items():
        note = {"token": run_id, "job_id": job, "log": f"/logs/{job}", "submitted_unix": 9e8}
        write_job(launching.folder(run_id).submit, note)
        launching.folder(run_id).done.unlink(missing_ok=True)
    programs = launching.path / "bin"
    programs.mkdir()
    queue = [
        "7_1|PENDING|Priority|2026-11-30T08:00:00|mnli-s1.xnli",
        "8|PENDING|Dependency|N/A|mnli-s1.xnli.eval",
        "10|PENDING|PartitionConfig|N/A|mnli-s1.panx.eval",
        "12|PENDING|Priority|N/A|of another cluster",
    ]
    begun = "3600|4|cpu=4,gres/gpu=2"
    history = [
        f"9|TIMEOUT|0:0|{begun}|2026-11-29T09:00:00",
        f"9|NODE_FAIL|0:0|{begun}|2026-11-29T08:00:00",
        f"11|CANCELLED by 0|0:0|{begun}|2026-11-29T08:00:00",
        f"12|FAILED|9:0|{begun}|2026-11-29T08:00:00",
        f"21|NODE_FAIL|0:0|{begun}|2026-11-29T07:00:00",
        "20|COMPLETED|0:0|3600|4|cpu=4,gres/gpu:a100=2|2026-11-29T08:00:00",
        "10|PENDING|0:0|0|0||Unknown",
    ]
    # One that is done, by its second job.
    done = {"token": "d", "job_id": "20", "earlier": ["21"], "submitted_unix": 9e8, "first_unix": 8e8}
    write_job(launching.folder("model").submit, done)
    for name, lines in {"squeue": queue, "sacct": history}.items():
        asked = f'#!/bin/sh\necho "$@" > {programs}/{name}.asked\n'
        (programs / name).write_text(asked + "".join(f"echo '{line}'\n" for line in lines))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    capsys.readouterr()
    assert status.main(["--runs", str(launching.runs), "--study", "toys"]) == 1
    rows = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    assert "queued mnli-s1.xnli x, job 7_1 pending, Priority, to start 2026-11-30T08:00:00" in rows
    assert "queued mnli-s1.xnli.eval job 8 pending, Dependency" in rows
    told = {row.split(" ")[1]: row for row in rows if row.startswith(("failed", "cancelled", "stuck"))}
    assert told["mnli-s1.panx.eval"].startswith("stuck")
    assert told["mnli-s1.panx.eval"].endswith("job 10 pending, and cannot start: PartitionConfig")
    assert told["mnli-s1.panx"].endswith("job 9 met its time limit; log /logs/9")
    assert told["multi-s1.panx"].endswith("job 11 was cancelled; log /logs/11")
    assert told["multi-s1.panx.eval"].endswith("job 12 ended failed with code 9:0; log /logs/12")
    (cost,) = [row for row in rows if row.startswith("cost so far")]
    assert cost.startswith("cost so far: 12 GPU-hours, 10 of them in attempts that were cut short; ")
    assert "none of their stages is done" in cost
    first = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(8e8 - 60))
    assert f"--starttime={first} " in (programs / "sacct.asked").read_text(), "of the first job of all"
    assert status.main(["--runs", str(launching.runs), "--study", "toys", "--json"]) == 1
    found = {run["id"]: run for run in json.loads(capsys.readouterr().out)["toys"]}
    assert found["mnli-s1.panx"]["state"] == "failed"
    assert (found["model"]["gpu_hours"], found["model"]["cpu_hours"]) == (4, 8)

    # Accounting keeps its records for so long only: what is not known is not nothing.
    write_job(launching.folder("model").submit, done | {"earlier": ["18", "19", "21"]})
    assert status.main(["--runs", str(launching.runs), "--study", "toys"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "cost so far: 12 GPU-hours without 2 jobs that accounting does not know, 10 of them in" in said
    assert status.main(["--runs", str(launching.runs), "--study", "toys", "--json"]) == 1
    found = {run["id"]: run for run in json.loads(capsys.readouterr().out)["toys"]}
    assert (found["model"]["gpu_hours"], found["model"]["cpu_hours"]) == (None, None)
    assert found["mnli-s1.panx"]["gpu_hours"] == 4


def test_status_of_nothing_says_what_to_do(tmp_path: Path, capsys) -> None:
    assert status.main(["--runs", str(tmp_path)]) == 3
    assert "launch first" in capsys.readouterr().err
    assert status.main(["--runs", str(tmp_path), "--study", "mini"]) == 0
    assert capsys.readouterr().out.startswith("mini: 0 of ")
