import json
import os
import sys
from pathlib import Path

import pytest

from hpc.errors import UserError
from hpc.jobs import Shape


def record(toys, name: str) -> dict:
    return json.loads((toys.out / f"{name}.json").read_text())


def test_runs_in_order_side_by_side(toys) -> None:
    nodes = [
        toys.node("a"),
        toys.node("b", "a", seconds=0.3),
        toys.node("c", "a", seconds=0.3),
        toys.node("d", "b", "c"),
    ]
    outcome = toys.run(*nodes)
    assert outcome.ok
    assert outcome.count("done") == 4
    a, b, c, d = (record(toys, f"{name}-0") for name in "abcd")
    assert a["end"] <= min(b["begin"], c["begin"])
    assert max(b["begin"], c["begin"]) < min(b["end"], c["end"]), "b and c did not overlap"
    assert max(b["end"], c["end"]) <= d["begin"]


def test_never_more_than_the_workers(toys) -> None:
    toys.run(*(toys.node(f"n{i}", seconds=0.1) for i in range(5)), workers=2)
    records = [record(toys, f"n{i}-0") for i in range(5)]
    for one in records:
        assert sum(other["begin"] <= one["begin"] < other["end"] for other in records) <= 2


def test_a_failure_blocks_its_descendants_only(toys) -> None:
    outcome = toys.run(
        toys.node("a", fail="first line\nsecond line"),
        toys.node("b", "a"),
        toys.node("c", "b"),
        toys.node("d"),
    )
    assert outcome.states == {"a": "failed", "b": "blocked", "c": "blocked", "d": "done"}
    assert not outcome.ok
    details = {event.name: event.detail for event in toys.events if event.state in ("failed", "blocked")}
    assert details == {"a": "RuntimeError: first line", "b": "needs a", "c": "needs a"}
    log = next(event.log for event in toys.events if event.state == "failed")
    assert "second line" in log.read_text()
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        ("leave", {"code": 7}, "left with exit code 7"),
        ("die", {}, "killed by SIGKILL; most often the machine ran out of memory"),
        ("missing", {}, "AttributeError"),
    ],
)
def test_every_way_to_end_is_explained(toys, function: str, arguments: dict, said: str) -> None:
    outcome = toys.run(toys.node("x", function=function, **arguments), toys.node("y"))
    assert outcome.states == {"x": "failed", "y": "done"}
    assert said in next(event.detail for event in toys.events if event.state == "failed")


def test_leaving_with_zero_is_success(toys) -> None:
    assert toys.run(toys.node("x", function="leave", code=0)).ok


def test_exclusive_nodes_run_alone_in_a_fresh_interpreter(toys) -> None:
    alone = Shape(exclusive=True, cpus_per_task=2)
    nodes = [toys.node(f"s{i}", seconds=0.15) for i in range(4)]
    nodes += [toys.node(f"x{i}", seconds=0.1, shape=alone) for i in range(2)]
    nodes += [toys.node("after", "x0", seconds=0.1)]
    assert toys.run(*nodes).ok
    records = {path.stem[:-2]: json.loads(path.read_text()) for path in toys.out.glob("*.json")}
    for name in ("x0", "x1"):
        for other in records.keys() - {name}:
            apart = (
                records[other]["end"] <= records[name]["begin"]
                or records[name]["end"] <= records[other]["begin"]
            )
            assert apart, f"{other} ran beside {name}"
    assert records["x0"]["environment"]["OMP_NUM_THREADS"] == "2"
    assert records["s0"]["environment"]["OMP_NUM_THREADS"] == "1"


def test_threads_gpus_and_variables_reach_the_runs(toys) -> None:
    from dataclasses import replace

    executor = replace(toys.executor(threads_per_worker=3, gpus=(4, 5)), environment={"TOY": "yes"})
    nodes = [
        toys.node("one", shape=Shape(gpus_per_node=1), seconds=0.2),
        toys.node("two", shape=Shape(gpus_per_node=1), seconds=0.2),
        toys.node("none"),
    ]
    assert executor.run(nodes, toys.events.append).ok
    one, two, none = (record(toys, f"{name}-0")["environment"] for name in ("one", "two", "none"))
    assert one["OMP_NUM_THREADS"] == "3"
    assert one["TOY"] == "yes"
    assert {one["CUDA_VISIBLE_DEVICES"], two["CUDA_VISIBLE_DEVICES"]} == {"4", "5"}
    assert none["CUDA_VISIBLE_DEVICES"] == ""


