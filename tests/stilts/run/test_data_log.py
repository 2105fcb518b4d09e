"""What is said of versions of data."""

import pytest

from stilts.run.data_log import short


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("embedded " + "0123456789ab" * 5 + "cdef", "embedded 0123456789ab"),
        ("hub " + "f" * 40, "hub ffffffffffff"),
        # What differs must be seen, wherever it stands.
        ("embedded django 5.2.19, " + "a" * 64, "embedded django 5.2.19, aaaaaaaaaaaa"),
        ("embedded", "embedded"),
    ],
)
def test_digests_are_cut_and_nothing_else(version: str, said: str) -> None:
    assert short(version) == said
