"""Trains a toy for some steps and prints its losses: run by test_engine.py, one process a rank.

python engine_worker.py FOLDER STAGE STEPS SAVE_AT [PRECISION [PASSES]]
"""

import json
import sys
from pathlib import Path

import torch

from hpc import collective, ranks
from hpc.ending import Ending
from hpc.engine import Linear, make_engine, parameter_groups
from hpc.zero import Zero

ITEMS = 12


def main() -> None:
    folder, stage, steps, save_at = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:5])
    precision = sys.argv[5] if len(sys.argv) > 5 else "fp32"
    passes = int(sys.argv[6]) if len(sys.argv) > 6 else 1
    place = ranks.setup()
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(8, 15), torch.nn.Tanh(), torch.nn.Linear(15, 4))
    module[0].bias.requires_grad_(False)
    frozen = module[0].bias.detach().clone()
    groups = parameter_groups(module, rate=0.01, weight_decay=0.1, head_rate=2.0, heads="2.")
    zero = Zero(stage=stage if stage == "auto" else int(stage), precision=precision)
    engine = make_engine(module, groups, zero=zero, place=place, schedule=Linear(steps=8, warmup=2))
    dtype = next(iter(module.parameters())).dtype
    state = engine.resume(folder)
    first = 0 if state is None else state["step"]
    losses, norms = [], []
    for step in range(first, steps):
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(ITEMS, 8, generator=generator)
        mine = x[place.rank :: place.world_size].chunk(passes)
        total = 0.0
        for number, part in enumerate(mine):
            error = (engine(part.to(dtype)).float() - part[:, :4].abs()).square().mean(1).sum()
            engine.backward(error * place.world_size / ITEMS, last=number == passes - 1)
            total += float(error.detach())
        update = engine.step()
        assert float(update.taken) == 1.0
        norms.append(float(update.norm))
        losses.append(float(collective.every(torch.tensor([total])).sum()) / ITEMS)
        if step + 1 == save_at:
            engine.save(folder, step + 1, taken=step + 1, state={"step": step + 1})
    weights = engine.weights()
    if place.first:
        assert torch.equal(weights["0.bias"], frozen), "what is frozen is as it was, to the last bit"
        total = {name: float(value.double().sum()) for name, value in weights.items()}
        found = {"first": first, "losses": losses, "norms": norms, "weights": total, "name": engine.name}
        print("RESULT " + json.dumps(found))


ending = Ending()
main()
ending.code = 0