def test_ranks_of_a_node_know_each_other(toys) -> None:
    assert toys.run(toys.node("g", shape=Shape(tasks_per_node=2))).ok, toys.events
    first, second = (record(toys, f"g-{rank}")["environment"] for rank in (0, 1))
    assert (first["RANK"], second["RANK"]) == ("0", "1")
    assert first["WORLD_SIZE"] == second["WORLD_SIZE"] == "2"
    assert first["MASTER_PORT"] == second["MASTER_PORT"]
    assert sorted(path.name for path in (toys.path / "runs/g").iterdir()) == ["log-1.1.txt", "log-1.txt"]


def test_one_dead_rank_ends_the_others(toys) -> None:
    node = toys.node("g", function="one_rank_fails", shape=Shape(tasks_per_node=2), out=str(toys.out))
    outcome = toys.run(node)
    assert outcome.states == {"g": "failed"}
    assert toys.events[-1].detail == "RuntimeError: rank 1 gave up"
    if (toys.out / "begun").exists():
        assert (toys.out / "tidied").exists()


def test_what_a_run_leaves_running_ends_with_it(toys, eventually) -> None:
    toys.run(toys.node("h", function="with_helper", out=str(toys.out), seconds=0.1))
    helper = int((toys.out / "helper").read_text())
    eventually(lambda: not _alive(helper))


def test_each_attempt_has_its_own_log(toys) -> None:
    toys.run(toys.node("a", fail="once"))
    toys.run(toys.node("a"))
    logs = sorted((toys.path / "runs/a").iterdir())
    assert [log.name for log in logs] == ["log-1.txt", "log-2.txt"]
    assert "once" in logs[0].read_text()
    assert "once" not in logs[1].read_text()


def test_imports_are_paid_once(toys) -> None:
    (toys.path / "toy_calls.py").open("a").write(f"\nopen({str(toys.out / 'imports')!r}, 'a').write('x')\n")
    sys.modules.pop("toy_calls", None)
    assert toys.run(*(toys.node(f"n{i}") for i in range(4))).ok
    assert (toys.out / "imports").read_text() == "x"


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [("import not_installed_anywhere", "not_installed_anywhere", 3), ("1 / 0", "ZeroDivisionError", 1)],
)
def test_a_module_that_cannot_be_imported_is_named(toys, text: str, said: str, code: int) -> None:
    (toys.path / "toy_calls.py").write_text(text)
    with pytest.raises(UserError, match=rf"{said}.*server.log") as caught:
        toys.run(toys.node("a"))
    assert caught.value.code == code
    assert not (toys.path / "runs").exists()


def test_a_larger_run_than_the_machine_waits_for_all_of_it(toys) -> None:
    huge = Shape(memory_gb=1e6)
    nodes = [toys.node("a", seconds=0.1, shape=huge), toys.node("b", seconds=0.1, shape=huge)]
    assert toys.run(*nodes).ok
    a, b = record(toys, "a-0"), record(toys, "b-0")
    assert a["end"] <= b["begin"] or b["end"] <= a["begin"]


@pytest.mark.parametrize(
    ("shape", "said"), [(Shape(nodes=2), "one machine"), (Shape(gpus_per_node=1), "lists 0")]
)
def test_what_a_machine_cannot_do_is_refused_before_anything_starts(toys, shape: Shape, said: str) -> None:
    with pytest.raises(UserError, match=said):
        toys.run(toys.node("a"), toys.node("b", shape=shape))
    assert toys.events == []


def test_a_view_that_raises_ends_the_children(toys, processes_with, eventually) -> None:
    def broken(event) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        toys.executor().run([toys.node("a", seconds=30.0)], broken)
    eventually(lambda: not processes_with(str(toys.path)))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
