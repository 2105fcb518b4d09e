"""Training steps against Hugging Face's Trainer: the same batches of pairs, XNLI-like, bf16, AdamW."""

import statistics
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from hpc.engine import Linear, make_engine, parameter_groups
from hpc.peak import gemm_rate
from hpc.ranks import Ranks
from hpc.zero import Zero
from stilts import data
from stilts.evaluate import predict
from stilts.model.encoder import PackedEncoder
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from tests.benchmarks.gpu.loads import (
    DEVICE,
    LARGE,
    POSITIONS,
    TINY,
    VOCABULARY,
    config,
    ids_of,
    lengths_of,
    wait,
)

EXAMPLES, STEPS, SKIPPED = 128, 14, 4
LABELS = ("entailment", "neutral", "contradiction")


def batches(size: str) -> list[tuple[list[int], torch.Tensor, np.ndarray[Any, Any]]]:
    """Lengths, ids and labels of every step."""
    examples = EXAMPLES if size == "large" else 4
    every = lengths_of(f"{examples * STEPS}xnli")
    found = []
    for step in range(STEPS):
        lengths = every[step * examples : (step + 1) * examples]
        labels = np.random.default_rng(step).integers(0, 3, examples)
        found.append((lengths, ids_of(lengths, size), labels))
    return found


def ours(size: str) -> dict[str, float]:
    """Seconds a step of the product's engine, model and packing."""
    encoder = PackedEncoder(config(size), dropout=0.1)
    encoder.reinitialise(0)
    model = Model(encoder, {"nli": HeadSpec(kind="classify", labels=LABELS)}, seed=0).train()
    place = Ranks(rank=0, world_size=1, local_rank=0, local_size=1, device=DEVICE)
    groups = parameter_groups(model, rate=1e-5, weight_decay=0.01, head_rate=1.0, heads="heads.")
    schedule = Linear(steps=STEPS, warmup=1)
    engine = make_engine(model, groups, zero=Zero(precision="bf16"), place=place, schedule=schedule)
    taken = []
    for lengths, ids, labels in batches(size):
        wait()
        start = time.perf_counter()
        sizes = np.array(lengths, np.int32)
        raw = data.Batch(input_ids=ids.numpy(), lengths=sizes, targets={"label": labels}, items=len(lengths))
        batch = predict.packed_batch(raw, to_learn=True)
        batch = predict.send(predict.pin(batch) if DEVICE == "cuda" else batch, DEVICE)
        loss = model.summed_loss("nli", engine("nli", batch), batch)
        engine.backward(loss / len(lengths))
        engine.step()
        wait()
        taken.append(time.perf_counter() - start)
    return _summary(size, taken)


def trainers(size: str) -> dict[str, float]:
    """Seconds a step of Trainer with sdpa attention, batches padded to their longest."""
    import tempfile

    from transformers import (
        Trainer,
        TrainerCallback,
        TrainingArguments,
        XLMRobertaConfig,
        XLMRobertaForSequenceClassification as Classifier,
    )

    shape = XLMRobertaConfig(
        **(LARGE if size == "large" else TINY), vocab_size=VOCABULARY[size],
        max_position_embeddings=POSITIONS, type_vocab_size=1, pad_token_id=1, num_labels=3,
        attn_implementation="sdpa",
    )  # fmt: skip
    rows = [
        {"input_ids": part, "labels": int(label)}
        for lengths, ids, labels in batches(size)
        for part, label in zip(ids.split(lengths), labels, strict=True)
    ]

    def collate(some: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        every = [row["input_ids"] for row in some]
        ids = torch.nn.utils.rnn.pad_sequence(every, batch_first=True, padding_value=1)
        labels = torch.tensor([row["labels"] for row in some])
        return {"input_ids": ids, "attention_mask": (ids != 1).long(), "labels": labels}

    taken: list[float] = []
    clock = SimpleNamespace(start=0.0)

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            wait()
            clock.start = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            wait()
            taken.append(time.perf_counter() - clock.start)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=len(rows) // STEPS, max_steps=STEPS, bf16=True,
            use_cpu=DEVICE == "cpu", learning_rate=1e-5, weight_decay=0.01, save_strategy="no",
            logging_steps=1000, report_to="none", disable_tqdm=True, train_sampling_strategy="sequential",
        )  # fmt: skip
        model = Classifier(shape)
        Trainer(model, arguments, collate, rows, callbacks=[Clock()]).train()  # type: ignore[arg-type]
    return _summary(size, taken)


def _summary(size: str, taken: list[float]) -> dict[str, float]:
    every = batches(size)[SKIPPED:]
    tokens = sum(sum(lengths) for lengths, _, _ in every)
    flops = 3 * sum(config(size).forward_flops(lengths) for lengths, _, _ in every)
    seconds = sum(taken[SKIPPED:])
    return {
        "step_ms": 1e3 * statistics.median(taken[SKIPPED:]),
        "tokens_per_s": tokens / seconds,
        "mfu_of_product": flops / seconds / gemm_rate(torch.device(DEVICE), torch.bfloat16),
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if DEVICE == "cuda" else 0.0,
    }


def training(size: str) -> dict[str, Any]:
    """Both, and how many times as many tokens a second are ours."""
    found: dict[str, Any] = {"stilts": ours(size)}
    if DEVICE == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    found["Trainer"] = trainers(size)
    return found | {"ratio": found["stilts"]["tokens_per_s"] / found["Trainer"]["tokens_per_s"]}
