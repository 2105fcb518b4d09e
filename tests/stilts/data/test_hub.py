"""The Hub as a source: the real client against a Hub on this machine, then without one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import ClassLabel, List, Value

ROOT = Path(__file__).parents[3]
MAIN, LATER = "a" * 40, "b" * 40
READ = """
import json, sys
from stilts import tasks
from stilts.data.reading import read
from stilts.data.sources import hub
from hpc.errors import UserError
found = []
for name, language, split in json.loads(sys.argv[1]):
    task = tasks.load(name)
    try:
        examples = list(read(task, language=language, split=split, sources=["hub"]))
        set_ = task.splits[split]
        found.append({
            "examples": examples,
            "version": hub.version(task, language=language, split=set_),
            "size": hub.size(task, language=language, split=set_),
            "staged": [file.staged for file in hub.remote_files(task, language=language, split=set_)],
        })
    except UserError as problem:
        found.append({"problem": str(problem), "code": problem.code})
print(json.dumps(found))
"""


@pytest.fixture
def ask(hub, tmp_path: Path):
    """What sets give in a new process, since the client reads its settings once."""

    def call(*sets: tuple[str, str, str], **settings: str) -> list[dict]:
        environment = os.environ | {
            "HF_ENDPOINT": hub.address,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_XET": "1",
            **settings,
        }
        done = subprocess.run(
            [sys.executable, "-c", READ, json.dumps(sets)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture
def xtreme(hub, parquet) -> dict[str, bytes]:
    """Some of google/xtreme."""
    tags = {"tokens": List(Value("string")), "pos_tags": List(ClassLabel(names=["VERB", "NOUN"]))}
    nli = [
        {"language": code, "gold_label": label, "sentence1": f"{code} one", "sentence2": "two"}
        for code in ("en", "sw")
        for label in ("neutral", "entailment")
    ]
    files = {
        "udpos.German/test-00000-of-00001.parquet": parquet(
            [{"tokens": ["Hunde", "bellen"], "pos_tags": [1, 0]}], tags
        ),
        "XNLI/test-00000-of-00001.parquet": parquet(nli),
        "PAWS-X.de/validation-00000-of-00002.parquet": parquet(
            [{"sentence1": "a", "sentence2": "b", "label": "1"}]
        ),
        "tatoeba.cmn/validation-00000-of-00001.parquet": parquet(
            [{"source_sentence": "早上好。", "target_sentence": "Good morning.", "source_lang": "cmn",
              "target_lang": "eng"}]
        ),
    }  # fmt: skip
    hub.files["google/xtreme"] = files
    hub.commits["google/xtreme", "main"] = MAIN
    return files


def test_files_are_fetched_once_and_then_read_without_the_hub(hub, ask, xtreme) -> None:
    sets = (("udpos", "de", "test"), ("xnli", "sw", "test"), ("tatoeba", "zh", "dev"))
    udpos, xnli, tatoeba = first = ask(*sets)
    assert [example["tags"] for example in udpos["examples"]] == [["NOUN", "VERB"]]  # the file's own names
    assert [(e["first"], e["label"]) for e in xnli["examples"]] == [("sw one", 1), ("sw one", 0)]
    assert tatoeba["examples"][0] | {"id": ""} == {
        "id": "",
        "english": "Good morning.",
        "foreign": "早上好。",
    }
    assert {found["version"] for found in first} == {f"google/xtreme@{MAIN}"}
    assert [found["size"] for found in first] == [1, None, 1]
    assert udpos["staged"] == ["udpos/udpos.German/test-00000-of-00001.parquet"]

    hub.asked.clear()
    assert ask(*sets) == first
    assert hub.asked == []
    assert ask(*sets, HF_HUB_OFFLINE="1") == first


def test_a_moving_ref_stays_what_it_was_when_it_was_first_fetched(hub, ask, xtreme) -> None:
    (first,) = ask(("udpos", "de", "test"))
    hub.commits["google/xtreme", "main"] = LATER
    both = ask(("udpos", "de", "test"), ("xnli", "en", "test"))
    assert [found["version"] for found in both] == [f"google/xtreme@{MAIN}"] * 2
    assert first["version"] == both[0]["version"]


def test_pinned_commits_and_the_parts_of_a_task_are_read_in_order(hub, ask, parquet) -> None:
    label = ClassLabel(names=["entailment", "neutral", "contradiction"])
    features = {"premise": Value("string"), "hypothesis": Value("string"), "label": label}

    def pairs(premise: str, *labels: int) -> bytes:
        rows = [{"premise": premise, "hypothesis": "h", "label": number} for number in labels]
        return parquet(rows, features)

    dev = "-00000-of-00001.parquet"
    hub.files = {
        "stanfordnlp/snli": {f"plain_text/validation{dev}": pairs("snli", -1, 2)},
        "nyu-mll/glue": {
            f"mnli/validation_matched{dev}": pairs("mnli", 0),
            f"mnli/validation_mismatched{dev}": pairs("other", 0),
        },
        "facebook/anli": {f"plain_text/dev_r{n}{dev}": pairs(f"r{n}", n - 1) for n in (1, 2, 3)},
    }
    (found,) = ask(("anli_plus", "en", "dev"))
    pairs_read = [(example["first"], example["label"]) for example in found["examples"]]
    assert pairs_read == [("snli", 2), ("mnli", 0), ("r1", 0), ("r2", 1), ("r3", 2)]
    assert found["version"].count("@") == 3
    assert found["staged"][2] == f"anli_plus/anli/plain_text/dev_r1{dev}"
    assert not [path for path in hub.asked if "/resolve/main/" in path]


def test_mining_pools_come_with_their_distractors(hub, ask) -> None:
    import gzip

    pools = {"sentence1": ["eins", "zwei"], "sentence2": ["x", "one", "y"], "gold": [[1, 2]]}
    hub.files["mteb/bucc-bitext-mining"] = {"de-en/test.json.gz": gzip.compress(json.dumps(pools).encode())}
    test, dev = ask(("bucc2018", "de", "test"), ("bucc2018", "de", "dev"))
    assert [(e["id"], e["foreign"], e["english"]) for e in test["examples"]] == [
        ("de-000000001/en-000000002", "eins", "one"),
        ("de-000000002/", "zwei", ""),
        ("/en-000000001", "", "x"),
        ("/en-000000003", "", "y"),
    ]
    assert "the Hub has no bucc2018 de dev" in dev["problem"]
    assert ".sample.*" in dev["problem"]


def test_what_is_missing_is_named(hub, ask, xtreme) -> None:
    shard, language, repo, ccg = ask(
        ("pawsx", "de", "dev"), ("udpos", "fi", "test"), ("squad_v1", "en", "dev"), ("ccg", "en", "dev")
    )
    assert "lacks PAWS-X.de/validation-00001-of-00002.parquet" in shard["problem"]
    assert "has no udpos.Finnish/test-*.parquet" in language["problem"]
    assert "the Hub refuses rajpurkar/squad" in repo["problem"]
    assert "leaves ccg out" in ccg["problem"]
    assert {found["code"] for found in (shard, language, repo, ccg)} == {3}


def test_without_a_network_it_is_said_what_to_run(hub, ask, xtreme) -> None:
    hub.answers = False
    sets = (("xnli", "sw", "test"), ("squad_v1", "en", "dev"))
    for found in (*ask(*sets, HF_HUB_OFFLINE="1"), *ask(*sets)):
        assert "the Hub cannot be reached for " in found["problem"]
        assert "`stilts data stage" in found["problem"]
        assert "\n" not in found["problem"]
    # A Hub that does not answer is not asked again for every set.
    asked = {path for path in hub.asked if "/datasets/" in path}
    assert asked == {"/api/datasets/google/xtreme/revision/main"}


def test_a_damaged_download_is_named(hub, ask, xtreme) -> None:
    name = "udpos.German/test-00000-of-00001.parquet"
    xtreme[name] = xtreme[name][:-20]
    (found,) = ask(("udpos", "de", "test"))
    assert "not a whole parquet file" in found["problem"]
    assert name in found["problem"]
