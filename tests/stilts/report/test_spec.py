"""Table files: those that ship load, and a wrong one is answered with the right names."""

import random
import tomllib
from pathlib import Path

import pytest

from hpc.command import printable
from hpc.errors import UserError
from stilts.report.builders.scores import columns_of
from stilts.report.evidence import Evidence
from stilts.report.spec import BUILDERS, load_spec, table_names
from stilts.study.loading import load_study

GOOD = """
id = "mine"
question = "Does it help on dev?"
builder = "scores"
inputs = ["scores"]
rows = ["direct", "multi"]
columns = ["xnli"]
split = "dev"
"""


def write(folder: Path, text: str, name: str = "mine") -> str:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return str(path)


def test_tables_that_ship_load_and_one_is_the_main_one() -> None:
    specs = [load_spec(name) for name in table_names()]
    assert {"scores", "languages", "latency", "training", "sanity", "heatmap", "pareto"} <= set(table_names())
    assert [spec.id for spec in specs if spec.main] == ["scores"]
    assert {spec.builder for spec in specs} == {path.stem for path in BUILDERS.glob("[!_]*.py")}


def test_a_table_of_ones_own_is_one_file(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD))
    assert (spec.split, spec.columns, spec.stats.level) == ("dev", ("xnli",), 0.95)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('builder = "scores"', 'builder = "score"', "Did you mean 'scores'"),
        ('inputs = ["scores"]', 'inputs = ["timings"]', "unknown record type 'timings'"),
        ('split = "dev"', 'split = "train"', "unknown value 'train'"),
        ('split = "dev"', 'spilt = "dev"', "Did you mean 'split'"),
        ('id = "mine"', 'id = "yours"', "should be the file's name"),
        ('question = "Does it help on dev?"', "", "lacks question"),
        ('question = "Does it help on dev?"', 'question = "a\\u001b[0m"', "question should be one line"),
        (
            'rows = ["direct", "multi"]',
            'rows = ["drect", "multi"]',
            "unknown row 'drect'.*'direct'",
        ),
        ('rows = ["direct", "multi"]', 'rows = ["single/mnlii"]', "unknown row 'single/mnlii'"),
        ('rows = ["direct", "multi"]', "rows = []", "rows is empty"),
        ('rows = ["direct", "multi"]', 'rows = ["multi", "multi"]', "rows has 'multi' twice"),
        ('columns = ["xnli"]', 'columns = ["xnlii"]', "unknown column 'xnlii'.* Did you mean 'xnli'"),
        ('split = "dev"', 'against = "drect"', "unknown regime 'drect' in .*against"),
        ('split = "dev"', "stats = { level = 1.5 }", "level should be at least 0.5 and below 1"),
        ('split = "dev"', "stats = { margin = 0 }", "margin should be above 0"),
        ('split = "dev"', 'stats = { unit = "seed" }', "unknown key 'unit'"),
    ],
)
def test_a_wrong_table_file_is_explained(tmp_path: Path, before: str, after: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_spec(write(tmp_path, GOOD.replace(before, after)))


def test_an_unknown_table_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"Did you mean 'scores'.*latency"):
        load_spec("score")


def test_a_column_of_a_target_that_the_study_lacks_is_refused(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD.replace('["xnli"]', '["xnli", "panx"]')))
    evidence = Evidence(load_study("tiny"), tmp_path)
    with pytest.raises(UserError, match="unknown column 'panx' in table mine"):
        columns_of(spec, evidence)


@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_drawn_table_files_are_refused_or_mean_what_they_say(tmp_path: Path, count: int) -> None:
    """Rows and columns of an accepted file are those asked for, in their order."""
    draw = random.Random(count)
    values = [
        *(
            '"all"',
            '"direct"',
            '"drect"',
            '"xnli"',
            '"single/mnli"',
            '"p50"',
            '"ratio"',
            '"targets"',
            '"models"',
        ),
        *("1", "-1", "nan", "true", '"a\\nb"', '"' + "x" * 2000 + '"', "[]", "{}", '["direct"]', '["xnli"]'),
    ]
    refused = 0
    for number in range(count):
        name = draw.choice(table_names())
        lines = (Path("tables") / f"{name}.toml").read_text(encoding="utf-8").splitlines()
        places = [n for n, line in enumerate(lines) if " = " in line]
        for place in draw.sample(places, draw.choice([1, 1, 2])):
            key, _, value = lines[place].partition(" = ")
            if value.startswith("[") and draw.random() < 0.7:
                items = value.strip("[]").split(", ")
                items[draw.randrange(len(items))] = draw.choice(values)
                value = f"[{', '.join(items)}]"
            else:
                key, value = draw.choice([key, key + "s"]), draw.choice(values)
            lines[place] = f"{key} = {value}"
        path = tmp_path / f"{name}.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        try:
            spec = load_spec(str(path))
        except UserError as error:
            refused += 1
            assert_one_line(error)
            continue
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert list(spec.rows) == table["rows"], number
        assert list(spec.columns) == table["columns"], number
    assert count * 0.3 < refused < count


def assert_one_line(error: UserError) -> None:
    line = printable(str(error))
    assert error.code == 2, line
    assert line.isprintable()
    assert 0 < len(line) < 1600
