"""What every contestant is given: the same sequences, the same weights.

XLM-R base with random weights; the vocabulary is cut, since ids are random and rows are only looked up.
Sequences are as long as XNLI's pairs: log-normal around 42 tokens, half of that as the deviation.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import XLMRobertaConfig

from kernels.packing import PAD_ID
from stilts.model.encoder import EncoderConfig

Precision = Literal["bf16", "fp32"]
DTYPES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}

SHORTEST, LONGEST, MEAN, VARIATION = 8, 128, 42.0, 0.5
FIRST_WORD = 4
"""Ids below are special."""


def shape(*, layers: int) -> EncoderConfig:
    """XLM-R base but for its depth and vocabulary."""
    return EncoderConfig(
        hidden_size=768,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=3072,
        vocab_size=5000,
        max_position_embeddings=514,
    )


def huggingface_config(config: EncoderConfig, **more: object) -> XLMRobertaConfig:
    """The same shape for Hugging Face, without dropout."""
    return XLMRobertaConfig(
        **config.as_json(),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **more,
    )


def randomise(model: nn.Module, seed: int) -> None:
    """Random parameters in which biases and LayerNorms count too, and attention prefers some tokens."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        peaked = name.endswith(("query.weight", "key.weight"))
        nn.init.normal_(parameter, std=0.04 if peaked else 0.02, generator=generator)
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.weight.data += 1.0


def draw(count: int, *, vocabulary: int, seed: int) -> list[Tensor]:
    """`count` sequences of token ids, `<s>` first and `</s>` last."""
    generator = torch.Generator().manual_seed(seed)
    spread = math.sqrt(math.log(1 + VARIATION**2))
    normal = torch.randn(count, generator=generator) * spread + math.log(MEAN) - spread**2 / 2
    out = []
    for size in normal.exp().round().clamp(SHORTEST, LONGEST).long().tolist():
        ids = torch.randint(FIRST_WORD, vocabulary, (size,), generator=generator)
        ids[0], ids[-1] = 0, 2
        out.append(ids)
    return out


def by_length(sequences: Sequence[Tensor]) -> list[int]:
    """Numbers of the sequences, longest first."""
    return sorted(range(len(sequences)), key=lambda number: -len(sequences[number]))


def batches(sequences: Sequence[Tensor], size: int) -> Iterator[list[int]]:
    """Batches of `size` sequences of similar length."""
    order = by_length(sequences)
    yield from (order[start : start + size] for start in range(0, len(order), size))


def chunks(sequences: Sequence[Tensor], tokens: int) -> Iterator[list[int]]:
    """Batches of similar length with at most `tokens` tokens, or one sequence."""
    chunk: list[int] = []
    held = 0
    for number in by_length(sequences):
        if chunk and held + len(sequences[number]) > tokens:
            yield chunk
            chunk, held = [], 0
        chunk.append(number)
        held += len(sequences[number])
    yield chunk


def pad(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """ids and mask, both int64 [B, S]."""
    ids = nn.utils.rnn.pad_sequence(list(sequences), batch_first=True, padding_value=PAD_ID)
    sizes = torch.tensor([len(ids) for ids in sequences])
    return ids, (torch.arange(ids.shape[1]) < sizes[:, None]).long()
