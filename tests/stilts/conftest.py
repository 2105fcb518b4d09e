"""Shared by all tests: hand-written data files, a Hub on this machine, a small tokenizer of XLM-R's make."""

import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers.implementations import BertWordPieceTokenizer

from stilts.model.tokenizer import train_tokenizer

TEXTS = [
    "The cat sat on the mat because it was warm. Who lives in Paris? Maria lives in Paris.",
    "Die Katze saß auf der Matte, weil es warm war. Wer wohnt in München?",
    "Кошка сидела на коврике, потому что было тепло. Кто живёт в Москве?",
    "我们在北京。他去了上海，因为天气很好。谁住在北京？",
    "แมวนั่งอยู่บนเสื่อเพราะมันอบอุ่น ใครอาศัยอยู่ในกรุงเทพ",
    "जलती हुई धूप में बिल्ली चटाई पर बैठी थी। दिल्ली में कौन रहता है?",
    "جلست القطة على السجادة لأن الجو دافئ. من يعيش في باريس؟",
    "고양이는 따뜻해서 매트 위에 앉았다. 누가 서울에 사는가?",
    "Con mèo ngồi trên chiếu vì trời ấm. Ai sống ở Hà Nội?",
]


SMALL_TEXTS = [
    "Anna lives in Paris and works there. Who lives in Rome?",
    "Die Kinder spielten gestern im Garten, während es regnete.",
    "Please enter a correct username and password. This field is required.",
    "Bitte einen Benutzernamen und ein Passwort eingeben. Dieses Feld ist zwingend erforderlich.",
]


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")],
    )
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="session")
def tokenizer(tokenizer_file: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_file))


FIXTURES = Path(__file__).parent / "data" / "fixtures"


@pytest.fixture
def data_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fixtures, as the folder that sources read."""
    monkeypatch.setenv("STILTS_DATA", str(FIXTURES))
    return FIXTURES


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the fixtures, to be damaged."""
    folder = tmp_path / "data"
    shutil.copytree(FIXTURES, folder)
    monkeypatch.setenv("STILTS_DATA", str(folder))
    return folder


class Hub(ThreadingHTTPServer):
    """As much of the Hub as huggingface_hub asks for: commits of refs, listings, files."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, dict[str, bytes]] = {}
        """Files by repository and path."""
        self.commits: dict[tuple[str, str], str] = {}
        """Commit by repository and ref."""
        self.asked: list[str] = []
        self.answers = True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(path)
        if not self.server.answers:
            self.close_connection = True
            return
        status, headers, body = self._find(path.strip("/").split("/"))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _find(self, parts: list[str]) -> tuple[int, dict[str, str], bytes]:
        match parts:
            case ["api", "datasets", owner, name, what, *rest] if f"{owner}/{name}" in self.server.files:
                repo = f"{owner}/{name}"
                revision, *folder = self._revision(repo, rest)
                if what == "revision":
                    return self._json({"id": repo, "sha": revision, "siblings": [], "tags": []})
                return self._tree(repo, "/".join(folder))
            case ["datasets", owner, name, "resolve", *rest] if f"{owner}/{name}" in self.server.files:
                commit, *path = self._revision(f"{owner}/{name}", rest)
                body = self.server.files[f"{owner}/{name}"].get("/".join(path))
                if body is not None:
                    etag = hashlib.sha256(body).hexdigest()
                    return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": commit}, body
                return 404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}, b""
        return 404, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}, b""

    def _revision(self, repo: str, parts: list[str]) -> list[str]:
        """The commit of the ref the parts begin with, and what follows it."""
        for size in (1, 3):
            commit = self.server.commits.get((repo, "/".join(parts[:size])))
            if commit:
                return [commit, *parts[size:]]
        return parts

    def _tree(self, repo: str, folder: str) -> tuple[int, dict[str, str], bytes]:
        entries = [
            {
                "type": "file",
                "path": path,
                "size": len(body),
                "oid": hashlib.sha1(body).hexdigest(),
                "lfs": {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 1},
            }
            for path, body in self.server.files[repo].items()
            if path.rpartition("/")[0] == folder
        ]
        if entries:
            return self._json(entries)
        return 404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}, b""

    def _json(self, value: object) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


@pytest.fixture
def hub() -> Hub:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def parquet(tmp_path: Path):
    """Writes rows as the Hub has them: parquet that declares its features."""
    from datasets import Dataset, Features

    def write(rows: list[dict], features: dict | None = None) -> bytes:
        path = tmp_path / "rows.parquet"
        Dataset.from_list(rows, features=Features(features) if features else None).to_parquet(path)
        return path.read_bytes()

    return write


def wordpieces(texts: list[str]) -> Tokenizer:
    """A small tokenizer of multilingual BERT's make: cased WordPiece."""
    made = BertWordPieceTokenizer(lowercase=False)
    made.train_from_iterator(texts, vocab_size=300, min_frequency=1, show_progress=False)
    frame = [(token, made.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    made._tokenizer.post_processor = processors.BertProcessing(*frame)
    return made._tokenizer


@pytest.fixture(scope="session")
def make_theirs(tmp_path_factory) -> Callable[..., Path]:
    """Writes a random model of a class of transformers, as transformers writes it, with a tokenizer."""

    def make(architecture: str, **settings: Any) -> Path:
        import transformers

        folder = tmp_path_factory.mktemp("theirs")
        is_bert = architecture.startswith("Bert")
        tokenizer = wordpieces(TEXTS + SMALL_TEXTS) if is_bert else train_tokenizer(SMALL_TEXTS, size=200)
        own = {} if is_bert else {"type_vocab_size": 1, "pad_token_id": 1}
        config = (transformers.BertConfig if is_bert else transformers.XLMRobertaConfig)(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=48,
            **{"max_position_embeddings": 514} | own | settings,
        )
        torch.manual_seed(3)
        model = getattr(transformers, architecture)(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.2)
        model.save_pretrained(folder)
        tokenizer.save(str(folder / "tokenizer.json"))
        if is_bert:
            cased = {"tokenizer_class": "BertTokenizer", "do_lower_case": False}
            (folder / "tokenizer_config.json").write_text(json.dumps(cased))
        return folder

    return make
