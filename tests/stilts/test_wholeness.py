"""A finished study that is damaged, torn or overtaken by its data: told by all, mended by a launch."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUDY = """
name = "small"
summary = "one target in two languages, from files"
seeds = [1]
sources = ["folder", "embedded"]
targets = ["xnli"]
languages = { default = ["en", "de"] }
baselines = ["majority"]
limits.default = { train = 24, dev = 8, test = 8 }
optimisation.default = { epochs = 1.0, tokens_per_batch = 256, frozen = ["embeddings"] }
zero = { stage = 1, precision = "fp32" }
evaluation = { dtype = "fp32", tokens_per_batch = 512 }

[model]
source = "random:toy"
layers = 1
vocabulary = "study"
"""


class Finished:
    """A finished study in a folder of its own, its German test set in files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "runs" / "small"

    def write_study(self) -> None:
        (self.path / "small.toml").write_text(STUDY, encoding="utf-8")
        rows = [
            f"{code}\t{label}\tx\ty\tx\ty\t{text} {n}.\tIt: {n}.\tp{n}\tq{n}\tg\tTrue\tentailment\tw"
            for code, text in (("en", "Sentence number"), ("de", "Satz Nummer"))
            for n, label in enumerate(("entailment", "neutral", "contradiction") * 12)
        ]
        header = (
            "language\tgold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t"
            "sentence2_parse\tsentence1\tsentence2\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tmatch"
        )
        self.test_set.parent.mkdir(parents=True)
        self.test_set.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    @property
    def test_set(self) -> Path:
        return self.path / "data" / "xnli" / "xnli.test.tsv"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.call(*arguments, "--study", "small.toml")

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"STILTS_DATA": str(self.path / "data"), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "stilts", *arguments],
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            umask=0,
        )

    def launch(self) -> subprocess.CompletedProcess[str]:
        return self.run("launch", "--grid", "all")

    def files(self) -> dict[str, bytes]:
        """What counts: scores, predictions and weights."""
        kept = ("weights/model.safetensors", "predictions/", "records/scores/")
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and any(part in str(path) for part in kept) and path.suffix == ".safetensors"
        } | {
            str(path.relative_to(self.root)): shard(path)
            for path in sorted(self.root.rglob("*.arrow"))
            if any(part in str(path) for part in kept)
        }


def shard(path: Path) -> bytes:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        return str(pa.ipc.open_file(source).read_all().to_pylist()).encode()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    found = Finished(tmp_path_factory.mktemp("whole"))
    found.write_study()
    done = found.launch()
    assert done.returncode == 0, done.stdout + done.stderr
    return found


@pytest.fixture
def finished(whole: Finished, tmp_path: Path) -> Finished:
    """A copy to be harmed."""
    shutil.copytree(whole.path, tmp_path / "copy")
    return Finished(tmp_path / "copy")


EVALUATION = "direct-s1.xnli.eval"
OUTPUTS = [
    ("direct-s1.xnli/weights/tokenizer.json", "truncated"),
    (f"{EVALUATION}/records/scores/xnli-de.arrow", "truncated"),
    (f"{EVALUATION}/predictions/xnli-de.arrow", "missing"),
]
MORE = [
    ("model/weights/model.safetensors", "missing"),
    ("direct-s1.xnli/records/training/training.arrow", "missing"),
    (f"{EVALUATION}/data.json", "truncated"),
    ("baseline.mnli/records/scores/baseline.arrow", "truncated"),
]


@pytest.mark.parametrize(
    ("place", "harm"), [*OUTPUTS, *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE)]
)
def test_a_damaged_output_is_told_by_all_and_made_anew(finished: Finished, place: str, harm: str) -> None:
    before, path = finished.files(), finished.root / place
    run = place.partition("/")[0]
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-7])
    status = finished.run("status").stdout
    line = next(line for line in status.splitlines() if line.split()[:2] == ["damaged", run])
    assert place.partition("/")[2] in line
    for _ in range(2):  # told every time, since reading changes nothing
        tables = finished.run("tables", "--formats", "csv", "--strict")
        assert f"DAMAGED: nothing of {run} is shown" in tables.stderr
        assert tables.returncode == 1
    again = finished.launch()
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"damaged, done again: {run}: " in again.stderr
    assert finished.files() == before
    assert "damaged" not in finished.run("status").stdout


def test_changed_contents_of_the_same_size_are_found_where_they_are_read(finished: Finished) -> None:
    path = finished.root / EVALUATION / "records" / "scores" / "xnli-en.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    tables = finished.run("tables", "--formats", "csv")
    assert f"DAMAGED: nothing of {EVALUATION} is shown" in tables.stderr
    weights = finished.root / "direct-s1.xnli" / "weights" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    shutil.rmtree(finished.root / EVALUATION)
    done = finished.launch()
    assert done.returncode == 3
    assert "needs direct-s1.xnli, which is damaged (weights/model.safetensors has other" in done.stdout


