"""Table files: those that ship load, and a wrong one is answered with the right names."""

from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts.report.spec import BUILDERS, load_spec, table_names

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
        ('inputs = ["scores"]', 'inputs = ["timings"]', "unknown kind of record 'timings'"),
        ('split = "dev"', 'split = "train"', "unknown value 'train'"),
        ('split = "dev"', 'spilt = "dev"', "Did you mean 'split'"),
        ('id = "mine"', 'id = "yours"', "should be the file's name"),
        ('question = "Does it help on dev?"', "", "lacks question"),
    ],
)
def test_a_wrong_table_file_is_explained(tmp_path: Path, before: str, after: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_spec(write(tmp_path, GOOD.replace(before, after)))


def test_an_unknown_table_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"Did you mean 'scores'.*latency"):
        load_spec("score")
