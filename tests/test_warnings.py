"""What our own code is told to stop doing fails a test."""

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.parametrize("kind", ["DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"])
@pytest.mark.parametrize("name", ["hpc.planted", "kernels.planted", "stilts.planted.deeper"])
def test_a_planted_one_is_an_error(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / "planted.py"
    path.write_text(f"import warnings\nwarnings.warn('old', {kind})\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(Warning, match="old"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_one_of_others_is_not(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text("import warnings\nwarnings.warn('old', DeprecationWarning)\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("elsewhere", path)
    assert spec is not None
    assert spec.loader is not None
    with pytest.warns(DeprecationWarning, match="old"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
