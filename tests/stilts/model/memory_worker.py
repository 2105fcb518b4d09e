"""Trains a few steps in a process of its own and prints the memory that took, and the estimate.

memory_worker.py CASE     as JSON: stage, precision, tokens, passes, recompute, frozen, dropout
"""

import json
import resource
import sys
from pathlib import Path

import torch

from hpc import ranks
from hpc.ending import Ending
from hpc.engine import Linear, make_engine, parameter_groups
from hpc.zero import Zero
from kernels.packing import from_lengths
from stilts.model import costs
from stilts.model.config import EncoderConfig
from stilts.model.costs import Pass
from stilts.model.encoder import PackedEncoder
from stilts.model.head_modules import Batch
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model

LENGTH = 64
SHAPE = {"num_attention_heads": 8, "vocab_size": 20_000, "max_position_embeddings": 130}


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize()


def peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def batch_of(tokens: int, config: EncoderConfig) -> Batch:
    lengths = ([LENGTH - 8, LENGTH, LENGTH + 8, LENGTH] * tokens)[: tokens // LENGTH]
    lengths[-1] += tokens - sum(lengths)
    packed = from_lengths(torch.randint(4, config.vocab_size, (sum(lengths),)), lengths)
    return Batch(
        packed=packed, targets={"label": torch.zeros(len(lengths), dtype=torch.long)}, items=len(lengths)
    )


def train(config: EncoderConfig, zero: Zero, place: ranks.Ranks, case: dict, *, tokens: int) -> None:
    model = Model(
        PackedEncoder(config, dropout=case["dropout"]), {"nli": HeadSpec(kind="classify", labels=("a", "b"))}
    )
    model.encoder.reinitialise(0)
    model.freeze(case["frozen"])
    model.trainable_encoder.recompute = zero.recompute
    groups = parameter_groups(model, rate=1e-5, weight_decay=0.0, head_rate=1.0, heads="heads.")
    engine = make_engine(model, groups, zero=zero, place=place, schedule=Linear(steps=9, warmup=0))
    model.train()
    for _ in range(3):
        for number in range(case["passes"]):
            one = batch_of(tokens, config)
            loss = model.loss("nli", engine("nli", one), one)
            engine.backward(loss, last=number + 1 == case["passes"])
        engine.step()


def main() -> None:
    case = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    place = ranks.setup()
    zero = Zero(
        stage=case["stage"],
        precision=case["precision"],
        recompute=case["recompute"],
        tokens_per_pass=case["tokens"] if case["passes"] > 1 else None,
    )
    config = EncoderConfig(
        hidden_size=case["hidden"], num_hidden_layers=8, intermediate_size=4 * case["hidden"], **SHAPE
    )
    small = EncoderConfig(hidden_size=64, num_hidden_layers=1, intermediate_size=64, **SHAPE)
    # Libraries, threads and kernels take their own before anything is measured.
    train(small, zero, place, case | {"frozen": []}, tokens=LENGTH)
    before = resident()
    train(config, zero, place, case, tokens=case["tokens"])
    estimate = costs.memory(
        config,
        Pass(tokens=case["tokens"], length=LENGTH),
        zero,
        frozen=case["frozen"],
        dropout=case["dropout"] > 0,
        pads=True,
    ).bytes(zero, world_size=place.world_size)
    if place.first:
        print("RESULT " + json.dumps({"measured": peak() - before, "estimate": estimate}))


ending = Ending()
main()
ending.code = 0
