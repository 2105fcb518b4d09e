from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hpc.errors import UserError
from hpc.graph import Graph, ordered
from hpc.jobs import Call, Node, Shape
from hpc.settings import decode


def node(name: str, *needs: str, cost: float = 1.0) -> Node:
    return Node(name=name, call=Call("toy_calls:work"), needs=needs, folder=Path(name), cost=cost)


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), max_size=30), st.randoms())
def test_order_puts_every_need_first(edges: list[list[int]], random) -> None:
    nodes = [
        node(str(index), *{str(need % index) for need in needs if index}) for index, needs in enumerate(edges)
    ]
    random.shuffle(nodes)
    position = {item.name: place for place, item in enumerate(ordered(nodes))}
    assert len(position) == len(nodes)
    assert all(position[need] < position[item.name] for item in nodes for need in item.needs)


def test_a_circle_is_named() -> None:
    with pytest.raises(UserError, match="has a cycle: b, c"):
        ordered([node("a"), node("b", "a", "c"), node("c", "b")])


def test_an_unknown_need_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"unknown run 'mnli-s' in what x needs. Did you mean 'mnli-s1'\?"):
        ordered([node("mnli-s1"), node("x", "mnli-s")])


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(UserError, match="names a twice"):
        ordered([node("a"), node("b"), node("a")])


def test_failure_blocks_descendants_only() -> None:
    graph = Graph([node("a"), node("b", "a"), node("c", "b"), node("d", "b", "e"), node("e"), node("f", "e")])
    graph.finish("a")
    assert sorted(graph.fail("b")) == ["c", "d"]
    assert graph.states == {
        "a": "done", "b": "failed", "c": "blocked", "d": "blocked", "e": "waiting", "f": "waiting",
    }  # fmt: skip
    graph.finish("e")
    assert [item.name for item in graph.ready()] == ["f"]
    graph.finish("f")
    assert not graph.unfinished


def test_the_longest_chain_starts_first() -> None:
    graph = Graph([node("short", cost=5), node("long"), node("tail", "long", cost=9), node("alone")])
    assert [item.name for item in graph.ready()] == ["long", "short", "alone"]


def test_two_thousand_nodes_are_ready_one_after_another() -> None:
    nodes = [node("root")] + [node(f"n{i}", "root", f"n{i - 50}" if i >= 50 else "root") for i in range(2000)]
    assert [item.name for item in Graph(nodes).ready()] == ["root"]


@pytest.mark.parametrize("target", ["module", "a:b:c"])
def test_a_call_needs_module_and_function(target: str) -> None:
    with pytest.raises(UserError, match="module:function"):
        Call(target)


def test_a_call_survives_its_record() -> None:
    call = Call("json:dumps", {"obj": [1]})
    assert Call.from_json(call.as_json()) == call
    assert call.run() == "[1]"


@pytest.mark.parametrize("wrong", [{"nodes": 0}, {"memory_gb": -1.0}, {"gpus_per_node": -1}])
def test_an_impossible_shape_is_refused(wrong: dict) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        decode(Shape, wrong, "a cluster file")
