"""A folder whose contents jobs run is nobody else's."""

import os
from pathlib import Path

import pytest

from hpc.errors import UserError
from hpc.files import own_folder


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        own_folder(tmp_path / "a" / "b")
    finally:
        os.umask(mask)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    own_folder(tmp_path / "a" / "b")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_one_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(
        UserError, match="can be written to by others, and jobs run what lies in it"
    ) as caught:
        own_folder(folder)
    assert caught.value.code == 3


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o700)
    (tmp_path / "here").symlink_to(tmp_path / "there")
    with pytest.raises(UserError, match="is a link or another user's"):
        own_folder(tmp_path / "here")


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_another_user_s_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(UserError, match="another user's"):
        own_folder(folder)
