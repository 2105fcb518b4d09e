"""XLM-R and BERT over packed tokens: no padding between the ids and the heads.

encoder = load(folder)                    # trains: PackedEncoder
fast = for_inference(encoder)             # answers: fused kernels on a GPU, packed weights on a CPU
hidden = fast(packed, layers=14)          # [T, d]
"""

from stilts.model.config import EncoderConfig
from stilts.model.encoder.checkpoint import from_huggingface, load, save, to_huggingface
from stilts.model.encoder.inference import for_inference
from stilts.model.encoder.packed import Attention, Encoder, PackedEncoder, PackedLayer, Pooling, pool

__all__ = [
    "Attention",
    "Encoder",
    "EncoderConfig",
    "PackedEncoder",
    "PackedLayer",
    "Pooling",
    "for_inference",
    "from_huggingface",
    "load",
    "pool",
    "save",
    "to_huggingface",
]
