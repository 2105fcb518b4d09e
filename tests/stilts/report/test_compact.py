"""The archive of a study's timings holds every row of every finished process, and says what it is."""

import json
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from hpc.errors import UserError
from hpc.files import digest
from stilts.latency import compact
from stilts.report.evidence import Evidence
from stilts.run import records


@pytest.fixture
def archived(evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compact, "load_study", lambda _: evidence.study)
    assert compact.compact("sample", evidence.folder.parent, tmp_path / "archive") == 0
    return tmp_path / "archive"


@pytest.mark.parametrize("kind", ["latency", "serving", "memory"])
def test_every_row_is_there_with_its_run(evidence: Evidence, archived: Path, kind: str) -> None:
    stored = ds.dataset(archived / kind, partitioning="hive").to_table()
    whole = records.read(kind, records.record_folders(evidence.folder, kind))
    key = list(records.SCHEMAS[kind].key)
    assert len(stored) == len(whole) > 0
    order = [(name, "ascending") for name in key]
    mine, other = (table.select(whole.column_names).sort_by(order) for table in (stored, whole))
    for name in whole.column_names:
        assert mine[name].to_pylist() == other[name].to_pylist(), name


def test_digests_are_those_of_the_files(archived: Path) -> None:
    told = json.loads((archived / "digests.json").read_text())
    parts = {str(part.relative_to(archived)) for part in archived.rglob("*.parquet")}
    assert set(told) == parts
    assert all(digest(archived / part) == found for part, found in told.items())


def test_an_archive_is_never_written_over_and_never_empty(
    evidence: Evidence, archived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="is there already"):
        compact.compact("sample", evidence.folder.parent, archived)
    with pytest.raises(UserError, match="no timings of a finished process"):
        compact.compact("sample", archived, archived.parent / "other")
    assert not (archived.parent / "other").exists()
