"""Shapes that a run cannot use are refused before anything is submitted."""

import re

import pytest

from stilts.launch import main

LOCAL = 'scheduler = "local"\n[local]\nworkers = 1\n[shapes.default]\nmemory_gb = 2\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "[shapes.evalaute]\nminutes = 5\n",
            "unknown shape .evalaute. in cluster .* Did you mean .evaluate.",
        ),
        ("[shapes.dirct]\nminutes = 5\n", "unknown shape 'dirct'"),
        ("[pace.trian]\nseconds = 1\n", "unknown pace 'trian'.* Did you mean 'train'"),
        ("[shapes.evaluate]\ntasks_per_node = 2\n", "the shape for evaluate has 2 ranks"),
        ("[shapes.latency]\nnodes = 2\n", "the shape for latency has 2 ranks"),
        ("[shapes.train]\nnodes = 2\n", "wants 2 nodes; a local cluster is one machine"),
        ("[shapes.train]\ngpus_per_node = 1\n", "wants 1 GPUs but the cluster file lists 0"),
    ],
)
def test_a_shape_that_no_run_can_use_is_refused(tmp_path, capsys, more: str, said: str) -> None:
    cluster = tmp_path / "mine.toml"
    cluster.write_text(LOCAL + more, encoding="utf-8")
    asked = ["--grid", "all", "--study", "tiny", "--cluster", str(cluster), "--runs", str(tmp_path / "runs")]
    assert main([*asked, "--dry-run"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert re.search(said, line), line
    assert not (tmp_path / "runs").exists()


def test_training_may_have_ranks(tmp_path, capsys) -> None:
    cluster = tmp_path / "mine.toml"
    cluster.write_text(LOCAL + "[shapes.multi]\ntasks_per_node = 2\n[shapes.train]\ntasks_per_node = 2\n")
    asked = ["--grid", "all", "--study", "tiny", "--cluster", str(cluster), "--runs", str(tmp_path / "runs")]
    assert main([*asked, "--dry-run"]) == 0
    assert "multi-s1" in capsys.readouterr().out
