"""Means are shown where they are complete, and marked where only a part of the data was read."""

import pytest

from stilts import tasks
from stilts.evaluate.averages import COUNTED, GROUPS
from stilts.evaluate.summary import ScoreSummary


def board(names, *, shortfall="", value=50.0) -> ScoreSummary:
    made = ScoreSummary()
    for name in names:
        for language in tasks.load(name).languages:
            values = dict.fromkeys(COUNTED[name], value)
            if COUNTED[name] == ("em", "f1"):
                values["f1"] = value + 20
            made.take(name, language, values, shortfall=shortfall)
    return made


def lines(made: ScoreSummary) -> dict[str, str]:
    return {line.split(":")[0]: line for line in made.lines()}


def test_everything_gives_the_average_of_nine_tasks():
    shown = lines(board(COUNTED))
    assert shown["xquad"].startswith("xquad: 60.00 (em + f1) / 2, mean over 11 of 11 languages (")
    assert shown["qa"] == "qa: 60.00, the mean of xquad, mlqa, tydiqa"
    assert shown["XTREME average"] == f"XTREME average: {(6 * 50 + 3 * 60) / 9:.2f}, the mean of nine tasks"
    assert set(shown) == {*COUNTED, *GROUPS, "XTREME average"}
    assert not any("NOT THE" in line or "incomplete" in line for line in shown.values())


@pytest.mark.parametrize("absent", COUNTED)
def test_a_missing_language_takes_its_group_and_the_average_away(absent):
    made = board(COUNTED)
    last = tasks.load(absent).languages[-1]
    for metric in COUNTED[absent]:
        del made.scores[absent][metric][last]
    shown = lines(made)
    (group,) = (name for name, members in GROUPS.items() if absent in members)
    assert group not in shown
    assert set(GROUPS) - {group} < set(shown)
    assert "XTREME average" not in shown
    assert shown["no XTREME average"].endswith(f" {absent} incomplete")
    count = len(tasks.load(absent).languages)
    assert f"mean over {count - 1} of {count} languages: incomplete" in shown[absent]


def test_a_set_that_is_not_the_benchmark_s_marks_all_it_is_part_of():
    made = board(GROUPS["qa"])
    made.take("mlqa", "de", {"em": 50.0, "f1": 70.0}, shortfall="12 of 4,517 examples")
    shown = lines(made)
    mark = "NOT THE BENCHMARK'S DATA (mlqa de: 12 of 4,517 examples)"
    assert shown["mlqa"].endswith(mark)
    assert shown["qa"].endswith(mark)
    assert "NOT THE" not in shown["xquad"]


def test_no_average_over_less_is_called_xtreme_s():
    made = board(COUNTED)
    made.take("xnli", "sw", {"accuracy": 50.0}, shortfall="12 of 5,010 examples")
    shown = lines(made)
    assert "XTREME average" not in shown
    assert "the mean of nine tasks NOT THE BENCHMARK'S DATA (xnli sw" in shown["no XTREME average"]


@pytest.mark.parametrize(
    ("task", "source", "count", "said"),
    [
        ("xnli", "folder", 5010, ""),
        ("xnli", "hub", 5010, ""),
        ("xnli", "folder", 12, "12 of 5,010 examples"),
        ("xnli", "embedded", 5010, "embedded data"),
        (
            "udpos",
            "hub",
            977,
            "words that the treebanks write as one are split, and older languages are mixed in",
        ),
        ("udpos", "folder", 977, "977 of 22,358 examples"),
        ("udpos", "folder", 22_358, ""),
        ("bucc2018", "folder", 9580, ""),
    ],
)
def test_one_judgement_says_whose_set_it_is(task, source, count, said):
    found = tasks.load(task).shortfall(split="test", language="de", source=source, count=count)
    assert found == said
