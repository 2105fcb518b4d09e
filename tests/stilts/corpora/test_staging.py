"""Staging with the real client from a Hub on this machine: whole, resumed, killed, collided, refused."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from datasets import ClassLabel, List, Value

ROOT = Path(__file__).parents[3]
COMMIT = "a" * 40
STUDY = """
name = "staged"
summary = "a few sets"
seeds = [1]
sources = ["folder"]
targets = ["udpos", "tatoeba"]
model.source = "random"
[languages]
default = ["en", "de"]
[intermediate]
tasks = ["ccg"]
optional = ["ccg"]
[optimisation.default]
learning_rate = 1e-5
"""
TAGGED = {"tokens": List(Value("string")), "pos_tags": List(ClassLabel(names=["VERB", "NOUN"]))}
SETS = [
    "udpos.English/train", "udpos.English/validation", "udpos.English/test", "udpos.German/validation",
    "udpos.German/test", "tatoeba.deu/validation",
]  # fmt: skip
PLACES = [f"{path.partition('.')[0]}/{path}-00000-of-00001.parquet" for path in SETS]


@pytest.fixture
def xtreme(hub, parquet) -> dict[str, bytes]:
    """What the study reads of google/xtreme."""
    files = {}
    for number, name in enumerate(SETS):
        words = {"tokens": ["Hunde", "bellen", str(number)], "pos_tags": [1, 0, 1]}
        pair = {"source_sentence": "Guten Morgen.", "target_sentence": "Good morning.", "source_lang": "deu"}
        tagged = name.startswith("udpos")
        body = parquet([words], TAGGED) if tagged else parquet([pair | {"target_lang": "eng"}])
        files[f"{name}-00000-of-00001.parquet"] = body
    hub.files["google/xtreme"] = files
    hub.commits["google/xtreme", "main"] = COMMIT
    return files


@pytest.fixture
def stage(hub, tmp_path: Path):
    """Starts `python -m stilts data stage`, or another command, as a process of its own."""
    study = tmp_path / "staged.toml"
    study.write_text(STUDY)

    def start(*arguments: str, command: str = "stage", **settings: str) -> subprocess.Popen:
        to = ["--output", str(tmp_path / "mirror")] if command == "stage" else []
        return subprocess.Popen(
            [sys.executable, "-m", "stilts", "data", command, "--study", str(study), *to, *arguments],
            cwd=ROOT,
            env=os.environ
            | {
                "HF_ENDPOINT": hub.address,
                "HF_HOME": str(tmp_path / "home"),
                "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                "HF_HUB_DISABLE_XET": "1",
                "STILTS_DATA": str(tmp_path / "mirror"),
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def manifest(mirror: Path) -> dict:
    return json.loads((mirror / "manifest.json").read_text())["files"]


def downloads(hub) -> list[str]:
    return [path for path in hub.asked if "/resolve/" in path]


def is_whole(mirror: Path, xtreme: dict[str, bytes]) -> bool:
    bodies = zip(PLACES, xtreme.values(), strict=True)
    return all((mirror / place).read_bytes() == body for place, body in bodies)


def test_a_study_is_staged_resumed_and_mended(hub, xtreme, stage, tmp_path) -> None:
    mirror = tmp_path / "mirror"
    code, out, err = ended(stage("--dry-run"))
    assert (code, err) == (0, "")
    total = sum(map(len, xtreme.values())) / 1000
    assert f"6 files, {total:.1f} kB to be staged into {mirror}" in out
    assert not mirror.exists()

    code, out, err = ended(stage())
    assert (code, err) == (0, "")
    assert "optional: ccg train and dev (en): CCGbank (LDC2005T13) is licensed" in out
    assert f"set STILTS_DATA={mirror}" in out
    assert is_whole(mirror, xtreme)
    assert manifest(mirror) == {
        place: {
            "sha256": hashlib.sha256(body).hexdigest(),
            "bytes": len(body),
            "repo": "google/xtreme",
            "revision": COMMIT,
            "path": path,
        }
        for place, (path, body) in zip(PLACES, xtreme.items(), strict=True)
    }
    code, out, _ = ended(stage("--sources", "folder", "--extent", "sample", command="check"))
    assert (code, out.count("\nok ") + out.startswith("ok ")) == (0, 6)

    # One file gone, one damaged, and a copy in the cache damaged beneath it.
    (mirror / PLACES[0]).unlink()
    (mirror / PLACES[1]).write_bytes(b"PAR1 and no more")
    blob = next((tmp_path / "home").rglob(hashlib.sha256(xtreme[PLACES[1].partition("/")[2]]).hexdigest()))
    blob.write_bytes(b"?" * blob.stat().st_size)
    hub.asked.clear()
    code, out, _ = ended(stage())
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("fetched")] == PLACES[1::-1][
        ::-1
    ]
    assert len([line for line in out.splitlines() if line.startswith("there")]) == 4
    assert {path.rpartition("/")[2] for path in downloads(hub)} == {PLACES[1].rpartition("/")[2]}
    assert is_whole(mirror, xtreme)


class Slowly(dict):
    """Files of a Hub that takes its time for each."""

    def get(self, *arguments):
        time.sleep(0.4)
        return super().get(*arguments)


def test_killed_at_any_moment_it_goes_on(hub, xtreme, stage, tmp_path) -> None:
    mirror = tmp_path / "mirror"
    hub.files["google/xtreme"] = Slowly(xtreme)
    kept: set[str] = set()
    for wanted in (1, 3):
        process = stage()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if (mirror / "manifest.json").exists() and len(manifest(mirror)) >= wanted:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        ended(process)
        assert process.returncode == -signal.SIGKILL
        assert kept <= set(manifest(mirror)) < set(PLACES)
        kept = set(manifest(mirror))
    # What a kill within the copying of a file leaves behind.
    litter = mirror / PLACES[5]
    litter.parent.mkdir(parents=True, exist_ok=True)
    litter = litter.with_name(f".{litter.name}.abcd1234")
    litter.write_bytes(b"half")

    code, out, err = ended(stage())
    assert (code, err) == (0, "")
    assert {line.split()[-1] for line in out.splitlines() if line.startswith("there")} == kept
    assert is_whole(mirror, xtreme)
    assert set(manifest(mirror)) == set(PLACES)
    assert not litter.exists()


def test_two_stagings_do_not_collide(hub, xtreme, stage, tmp_path) -> None:
    (tmp_path / "mirror").mkdir()
    with open(tmp_path / "mirror" / ".staging.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("process 7 on node3")
        held.flush()
        code, _, err = ended(stage())
    assert code == 1
    holder = "another process (process 7 on node3)"
    assert err == f"stilts: {holder} is staging into {tmp_path / 'mirror'}: wait for it\n"
    assert not (tmp_path / "mirror" / "manifest.json").exists()


def test_what_the_hub_lacks_is_said_and_own_files_count(hub, xtreme, stage, tmp_path) -> None:
    del hub.files["google/xtreme"]["tatoeba.deu/validation-00000-of-00001.parquet"]
    code, out, _ = ended(stage("--tasks", "tatoeba"))
    assert code == 3
    assert "missing: tatoeba test (de): google/xtreme at aaaaaaaaaaaa has no tatoeba.deu/validation-*" in out
    for side, text in (("deu", "Guten Morgen.\n"), ("eng", "Good morning.\n")):
        path = tmp_path / "mirror" / "tatoeba" / f"tatoeba.deu-eng.{side}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    code, out, _ = ended(stage("--tasks", "tatoeba", HF_HUB_OFFLINE="1"))
    assert code == 0
    assert "tatoeba  your own" in out


def test_without_a_network_every_task_is_named_and_a_damaged_manifest_too(stage, tmp_path) -> None:
    code, out, _ = ended(stage(HF_ENDPOINT="http://127.0.0.1:9"))
    assert code == 3
    for task in ("udpos train", "tatoeba test"):
        assert f"missing: {task}" in out
    assert out.count("the Hub cannot be reached for google/xtreme") == 2
    (tmp_path / "mirror").mkdir(exist_ok=True)
    (tmp_path / "mirror" / "manifest.json").write_text("{")
    code, _, err = ended(stage(HF_ENDPOINT="http://127.0.0.1:9"))
    assert code == 2
    assert err.startswith(f"stilts: {tmp_path / 'mirror' / 'manifest.json'} is no manifest")
