"""XLM-R: positions counted from the padding id + 1, no token types."""

from stilts.model.families import Family

FAMILY = Family(
    model_type="xlm-roberta",
    prefix="roberta.",
    class_stem="XLMRoberta",
    first_position=2,
    has_token_types=False,
    sentence_head={"dense": "classifier.dense", "out": "classifier.out_proj"},
    vocabulary_head={
        "dense.weight": "lm_head.dense.weight",
        "dense.bias": "lm_head.dense.bias",
        "norm.weight": "lm_head.layer_norm.weight",
        "norm.bias": "lm_head.layer_norm.bias",
        "bias": "lm_head.bias",
    },
    unused=r"(pooler|lm_head)\..*",
    derived=r"lm_head\.decoder\..*|embeddings\.(position_ids|token_type_ids)",
    special_ids={"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2},
    fixed={"pad_token_id": 1},
)
