"""Training on one device or many: one optimizer step, committed checkpoints, exact resume, whole weights.

engine = make_engine(module, groups, zero=Zero(stage=1), schedule=Linear(steps=100, warmup=10), ...)
state = engine.resume(folder)                 # None on a fresh start
engine.backward(loss); update = engine.step()
engine.save(folder, step, state={"anything": ...})
"""

from hpc.engine import checkpoints
from hpc.engine.base import Engine
from hpc.engine.choice import device_bytes, make_engine
from hpc.engine.optimizer import Linear, Update, parameter_groups

__all__ = ["Engine", "Linear", "Update", "checkpoints", "device_bytes", "make_engine", "parameter_groups"]
