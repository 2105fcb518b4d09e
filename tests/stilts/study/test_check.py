"""A study is refused in one line with code 2, or its plan does what it says."""

import copy
import json
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hpc.cluster import load_cluster
from hpc.command import printable
from hpc.errors import UserError
from stilts import tasks
from stilts.launching.describe import describe
from stilts.launching.plan import make_plan
from stilts.run.specs import EvaluateSpec, RunSpec, TrainSpec
from stilts.study import regimes
from stilts.study.config import Study
from stilts.study.grid import expand, refuse_untrainable
from stilts.study.loading import load_study

ROOT = Path(__file__).parents[3]
TINY = ROOT / "stilts" / "study" / "studies" / "tiny.toml"


def write(folder: Path, study: dict[str, Any]) -> str:
    path = folder / "study.toml"
    path.write_text(as_toml(study), encoding="utf-8")
    return str(path)


def as_toml(table: dict[str, Any]) -> str:
    """TOML of what JSON can say, in inline tables, with any text escaped."""

    def value(item: Any) -> str:
        if isinstance(item, dict):
            return "{ " + ", ".join(f"{json.dumps(key)} = {value(one)}" for key, one in item.items()) + " }"
        if isinstance(item, list | tuple):
            return "[" + ", ".join(value(one) for one in item) + "]"
        if isinstance(item, bool):
            return "true" if item else "false"
        if isinstance(item, float):
            return repr(item).replace("e+", "e")
        return json.dumps(item).replace("\x7f", "\\u007f") if isinstance(item, str) else str(item)

    return "\n".join(f"{json.dumps(key)} = {value(item)}" for key, item in table.items()) + "\n"


ONE: dict[str, Any] = {"targets": ["xnli"], "texts": [1]}
"""A deployment of one target."""


def tiny() -> dict[str, Any]:
    return tomllib.loads(TINY.read_text(encoding="utf-8")) | {"name": "small"}


