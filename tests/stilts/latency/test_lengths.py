"""Lengths of queries are counted from sets, and hold no text."""

import tomllib
from pathlib import Path

import pytest

from stilts import data, tasks
from stilts.latency.__main__ import main

ASKED = ("lengths", "--sources", "embedded", "--languages", "en,de", "--limit", "12")


def test_lengths_are_those_of_the_sets_queries(tmp_path: Path, tokenizer_file: Path, capsys) -> None:
    output = tmp_path / "lengths.toml"
    asked = [*ASKED, "--tasks", "xquad,udpos", "--tokenizer", str(tokenizer_file), "--output", str(output)]
    assert main(asked) == 0
    assert "48 queries of xquad, udpos in" in capsys.readouterr().out
    found = tomllib.loads(output.read_text(encoding="utf-8"))
    assert found.keys() == {"xquad", "udpos"}
    for name in found:
        task = tasks.load(name)
        encoded = data.load(
            task, language="de", split="test", tokenizer_file=tokenizer_file, max_length=task.max_length,
            sources=("embedded",), cache=tmp_path / "cache",
        )  # fmt: skip
        there = {int(count) for count in encoded.num_tokens}
        told = [int(length) for length in str(found[name]["de"]).replace("+", " ").split()]
        assert len(told) >= 12
        assert set(told) <= there
    assert encoded.version in output.read_text(encoding="utf-8")


def test_sets_that_are_not_there_are_named(tmp_path: Path, tokenizer_file: Path, capsys) -> None:
    output = tmp_path / "lengths.toml"
    asked = [*ASKED, "--tasks", "xquad,bucc2018", "--output", str(output)]
    assert main([*asked, "--tokenizer", str(tmp_path / "none.json")]) == 3
    assert "no tokenizer at" in capsys.readouterr().err
    absent = ["lengths", "--sources", "folder", *asked[3:], "--tokenizer", str(tokenizer_file)]
    assert main(absent) == 3
    said = capsys.readouterr().err
    assert "left out: " in said
    assert "none of these sets is there" in said
    assert not output.exists()


@pytest.mark.parametrize("limit", ["0", "many"])
def test_a_limit_is_a_count(limit: str, tmp_path: Path, capsys) -> None:
    asked = ["lengths", "--tasks", "xquad", "--languages", "en", "--tokenizer", "t", "--output", "o"]
    assert main([*asked, "--limit", limit]) == 2
    assert "--limit" in capsys.readouterr().err
