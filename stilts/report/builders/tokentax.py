"""What languages pay: more tokens for the same sentences, and the time that takes."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from stilts.report import caption, inference
from stilts.report.builders._ratios import ratio_cell, ratio_trace
from stilts.report.evidence import Evidence
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.names import task_name
from stilts.report.numbers import points, significant
from stilts.report.spec import Spec
from stilts.report.timings import Variant, load, ratios
from stilts.run import records

COLUMNS = ("tokens", "premium", "padding", "time", "score")
_HEADERS = {
    "tokens": "tokens",
    "premium": "premium",
    "padding": "padding %",
    "time": "time / en",
    "score": "score",
}


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """A block a target whose sets are translations of each other, where several languages were timed."""
    counts = token_counts(evidence)
    targets = [task.name for task in evidence.targets if task.parallel and len(counts.get(task.name, {})) > 1]
    blocks = [_block(spec, evidence, target, counts[target]) for target in targets]
    told = _association(blocks)
    text = caption.sentence(
        spec.question,
        "Tokens: mean of a query; premium: of the same examples, against English; padding: share of tokens "
        f"that pad; time: of {spec.against} at batch 1, on the same examples side by side, against English, "
        f"{100 * spec.stats.level:g} % t-interval over processes; score: {spec.against} on the test set",
        told,
        "No parallel target was timed beside English: see [latency] languages of the study" * (not blocks),
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
    empty = Row(key="none", label="not measured", cells=(Cell(note="timed in English only"),) * len(COLUMNS))
    runs = [run for block in blocks for row in block.rows for cell in row.cells for run in cell.runs]
    return [
        Table(
            id=spec.id,
            question=spec.question,
            caption=text,
            blocks=tuple(blocks) or (_framed("", (empty,)),),
            stub="Language",
            warnings=tuple(caption.warnings(evidence, runs)),
        )
    ]


def _framed(title: str, rows: tuple[Row, ...]) -> Block:
    return Block(
        title=title,
        columns=COLUMNS,
        headers=tuple(Header(text=_HEADERS[column]) for column in COLUMNS),
        rows=rows,
    )


def _block(
    spec: Spec, evidence: Evidence, target: str, counts: Mapping[str, Mapping[int, tuple[int, int]]]
) -> Block:
    rows = []
    for language, queries in sorted(counts.items(), key=lambda one: (one[0] != "en", one[0])):
        real, padded = (np.array([pair[n] for pair in queries.values()], float) for n in (0, 1))
        shared = sorted(queries.keys() & counts["en"].keys()) if "en" in counts else []
        premium = EMPTY if language == "en" else Cell(note="no example in common with English")
        if language != "en" and shared:
            logs = [math.log(queries[n][0] / counts["en"][n][0]) for n in shared]
            found = inference.t_estimate(logs, spec.stats.level)
            premium = Cell(
                text=f"{math.exp(found.value):.2f}",
                value=math.exp(found.value),
                detail=f"[{math.exp(found.low):.2f}, {math.exp(found.high):.2f}]"
                if found.has_interval
                else "",
                low=math.exp(found.low) if found.has_interval else None,
                high=math.exp(found.high) if found.has_interval else None,
                count=len(shared),
            )
        waste = 100 * (1 - real.sum() / padded.sum())
        score = evidence.score(spec.against, evidence.seeds[0], target, spec.split, language)
        cells = (
            Cell(text=significant(float(real.mean())), value=float(real.mean()), count=len(queries)),
            premium,
            Cell(text=f"{waste:.1f}", value=float(waste)),
            EMPTY if language == "en" else _time(spec, evidence, target, language),
            Cell(text=points(score.value), value=score.value, runs=score.runs) if score else Cell(),
        )
        rows.append(Row(key=f"{target}/{language}", label=language, cells=cells))
    return _framed(task_name(target), tuple(rows))


def _time(spec: Spec, evidence: Evidence, target: str, language: str) -> Cell:
    """The time of a call against English, where both were timed on the same examples side by side."""
    found = load(evidence)
    mine = [
        variant
        for variant in found
        if (variant.row, variant.target, variant.batch_size, variant.language)
        == (spec.against, target, 1, language)
    ]
    for variant in sorted(mine, key=str):
        english = next((other for other in found if _is_english(other, variant)), None)
        by_process = ratios(found[variant], found[english], of="same place") if english else {}
        if by_process:
            ratio = inference.compare(list(by_process.values()), margin=spec.stats.margin)
            (verdict,) = inference.verdicts([ratio], list, level=spec.stats.level)
            trace = ratio_trace(ratio, partial(dict, by_process), "English")
            return ratio_cell(ratio, verdict, found[variant].runs, trace)
    return Cell(note="not timed beside English")


def _is_english(other: Variant, variant: Variant) -> bool:
    names = ("row", "target", "batch_size", "impl", "dtype", "device", "scenario", "heads", "padding")
    return other.language == "en" and all(getattr(other, name) == getattr(variant, name) for name in names)


def _association(blocks: list[Block]) -> str:
    """Whether languages that need more tokens score lower."""
    told = []
    for block in blocks:
        pairs = [(row.cells[0].value, row.cells[4].value) for row in block.rows]
        known = [(tokens, score) for tokens, score in pairs if tokens is not None and score is not None]
        if len(known) >= 4:
            found = stats.spearmanr(*zip(*known, strict=True))
            told.append(
                f"{block.title} {found.statistic:+.2f} (p {found.pvalue:.2g}, {len(known)} languages)"
            )
    return f"Spearman's correlation of tokens and score: {'; '.join(told)}" if told else ""


def token_counts(evidence: Evidence) -> dict[str, dict[str, dict[int, tuple[int, int]]]]:
    """Real and padded tokens of each query asked alone, by target and language; empty where one language was
    timed, which is not read again for that.
    """
    found: dict[str, dict[str, dict[int, tuple[int, int]]]] = {}
    if len({variant.language for variant in load(evidence)}) < 2:
        return found
    columns = ("target_task", "lang", "query_id", "batch_size", "real_tokens", "padded_tokens")
    for run in evidence.whole("latency"):
        for rows in records.stream(
            "latency", [run.records / "latency"], columns, then=_distinct, proven=True
        ):
            for row in rows:
                by_query = found.setdefault(row["target_task"], {}).setdefault(row["lang"], {})
                by_query[row["query_id"]] = (row["real_tokens"], row["padded_tokens"])
    return found


def _distinct(table: Any) -> list[dict[str, Any]]:
    import pyarrow.compute as pc

    alone = table.filter(pc.equal(table["batch_size"], 1))
    keys = alone.column_names
    rows: list[dict[str, Any]] = alone.group_by(keys).aggregate([]).to_pylist()
    return rows
