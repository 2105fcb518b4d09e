"""The whole encoder: packed and fused, packed on torch's attention, and Hugging Face's on the padded batch.

All hold the same random parameters; the reference is Hugging Face's eager model in fp32.
Shapes: B sequences, S longest length, T tokens, d hidden size.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from kernels import ops
from kernels.bench.attention import torch_varlen
from kernels.bench.case import Call, Case
from kernels.bench.chips import Chip
from kernels.bench.encoder import Weights, forward, random_state
from kernels.bench.roofline import ATTENTION_TFLOPS, Shape, encoder as work, goal
from kernels.bench.workloads import Workload
from kernels.packing import PAD_ID, from_lengths, padded_rows

GRAPH = "packed"
CHUNK = 8
"""Sequences at a time where speed does not matter and unfused scores would fill the memory."""


class Models:
    """One set of parameters in all its forms.

    Args:
        shape: the encoder's.
        dtype: what is timed.
        device: where.
    """

    def __init__(self, shape: Shape, *, dtype: torch.dtype, device: torch.device | str) -> None:
        self.shape, self.dtype, self.device = shape, dtype, device
        self.state = random_state(shape, device=device, dtype=dtype)
        self.weights = Weights.of(self.state, shape)
        exact = {name: tensor.float() for name, tensor in self.state.items()}
        self.exact = self._hugging_face("eager", exact)
        self.eager = self._hugging_face("eager", self.state)
        self.sdpa = self._hugging_face("sdpa", self.state)

    def _hugging_face(self, attention: str, state: dict[str, Tensor]) -> Any:
        from transformers import XLMRobertaConfig, XLMRobertaModel

        shape = self.shape
        config = XLMRobertaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=shape.intermediate,
            max_position_embeddings=shape.positions,
            type_vocab_size=1,
            pad_token_id=PAD_ID,
            layer_norm_eps=shape.eps,
            attn_implementation=attention,
        )
        with torch.device(self.device):
            model = XLMRobertaModel(config, add_pooling_layer=False)
        model.load_state_dict(state, assign=True)
        return model.eval()

    def case(self, workload: Workload, chip: Chip | None) -> Case:
        """The comparison on one batch."""
        ids = torch.randint(
            4, self.shape.vocabulary, (workload.tokens,), generator=torch.Generator().manual_seed(0)
        )
        packed = from_lengths(ids, workload.lengths).to(self.device)
        ids_BS, mask_BS = pad(ids, workload.lengths)
        ids_BS, mask_BS = ids_BS.to(self.device), mask_BS.to(self.device)
        rows = padded_rows(workload.lengths).to(self.device)

        refused = ops.why_not(self.weights.type_row, head_dim=self.shape.head_dim, columns=self.shape.hidden)

        def unpadded(out_BSd: Tensor) -> Tensor:
            return out_BSd.flatten(0, 1).index_select(0, rows)

        def peer(model: Any) -> Callable[[], Tensor]:
            return lambda: model(input_ids=ids_BS, attention_mask=mask_BS).last_hidden_state

        def fused() -> Tensor:
            return forward(self.weights, packed)

        def on_torch_varlen() -> Tensor:
            return forward(self.weights, packed, attend=torch_varlen)

        return Case(
            family="encoder",
            kernel="encoder",
            workload=workload,
            dtype=str(self.dtype).removeprefix("torch."),
            work=work(self.shape, workload.lengths),
            goal_seconds=_goal(self.shape, workload, chip),
            reference=lambda: in_chunks(self.exact, ids, workload.lengths, self.device),
            baseline=lambda: in_chunks(self.eager, ids, workload.lengths, self.device),
            variants={
                GRAPH: lambda: Call(run=fused, refused=refused),
                "packed, launched": lambda: Call(run=fused, launch="eager", refused=refused),
                "packed, torch varlen": lambda: Call(run=on_torch_varlen),
                "hf sdpa, graph": lambda: Call(run=peer(self.sdpa), pick=unpadded),
                "hf sdpa": lambda: Call(run=peer(self.sdpa), pick=unpadded, launch="eager"),
                "hf eager": lambda: Call(run=peer(self.eager), pick=unpadded, launch="eager"),
            },
        )

    def launches(self, workload: Workload) -> dict[str, object] | None:
        """Kernels that one forward pass launches, by the profiler; None where it may not watch the GPU."""
        from torch._C._autograd import DeviceType
        from torch.profiler import ProfilerActivity, profile

        ids = torch.full((workload.tokens,), 5)
        packed = from_lengths(ids, workload.lengths).to(self.device)
        with torch.no_grad():
            forward(self.weights, packed)
            with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
                forward(self.weights, packed)
                torch.cuda.synchronize()
        names = [event.name for event in profiler.events() if event.device_type == DeviceType.CUDA]
        return count_launches(names, self.shape.layers) if names else None


def count_launches(names: Sequence[str], layers: int) -> dict[str, object]:
    """Launches in all and a layer, the embeddings' one aside; copies and fills are counted apart."""
    kernels = [name for name in names if not name.startswith(("Memcpy", "Memset"))]
    return {
        "total": len(kernels),
        "per_layer": (len(kernels) - 1) / layers,
        "copies": len(names) - len(kernels),
        "kernels": dict(Counter(kernels).most_common()),
    }


def pad(ids: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Ids [T] -> ids and mask [B, S], padded on the right."""
    B, S = len(lengths), max(lengths)
    rows = padded_rows(lengths)
    ids_BS = torch.full((B * S,), PAD_ID).index_copy_(0, rows, ids)
    mask_BS = torch.zeros(B * S, dtype=torch.int64).index_fill_(0, rows, 1)
    return ids_BS.view(B, S), mask_BS.view(B, S)


def in_chunks(model: Any, ids: Tensor, lengths: Sequence[int], device: torch.device | str) -> Tensor:
    """Hugging Face's hidden states of the real tokens, [T, d], a few sequences at a time."""
    parts = []
    for start, rows in zip(range(0, len(lengths), CHUNK), _split(ids, lengths), strict=True):
        few = lengths[start : start + CHUNK]
        ids_BS, mask_BS = (x.to(device) for x in pad(rows, few))
        out = model(input_ids=ids_BS, attention_mask=mask_BS).last_hidden_state
        parts.append(out.flatten(0, 1)[padded_rows(few).to(device)])
    return torch.cat(parts)


def _split(ids: Tensor, lengths: Sequence[int]) -> tuple[Tensor, ...]:
    sizes = [sum(lengths[start : start + CHUNK]) for start in range(0, len(lengths), CHUNK)]
    return ids.split(sizes)


def _goal(shape: Shape, workload: Workload, chip: Chip | None) -> float | None:
    if chip is None or workload.kind == "ragged":
        return None
    if workload.longest not in ATTENTION_TFLOPS[chip.generation]:
        return None
    return goal(shape, workload.lengths, chip)[0]
