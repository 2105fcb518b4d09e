"""The product's own path: ids on the host in, hidden states on the device out."""

from functools import partial
from typing import Any

import torch

from hpc.peak import gemm_rate
from kernels.packing import from_lengths
from stilts.model.encoder import PackedEncoder, for_inference
from stilts.model.encoder.packed import Attention, Encoder
from tests.benchmarks.gpu.loads import CASES, DEVICE, config, ids_of, lengths_of, wait, wall

THROUGHPUT = ("1600x40", "1500xnli", "512x128", "128x512")
BACK_ENDS: tuple[Attention, ...] = ("triton", "varlen")


def encoder_of(size: str) -> PackedEncoder:
    """Random weights on the device, bf16."""
    with torch.device(DEVICE):
        made = PackedEncoder(config(size), dropout=0.0)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.normal_(0, 0.02)
            if "norm" in name and name.endswith("weight"):
                parameter += 1
    return made.bfloat16().eval()


def answer(encoder: Encoder, ids: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """Everything between ids and hidden states."""
    packed = from_lengths(ids, lengths)
    return encoder(packed.pinned() if DEVICE == "cuda" else packed)


def latency(size: str) -> dict[str, Any]:
    """Microseconds of every case on each back end, with packing and on its own."""
    base, found = encoder_of(size), {}
    forms = {attention: for_inference(base, attention=attention) for attention in BACK_ENDS}
    for form in forms.values():
        form.warm_up()
    calls = 100 if size == "large" else 3
    for case in (*CASES, "8xnli", "32xnli") if size == "large" else ("1x40", "2x9"):
        lengths = lengths_of(case)
        ids = ids_of(lengths, size)
        row: dict[str, Any] = {"tokens": sum(lengths)}
        with torch.inference_mode():
            for name, form in forms.items():
                row[name] = wall(partial(answer, form, ids, lengths), calls=calls)
            there = from_lengths(ids, lengths).to(DEVICE)
            row["triton, packed before"] = wall(partial(forms["triton"], there), calls=calls)
            row["packing"] = wall(partial(from_lengths, ids, lengths), calls=calls)
        found[case] = row
    return found


def throughput(size: str) -> dict[str, Any]:
    """Tokens a second of large batches, and the share of the rate of a plain product."""
    encoder = for_inference(encoder_of(size))
    rate = gemm_rate(torch.device(DEVICE), torch.bfloat16)
    found: dict[str, Any] = {"product_tflops": rate / 1e12}
    for case in THROUGHPUT if size == "large" else ("3x40",):
        lengths = lengths_of(case)
        ids = ids_of(lengths, size)
        with torch.inference_mode():
            taken = wall(partial(answer, encoder, ids, lengths), calls=6)
        flops = config(size).forward_flops(lengths)
        seconds = taken["p50_us"] / 1e6
        found[case] = taken | {
            "tokens": sum(lengths),
            "tokens_per_s": sum(lengths) / seconds,
            "tflops": flops / seconds / 1e12,
            "share_of_product": flops / seconds / rate,
        }
    wait()
    return found
