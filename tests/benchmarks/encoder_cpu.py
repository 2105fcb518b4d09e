"""Encoder throughput on CPU against its peers: `python tests/benchmarks/encoder_cpu.py`.

XLM-R base, random weights, sequences as long as XNLI's, in bf16 and fp32. Peers: Hugging Face (sdpa), ONNX
Runtime, OpenVINO, CTranslate2, each on length-sorted batches in its fastest setting, found in a short
calibration; ours chooses its tokens a batch likewise. CTranslate2 in int8 is shown, and sets no bar. All take
turns in one run, and so does plain torch.mm on the encoder's own shapes, which is the machine's GEMM rate.

Bars: bf16 >= 1.1x the best bf16 peer and >= 0.85 of the GEMM rate, or 0.65 where the processor multiplies by
tiles (AMX), which leave more of the time to everything else; fp32 >= 1.0x the best fp32 peer; every
vector of ours has a cosine to fp32 Hugging Face >= 0.9999, and every peer's >= 0.999: it computes the same.
Where the processor does not multiply bf16 (no AVX-512), only fp32 takes part.
Exit code 1 when one is missed, 2 when a peer is not installed (`make bench` installs them; `--without NAME`
leaves one out). Minutes on two idle cores; `--quick` is for development and shows nothing.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from peers.contestants import BATCH_SIZES, OPTIONAL, Contestant, Encode, Pooled, in_batches
from peers.field import enter
from peers.gemm import Gemm
from peers.workload import DTYPES, Precision, chunks, draw, huggingface_config, randomise, shape
from tabulate import tabulate
from timing import THREADS, Bar, arguments, fastest, interleave, machine, median, say, verdict
from torch import Tensor
from transformers import XLMRobertaModel

from kernels.packing import from_lengths
from stilts.model.encoder import PackedEncoder, for_inference, from_huggingface, pool
from stilts.model.encoder.cpu import has_tiles, supported

CONFIG = shape(layers=12)
PRECISIONS = tuple(each for each in DTYPES if supported(DTYPES[each]))
"""Those this processor multiplies: without AVX-512 there is no bf16 to compare."""
CHUNKS = (1024, 2048, 4096)
"""Tokens of a packed batch that ours may choose among."""
GEMM_TOKENS = 8192
BEST_PEER: dict[Precision, float] = {"bf16": 1.1, "fp32": 1.0}
"""How many times the best peer's tokens a second."""


def ours(model: XLMRobertaModel, precision: Precision) -> Contestant:
    """The packed encoder with the same weights, as `stilts` answers with it."""
    encoder = PackedEncoder(CONFIG, dropout=0.0)
    encoder.load_state_dict(from_huggingface(model.state_dict(), CONFIG), assign=True)
    fast = for_inference(encoder.to(DTYPES[precision]).eval(), attention="sdpa")

    def in_chunks(tokens: int) -> Encode:
        def encode(sequences: Sequence[Tensor]) -> Tensor:
            out = torch.empty(len(sequences), CONFIG.hidden_size)
            for numbers in chunks(sequences, tokens):
                rows = [sequences[number] for number in numbers]
                packed = from_lengths(torch.cat(rows), [len(row) for row in rows])
                out[torch.tensor(numbers)] = pool(fast(packed).float(), packed, "mean")
            return out

        return encode

    return Contestant(
        name="ours", precision=precision, ways={f"{tokens} tokens": in_chunks(tokens) for tokens in CHUNKS}
    )


def calibrate(contestant: Contestant, sequences: Sequence[Tensor]) -> str:
    """The contestant's fastest setting, on every second sequence."""
    sample = sequences[::2]
    best = fastest({way: partial(run, sample) for way, run in contestant.ways.items()})
    say(f"{contestant.label}: {best}")
    return best


