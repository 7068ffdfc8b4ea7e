"""Passwords are made once, kept to their owner, and the environment's win."""

from pathlib import Path

import pytest

from tools import passwords
from tools.stages import SetupError


def test_all_are_made_on_the_first_start_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "state/secrets.env"
    made = passwords.ensure(file, {})
    assert set(made) == set(passwords.NAMES)
    assert len(set(made.values())) == len(passwords.NAMES)
    assert all(len(value) >= 24 for value in made.values())
    assert file.stat().st_mode & 0o777 == 0o600


def test_they_stay_the_same_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    first = passwords.ensure(file, {})
    before = file.read_bytes()
    assert passwords.ensure(file, {}) == first
    assert file.read_bytes() == before


def test_the_environment_wins_and_is_not_written_down(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    given = {"PBX_PASSWORD_1001": "given", "PBX_PASSWORD_1002": ""}
    known = passwords.ensure(file, given)
    assert known["PBX_PASSWORD_1001"] == "given"
    assert len(known["PBX_PASSWORD_1002"]) >= 24, "an empty one counts as not set"
    assert "PBX_PASSWORD_1001=" not in file.read_text(encoding="utf-8")


def test_what_the_operator_wrote_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("# ours\nIVRFLOW_AMI_SECRET=ours\nOTHER=1", encoding="utf-8")
    known = passwords.ensure(file, {})
    assert known["IVRFLOW_AMI_SECRET"] == "ours"
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["# ours", "IVRFLOW_AMI_SECRET=ours", "OTHER=1"]
    assert passwords.read(file) == {**known, "OTHER": "1"}


def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        passwords.read(tmp_path)


def test_compose_finds_them_and_an_own_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "state/secrets.env"
    link = tmp_path / "docker/.env"
    link.parent.mkdir()
    link.symlink_to("nowhere")
    passwords.ensure(file, {})
    passwords.link_for_compose(file, link)
    assert link.read_bytes() == file.read_bytes()
    link.unlink()
    link.write_text("IVRFLOW_AMI_SECRET=own\n", encoding="utf-8")
    passwords.link_for_compose(file, link)
    assert link.read_text(encoding="utf-8") == "IVRFLOW_AMI_SECRET=own\n"
