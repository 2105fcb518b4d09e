"""Data sets of the study: read from a source, tokenised, cached, and cut into batches.

encoded = load("xnli", language="sw", split="test", tokenizer_file=..., max_length=256, sources=("embedded",),
cache=...)
for rows in batches(encoded.num_tokens, tokens_per_batch=8192, seed=1, epoch=0, shuffle=False):
batch = collate(encoded, rows)
"""

from stilts.data.batching import Batch, batches, collate
from stilts.data.reading import corpus, labels, read, version
from stilts.data.tokens import Encoded, load

__all__ = ["Batch", "Encoded", "batches", "collate", "corpus", "labels", "load", "read", "version"]
