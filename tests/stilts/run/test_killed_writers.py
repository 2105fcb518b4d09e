"""Eight writers at once, killed at fifty random moments: what was reported done is there, once."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hpc.files import sweep, write_json, write_json_often, write_json_once
from stilts.run import records

JOBS, SHARDS, ROWS, KILLS = 8, 40, 50, 50
WRITER = """
import sys
from pathlib import Path
from stilts.run import records

folder, job, shards, rows = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
told = folder / f"reported-{job}"
done = len(told.read_text().split()) if told.exists() else 0
for number in range(done, shards):
    readings = [
        {
            "run_id": f"job{job}", "process_rep": job, "t_ns": number * rows + n,
            "foreign_cpu": 0.0, "stolen_cpu": 0.0,
        }
        for n in range(rows)
    ]
    records.write_shard(folder / "telemetry", "telemetry", readings, name=f"telemetry-{job}-{number:05}")
    with told.open("a") as out:
        out.write(f"{number}\\n")
"""


@pytest.mark.parametrize("seed", [1])
def test_nothing_that_was_reported_is_lost_and_nothing_is_there_twice(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    (tmp_path / "telemetry").mkdir()

    def start(job: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(job), str(SHARDS), str(ROWS)]
        )

    running = {job: start(job) for job in range(JOBS)}
    kills = 0
    deadline = time.monotonic() + 240
    while running:
        assert time.monotonic() < deadline
        time.sleep(chance.uniform(0.0, 0.25))
        if kills < KILLS:
            job = chance.choice(sorted(running))
            running[job].kill()
            running[job].wait()
            kills += 1
            running[job] = start(job)
        for job, writer in list(running.items()):
            if writer.poll() is not None:
                assert writer.returncode in (0, -9)
                if writer.returncode == 0:
                    del running[job]
        if not running and kills < KILLS:
            # All done early: the last ones die while they look whether there is anything left.
            running = {job: start(job) for job in range(JOBS)}
    table = records.read("telemetry", [tmp_path / "telemetry"])
    found = Counter(zip(table["process_rep"].to_pylist(), table["t_ns"].to_pylist(), strict=True))
    assert set(found.values()) == {1}
    assert found.keys() == {(job, n) for job in range(JOBS) for n in range(SHARDS * ROWS)}
    reported = {
        (job, number)
        for job in range(JOBS)
        for number in map(int, (tmp_path / f"reported-{job}").read_text().split())
    }
    assert {(job, key // ROWS) for job, key in found} >= reported


def test_what_killed_writers_leave_goes_once_it_is_old(tmp_path: Path) -> None:
    long_ago = time.time() - 3600
    litter = (".dev.arrow.a1b2c3d4", "records/.done.json.12345", "predictions/.x-en.arrow.zz_0aa9b")
    kept = (
        "done.json",
        ".launch.lock",
        ".launch.lock.owner",
        "records/dev.arrow",
        ".gitignore",
        ".a.arrow.short",
    )
    for name in (*litter, *kept):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        os.utime(path, (long_ago, long_ago))
    (tmp_path / ".young.json.abcdefgh").write_text("")
    (tmp_path / ".link.json.abcdefgh").symlink_to("/etc/passwd")
    sweep(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()}
    assert left == {*kept, ".young.json.abcdefgh", ".link.json.abcdefgh"}


@pytest.mark.parametrize("write", [write_json, write_json_often, write_json_once])
def test_a_link_under_a_name_that_can_be_foretold_is_not_followed(tmp_path: Path, write) -> None:
    """Whoever may write beside our files could have us write into another one of ours."""
    victim, path = tmp_path / "victim", tmp_path / "done.json"
    victim.write_text("mine")
    (tmp_path / f".done.json.{os.getpid()}").symlink_to(victim)
    write(path, {"a": 1})
    assert victim.read_text() == "mine"
    assert json.loads(path.read_text()) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o644
