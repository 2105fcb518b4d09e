"""A study a thousand times as slow: the same tables, with times a thousand times as long and nothing less."""

import shutil
from dataclasses import replace

import pytest

from hpc.usage import measured
from stilts.report import render
from stilts.report.evidence import Evidence
from stilts.report.spec import load_spec, table_names
from stilts.run import records
from stilts.run.folder import RunFolder
from stilts.run.outputs import write_done

FACTOR = 1000

TIMES = {
    "latency": ("t_start_ns", "wall_ns", "tokenize_ns"),
    "serving": ("t_start_ns", "wall_ns", "queue_ns", "swap_ns"),
    "memory": ("cold_start_ns", "load_ns", "weights", "host_weights", "host_rss"),
    "training": ("seconds", "tokens", "flops_model"),
}
POWERS = {
    "latency": dict.fromkeys(("p50", "p95", "e2e_p50", "e2e_p95"), 1),
    "deploy": dict.fromkeys(
        ("p50", "p95", "cold", "swap_host", "swap_cache", "swap_disk", "weights", "peak", "host"), 1
    )
    | {"offline": -1},
    "training": dict.fromkeys(
        ("target", "intermediate", "per_target", "total", "search", "steps", "tokens", "flops"), 1
    ),
    "pareto": {"milliseconds": 1, "seconds": 1},
    "breakeven": {"serving": 1, "training": 1},
    "repro": {"device hours": 1, "FLOPs of the models": 1},
}
"""By table and column, the power of the factor that its numbers have; of all others it is 0."""
GONE = {"deploy/fp32/shared/rate", "deploy/fp32/resident/rate"}
"""No load is borne in time any more."""


def values(evidence: Evidence) -> dict[str, float]:
    """All numbers of all tables by their address."""
    built = [one for name in table_names() for one in render.build(load_spec(name), evidence)]
    cells = [cell for one in built for cell in render.table_of(one).cells()]
    return {address: cell.value for address, cell in cells if cell.value is not None}


@pytest.fixture(scope="module")
def slow(evidence: Evidence, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("slow") / evidence.folder.name
    shutil.copytree(evidence.folder, folder)
    for run in evidence.plan.values():
        here = RunFolder(folder / run.id)
        for kind, names in TIMES.items():
            for shard in records.shards_of(here.records / kind):
                rows = [
                    row | {name: row[name] * FACTOR for name in names if row[name] is not None}
                    for row in records.read(kind, [shard.parent]).to_pylist()
                ]
                records.write_shard(shard.parent, kind, rows, name=shard.stem)
        with measured() as meter:
            pass
        write_done(here.path, run.fingerprint, meter.usage)
    return replace(evidence, folder=folder)


def test_every_number_is_still_there(evidence: Evidence, slow: Evidence) -> None:
    before, after = values(evidence), values(slow)
    assert before.keys() == after.keys()
    grown = dict.fromkeys(POWERS, 0)
    for address, value in before.items():
        if address in GONE:
            assert after[address] == 0
            continue
        table, *_, column = address.replace("/value", "").split("/")
        power = POWERS.get(table, {}).get(column, 0)
        if power and value:
            grown[table] += 1
        assert after[address] == pytest.approx(value * FACTOR**power, rel=1e-3, abs=1e-4), address
    assert all(grown.values()), grown
