"""What a run's numbers came from."""

import os

import pytest

from hpc.errors import UserError
from stilts.run import provenance


def test_a_job_does_not_go_on_with_other_code(monkeypatch) -> None:
    monkeypatch.setenv(provenance.CODE_VARIABLE, provenance.code_digest())
    provenance.refuse_other_code(os.environ)
    monkeypatch.setenv(provenance.CODE_VARIABLE, "0123456789abcdef")
    said = r"the code has changed since this job was launched \(0123456789abcdef, now"
    with pytest.raises(UserError, match=said):
        provenance.refuse_other_code(os.environ)
