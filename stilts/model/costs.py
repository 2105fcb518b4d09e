"""What training costs, estimated from shapes: operations a token, and memory for the backward pass."""

from collections.abc import Sequence
from dataclasses import dataclass

from hpc.zero import Memory, Zero
from stilts.model.config import EncoderConfig

_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """The largest forward and backward pass of a phase."""

    tokens: int
    length: int = 128
    """Tokens of a sequence."""
    hidden: int = 0
    """Of them tokens whose piece is predicted from the whole vocabulary."""


def activations(
    config: EncoderConfig,
    largest: Pass,
    zero: Zero,
    *,
    dropout: bool,
    layers: int | None = None,
    pads: bool = False,
) -> float:
    """Bytes that are kept for the backward pass, and those it works in.

    Of a layer that is the input, queries, keys, values and context, both sums before LayerNorm and the output
    of the first, and the feed-forward block before and after its activation: 8 d + 2 f numbers a token, and a
    byte a dropped number. Attention that pads keeps its copies, and its weights where some are dropped. With
    recomputation of all layers but one it is their inputs.

    Args:
        config: the encoder's shape.
        largest: the largest pass.
        zero: precision, and whether layers are computed again.
        dropout: whether any is dropped.
        layers: how many have a backward pass; all of them unless told.
        pads: whether attention pads, as without a GPU.
    """
    size, d, f = _BYTES[zero.precision], config.hidden_size, config.intermediate_size
    depth = config.num_hidden_layers if layers is None else layers
    numbers = 8 * d + 2 * f + (4 * d if pads else 0)
    weights = config.num_attention_heads * largest.length * (2 * size + 1) if pads and dropout else 0
    a_layer = largest.tokens * (numbers * size + (2 * d if dropout else 0) + weights)
    kept = a_layer * depth
    if zero.recompute:
        kept = a_layer + largest.tokens * d * size * depth
    # Gradients on their way down: of the feed-forward block, before and after its activation.
    working = 2 * largest.tokens * (f + d) * size
    vocabulary = largest.hidden * config.vocab_size * (size + 8)
    return kept + working + vocabulary


def parameters(config: EncoderConfig, frozen: Sequence[str] = ()) -> tuple[int, int]:
    """Parameters of an encoder that are trained, and that are not, with these parts frozen; heads apart."""
    d, f = config.hidden_size, config.intermediate_size
    tables = (config.vocab_size + config.max_position_embeddings + config.type_vocab_size + 2) * d
    layer = config.layer_parameters + (4 * d + f + d) + 4 * d
    whole = tables + config.num_hidden_layers * layer
    if "encoder" in frozen:
        return 0, whole
    still = (tables if "embeddings" in frozen else 0) + layer * sum(
        part.startswith("layers.") for part in frozen
    )
    return whole - still, still


def with_backward(config: EncoderConfig, frozen: Sequence[str]) -> int:
    """Layers that have a backward pass with these parts frozen: those that train, and all above them."""
    if "encoder" in frozen:
        return 0
    if "embeddings" not in frozen:
        return config.num_hidden_layers
    lowest = 0
    while f"layers.{lowest}" in frozen:
        lowest += 1
    return config.num_hidden_layers - lowest


def memory(
    config: EncoderConfig,
    largest: Pass,
    zero: Zero,
    *,
    frozen: Sequence[str],
    dropout: bool,
    pads: bool = False,
) -> Memory:
    """What a phase keeps on a device; heads, which are small, are left out but for text's.

    Args:
        config: the encoder's shape.
        largest: the largest pass.
        zero: how it is laid out.
        frozen: parts that do not train.
        dropout: whether any is dropped.
        pads: whether attention pads, as without a GPU.
    """
    trained, still = parameters(config, frozen)
    kept = activations(
        config, largest, zero, dropout=dropout, layers=with_backward(config, frozen), pads=pads
    )
    return Memory(trained=trained, frozen=still, activations=kept)


def training_flops(config: EncoderConfig, frozen: Sequence[str], *, length: int) -> float:
    """Floating-point operations of learning from a token of a sequence of that length; heads apart.

    As `Model.training_flops` counts them: a pass forward, one more for the gradients of what lies above a
    trained part, and one more for those of each layer that is trained.
    """
    matrices, products = (each / length for each in config.layer_flops([length]))
    with_gradients = with_backward(config, frozen)
    trained = config.num_hidden_layers - sum(part.startswith("layers.") for part in frozen)
    trained = 0 if "encoder" in frozen else trained
    forward = config.num_hidden_layers * (matrices + products)
    # The input of the lowest trained layer needs no gradient, where nothing below it is trained.
    saved = config.input_flops([length]) / length if "embeddings" in frozen and with_gradients else 0.0
    return forward + with_gradients * (matrices + 2 * products) + trained * matrices - saved
