"""A small tokenizer with the pieces, marks and pair template of XLM-R's, trained on the spot."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

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