def changed(place: str, value: Any) -> dict[str, Any]:
    """The tiny study with one value set, its place as in `latency.targets`."""
    study = tiny()
    inner, keys = study, place.split("/")
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = value
    return study


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("languages/default", ["en", "dee"], "unknown language 'dee' in languages.default"),
        ("languages/xnli", ["en", "german"], "unknown language 'german' in languages.xnli"),
        ("languages/tatoeba", ["en"], "unknown language 'en' in languages.tatoeba"),
        ("languages/tatoeba", [], "tatoeba is evaluated in none of its languages"),
        ("latency/targets", ["xnlii"], "unknown target 'xnlii' in latency.targets. Did you mean 'xnli'"),
        ("latency/regimes", ["dirct"], "unknown regime 'dirct' in latency.regimes. Did you mean 'direct'"),
        ("latency/regimes", ["best"], "unknown regime 'best' in latency.regimes"),
        ("latency/regimes", ["mlm"], "unknown regime 'mlm' in latency.regimes"),
        ("latency/languages", ["xx"], "unknown language 'xx' in latency.languages for xnli"),
        ("deploy/targets", ["xnlii"], "unknown target 'xnlii' in deploy.targets. Did you mean 'xnli'"),
        ("deploy/targets", ["tatoeba"], "deploy.targets has tatoeba, which no head answers"),
        ("deploy", {"targets": ["xnli"], "texts": [2]}, "deploy.texts has 2 tasks a text, of 1 targets"),
        ("deploy", {"targets": ["xnli"], "texts": [1, 1]}, "deploy.texts has 1 twice"),
        ("deploy", {"targets": ["xnli"], "texts": []}, "deploy.texts is empty"),
        (
            "deploy",
            {"targets": ["xnli"], "texts": [1], "languages": ["sw"]},
            "'sw' in deploy.languages for xnli",
        ),
        (
            "deploy",
            {"targets": ["xnli"], "texts": [1], "shares": {"xnl": 1}},
            "target 'xnl' in deploy.shares",
        ),
        (
            "deploy",
            {"targets": ["xnli"], "texts": [1], "lengths": {"udpos": "udpos"}},
            "deploy.lengths lacks xnli",
        ),
        (
            "deploy",
            {"targets": ["xnli"], "texts": [1], "shared": "direct"},
            "direct, which is one model a target",
        ),
        (
            "deploy",
            {"targets": ["xnli"], "texts": [1], "apart": "joint"},
            "deploy.apart = joint, which is one model",
        ),
        (
            "deploy",
            {"targets": ["xnli"], "texts": [1], "apart": "dirct"},
            "unknown regime 'dirct' in deploy.apart",
        ),
        (
            "deploy",
            {"targets": ["xnli"], "texts": [1], "apart": "long"},
            "long, which this study does not train",
        ),
        ("deploy", {"targets": ["xnli"], "warmup": 20}, "warmup = 20 leaves none of the 20 calls"),
        ("latency/processes", -1, "latency: processes should be at least 0"),
        ("latency/processes", 10**6, "latency: processes should be at least 0 and at most 1000"),
        ("latency/calls", 0, "latency: calls should be at least 1"),
        ("latency/warmup", 4, "warmup = 4 leaves none of the 4 calls"),
        ("latency/batch_sizes", [], "latency.batch_sizes is empty"),
        ("latency/batch_sizes", [1, 1], "latency.batch_sizes has 1 twice"),
        ("seeds", [], "seeds is empty"),
        ("seeds", [1, 1], "seeds has 1 twice"),
        ("seeds", [-1], r"seeds\[0\] should be at least 0"),
        ("seeds", [2**63], r"seeds\[0\] should be at least 0 and at most"),
        ("targets", [], "targets is empty"),
        ("sources", [], "sources is empty"),
        ("limits/default/test", 0, "test should be at least 1"),
        ("limits/default/test", -1, "test should be at least 1"),
        ("model/layers", -2, "layers should be at least 1"),
        ("zero/stage", 0.0, "unknown value '0.0'"),
        ("zero/stage", True, "unknown value 'True'"),
        ("zero/offload", "parameters", "offload of parameters needs ZeRO stage 2 or 3"),
        ("optimisation/default/learning_rate", float("nan"), "learning_rate should be finite"),
        ("optimisation/default/epochs", float("inf"), "epochs should be finite"),
        ("optimisation/default/epochs", 10**400, "epochs is too large for a number"),
        ("optimisation/default/max_steps", 10**400, "max_steps should be at least 1 and at most"),
        ("optimisation/default/frozen", ["embedings"], "unknown part to freeze 'embedings'. Did you mean"),
        ("optimisation/default/frozen", ["layers.2"], "frozen names layers.2, but model.layers keeps 2"),
        ("retrieval/layer", 3, "retrieval.layer = 3, but model.layers keeps 2"),
        ("intermediate/optional", ["ccg"], "unknown task 'ccg' in intermediate.optional"),
        ("intermediate/tasks", ["mnli", "xnli"], "xnli is listed among the intermediate tasks but"),
        ("name", "../../escaped", "name should be a name of at most 100"),
        ("name", "/tmp/x", "name should be a name"),
        ("name", "", "name should be a name"),
        ("name", ".", "name should be a name"),
        ("name", "..", "name should be a name"),
        ("name", ".cache", "name should be a name"),
        ("name", "a\nb", "name should be a name"),
        ("name", "a\x1b[31m", "name should be a name"),
        ("name", "a" * 101, "name should be a name"),
        ("caveat", "one\ntwo", "caveat should be one line"),
        ("summary", "\x1b]0;x\x07", "summary should be one line"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, place: str, value: Any, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load_study(write(tmp_path, changed(place, value)))
    assert caught.value.code == 2


def test_several_mistakes_are_named_at_once(tmp_path: Path) -> None:
    study = changed("latency/targets", ["xnlii"]) | {"limits": {"mnly": {"train": 3}}}
    with pytest.raises(UserError, match=r"unknown table 'mnly'.*; unknown target 'xnlii'"):
        load_study(write(tmp_path, study))


def test_numbers_of_thousands_of_digits_and_deep_nesting_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    for text in (f"seeds = [{'9' * 5000}]", "seeds = " + "[" * 5000 + "]" * 5000):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError) as caught:
            load_study(str(path))
        assert len(printable(str(caught.value))) < 1600


