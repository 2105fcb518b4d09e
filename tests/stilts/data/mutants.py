"""Mutated files, read in a process of their own: `python mutants.py SEED COUNT READER ...`.

Every mutant must be read as what its task promises, or be refused in one line that names the file. What is
neither is printed, with the number that makes the mutant again.
"""

import base64
import gzip
import io
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from datasets import ClassLabel, Dataset, Features, List, Value, disable_progress_bars

from hpc.command import printable
from hpc.errors import UserError
from stilts import tasks
from stilts.data.reading import read
from stilts.tasks import types as task_types

FIXTURES = Path(__file__).parent / "fixtures"
READERS: Mapping[str, tuple[str, str, str, str]] = {
    # reader: task, language, set, file
    "anli": ("anli_plus", "en", "dev", "anli/anli_v1.0/R1/dev.jsonl"),
    "mnli": ("mnli", "en", "train", "mnli/multinli_1.0/multinli_1.0_train.jsonl"),
    "hellaswag": ("hellaswag", "en", "train", "hellaswag/hellaswag_train.jsonl"),
    "commonsenseqa": ("commonsenseqa", "en", "dev", "commonsenseqa/dev_rand_split.jsonl"),
    "cosmosqa": ("cosmosqa", "en", "dev", "cosmosqa/valid.csv"),
    "qqp": ("qqp", "en", "dev", "qqp/dev.tsv"),
    "xnli": ("xnli", "th", "dev", "xnli/XNLI-1.0/xnli.dev.tsv"),
    "pawsx": ("pawsx", "de", "test", "pawsx/x-final/de/test_2k.tsv"),
    "squad": ("squad_v2", "en", "dev", "squad/dev-v2.0.json"),
    "mlqa": ("mlqa", "hi", "test", "mlqa/test/test-context-hi-question-hi.json"),
    "panx": ("panx", "de", "test", "panx/de/test"),
    "udpos": ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu"),
    "ccg": ("ccg", "en", "dev", "ccg/data/AUTO/00/wsj_0001.auto"),
    "bucc": ("bucc2018", "de", "test", "bucc2018/de-en.training.en"),
    "bucc_gold": ("bucc2018", "de", "test", "bucc2018/de-en.training.gold"),
    "tatoeba": ("tatoeba", "zh", "test", "tatoeba/tatoeba.cmn-eng.eng"),
    "wikipedia": ("wikipedia", "en", "train", "wikipedia/en.txt"),
    # Files that are made here; nothing else of their task is then in the folder.
    "ccg_pipes": ("ccg", "en", "dev", "ccg/dev.txt"),
    "bucc_json": ("bucc2018", "de", "test", "bucc2018/de-en/test.json.gz"),
    "parquet": ("qqp", "en", "dev", "qqp/qqp/validation-00000-of-00001.parquet"),
    "parquet_lists": ("udpos", "en", "test", "udpos/udpos.English/test-00000-of-00001.parquet"),
}
_POOL = '{"sentence1": ["Guten Tag.", "Es regnet."], "sentence2": ["It rains.", "Hi."], "gold": [[2, 1]]}'
_PIPES = "the|DT|NP/N cat|NN|N sat|VBD|S\\NP\n\n# x\nGo|VB|S\n"
NASTY = [
    *(b"5", b"-1", b"1e999", b"NaN", b"true", b"null", b"[]", b'["a"]', b'{"a": 1}', b'""', b'"abcd"'),
    *(b'"\\ud800"', b'"\\u0000"', b'"\\u001b[2J"', b"9" * 5000, b"[" * 3000, b'{"a":' * 3000, b'"</s><pad>"'),
]
SNIPS = [
    b"\0",
    b"\x1b",
    b"\xff",
    b"\t",
    b"\n",
    b"\r",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"|",
    b"(",
    b"-",
]
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+')
LONGEST_SECONDS = 10.0
MOST_BYTES = 12 << 30
GOOD = ("read", "refused")


