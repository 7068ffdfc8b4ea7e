"""Settings of a PBX: defaults from one file, the environment's instead, free ports for one more."""

import asyncio
import os
import random
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools import passwords, pbx
from tools.pbx import Pbx, PbxSettings
from tools.stages import SetupError


@pytest.fixture(autouse=True)
def no_real_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure(*, environment: Mapping[str, str]) -> dict[str, str]:
        return {name: environment.get(name) or f"secret-of-{name}" for name in passwords.NAMES}

    monkeypatch.setattr(passwords, "ensure", ensure)


def test_defaults_are_those_of_the_start_script() -> None:
    settings = PbxSettings.from_environment({})
    known = pbx.defaults()
    assert {name: value for name, value in settings.environment().items() if name in known} == known
    assert settings.sip_bind == "127.0.0.1"


def test_the_environment_wins_and_empty_is_not_set() -> None:
    settings = PbxSettings.from_environment({"PBX_SIP_PORT": "5060", "IVRFLOW_AMI_PORT": "", "PBX_PASSWORD_1001": "x"})
    assert settings.sip_port == 5060
    assert settings.ami_port == int(pbx.defaults()["IVRFLOW_AMI_PORT"])
    assert settings.password("1001") == "x"


def test_a_port_that_is_none_is_named() -> None:
    with pytest.raises(SetupError, match="PBX_SIP_PORT is 'sip'; write a whole number"):
        PbxSettings.from_environment({"PBX_SIP_PORT": "sip"})


def test_secrets_are_not_printed() -> None:
    assert "secret-of" not in repr(PbxSettings.from_environment({}))


def test_the_engine_is_told_the_same_as_the_pbx() -> None:
    settings = PbxSettings.from_environment({}).on_free_ports()
    told, rendered = settings.engine_environment(Path("/here"), Path("/there")), settings.environment()
    for name in ("IVRFLOW_AMI_PORT", "IVRFLOW_AMI_USER", "IVRFLOW_AMI_SECRET", "IVRFLOW_AGI_HOST", "IVRFLOW_AGI_PORT"):
        assert told[name] == rendered[name]
    assert told["IVRFLOW_PBX_PROMPTS_DIR"] == rendered["IVRFLOW_PBX_PROMPTS_DIR"]
    assert told["IVRFLOW_PROMPTS_DIR"] == "/here"
    assert told["IVRFLOW_RECORDINGS_DIR"] == "/there"


def test_free_ports_are_free_and_enough() -> None:
    settings = PbxSettings.from_environment({}).on_free_ports(calls=10)
    assert settings.rtp_last_port - settings.rtp_first_port + 1 == 20
    assert settings.rtp_first_port % 2 == 0
    for port in range(settings.rtp_first_port, settings.rtp_last_port + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((settings.sip_bind, port))
    assert len({settings.sip_port, settings.ami_port, settings.agi_port}) == 3


def test_taken_audio_ports_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "shuffle", lambda _blocks: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        settings = PbxSettings.from_environment({}).on_free_ports(calls=10)
        other.bind((settings.sip_bind, settings.rtp_first_port + 7))
        assert PbxSettings.from_environment({}).on_free_ports(calls=10).rtp_first_port != settings.rtp_first_port


async def test_starting_without_root_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"needs root: run `sudo make run`"):
        await Pbx(tmp_path, PbxSettings.from_environment({})).start()


async def test_a_prompts_folder_that_the_pbx_cannot_read_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    closed = tmp_path / "prompts"
    closed.mkdir(mode=0o700)
    one = Pbx(
        tmp_path / "state", PbxSettings.from_environment({}).on_free_ports(), prompts=closed, tree=tmp_path / "tree"
    )
    with pytest.raises(SetupError, match=re.escape(f"chmod a+rx {closed}")):
        await one.start()
    await one.stop()


async def test_stopping_what_never_started_does_nothing(tmp_path: Path) -> None:
    async with asyncio.timeout(1):
        await Pbx(tmp_path, PbxSettings.from_environment({})).stop()
