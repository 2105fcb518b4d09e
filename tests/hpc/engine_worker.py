"""Trains a toy for some steps and prints its losses: run by test_engine.py, one process a rank.

python engine_worker.py FOLDER STAGE STEPS SAVE_AT
"""

import atexit
import json
import sys
from pathlib import Path

import torch

from hpc import ranks
from hpc.engine import Engine, Linear, parameter_groups
from hpc.zero import Zero


def main() -> None:
    folder, stage, steps, save_at = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    place = ranks.setup()
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4))
    module[0].bias.requires_grad_(False)
    groups = parameter_groups(module, rate=0.01, weight_decay=0.1, head_rate=2.0, heads="2.")
    # Runs after whatever the engine registers: what is last registered runs first.
    atexit.register(lambda: print("gloo left:", not torch.distributed.is_initialized()))
    engine = Engine(
        module, groups, zero=Zero(stage=stage, precision="fp32"), schedule=Linear(steps=8, warmup=2)
    )
    state = engine.resume(folder)
    first = 0 if state is None else state["step"]
    losses = []
    for step in range(first, steps):
        generator = torch.Generator().manual_seed(100 * step + place.rank)
        x = torch.randn(6, 8, generator=generator)
        loss = (engine(x) - x[:, :4].abs()).square().mean()
        engine.step(loss)
        losses.append(float(loss.detach()))
        if step + 1 == save_at:
            engine.save(folder, step + 1, state={"step": step + 1})
    weights = engine.weights()
    if place.first:
        total = {name: float(value.double().sum()) for name, value in weights.items()}
        print("RESULT " + json.dumps({"first": first, "losses": losses, "weights": total}))


main()
