"""Packed training against a padded Hugging Face loop: `python tests/benchmarks/training_cpu.py`.

A sentence-pair classifier on XLM-R base cut to 4 layers and a small vocabulary, which keeps this to minutes:
random weights, sequences as long as XNLI's, fp32. Theirs is XLMRobertaForSequenceClassification (sdpa), each
batch padded to its longest; ours is `stilts.model.Model` on the same batch packed. Batches come in random
order; weights, AdamW and clipping are the same and there is no dropout. The loops take turns every few steps.

Bars: tokens/s >= 1.8x; each loss the same to 1e-4 of it. Exit code 1 when one is missed. `--quick` is for
development and shows nothing.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from peers.workload import draw, huggingface_config, pad, randomise, shape
from tabulate import tabulate
from timing import THREADS, Bar, arguments, interleave, machine, median, say, verdict
from torch import Tensor, nn
from transformers import XLMRobertaForSequenceClassification

from hpc.engine import parameter_groups
from kernels.packing import from_lengths
from stilts.model.encoder import PackedEncoder, from_huggingface
from stilts.model.head_modules import Batch
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model

CONFIG = shape(layers=4)
LABELS = ("entailment", "neutral", "contradiction")
HEAD = "nli"
BATCH_SIZE = 16
STEPS_A_ROUND = 4
CLIP, RATE, WEIGHT_DECAY = 1.0, 2e-5, 0.01

THEIRS, OURS = "padded Hugging Face", "packed"

Batches = Sequence[tuple[Sequence[Tensor], Tensor]]
Loss = Callable[[Sequence[Tensor], Tensor], Tensor]


class Loop:
    """A training loop that remembers its losses.

    Args:
        model: what is trained.
        loss: its loss on sequences and labels.
        heads: prefix of its head's parameters.
        data: the batches, one a step.
    """

    def __init__(self, model: nn.Module, loss: Loss, *, heads: str, data: Batches) -> None:
        groups = parameter_groups(model, rate=RATE, weight_decay=WEIGHT_DECAY, head_rate=1.0, heads=heads)
        self._model, self._loss, self._data = model.train(), loss, data
        self._optimizer = torch.optim.AdamW(groups)
        self.losses: list[float] = []

    def __call__(self) -> None:
        """A round: a few steps, each on the next batch."""
        for _ in range(STEPS_A_ROUND):
            loss = self._loss(*self._data[len(self.losses)])
            loss.backward()
            nn.utils.clip_grad_norm_(self._model.parameters(), CLIP)
            self._optimizer.step()
            self._optimizer.zero_grad()
            self.losses.append(float(loss.detach()))


def padded(model: XLMRobertaForSequenceClassification) -> Loss:
    """The loss as a Hugging Face loop computes it."""

    def loss(sequences: Sequence[Tensor], labels: Tensor) -> Tensor:
        ids, mask = pad(sequences)
        return F.cross_entropy(model(input_ids=ids, attention_mask=mask).logits, labels)

    return loss


def packed(model: Model) -> Loss:
    """The loss as `stilts.train.loop` computes it."""

    def loss(sequences: Sequence[Tensor], labels: Tensor) -> Tensor:
        tokens = from_lengths(torch.cat(list(sequences)), [len(ids) for ids in sequences])
        batch = Batch(packed=tokens, targets={"label": labels}, items=len(labels))
        return model.loss(HEAD, model(HEAD, batch), batch)

    return loss


def twins() -> tuple[XLMRobertaForSequenceClassification, Model]:
    """Theirs and ours with the same weights."""
    theirs = XLMRobertaForSequenceClassification._from_config(
        huggingface_config(CONFIG, num_labels=len(LABELS)), attn_implementation="sdpa"
    )
    randomise(theirs, seed=2)
    theirs.classifier.out_proj.weight.data *= (
        10  # one token of a batch then moves its loss by far more than 1e-4
    )
    state = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    encoder = PackedEncoder(CONFIG, dropout=0.0)
    encoder.load_state_dict(from_huggingface(state, CONFIG), assign=True)
    ours = Model(encoder, {HEAD: HeadSpec(kind="classify", labels=LABELS)})
    ours.heads[HEAD].load_state_dict(
        {
            f"{mine}.{leaf}": state[f"classifier.{theirs}.{leaf}"]
            for mine, theirs in (("dense", "dense"), ("out", "out_proj"))
            for leaf in ("weight", "bias")
        }
    )
    return theirs, ours


def draw_batches(steps: int) -> Batches:
    """Sequences as they come, and random labels."""
    sequences = draw(steps * BATCH_SIZE, vocabulary=CONFIG.vocab_size, seed=1)
    labels = torch.randint(len(LABELS), (steps, BATCH_SIZE), generator=torch.Generator().manual_seed(3))
    return [(sequences[step * BATCH_SIZE : (step + 1) * BATCH_SIZE], labels[step]) for step in range(steps)]


def rounds_of(data: Batches) -> list[Batches]:
    """The batches of each round."""
    return [data[start : start + STEPS_A_ROUND] for start in range(0, len(data), STEPS_A_ROUND)]


def show(taken: Mapping[str, Sequence[float]], data: Batches) -> float:
    """Prints the table; returns how many times their tokens a second we reach."""
    real = [sum(len(ids) for sequences, _ in each for ids in sequences) for each in rounds_of(data)]
    slots = [sum(len(each) * max(map(len, each)) for each, _ in some) for some in rounds_of(data)]
    rows = []
    for name, each in taken.items():
        rates = [tokens / one for tokens, one in zip(real, each, strict=True)]
        rows.append((name, f"{1000 * median(each) / STEPS_A_ROUND:.0f}", f"{median(rates):.0f}"))
    print(machine("torch", "transformers"))
    print(f"{CONFIG.num_hidden_layers} layers, {len(data)} steps of {BATCH_SIZE} sequences")
    print(f"padded slots a token: {sum(slots) / sum(real):.2f}, which is what packing gives by itself\n")
    print(tabulate(rows, headers=["loop", "ms a step", "tokens/s"], tablefmt="github"))
    print()
    # Rounds differ in their batches, so that only the same round of both can be compared.
    return median([one / other for one, other in zip(taken[THEIRS], taken[OURS], strict=True)])


def main() -> int:
    """Prints the table; returns the exit code."""
    asked = arguments("Packed training against a padded Hugging Face loop.")
    torch.set_num_threads(THREADS)
    rounds = 2 if asked.quick else 7
    data = draw_batches((1 + rounds) * STEPS_A_ROUND)
    theirs, ours = twins()
    loops = {
        THEIRS: Loop(theirs, padded(theirs), heads="classifier.", data=data),
        OURS: Loop(ours, packed(ours), heads="heads.", data=data),
    }
    say("a round that does not count")
    for loop in loops.values():
        loop()
    taken = interleave(loops, rounds=rounds)
    ratio = show(taken, data[STEPS_A_ROUND:])
    pairs = zip(loops[THEIRS].losses, loops[OURS].losses, strict=True)
    apart = max(abs(one - other) / one for one, other in pairs)
    bars = [
        Bar(what="x padded", value=ratio, bound=1.8),
        Bar(what="losses apart", value=apart, bound=1e-4, side="at most"),
    ]
    return verdict(bars)


if __name__ == "__main__":
    sys.exit(main())
