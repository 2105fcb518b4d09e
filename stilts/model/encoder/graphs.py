"""CUDA graphs of the fused encoder: a replay costs one launch, so that short queries are not launch-bound.

A graph has fixed shapes, those of a `Room` that batches share. A batch's arena is copied into the graph's own
as it is; tokens that are not used carry the padding id and sequences that are not used are empty, so that the
real rows come out as they would alone. Larger batches run without a graph: they keep the GPU busy anyway.

Shapes: T tokens, d hidden size.
"""

import threading
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kernels.packing import Packed, Room, from_lengths, rooms
from stilts.model.encoder.fused import FusedEncoder
from stilts.model.encoder.packed import Encoder

_WARMUPS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Graph:
    graph: Any
    """torch.cuda.CUDAGraph."""
    arena: Tensor
    output: Tensor


def full(room: Room, longest: int) -> Packed:
    """Tokens that fill a room, in sequences as long as they can come."""
    longest = min(room.tokens, longest)
    count = -(-room.tokens // longest)
    lengths = [longest] * (count - 1) + [room.tokens - longest * (count - 1)]
    ids = torch.full((room.tokens,), 3)
    return from_lengths(ids, lengths, block_m=room.block_m)


class GraphedEncoder(Encoder):
    """A fused encoder that replays graphs; it answers as the encoder does, to any thread and stream.

    Args:
        encoder: on a CUDA device, its parameters final.
        rooms: those that are captured when warming up; all that batches share unless told.
    """

    def __init__(self, encoder: FusedEncoder, *, rooms: tuple[Room, ...] = rooms()) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config
        self.attention = encoder.attention
        self.padding = "graph"
        self.rooms = rooms
        self.device = encoder.encoder.word.weight.device
        self._graphs: dict[tuple[Room, int | None], _Graph] = {}
        self._pool: Any = None
        # Graphs share memory, so one call at a time: in what order is for the lock and the event to say.
        self._lock = threading.Lock()
        self._last: Any = None

    def forward(self, packed: Packed, *, layers: int | None = None) -> Tensor:
        """Hidden states [T, d] after so many layers, as `PackedEncoder.forward`; from the host or the device.

        A batch of a shared room replays its graph, which is captured the first time.
        """
        if not packed.room.shared or torch.is_grad_enabled():
            return self.encoder(packed.to(self.device), layers=layers)
        self.encoder.encoder.depth(packed, layers)
        with self._lock, torch.cuda.device(self.device):
            graph = self._graphs.get((packed.room, layers)) or self._capture(packed.room, layers)
            stream = torch.cuda.current_stream()
            if self._last is not None:
                stream.wait_event(self._last)
            graph.arena.copy_(packed.arena, non_blocking=True)
            graph.graph.replay()
            out = graph.output[: len(packed.ids)].clone()
            self._last = stream.record_event()
        return out

    def warm_up(self, *, layers: int | None = None) -> None:
        """Captures every room's graph: no later call waits for a kernel or a graph."""
        with self._lock, torch.cuda.device(self.device):
            # The largest first: the others find room in the memory that it leaves.
            for room in reversed(self.rooms):
                if (room, layers) not in self._graphs:
                    self._capture(room, layers)

    def refresh(self) -> None:
        """See `Encoder`."""
        self.encoder.refresh()

    def computed_tokens(self, packed: Packed) -> int:
        """All of the room where a graph is replayed."""
        return packed.room.tokens if packed.room.shared else len(packed.ids)

    @property
    def captured(self) -> int:
        """See `Encoder`."""
        return len(self._graphs)

    def _capture(self, room: Room, layers: int | None) -> _Graph:
        # Whatever mode the caller is in: the graph outlives it, and its inputs must stay writable.
        with torch.inference_mode(False), torch.no_grad():
            inputs = full(room, self.config.max_tokens).to(self.device)
            side = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(side):
                for _ in range(_WARMUPS):
                    self.encoder(inputs, layers=layers)
            torch.cuda.current_stream(self.device).wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                # Every row of the room and of its table: what a batch leaves unused ends at once.
                output = self.encoder(whole(inputs), layers=layers)
        self._pool = self._pool or graph.pool()
        captured = _Graph(graph=graph, arena=inputs.arena, output=output)
        self._graphs[room, layers] = captured
        return captured


def whole(packed: Packed) -> Packed:
    """The arena with all of its sequences and rows, those that are not used as empty ones."""
    unused = packed.room.sequences - len(packed.lengths)
    return Packed.of(packed.arena, packed.room, packed.lengths + (0,) * unused)
