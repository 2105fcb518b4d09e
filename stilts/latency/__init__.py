"""How long a query takes: raw timings of every call, in fresh processes, with the variants interleaved."""

from stilts.latency.session import measure

__all__ = ["measure"]
