"""How many kernels Triton has made ready in this process: a call that waited for one is no measurement."""

import importlib.util
from typing import Any

_count = 0
_watching = False


def kernels_compiled() -> int:
    """Kernels compiled, or loaded from Triton's cache, since this was first asked; 0 without Triton."""
    global _watching
    if not _watching and importlib.util.find_spec("triton"):
        from triton import knobs

        before = knobs.runtime.jit_post_compile_hook

        def count(*given: Any, **named: Any) -> Any:
            global _count
            _count += 1
            return before(*given, **named) if before else None

        knobs.runtime.jit_post_compile_hook = count
        _watching = True
    return _count
