"""Hugging Face's encoder on padded batches: `python -m tests.benchmarks.gpu.peers KIND SIZE CASE...`.

KIND is `sdpa` or `compiled`, by torch.compile with CUDA graphs. Says `ready` when all is compiled and warm,
waits for a line, and prints what it measured: so many peers compile at once, but each is timed alone.
"""

import json
import sys
import time
from typing import Any

import torch

from tests.benchmarks.gpu.loads import DEVICE, LARGE, POSITIONS, TINY, VOCABULARY, ids_of, lengths_of, wall


def model_of(size: str) -> Any:
    """XLM-R with random weights, bf16."""
    from transformers import XLMRobertaConfig, XLMRobertaModel

    config = XLMRobertaConfig(
        **(LARGE if size == "large" else TINY),
        vocab_size=VOCABULARY[size],
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        pad_token_id=1,
        layer_norm_eps=1e-5,
        attn_implementation="sdpa",
    )
    with torch.device(DEVICE):
        return XLMRobertaModel(config, add_pooling_layer=False).bfloat16().eval()


def padded(case: str, size: str) -> dict[str, torch.Tensor]:
    """Ids and mask [B, S] of a batch, in pinned memory where there is a GPU."""
    lengths = lengths_of(case)
    ids = torch.full((len(lengths), max(lengths)), 1)
    mask = torch.zeros_like(ids)
    for row, part in enumerate(ids_of(lengths, size).split(lengths)):
        ids[row, : len(part)], mask[row, : len(part)] = part, 1
    both = {"input_ids": ids, "attention_mask": mask}
    return {name: x.pin_memory() for name, x in both.items()} if DEVICE == "cuda" else both


def main() -> None:
    """Compiles, waits for its turn, measures."""
    kind, size, *cases = sys.argv[1:]
    model, found = model_of(size), {}
    compiled = torch.compile(model, mode="reduce-overhead", dynamic=False) if kind == "compiled" else model
    for case in cases:
        inputs, start = padded(case, size), time.perf_counter()

        def run(inputs: dict[str, torch.Tensor] = inputs) -> Any:
            # Gradients off, but not inference mode, as people serve compiled models.
            with torch.no_grad():
                there = {name: x.to(DEVICE, non_blocking=True) for name, x in inputs.items()}
                return compiled(**there).last_hidden_state

        for _ in range(3):
            run()
        found[case] = {"run": run, "ready_s": round(time.perf_counter() - start, 1)}
    print("ready", flush=True)
    sys.stdin.readline()
    calls = 40 if size == "large" else 3
    for each in found.values():
        each |= wall(each.pop("run"), calls=calls)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
