"""The kernels that work on rows, against their twins in plain torch, as they are and compiled by Inductor.

Shapes: T tokens, d hidden size, f intermediate size.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from kernels import ops, reference
from kernels.bench.case import Call, Case
from kernels.bench.roofline import Operation, Shape, elementwise
from kernels.bench.workloads import Workload
from kernels.packing import from_lengths

BYTES_OF_TWO_IDS = 16


def cases(
    workload: Workload, *, shape: Shape, dtype: torch.dtype, device: torch.device | str
) -> list[Callable[[], Case]]:
    """Each kernel on one batch; inputs are drawn when a case is made."""
    makers = (residual_layer_norm, bias_gelu, embed_layer_norm)
    return [functools.partial(make, workload, shape=shape, dtype=dtype, device=device) for make in makers]


def _case(
    kernel: str,
    workload: Workload,
    work: Operation,
    arguments: tuple[Tensor, ...],
    keywords: dict[str, object],
) -> Case:
    """The fused operation, its twin, and the twin in fp32 on the same numbers."""
    fused, twin = getattr(ops, kernel), getattr(reference, kernel)
    refused = ops.why_not(arguments[-1], columns=arguments[-1].shape[-1])

    def exactly(value: object) -> object:
        return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value

    def compiled() -> Call:
        torch._dynamo.reset()
        inductor = torch.compile(twin, dynamic=False)
        return Call(run=lambda: inductor(*arguments, **keywords))

    return Case(
        family="rows",
        kernel=kernel,
        workload=workload,
        dtype=str(arguments[-1].dtype).removeprefix("torch."),
        work=work,
        reference=lambda: twin(
            *map(exactly, arguments), **{name: exactly(value) for name, value in keywords.items()}
        ),
        baseline=lambda: twin(*arguments, **keywords),
        variants={
            kernel: lambda: Call(run=lambda: fused(*arguments, **keywords), refused=refused),
            "torch inductor": compiled,
            "torch eager": lambda: Call(run=lambda: twin(*arguments, **keywords)),
        },
    )


def residual_layer_norm(
    workload: Workload, *, shape: Shape, dtype: torch.dtype, device: torch.device | str
) -> Case:
    """Linear bias + residual + LayerNorm of [T, d]."""
    T, d = workload.tokens, shape.hidden
    draw = _normal(T, dtype, device)
    arguments = (draw(T, d), draw(T, d), draw(d), draw(d))
    work = elementwise("residual_layer_norm", rows=T, columns=d, tensors=3, vectors=3)
    keywords: dict[str, object] = {"linear_bias": draw(d), "eps": shape.eps}
    return _case("residual_layer_norm", workload, work, arguments, keywords)


def bias_gelu(workload: Workload, *, shape: Shape, dtype: torch.dtype, device: torch.device | str) -> Case:
    """Bias + erf GELU of [T, f]."""
    T, f = workload.tokens, shape.intermediate
    draw = _normal(T, dtype, device)
    work = elementwise("bias_gelu", rows=T, columns=f, tensors=2, vectors=1)
    return _case("bias_gelu", workload, work, (draw(T, f), draw(f)), {})


def embed_layer_norm(
    workload: Workload, *, shape: Shape, dtype: torch.dtype, device: torch.device | str
) -> Case:
    """Three embeddings + LayerNorm: ids [T] -> [T, d]; a word row is read for each token, the others once."""
    T, d = workload.tokens, shape.hidden
    draw = _normal(T, dtype, device)
    ids = torch.randint(4, shape.vocabulary, (T,), generator=torch.Generator().manual_seed(T))
    packed = from_lengths(ids, workload.lengths).to(device)
    tables = (draw(shape.vocabulary, d), draw(shape.positions, d), draw(d))
    arguments = (packed.ids, packed.positions, *tables, draw(d), draw(d))
    rows = elementwise("embed_layer_norm", rows=T, columns=d, tensors=2, vectors=3 + workload.longest)
    work = Operation(name=rows.name, bytes=rows.bytes + BYTES_OF_TWO_IDS * T)
    return _case("embed_layer_norm", workload, work, arguments, {"eps": shape.eps})


def _normal(seed: int, dtype: torch.dtype, device: torch.device | str) -> Callable[..., Tensor]:
    generator = torch.Generator(device).manual_seed(seed)
    return lambda *size: torch.randn(*size, generator=generator, device=device).to(dtype)
