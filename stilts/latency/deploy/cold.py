"""A way to serve in a process of its own that does nothing else: what it holds, and how soon it answers.

    python -m stilts.latency.deploy.cold RUN LAYOUT DTYPE

prints one JSON object; `measure` starts it.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hpc import energy, nvml
from hpc.children import environment
from hpc.command import command
from hpc.ending import leave
from hpc.errors import UserError
from hpc.usage import peak_memory

_ENERGY_SECONDS = 5.0
_MARK = "cold-start:"


def measure(run: Path, layout: str, dtype: str) -> dict[str, Any]:
    """Starts such a process and returns what it told, with the nanoseconds from its start.

    Raises:
        UserError: it ended without an answer; its last line says why.
    """
    began = time.perf_counter_ns()
    done = subprocess.run(
        [sys.executable, "-m", "stilts.latency.deploy.cold", str(run), layout, dtype],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env=environment(),
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise UserError(f"serving {layout} in {dtype} from a fresh process failed: {last}", code=1)
    told: dict[str, Any] = json.loads(lines[-1].removeprefix(_MARK))
    told["load_ns"] = told.pop("ready_at_ns") - began
    told["cold_start_ns"] = told.pop("answered_at_ns") - began
    return told


@command
def main(arguments: list[str]) -> int:
    """Loads, answers one text with all its tasks, and tells what that took."""
    folder, name, dtype = arguments
    # Here, because they are part of what a cold start takes.
    import torch

    from stilts.latency.deploy import layouts, traffic
    from stilts.latency.deploy.place import Place, loader_of
    from stilts.run.folder import RunFolder

    run = RunFolder(Path(folder))
    place = Place.of(run)
    loader = loader_of(place, dtype)  # type: ignore[arg-type]
    timed = place.asked.shared if name == "shared" else place.asked.apart
    layout = layouts.make(name, timed, loader)  # type: ignore[arg-type]
    ready = time.perf_counter_ns()
    request = traffic.Request(query=place.text, targets=place.asked.protocol.targets)
    layout.answer([request])
    answered = time.perf_counter_ns()
    told = {
        "ready_at_ns": ready,
        "answered_at_ns": answered,
        "num_models": layout.num_models,
        "impl": layout.attention,
        "weights": layout.weights,
        "host_weights": layout.host_weights,
        "host_rss": peak_memory(torch.device("cpu")),
        **_gpu_memory(loader.device),
        **_energy(layout, request),
    }
    print(_MARK + json.dumps(told), flush=True)
    return 0


def _gpu_memory(device: str) -> dict[str, int]:
    if device == "cpu":
        return {}
    import torch

    found = {
        "peak_alloc": torch.cuda.max_memory_allocated(device),
        "peak_reserved": torch.cuda.max_memory_reserved(device),
    }
    uuids = energy.used_gpus()
    with nvml.opened() as gpus:
        used = [gpu.used_bytes for gpu in gpus if gpu.uuid in uuids]
    return found | {"nvml_used": sum(one or 0 for one in used)} if used else found


def _energy(layout: Any, request: Any) -> dict[str, Any]:
    """Joules of the same text over and over, above what the machine takes idle; none where nothing counts."""
    before = energy.counters()
    if not before:
        return {}
    time.sleep(_ENERGY_SECONDS / 2)
    idle = energy.since(before)
    if idle is None:
        return {}
    before, start, texts = energy.counters(), time.perf_counter(), 0
    while time.perf_counter() - start < _ENERGY_SECONDS:
        layout.answer([request])
        texts += 1
    seconds = time.perf_counter() - start
    used = energy.since(before)
    if used is None:
        return {}
    idle_watts = idle / (_ENERGY_SECONDS / 2)
    return {
        "energy_j": used - idle_watts * seconds,
        "energy_texts": texts,
        "energy_heads": len(request.targets),
    }


if __name__ == "__main__":
    leave(main())
