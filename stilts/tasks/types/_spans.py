"""Scores of starts and ends to the best span of each question, by our rule and by the published one.

The text is cut out of the passage by its characters and not realigned afterwards, which would ruin scripts
without spaces. Scores: best span minus "no answer", the latter being the lowest over the windows of the two
scores at `<s>`, as in SQuAD 2.0; whether that empties the text is decided by the metric.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stilts.tasks.coding.ragged import Ragged, bounds, padded
from stilts.tasks.types import Coded, Decoded

STRIDE = 128
"""Tokens from the start of one window to the start of the next."""
LONGEST_ANSWER = 30
NUM_BEST = 20
"""Starts, and ends, of a window that are tried against each other."""
_BLOCK = 1024
"""Windows decoded at once: bounds memory."""
_LENGTH_WEIGHT = 0.01
"""Of a window's length against the tokens around a token, in the published choice of its window."""


def decode(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:
    """The best span over all windows of each example. `outputs`: [tokens, 2], start and end scores."""
    characters = _characters(encoded)
    valid = characters[:, 0] < characters[:, 1]
    return _decode(np.where(valid[:, None], outputs, -np.inf), outputs, valid, characters, encoded)


def decode_as_published(outputs: NDArray[np.float32], encoded: Coded) -> Decoded:
    """As `decode`, by the rules of SQuAD's and XTREME's scripts.

    A span may begin only where its window is the one with the most context around the token, and the best
    starts and ends are looked for among all tokens of a window, the question's too, before those that cannot
    be an answer are left out. Padding is not looked at, of which there is none here.
    """
    characters = _characters(encoded)
    valid = characters[:, 0] < characters[:, 1]
    return _decode(outputs, outputs, valid & _has_most_context(encoded), characters, encoded, ends=valid)


def _characters(encoded: Coded) -> NDArray[np.int32]:
    """Characters of the passage that each token covers [tokens, 2]; a lone word mark covers nothing."""
    offsets = encoded.columns["offsets"]
    assert isinstance(offsets, Ragged)
    return offsets.values.reshape(-1, 2)


def _decode(
    ranked: NDArray[np.float32],
    outputs: NDArray[np.float32],
    starts: NDArray[np.bool_],
    characters: NDArray[np.int32],
    encoded: Coded,
    *,
    ends: NDArray[np.bool_] | None = None,
) -> Decoded:
    """The best span whose ends may be such, among the best `ranked` ones."""
    lengths = np.asarray(encoded.columns["num_tokens"], np.int64)
    edges = bounds(lengths)
    allowed = np.stack([starts, starts if ends is None else ends], axis=1)
    best = np.empty(len(lengths), np.float32)
    begin, end = np.empty(len(lengths), np.int64), np.empty(len(lengths), np.int64)
    for low in range(0, len(lengths), _BLOCK):
        block = slice(low, min(low + _BLOCK, len(lengths)))
        tokens = slice(edges[block.start], edges[block.stop])
        found = _best_spans(ranked[tokens], allowed[tokens], lengths[block])
        best[block] = found[0]
        begin[block], end[block] = characters[tokens][found[1], 0], characters[tokens][found[2], 1]
    none = outputs[edges[:-1]].sum(axis=1)
    return _best_windows(np.asarray(encoded.columns["example"]), best, none, begin, end, encoded.examples)


def _best_spans(
    scores: NDArray[np.float32], allowed: NDArray[np.bool_], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Score, first and last token of each window's best span."""
    table = padded(scores.astype(np.float32), lengths, fill=-np.inf)
    may = padded(allowed.astype(np.float32), lengths, fill=0.0) > 0
    many = min(NUM_BEST, table.shape[1])
    starts = np.argsort(-table[:, :, 0], axis=1, kind="stable")[:, :many]  # [windows, many]
    ends = np.argsort(-table[:, :, 1], axis=1, kind="stable")[:, :many]
    total = np.take_along_axis(table[:, :, 0], starts, 1)[:, :, None]
    total = total + np.take_along_axis(table[:, :, 1], ends, 1)[:, None, :]  # [windows, starts, ends]
    size = ends[:, None, :] - starts[:, :, None] + 1
    total[(size < 1) | (size > LONGEST_ANSWER)] = -np.inf
    total[~np.take_along_axis(may[:, :, 0], starts, 1)] = -np.inf
    total.transpose(0, 2, 1)[~np.take_along_axis(may[:, :, 1], ends, 1)] = -np.inf
    winner = total.reshape(len(total), -1).argmax(axis=1)
    windows = np.arange(len(lengths))
    first = starts[windows, winner // many] + bounds(lengths)[:-1]
    last = ends[windows, winner % many] + bounds(lengths)[:-1]
    return total.reshape(len(total), -1)[windows, winner], first, last


def _best_windows(
    owner: NDArray[np.int32],
    best: NDArray[np.float32],
    none: NDArray[np.float32],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    examples: Any,
) -> Decoded:
    contexts = list(examples["context"])
    top = np.full(len(contexts), -np.inf, np.float32)
    np.maximum.at(top, owner, best)
    lowest = np.full(len(contexts), np.inf, np.float32)
    np.minimum.at(lowest, owner, none)
    windows = np.flatnonzero((best == top[owner]) & np.isfinite(best))[::-1]
    values = [""] * len(contexts)
    for window in windows:  # backwards, so that the first of equal windows stays
        values[owner[window]] = contexts[owner[window]][begin[window] : end[window]]
    return Decoded(values=values, scores=np.where(np.isfinite(top), top - lowest, -np.inf).astype(np.float32))


def _has_most_context(encoded: Coded) -> NDArray[np.bool_]:
    """Whether each token's window is the one, of those that hold it, with the most tokens on its poorer side.

    A hundredth of a window's length is added, and the first of equal windows counts.
    """
    lengths = np.asarray(encoded.columns["num_tokens"], np.int64)
    owner = np.asarray(encoded.columns["example"], np.int64)
    window = np.repeat(np.arange(len(lengths)), lengths)
    inside = np.flatnonzero(_characters(encoded)[:, 0] >= 0)
    window = window[inside]
    size = np.bincount(window, minlength=len(lengths))
    place = np.arange(len(inside)) - bounds(size)[window]
    first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    number = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
    # Windows begin so many tokens apart: see `span`.
    step = np.minimum(
        STRIDE, np.maximum(np.repeat(size[first], np.diff(np.append(first, len(owner)))) // 2, 1)
    )
    absolute = place + (number * step)[window]
    context = np.minimum(place, size[window] - 1 - place) + _LENGTH_WEIGHT * size[window]
    order = np.lexsort((window, -context, absolute, owner[window]))
    keys = np.stack([owner[window], absolute], axis=1)[order]
    is_first = np.append(True, (keys[1:] != keys[:-1]).any(axis=1)) if len(keys) else np.zeros(0, bool)
    found = np.zeros(int(lengths.sum()), bool)
    found[inside[order[is_first]]] = True
    return found
