"""Special tokens are read off the tokenizer; a text that spells them out is text."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from hpc.errors import UserError
from stilts.tasks.coding.pieces import specials, tokenize
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


def test_a_text_that_spells_out_the_frame_is_unknown(tokenizer: Tokenizer) -> None:
    assert tokenize(["a [SEP] b", "a [PAD]"], wordpieces()).values.tolist() == [5, 1, 6, 5, 1]
    pieces = tokenize(["The cat <pad> sat"], tokenizer).values
    assert 1 not in pieces
    assert 3 in pieces


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