def cosines(vectors: Tensor, reference: Tensor) -> tuple[float, float]:
    """Least and mean cosine of the rows."""
    each = torch.nn.functional.cosine_similarity(vectors.double(), reference.double())
    return float(each.min()), float(each.mean())


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one contestant reached."""

    contestant: Contestant
    way: str
    seconds: float
    least: float
    mean: float
    """Cosines to the reference."""


def compete(
    contestants: Sequence[Contestant],
    gemms: Mapping[Precision, Gemm],
    sequences: Sequence[Tensor],
    reference: Tensor,
    *,
    rounds: int,
) -> tuple[list[Result], dict[Precision, float]]:
    """Runs all in turns; returns results, and the GEMM rates in FLOP/s."""
    ways = {one.label: calibrate(one, sequences) for one in contestants}
    runs = {one.label: one.ways[ways[one.label]] for one in contestants}
    say("warming up, and comparing vectors")
    near = {label: cosines(run(sequences), reference) for label, run in runs.items()}
    calls: dict[str, Callable[[], object]] = {label: partial(run, sequences) for label, run in runs.items()}
    taken = interleave(calls | {f"GEMM {each}": gemm for each, gemm in gemms.items()}, rounds=rounds)
    results = [
        Result(
            contestant=one,
            way=ways[one.label],
            seconds=median(taken[one.label]),
            least=near[one.label][0],
            mean=near[one.label][1],
        )
        for one in contestants
    ]
    return results, {each: gemm.flops / median(taken[f"GEMM {each}"]) for each, gemm in gemms.items()}


def show(
    results: Sequence[Result], rates: Mapping[Precision, float], sequences: Sequence[Tensor]
) -> list[Bar]:
    """Prints the table; returns the bars."""
    lengths = [len(ids) for ids in sequences]
    tokens, flops = sum(lengths), CONFIG.forward_flops(lengths)
    rows, bars = [], []
    for precision, rate in rates.items():
        here = sorted(
            (one for one in results if one.contestant.precision == precision), key=lambda one: one.seconds
        )
        best = min(one.seconds for one in here if one.contestant.name != "ours")
        for one in here:
            speed = (f"{1000 * one.seconds:.0f}", f"{tokens / one.seconds:.0f}")
            ratios = (f"{best / one.seconds:.2f}", f"{flops / one.seconds / rate:.2f}")
            near = (f"{one.least:.7f}", f"{one.mean:.7f}")
            rows.append((one.contestant.label, one.way, *speed, *ratios, *near))
        rows.append((f"GEMM {precision}", f"{rate / 1e9:.0f} GFLOP/s", "", "", "", "1.00", "", ""))
        (mine,) = (one for one in here if one.contestant.name == "ours")
        bars.append(
            Bar(what=f"{precision}: x best peer", value=best / mine.seconds, bound=BEST_PEER[precision])
        )
        if precision == "bf16":
            bound = 0.65 if has_tiles(DTYPES[precision]) else 0.85
            bars.append(Bar(what="bf16: of GEMM rate", value=flops / mine.seconds / rate, bound=bound))
        bars.append(Bar(what=f"{precision}: least cosine", value=mine.least, bound=0.9999))
        theirs = min(one.least for one in here)
        bars.append(Bar(what=f"{precision}: everybody's least cosine", value=theirs, bound=0.999))
    for one in results:
        if one.contestant.precision == "int8":
            speed = (f"{1000 * one.seconds:.0f}", f"{tokens / one.seconds:.0f}")
            rows.append(
                (one.contestant.label, one.way, *speed, "", "", f"{one.least:.7f}", f"{one.mean:.7f}")
            )
    headers = ["contestant", "setting", "ms", "tokens/s", "x best peer", "of GEMM", "cosine min", "mean"]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True, stralign="right"))
    return bars


def main() -> int:
    """Prints tables; returns the exit code."""
    asked = arguments("Encoder throughput on CPU against its peers.", without=OPTIONAL)
    torch.set_num_threads(THREADS)
    sequences = draw(48 if asked.quick else 192, vocabulary=CONFIG.vocab_size, seed=1)
    model = XLMRobertaModel._from_config(
        huggingface_config(CONFIG), attn_implementation="sdpa", add_pooling_layer=False
    ).eval()
    randomise(model, seed=2)
    say("loading the contestants")
    try:
        peers = enter(model, PRECISIONS, asked.without)
    except ImportError as error:
        say(f"{error}: `make bench` installs the peers, --without NAME leaves one out")
        return 2
    lengths = [len(ids) for ids in sequences]
    print(machine("torch", "transformers", *(name for name in OPTIONAL if name not in asked.without)))
    print(f"{len(lengths)} sequences, {sum(lengths)} tokens, longest {max(lengths)}\n")
    with torch.inference_mode():
        reference = in_batches(BATCH_SIZES[0], Pooled(model))(sequences)
        gemms = {each: Gemm(CONFIG, DTYPES[each], tokens=GEMM_TOKENS) for each in PRECISIONS}
        contestants = [*peers, *(ours(model, each) for each in PRECISIONS)]
        results, rates = compete(contestants, gemms, sequences, reference, rounds=3 if asked.quick else 5)
        bars = show(results, rates, sequences)
    print()
    return verdict(bars)


if __name__ == "__main__":
    sys.exit(main())
