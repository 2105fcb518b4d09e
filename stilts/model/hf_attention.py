"""The padding-free attention kernel inside any bidirectional Hugging Face encoder.

    attention.register()
    model.eval().set_attn_implementation("stilts")
    with torch.no_grad():
        model(input_ids, attention_mask=mask)       # right-padded

transformers builds the mask once a forward pass and hands it to every layer. Ours is no mask but the B
lengths, so that a layer neither counts tokens nor mistakes a mask that got lost for a batch without padding.
Hidden states of padding are not those of other implementations: its attention is zero.

Shapes: B sequences, S longest length, H heads, D head size.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from kernels import ops

_CANNOT = {
    "output_attentions": "return attention weights",
    "head_mask": "mask heads",
    "layer_head_mask": "mask heads",
    "sliding_window": "restrict attention to a sliding window",
    "position_bias": "add a position bias",
    "softcap": "cap the scores",
    "s_aux": "use attention sinks",
    "cache": "read a cache",
}
"""What other implementations are asked for by keyword, and ours refuses."""

_RIGHT_PADDED = "stilts attention takes right-padded batches only: a token follows padding"


def register(name: str = "stilts") -> None:
    """Offers the kernel to Hugging Face models under `name`: the attention and the mask that belongs to it.

    With the attention alone, transformers would drop every padding mask without a word.

    Raises:
        ValueError: transformers has another implementation of that name.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    ours: tuple[tuple[Any, Callable[..., Any]], ...] = (
        (AttentionInterface, attend),
        (AttentionMaskInterface, lengths_of),
    )
    for interface, function in ours:
        if interface().get(name, function) is not function:
            raise ValueError(f"transformers has an attention named {name!r} already: choose another name")
    for interface, function in ours:
        interface.register(name, function)


def lengths_of(
    *,
    batch_size: int,
    q_length: int,
    kv_length: int,
    mask_function: Callable[..., Any],
    attention_mask: Tensor | None = None,
    device: torch.device | str | None = None,
    local_size: int | None = None,
    **_: Any,
) -> Tensor:
    """The mask function: called by transformers once a forward pass, with a [B, S] padding mask or None.

    That padding is on the right is checked here. On the CPU the mask is looked at and refused with an error.
    To look at one on a GPU would make the host wait for it, so there (and under `torch.compile`) the device
    asserts it, and can be used no further by this process: no wrong result, but no second try either.

    Returns:
        [B] int32 lengths on the mask's device.

    Raises:
        ValueError: attention is causal, within a window or otherwise restricted, reads a cache or another
            sequence, or the batch is not right-padded.
    """
    from transformers.masking_utils import bidirectional_mask_function, causal_mask_function

    if local_size is not None:
        raise ValueError("stilts attention cannot restrict attention to a sliding window")
    if mask_function is causal_mask_function:
        raise ValueError("stilts attention is bidirectional: this model is causal")
    if mask_function is not bidirectional_mask_function:
        raise ValueError("stilts attention knows padding only: this model restricts attention otherwise")
    if q_length != kv_length:
        raise ValueError(_self_attention_only(q_length, kv_length))
    if attention_mask is None:
        return torch.full((batch_size,), kv_length, dtype=torch.int32, device=device)
    if attention_mask.shape != (batch_size, kv_length):
        shape = tuple(attention_mask.shape)
        raise ValueError(f"stilts attention takes a [{batch_size}, {kv_length}] padding mask, not {shape}")
    keep = attention_mask.bool()
    right_padded = (keep[:, :-1] | ~keep[:, 1:]).all()
    if keep.device.type != "cpu" or torch.compiler.is_compiling():
        torch._assert_async(right_padded, _RIGHT_PADDED)
    elif not right_padded:
        raise ValueError(_RIGHT_PADDED)
    return keep.sum(-1, dtype=torch.int32)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The attention function: called by transformers in every layer.

    Args:
        module: the layer's attention.
        query: [B, H, S, D]; key and value may have fewer heads, each for a group of the query's.
        key: keys.
        value: values.
        attention_mask: [B] int32, what `lengths_of` gave.
        dropout: must be none.
        scaling: factor of the scores; D ** -0.5 unless told.
        is_causal: what the caller wants, before what the module says.
        kwargs: whatever else the model passes on.

    Returns:
        [B, S, H, D], zero at padding, and no weights.

    Raises:
        ValueError: anything but inference of a bidirectional encoder with padding on the right.
    """
    config = getattr(module, "config", None)
    asked = {"output_attentions": getattr(config, "output_attentions", None)} | kwargs
    for name, what in _CANNOT.items():
        if asked.get(name) is not None and asked[name] is not False:
            raise ValueError(f"stilts attention cannot {what} ({name}): use sdpa or eager")
    if getattr(module, "is_causal", False) if is_causal is None else is_causal:
        raise ValueError("stilts attention is bidirectional: this model is causal")
    if dropout:
        raise ValueError("stilts attention is for inference: call model.eval(), or train with sdpa")
    if torch.is_grad_enabled() and (query.requires_grad or key.requires_grad or value.requires_grad):
        raise ValueError("stilts attention is for inference: use torch.no_grad(), or train with sdpa")
    if query.shape[2] != key.shape[2]:
        raise ValueError(_self_attention_only(query.shape[2], key.shape[2]))
    if attention_mask is None:
        raise ValueError(
            "stilts attention got no lengths: its mask function is missing (register both, with"
            " stilts.model.hf_attention.register), or the model makes no mask at all"
        )
    if attention_mask.ndim != 1:
        shape = tuple(attention_mask.shape)
        raise ValueError(f"stilts attention takes a [B, S] padding mask given to the model, not {shape}")
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (x.repeat_interleave(groups, dim=1) for x in (key, value))
    out = ops.padded_attention(query, key, value, attention_mask, scale=scaling)
    return out.transpose(1, 2).contiguous(), None


def _self_attention_only(queries: int, keys: int) -> str:
    return f"stilts attention is of a sequence to itself, without a cache: {queries} queries, {keys} keys"
