"""What `--explain` names is all that is needed: cells worked out again from those files by lines of SQL."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stilts.report import render, trace
from stilts.report.evidence import Evidence
from stilts.report.form import Cell
from stilts.report.spec import Spec, load_spec, table_names

duckdb = pytest.importorskip("duckdb")

USABLE = "not is_warmup and valid"
SCORE = """
    with metrics as (select target, language, run_id, value from scores where split = 'test'
                     and not (target in ('udpos', 'panx') and metric = 'accuracy') {only}),
         sets as (select target, language, avg(value) as value from metrics group by target, language),
         targets as (select target, avg(value) as value from sets group by target)
    select avg(value) from targets
"""
RATIO = """
    with pairs as (select a.process_rep as process, ln(a.wall_ns / b.wall_ns) as ratio
        from {table} a join {table} b using (process_rep, round, pos_in_block)
        where not a.is_warmup and a.valid and not b.is_warmup and b.valid and {mine} and {other}),
    processes as (select process, median(ratio) as ratio from pairs group by process)
    select exp(avg(ratio)) from processes
"""


def shards(lines: list[str], kind: str) -> Any:
    """All files of a kind that an explanation names, as one Arrow table."""
    files = [Path(line.strip()) for line in lines if line.strip().endswith(".arrow")]
    wanted = [file for file in files if kind in (file.parent.name, file.parent.parent.name)]
    return pa.concat_tables([pa.ipc.open_file(file).read_all() for file in dict.fromkeys(wanted)])


def explained(address: str, cell: Cell, evidence: Evidence, spec: Spec) -> list[str]:
    return trace.lines_of(cell, address, spec, evidence)


def ask(sql: str, **tables: Any) -> float:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        (value,) = connection.execute(sql).fetchone()
    return float(value)


def again(address: str, lines: list[str]) -> float:
    """The cell's main number, worked out by nobody who made the table."""
    table, *middle, column = address.split("/")
    if table == "scores" or table.startswith("languages"):
        scores = shards(lines, "scores")
        only = ""
        if table.startswith("languages-"):
            target = table.removeprefix("languages-")
            only = f"and target = '{target}'" + {"mean": "", "foreign": " and language != 'en'"}.get(
                column, f" and language = '{column}'"
            )
        elif column not in ("all", "trained"):
            only = f"and target = '{column}'"
        elif column == "trained":
            only = "and target not in ('bucc2018', 'tatoeba')"
        runs = {line.split()[1] for line in lines if line.strip().startswith("run ")}
        first = [line.split(" in ")[1].split(":")[0] for line in lines if " in " in line and ": " in line]
        mine = first[: len(first) // 2] if any("change =" in line for line in lines) else first
        assert set(mine) <= runs
        listed = ", ".join(f"'{run}'" for run in mine)
        return ask(SCORE.format(only=f"{only} and run_id in ({listed})"), scores=scores)
    if table == "training":
        return ask("select sum(seconds) from training", training=shards(lines, "training"))
    if table == "latency":
        target, batch, row = middle
        place = f"target_task = '{target}' and batch_size = {batch.removeprefix('b')}"
        latency = shards(lines, "latency")
        if column == "ratio":
            sides = {
                side: f"{side}.{place} and {side}.regime".replace(" and batch", f" and {side}.batch")
                for side in "ab"
            }
            mine, other = f"{sides['a']} = '{row}'", f"{sides['b']} = 'direct'"
            return ask(RATIO.format(table="latency", mine=mine, other=other), latency=latency)
        time = "wall_ns + tokenize_ns" if column.startswith("e2e_") else "wall_ns"
        quantile = {"p50": 0.5, "p95": 0.95}[column.removeprefix("e2e_")]
        sql = f"select quantile_cont({time}, {quantile}) / 1e6 from latency where {USABLE} and {place}"
        return ask(f"{sql} and regime = '{row}'", latency=latency)
    _, layout, heads = middle
    serving = shards(lines, "serving")
    if column == "ratio":
        mine, other = (
            f"{side}.layout = '{name}' and {side}.scenario = 'text' and {side}.heads = {heads}"
            for side, name in (("a", layout), ("b", "resident"))
        )
        return ask(RATIO.format(table="serving", mine=mine, other=other), serving=serving)
    quantile = {"p50": 0.5, "p95": 0.95}[column]
    place = f"layout = '{layout}' and scenario = 'text' and heads = {heads}"
    return ask(
        f"select quantile_cont(wall_ns, {quantile}) / 1e6 from serving where {USABLE} and {place}",
        serving=serving,
    )


CELLS = {
    "scores": None,
    "languages": ("mean", "foreign", "de", "zh", "en"),
    "latency": ("p50", "p95", "e2e_p50", "ratio"),
    "training": ("total",),
    "deploy": ("p50", "p95", "ratio"),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_worked_out_again_from_what_is_named(name: str, evidence: Evidence) -> None:
    spec = load_spec(name)
    found = {
        address: cell
        for one in render.build(spec, evidence)
        for address, cell in render.table_of(one).cells()
        if cell.value is not None
        and "/best/" not in address
        and (CELLS[name] is None or address.rsplit("/", 1)[1] in (CELLS[name] or ()))
        and (name != "deploy" or address.count("/") == 4)
    }
    for address in random.Random(7).sample(sorted(found), 5):
        cell = found[address]
        lines = explained(address, cell, evidence, spec)
        assert again(address, lines) == pytest.approx(cell.value, rel=1e-6), address
        assert any(" = " in line or ":" in line for line in lines)


ELSEWHERE = ("kernels", "combined", "repro")
"""Figures and facts that were no records of the study's runs: the caption says where they are from."""


@pytest.mark.parametrize("name", [name for name in table_names() if name not in ELSEWHERE])
def test_every_number_says_how_it_was_worked_out(name: str, evidence: Evidence) -> None:
    spec = load_spec(name)
    for one in render.build(spec, evidence):
        for address, cell in render.table_of(one).cells():
            if cell.value is not None or cell.change is not None:
                assert cell.trace is not None, address
                lines = explained(address, cell, evidence, spec)
                assert any(character.isdigit() for line in lines[1:] for character in line), address
