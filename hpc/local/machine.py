"""What this machine, or the container around the process, offers."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from hpc.jobs import Node

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(kw_only=True)
class Capacity:
    """What is free. A run larger than the machine takes all of it."""

    workers: int
    memory_gb: float
    gpus: list[int]
    _held: dict[str, tuple[int, float, list[int]]] = field(default_factory=dict)

    def fits(self, node: Node, whole: "Capacity") -> bool:
        """Whether the node may start beside what runs."""
        workers, memory_gb = self._share(node, whole)
        return (
            workers <= self.workers
            and memory_gb <= self.memory_gb
            and node.shape.gpus_per_node <= len(self.gpus)
        )

    def take(self, node: Node, whole: "Capacity") -> list[int]:
        """Reserves what the node needs and returns its GPUs."""
        workers, memory_gb = self._share(node, whole)
        gpus, self.gpus = self.gpus[: node.shape.gpus_per_node], self.gpus[node.shape.gpus_per_node :]
        self.workers -= workers
        self.memory_gb -= memory_gb
        self._held[node.name] = (workers, memory_gb, gpus)
        return gpus

    def give_back(self, name: str) -> None:
        """Frees what the node had."""
        workers, memory_gb, gpus = self._held.pop(name)
        self.workers += workers
        self.memory_gb += memory_gb
        self.gpus = sorted(self.gpus + gpus)

    @staticmethod
    def _share(node: Node, whole: "Capacity") -> tuple[int, float]:
        return min(node.shape.tasks_per_node, whole.workers), min(node.shape.memory_gb, whole.memory_gb)


def available_cpus() -> int:
    """CPUs this process may use: its affinity, cut by the container's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _read(_CGROUP / "cpu.max").split()
    if len(quota) == 2 and quota[0] != "max":
        count = min(count, max(1, int(quota[0]) // int(quota[1])))
    return count


def total_memory_gb() -> float:
    """Memory of the machine, cut by the container's limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read(_CGROUP / "memory.max")
    if limit.isdigit():
        total = min(total, int(limit))
    return total / 2**30


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