def test_a_torn_specification_costs_no_run(finished: Finished) -> None:
    run = finished.root / "direct-s1.xnli"
    (run / "spec.json").write_bytes(b"{")
    attempts = (run / "provenance.jsonl").read_bytes()
    again = finished.launch()
    assert again.returncode == 0, again.stdout + again.stderr
    assert "damaged, mended: direct-s1.xnli: " in again.stderr
    assert (run / "provenance.jsonl").read_bytes() == attempts, "it was not done again"
    assert "damaged" not in finished.run("status").stdout


def test_runs_of_another_version_are_left_alone(finished: Finished) -> None:
    """Rather than done again over what may be a month of work."""
    path = finished.root / "direct-s1.xnli" / "spec.json"
    stored = json.loads(path.read_text())
    stored["asked"]["set_by_a_later_version"] = 3
    identity = {name: stored[name] for name in ("stage", "asked", "parents")}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path.write_text(json.dumps(stored | {"fingerprint": hashlib.sha256(text.encode()).hexdigest()}))
    before = finished.files()
    again = finished.launch()
    assert again.returncode == 3, again.stdout + again.stderr
    assert "direct-s1.xnli/spec.json was written by another version of stilts (unknown key" in again.stderr
    assert finished.files() == before


def test_a_mark_of_another_run_is_no_mark(finished: Finished) -> None:
    shutil.copy(finished.root / "baseline.mnli" / "done.json", finished.root / EVALUATION / "done.json")
    assert "done.json belongs to another specification" in finished.run("status").stdout
    assert finished.launch().returncode == 0
    assert "damaged" not in finished.run("status").stdout


@pytest.mark.parametrize(
    "name", ["spec.json", "done.json", "failed.json", "progress.jsonl", "provenance.jsonl", "submit/job.json"]
)
def test_one_torn_file_is_one_line_about_one_run(finished: Finished, name: str) -> None:
    torn = finished.root / EVALUATION / name
    if name == "failed.json":
        (torn.parent / "done.json").unlink()
    torn.parent.mkdir(exist_ok=True)
    torn.write_bytes(b'{"half": \n')
    status, tables = finished.run("status"), finished.run("tables", "--formats", "csv")
    alarming = name in ("spec.json", "done.json", "failed.json")
    assert status.returncode == alarming, status.stderr
    assert "small: " in status.stdout
    assert tables.returncode == 0, tables.stderr
    assert "Traceback" not in status.stderr + tables.stderr
    if name in ("spec.json", "done.json"):
        line = next(
            line for line in status.stdout.splitlines() if line.split()[:2] == ["damaged", EVALUATION]
        )
        assert name in line
        assert f"DAMAGED: nothing of {EVALUATION} is shown" in tables.stderr
    again = finished.launch()
    assert again.returncode == 0, again.stdout + again.stderr
    assert "damaged" not in finished.run("status").stdout


def test_corrected_labels_make_runs_stale(finished: Finished) -> None:
    text = finished.test_set.read_text(encoding="utf-8")
    finished.test_set.write_text(text.replace("de\tneutral", "de\tentailment", 1), encoding="utf-8")
    status = finished.run("status").stdout
    stale = [line.split()[1] for line in status.splitlines() if line.split()[:1] == ["stale"]]
    assert EVALUATION in stale
    assert "xnli/de/test folder" in status
    assert "direct-s1.xnli" not in stale or "model" in stale, "stale only with what it was trained on"
    launch = finished.launch()
    assert launch.returncode == 2
    assert launch.stderr.count("\n") == 1
    assert "STALE, their data have changed (xnli/de/test folder" in launch.stderr
    tables = finished.run("tables", "--formats", "csv", "--strict")
    assert tables.returncode == 1
    assert "STALE: the data of" in tables.stderr
    finished.test_set.write_text(text, encoding="utf-8")
    assert "stale" not in finished.run("status").stdout
    assert "nothing left to do" in finished.launch().stdout


def test_a_run_whose_data_change_between_two_attempts_is_refused(finished: Finished) -> None:
    run = finished.root / EVALUATION
    (run / "done.json").unlink()
    (run / "records" / "scores" / "xnli-de.arrow").unlink()
    text = finished.test_set.read_text(encoding="utf-8")
    finished.test_set.write_text(text.replace("de\tneutral", "de\tentailment", 1), encoding="utf-8")
    done = finished.call("run", str(run))
    assert done.returncode == 3
    assert "xnli/de/test has changed since this run began to read it" in done.stderr


def test_every_score_and_prediction_says_what_made_it(whole: Finished) -> None:
    from stilts.run import records

    folder = whole.root / EVALUATION
    for kind, place in (("scores", folder / "records" / "scores"), ("predictions", folder / "predictions")):
        rows = records.read(kind, [place]).to_pylist()
        by_language = {row["language"]: row for row in rows}
        assert by_language["de"]["data"].startswith("folder ")
        assert by_language["en"]["data"].startswith("folder ")
        assert all(len(row["model"]) == 64 and row["code"] for row in rows)
        assert len({row["model"] for row in rows}) == 1


def test_nothing_is_open_to_all_the_world_whatever_the_umask(whole: Finished) -> None:
    """Whoever can write to the runs decides what the tables say."""
    places = [path for path in whole.root.parent.rglob("*") if not path.is_symlink()]
    assert len(places) > 50
    assert [path for path in places if path.stat().st_mode & 0o002] == []
