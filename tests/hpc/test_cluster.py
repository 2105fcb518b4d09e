from pathlib import Path

import pytest

from hpc.cluster import cluster_names, load_cluster
from hpc.debug import DebugExecutor
from hpc.errors import UserError
from hpc.jobs import Shape
from hpc.local.executor import LocalExecutor
from hpc.slurm.executor import SlurmExecutor

EXECUTORS = {"local": LocalExecutor, "slurm": SlurmExecutor, "debug": DebugExecutor}


@pytest.mark.parametrize("name", ["local", "debug", "example"])
def test_clusters_that_ship_can_be_loaded_from_anywhere(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    cluster = load_cluster(name)
    executor = cluster.executor(preload=(), folder=tmp_path)
    assert type(executor) is EXECUTORS[cluster.scheduler]
    assert cluster.shape_of("latency").exclusive == (name != "debug")


def test_a_cluster_file_here_comes_before_the_one_that_ships(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm/local.toml").write_text('scheduler = "debug"')
    (tmp_path / "slurm/mine.toml").write_text('scheduler = "slurm"')
    assert load_cluster("local").scheduler == "debug"
    assert "mine" in cluster_names()


def test_shapes_inherit_the_default_and_are_found_by_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'scheduler = "slurm"\n[shapes.default]\nmemory_gb = 9\nminutes = 5\n[shapes.train]\nminutes = 7\n'
        "[shapes.multi]\nnodes = 2\n"
    )
    cluster = load_cluster(str(path))
    assert cluster.shape_of("multi", "train") == Shape(nodes=2, memory_gb=9.0, minutes=5)
    assert cluster.shape_of("single", "train") == Shape(memory_gb=9.0, minutes=7)
    assert cluster.shape_of("evaluate") == Shape(memory_gb=9.0, minutes=5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind =\nsummary = 3", r"c.toml is not valid TOML: .*line 1"),
        ('scheduler = "slrum"', r"unknown value 'slrum' in .*c.toml: scheduler. Did you mean 'slurm'"),
        ("summary = 'x'", r"c.toml lacks scheduler"),
        (
            'scheduler = "local"\n[local]\nworker = 2',
            r"unknown key 'worker' in .*: local. Did you mean 'workers'",
        ),
        (
            'scheduler = "local"\n[local]\nworkers = "all"',
            r"workers should be a whole number or 'auto', not",
        ),
        ('scheduler = "local"\n[local]\nworkers = 0', r"local: workers must be positive"),
        (
            'scheduler = "local"\n[shapes.train]\nminutes = "5"',
            r"shapes.train: minutes should be a whole",
        ),
        ('scheduler = "local"\n[shapes.train]\nminutes = 0', r"shapes.train: minutes must be positive"),
        ('scheduler = "local"\nshapes = 3', r"shapes should be a table"),
    ],
)
def test_mistakes_in_a_cluster_file_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(UserError, match=said):
        load_cluster(str(tmp_path / "c.toml"))


def test_an_unknown_cluster_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"unknown cluster 'locl' in slurm/. Did you mean 'local'\?.*debug"):
        load_cluster("locl")
    with pytest.raises(UserError, match=r"no cluster file at nowhere/x.toml"):
        load_cluster("nowhere/x.toml")


def test_debug_runs_here_and_blocks_descendants(toys, capsys) -> None:
    nodes = [toys.node("a"), toys.node("b", "a", fail="no"), toys.node("c", "b"), toys.node("d")]
    outcome = DebugExecutor().run(nodes, toys.events.append)
    assert outcome.states == {"a": "done", "b": "failed", "c": "blocked", "d": "done"}
    assert "RuntimeError: no" in capsys.readouterr().err
