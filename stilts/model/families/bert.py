"""BERT, as multilingual BERT, LaBSE and multilingual E5 have it: positions from 0, token types."""

from stilts.model.families import Family

FAMILY = Family(
    model_type="bert",
    prefix="bert.",
    class_stem="Bert",
    first_position=0,
    has_token_types=True,
    sentence_head={"dense": "bert.pooler.dense", "out": "classifier"},
    vocabulary_head={
        "dense.weight": "cls.predictions.transform.dense.weight",
        "dense.bias": "cls.predictions.transform.dense.bias",
        "norm.weight": "cls.predictions.transform.LayerNorm.weight",
        "norm.bias": "cls.predictions.transform.LayerNorm.bias",
        "bias": "cls.predictions.bias",
    },
    unused=r"(pooler|cls)\..*",
    derived=r"cls\.predictions\.decoder\..*|embeddings\.(position_ids|token_type_ids)",
    special_ids={"pad_token_id": 0},
    fixed={},
)
