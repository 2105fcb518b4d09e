import copy
import json
import random
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hpc.cluster import cluster_names, load_cluster
from hpc.command import printable
from hpc.debug import DebugExecutor
from hpc.errors import UserError
from hpc.jobs import Shape
from hpc.local.executor import LocalExecutor
from hpc.slurm.executor import SlurmExecutor

ROOT = Path(__file__).parents[2]
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
        ('scheduler = "local"\n[local]\nworkers = 0', r"local: workers should be at least 1"),
        (
            'scheduler = "local"\n[shapes.train]\nminutes = "5"',
            r"shapes.train: minutes should be a whole",
        ),
        ('scheduler = "local"\n[shapes.train]\nminutes = 0', r"shapes.train: minutes should be at least 1"),
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


VALUES = (
    -1, 0, 1, 7, 10**9, 10**400, 0.0, -0.5, 1e300, float("nan"), float("inf"), True, "", "gpu", "a b", "x\ny",
    "x\n#SBATCH --exclusive", "A;cmd;B", "\x1b[0m", "x" * 3000, "caf\u00e9", [], ["module load x"], ["a\nb"],
    [0, 0], {}, {"default": {}}, {"A;cmd;B": "1"}, {"OK": "1\nexport X=2"}, "auto", "local", "slurm",
)  # fmt: skip


def mutated(draw: random.Random) -> dict[str, Any]:
    """A cluster file with one to three things changed anywhere."""
    table = tomllib.loads((ROOT / "slurm" / "example.toml").read_text(encoding="utf-8"))
    for _ in range(draw.choice([1, 1, 2, 3])):
        inner: dict[str, Any] = table
        while tables := [key for key, value in inner.items() if isinstance(value, dict)]:
            if draw.random() < 0.25:
                break
            inner = inner[draw.choice(tables)]
        key = draw.choice([*inner, "new", "workers", "pace", "extra", "partition", "gpus_per_node"])
        if draw.random() < 0.1:
            inner.pop(key, None)
        else:
            inner[key] = copy.deepcopy(draw.choice(VALUES))
    return table


def as_toml(table: Mapping[str, Any]) -> str:
    def value(item: Any) -> str:
        if isinstance(item, dict):
            return "{ " + ", ".join(f"{json.dumps(key)} = {value(one)}" for key, one in item.items()) + " }"
        if isinstance(item, list):
            return "[" + ", ".join(map(value, item)) + "]"
        if isinstance(item, float):
            return repr(item).replace("e+", "e")
        return json.dumps(item) if isinstance(item, str | bool) else str(item)

    return "".join(f"{json.dumps(key)} = {value(item)}\n" for key, item in table.items())


def try_out(count: int, seed: int, folder: Path) -> tuple[int, int]:
    """Refused in one line, or each setting of the file becomes one line of a script and no other."""
    draw, refused = random.Random(seed), 0
    for _ in range(count):
        (folder / "c.toml").write_text(as_toml(mutated(draw)), encoding="utf-8")
        try:
            cluster = load_cluster(str(folder / "c.toml"))
        except UserError as error:
            refused += 1
            is_one_line(error)
            continue
        texts = [cluster.slurm.partition, cluster.slurm.account, cluster.slurm.qos, cluster.slurm.constraint]
        texts += [*cluster.slurm.setup, *cluster.slurm.srun, *cluster.slurm.extra, *cluster.environment]
        texts += [*map(str, cluster.slurm.extra.values()), *cluster.environment.values()]
        assert all(text.isprintable() for text in texts)
        assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) for name in cluster.environment)
        for pace in cluster.pace.values():
            assert 0 <= pace.predict(10**9) < 1e300
        for shape in cluster.shapes.values():
            assert 1 <= shape.ranks <= 10**8
    return refused, count - refused


def is_one_line(error: UserError) -> None:
    line = printable(str(error))
    assert error.code == 2, line
    assert line.isprintable()
    assert 0 < len(line) < 1600


def test_drawn_cluster_files_are_refused_or_mean_what_they_say(tmp_path: Path) -> None:
    refused, accepted = try_out(300, 1, tmp_path)
    assert refused > 100
    assert accepted > 20


@pytest.mark.slow
def test_thousands_of_drawn_cluster_files(tmp_path: Path) -> None:
    refused, accepted = try_out(2500, 2, tmp_path)
    print(f"{refused} refused, {accepted} accepted")
    assert accepted > 150


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pace.train]\ntokens_per_second = 0", "tokens_per_second should be above 0"),
        ("[pace.train]\nseconds = -1", "seconds should be at least 0"),
        ("[shapes.train]\nmemory_gb = nan", "memory_gb should be finite"),
        ("[shapes.train]\nnodes = 1000000000", "nodes should be at least 1 and at most 10000"),
        ("[shapes.train]\ntasks_per_node = 4\ngpus_per_node = 2", "4 ranks a node .* but 2 GPUs"),
        ('[slurm]\npartition = "gpu\\n#SBATCH --exclusive"', "partition should be a word as sbatch takes it"),
        ('[slurm]\nsetup = ["a\\nb"]', r"setup\[0\] should be one line"),
        ('[slurm]\nextra = { "no\\nsuch" = 1 }', "should be an option of sbatch"),
        ('[environment]\n"A;cmd;B" = "1"', "should be a variable"),
        ('[environment]\nA = "1\\n2"', "should be one line"),
        ("[local]\ngpus = [0, 0]", "gpus names a device twice"),
    ],
)
def test_values_that_cannot_be_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.toml").write_text(f'scheduler = "local"\n{text}', encoding="utf-8")
    with pytest.raises(UserError, match=said) as caught:
        load_cluster(str(tmp_path / "c.toml"))
    is_one_line(caught.value)
