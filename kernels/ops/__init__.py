"""The fused operations as PyTorch ops, for inference: checked, dispatched, and safe under `torch.compile`.

    from kernels import ops

    out = ops.varlen_attention_qkv(qkv, packed.cu_seqlens, packed.max_seqlen, blocks=packed.blocks)
    x = ops.residual_layer_norm(x, residual, weight, bias, linear_bias=linear_bias, eps=1e-5)
    ops.why_not(qkv, head_dim=64)  # () where the Triton kernel runs, else why it does not

What each computes is said in `kernels.reference`, where each has a twin in plain PyTorch. A call runs the
Triton kernel on a GPU that has one, or on the CPU where TRITON_INTERPRET was set at import. Else attention
runs in `torch.nn.attention.varlen` on CUDA and in scaled-dot-product attention elsewhere, and the rest
unfused. The reason is logged once, as a warning of the logger "kernels".
"""

from kernels.ops.attention import padded_attention, varlen_attention, varlen_attention_qkv
from kernels.ops.dispatch import why_not
from kernels.ops.products import linear, linear_gelu, linear_residual_norm
from kernels.ops.rows import bias_gelu, embed_layer_norm, residual_layer_norm

__all__ = [
    "bias_gelu",
    "embed_layer_norm",
    "linear",
    "linear_gelu",
    "linear_residual_norm",
    "padded_attention",
    "residual_layer_norm",
    "varlen_attention",
    "varlen_attention_qkv",
    "why_not",
]