VALUES: tuple[Any, ...] = (
    -1, 0, 1, 2, 3, 10**6, 2**31, 2**63, 10**400, -0.0, 0.5, 1e-300, 1e300, float("nan"), float("inf"),
    True, False, "", "en", "de", "dee", "mnli", "xnli", "udpos", "direct", "..", "../x", "a/b", "a\nb",
    "\x1b[0m", "embeddings", "layers.1", "layers.7", "encoder", "x" * 3000,
    "caf\u00e9", "\u4e2d", [], ["en"], ["mnli"],
    ["xnli", "xnli"], [1], [1, 1], [[1]], {}, {"train": 1}, {"default": {}}, "fp32", "bf16", "sdpa", "study",
)  # fmt: skip


def mutate(study: dict[str, Any], draw: random.Random) -> None:
    """Changes one thing somewhere: a value, a key, a list, a table."""
    inner: dict[str, Any] = study
    while True:
        tables = [key for key, value in inner.items() if isinstance(value, dict)]
        if not tables or draw.random() < 0.3:
            break
        inner = inner[draw.choice(tables)]
    key = draw.choice(sorted(inner)) if inner else "new"
    change = draw.randrange(6)
    if change == 0 and inner:
        del inner[key]
    elif change == 1:
        inner[draw.choice(["new", key + "x", key[:-1], key.upper()])] = inner.get(key, 1)
    elif change == 2 and isinstance(inner.get(key), list):
        items = inner[key]
        items.insert(draw.randrange(len(items) + 1), draw.choice([*VALUES, *items]))
    else:
        inner[key] = copy.deepcopy(draw.choice(VALUES))


def drawn(count: int, seed: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        study = tiny()
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            mutate(study, draw)
        found.append(study)
    return found


def holds(study: Study, asked: dict[str, Any], runs: Path) -> None:
    """The plan of an accepted study is what it says."""
    plan = make_plan(study, "all", only=None, runs=runs, cluster=load_cluster("local"))
    assert list(describe(plan, load_cluster("local")))
    specs = expand(study, "all")
    assert len({spec.id for spec in specs}) == len(specs)
    for spec in specs:
        inside = (runs / study.name / spec.id).resolve()
        assert inside.is_relative_to(runs.resolve() / study.name)
        assert RunSpec.from_json(json.loads(json.dumps(spec.as_json())), "spec.json") == spec
    evaluated = [spec.asked for spec in specs if isinstance(spec.asked, EvaluateSpec)]
    assert {name for one in evaluated for name in one.targets} == set(asked["targets"])
    for one in evaluated:
        assert one.regime in regimes.names()
        for name, target in one.targets.items():
            languages = asked.get("languages", {})
            wanted = languages.get(name, languages.get("default", tasks.load(name).languages))
            assert set(target.languages) == set(wanted) & set(tasks.load(name).languages) != set()
    trained = [spec.asked for spec in specs if isinstance(spec.asked, TrainSpec)]
    assert {one.seed for one in trained} == set(asked["seeds"])


def is_one_line(error: UserError) -> None:
    line = printable(str(error))
    assert error.code == 2, line
    assert line.isprintable()
    assert 0 < len(line) < 1600


def try_out(studies: list[dict[str, Any]], folder: Path) -> tuple[int, int]:
    """How many were refused and how many accepted."""
    refused = 0
    for asked in studies:
        try:
            study = load_study(write(folder, asked))
            refuse_untrainable(study, expand(study, "all"))
        except UserError as error:
            refused += 1
            is_one_line(error)
        else:
            holds(study, asked, folder / "runs")
        assert not (folder / "runs").exists()
    return refused, len(studies) - refused


def test_drawn_studies_are_refused_or_planned(tmp_path: Path) -> None:
    without_pieces = tiny()
    del without_pieces["model"]["vocabulary"]
    assert try_out([without_pieces], tmp_path) == (1, 0)
    refused, accepted = try_out(drawn(250, seed=1), tmp_path)
    assert refused > 100
    assert accepted > 20


@pytest.mark.slow
def test_thousands_of_drawn_studies_are_refused_or_planned(tmp_path: Path) -> None:
    refused, accepted = try_out(drawn(5000, seed=2), tmp_path)
    print(f"{refused} refused, {accepted} planned")
    assert accepted > 400
