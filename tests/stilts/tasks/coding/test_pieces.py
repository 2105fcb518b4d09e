"""Special tokens are read off the tokenizer; a text that spells them out is text."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from hpc.errors import UserError
from stilts.tasks.coding.pieces import open_tokenizer, parse_tokenizer, specials, tokenize
from stilts.tasks.types import Coding, classify, span

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "[", "]", "SEP", "PAD"]


def wordpieces(single: str = "[CLS] $A [SEP]", pair: str = "[CLS] $A [SEP] $B:1 [SEP]:1") -> Tokenizer:
    """A WordPiece tokenizer of BERT's make."""
    tokenizer = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(WORDS[:5])
    marks = [(word, tokenizer.token_to_id(word)) for word in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=marks)
    return tokenizer


def test_the_frame_of_bert() -> None:
    found = specials(wordpieces())
    assert (found.start, found.between, found.end) == ((2,), (3,), (3,))
    assert (found.of_single, found.of_pair, found.separator) == (2, 3, 3)
    assert (found.padding, found.unknown, found.mask, found.mark) == (0, 1, 4, -1)
    assert found.numbers == {0, 1, 2, 3, 4}


def test_the_frame_of_xlm_r(tokenizer: Tokenizer) -> None:
    found = specials(tokenizer)
    assert (found.start, found.between, found.end) == ((0,), (2, 2), (2,))
    assert (found.of_single, found.of_pair, found.separator) == (2, 4, None)
    assert (found.padding, found.unknown) == (1, 3)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("[CLS] $A [SEP] $B:0 [SEP]:1", "token types"),
        ("[CLS] $A [SEP] [SEP] $B:1 [SEP]:1", "token types"),
        ("[CLS] $A $B:1 [SEP]:1", "START text BETWEEN"),
        ("[SEP] $A [SEP] $B:1 [SEP]:1", "START text BETWEEN"),
    ],
)
def test_another_arrangement_is_refused(pair: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        specials(wordpieces(pair=pair))


def test_a_text_that_spells_out_the_frame_is_text() -> None:
    tokenizer = parse_tokenizer(wordpieces().to_str().encode(), where=Path("bert"))
    assert tokenize(["a [SEP] b", "a [PAD]"], tokenizer).values.tolist() == [5, 7, 9, 8, 6, 5, 7, 10, 8]
    assert tokenizer.encode("a").ids == [2, 5, 3]


@pytest.mark.parametrize("token", ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
@pytest.mark.parametrize("text", ["{}", "The cat {} sat", "The{}cat", "{}{} mat {}", "<{}>", "The cat sat{}"])
def test_special_tokens_in_a_text_are_no_special_tokens(tokenizer_file: Path, token: str, text: str) -> None:
    tokenizer = open_tokenizer(tokenizer_file)
    known = specials(tokenizer)
    written = text.replace("{}", token)
    assert not set(tokenize([written], tokenizer).values.tolist()) & (known.numbers - {known.unknown})
    coding = Coding(tokenizer=tokenizer, max_length=64)
    pair = classify.encode([{"id": "", "first": written, "second": written, "label": 0}], coding)
    frame = [piece for piece in pair["input_ids"].values.tolist() if piece in {0, 2}]
    assert frame == [0, 2, 2, 2]
    question = {"id": "", "cluster": "", "question": written, "context": f"{written} München", "answers": []}
    offsets = span.encode([question], coding)["offsets"].values.reshape(-1, 2)
    assert offsets.max() == len(question["context"])


def test_pairs_and_windows_of_bert() -> None:
    coding = Coding(tokenizer=wordpieces(), max_length=8)
    example = {"id": "", "first": "a a a a", "second": "b b b b", "label": 0}
    assert classify.encode([example], coding)["input_ids"].values.tolist() == [2, 5, 5, 3, 6, 6, 6, 3]
    question = {
        "id": "",
        "cluster": "",
        "question": "a",
        "context": "b a",
        "answers": [{"text": "a", "start": 2}],
    }
    columns = span.encode([question], coding)
    assert columns["input_ids"].values.tolist() == [2, 5, 3, 6, 5, 3]
    assert (columns["start"].tolist(), columns["end"].tolist()) == ([4], [4])
    assert columns["offsets"].values.tolist() == [-1, -1, -1, -1, -1, -1, 0, 1, 2, 3, -1, -1]