def mutated(content: bytes, random: random.Random) -> bytes:
    """The content with one to three things done to it."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        values = list(_VALUE.finditer(content))
        at, end = sorted(random.randrange(len(content) + 1) for _ in range(2))
        match random.randrange(7 if values else 6):
            case 0 if content:
                place = min(at, len(content) - 1)
                flipped = content[place] ^ (1 << random.randrange(8))
                content = content[:place] + bytes([flipped]) + content[place + 1 :]
            case 1:
                content = content[:at] + content[min(end, at + random.randrange(1, 40)) :]
            case 2:
                content = content[:at] + random.choice(SNIPS) + content[at:]
            case 3:
                content = content[:end] + content[at:]
            case 4:
                content = content[:at]
            case 5:
                content = content[:at] + random.randbytes(random.randrange(1, 9)) + content[at:]
            case 6:
                value = random.choice(values)
                content = content[: value.start()] + random.choice(NASTY) + content[value.end() :]
    return content


def prepare(folder: Path, reader: str) -> Path:
    """The fixtures of a reader's task, or the file that is made for it; returns the file to mutate."""
    path = folder / READERS[reader][3]
    match reader:
        case "ccg_pipes":
            _put(path, _PIPES.encode())
        case "bucc_json":
            _put(path, gzip.compress(_POOL.encode(), mtime=0))
        case "parquet":
            pairs = {"question1": ["Is it?", "Who?"], "question2": ["It is?", "When?"], "label": [1, 0]}
            texts = {"question1": Value("string"), "question2": Value("string")}
            _put(path, parquet(pairs, texts | {"label": ClassLabel(names=["not_duplicate", "duplicate"])}))
        case "parquet_lists":
            words = {"tokens": [["A", "cat"], ["Go"]], "pos_tags": [[0, 1], [2]]}
            tags = List(ClassLabel(names=["DET", "NOUN", "VERB"]))
            _put(path, parquet(words, {"tokens": List(Value("string")), "pos_tags": tags}))
        case _:
            shutil.copytree(FIXTURES, folder, dirs_exist_ok=True)
    return path


def outcome(reader: str) -> str:
    """`read`, `refused`, or what reading does that it must not."""
    name, language, split, path = READERS[reader]
    task = tasks.load(name)
    kind = task_types.load(task.type)
    start = time.monotonic()
    try:
        examples = list(read(task, language=language, split=split, sources=("folder",)))
        pa.RecordBatch.from_pylist(examples, schema=kind.schema)
        for example in examples:
            for text in kind.texts(example):
                text.encode()
    except UserError as error:
        if (Path(path).name not in str(error) and name not in str(error)) or error.code != 3:
            return f"neither file nor task is named: {error}, exit code {error.code}"
        if time.monotonic() - start < LONGEST_SECONDS:
            return "refused"
    except BaseException as error:
        return f"{type(error).__name__}: {printable(str(error), most=300)}"
    took = time.monotonic() - start
    return f"{took:.0f} s" if took > LONGEST_SECONDS else "read"


def main(seed: str, count: str, *readers: str) -> int:
    """Tries that many mutants of each reader's file; returns 1 where one was neither read nor refused."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    return max([trial(reader, seed, int(count)) for reader in readers or READERS])


def trial(reader: str, seed: str, count: int) -> int:
    """Tries the mutants of one."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        os.environ["STILTS_DATA"] = place
        file = prepare(Path(place), reader)
        whole = file.read_bytes()
        assert outcome(reader) == "read"
        for number in range(count):
            content = mutated(whole, random.Random(f"{reader} {seed} {number}"))
            file.write_bytes(content)
            os.utime(file, ns=(number, number))  # the digests of sources go by time and size
            found = outcome(reader)
            outcomes[found if found in GOOD else "wrong"] += 1
            if found not in GOOD:
                print(f"{reader} {seed} {number}: {found} [{base64.b64encode(content[:90]).decode()}]")
    print(f"{reader}: {dict(outcomes)}", flush=True)
    return int(outcomes["wrong"] > 0)


def parquet(columns: dict, kinds: dict) -> bytes:
    """A file as the Hub has it."""
    target = io.BytesIO()
    Dataset.from_dict(columns, features=Features(kinds)).to_parquet(target)
    return target.getvalue()


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    disable_progress_bars()
    sys.exit(main(*sys.argv[1:]))
