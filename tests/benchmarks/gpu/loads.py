"""What is timed, and how: XLM-R Large with random weights, and batches of given lengths."""

import random
import statistics
import time
from collections.abc import Callable, Sequence

import torch

from stilts.model.config import EncoderConfig

LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
TINY = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}
VOCABULARY = {"large": 250_002, "tiny": 500}
POSITIONS = 514
EVERY_LENGTH = (40, 128, 384)
BATCHES = (1, 8, 32)
CASES = tuple(f"{batch}x{length}" for batch in BATCHES for length in EVERY_LENGTH)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def config(size: str) -> EncoderConfig:
    """`large` is XLM-R Large; `tiny` serves to try the program."""
    shape = LARGE if size == "large" else TINY
    return EncoderConfig(**shape, vocab_size=VOCABULARY[size], max_position_embeddings=POSITIONS)


def lengths_of(case: str) -> list[int]:
    """32x128 is 32 sequences of 128; 32xnli is 32 pairs as long as XNLI's (a log-normal around 42)."""
    batch, _, length = case.partition("x")
    if length != "nli":
        return [int(length)] * int(batch)
    draws = random.Random(0)
    return [min(max(round(draws.lognormvariate(3.64, 0.45)), 8), 128) for _ in range(int(batch))]


def ids_of(lengths: Sequence[int], size: str) -> torch.Tensor:
    """[T] random ids, none of them special."""
    draws = torch.Generator().manual_seed(0)
    return torch.randint(4, VOCABULARY[size] - 10, (sum(lengths),), generator=draws)


def wait() -> None:
    """Until the device is idle."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def wall(call: Callable[[], object], *, calls: int) -> dict[str, float]:
    """Microseconds on the host's clock from an idle device to an idle device: median and 90th percentile."""
    for _ in range(3):
        call()
    taken = []
    for _ in range(calls):
        wait()
        start = time.perf_counter()
        call()
        wait()
        taken.append(1e6 * (time.perf_counter() - start))
    return {"p50_us": statistics.median(taken), "p90_us": sorted(taken)[int(0.9 * len(taken))]}
