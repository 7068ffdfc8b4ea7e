"""Several PBXs side by side: what each has of its own, and what a run is told of them."""

from pathlib import Path

import pytest

from ivrflow.scenario.pbx.sip_access import sip_access
from ivrflow.settings import read_settings
from tools.engine import Engine
from tools.lanes import Lanes, environment
from tools.pbx import Pbx, PbxSettings
from tools.stages import SetupError


def test_the_run_finds_this_pbx_and_its_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = PbxSettings.from_environment({}).on_free_ports(calls=4)
    known = environment(settings, tmp_path / "journal.sqlite", tmp_path / "recordings")
    access = sip_access(None, "caller", ["1000", "1001"], environ=known)
    assert access.accounts.server == (settings.sip_bind, settings.sip_port)
    assert access.accounts.passwords["1001"] == settings.password("1001")
    read = read_settings(known)
    assert (read.ami_port, read.agi_port, read.test_calls) == (settings.ami_port, settings.agi_port, True)
    assert read.journal == f"sqlite:///{tmp_path}/journal.sqlite"


def test_no_two_lanes_share_a_port_or_a_folder(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path, PbxSettings.from_environment({}), 5, calls=4).lanes
    ports: list[int] = []
    for lane in lanes:
        own = lane.pbx.settings
        assert own.rtp_last_port - own.rtp_first_port + 1 == 8
        ports += [own.sip_port, own.ami_port, own.agi_port, *range(own.rtp_first_port, own.rtp_last_port + 1)]
    assert len(ports) == len(set(ports)) == 5 * 11
    assert len({lane.known["IVRFLOW_JOURNAL"] for lane in lanes} | {lane.pbx.recordings for lane in lanes}) == 10


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was started and stopped, in order, with nothing really started; `Pbx` writes the folder."""
    told: list[str] = []

    async def start_pbx(pbx: Pbx) -> None:
        pbx.state.mkdir(parents=True)
        told.append(f"PBX {pbx.state.parent.name} up")

    async def stop_pbx(pbx: Pbx) -> None:
        told.append(f"PBX {pbx.state.parent.name} down")

    async def start_engine(_engine: Engine) -> None:
        told.append("engine up")

    async def stop_engine(_engine: Engine) -> None:
        told.append("engine down")

    monkeypatch.setattr(Pbx, "start", start_pbx)
    monkeypatch.setattr(Pbx, "stop", stop_pbx)
    monkeypatch.setattr(Engine, "start", start_engine)
    monkeypatch.setattr(Engine, "stop", stop_engine)
    return told


async def test_a_run_is_told_of_the_first_by_the_environment_and_of_the_others_by_file(
    tmp_path: Path, started: list[str]
) -> None:
    async with Lanes(tmp_path, PbxSettings.from_environment({}), 2, calls=4, IVRFLOW_FLOWS="elsewhere") as lanes:
        first, second = lanes.lanes
        assert lanes.environment == first.known
        assert lanes.arguments == ["--lane", str(second.file)]
        assert second.file.stat().st_mode & 0o077 == 0, "passwords are in it"
        read = read_settings({"IVRFLOW_ENV_FILE": str(second.file)})
        assert (read.ami_port, str(read.flows)) == (second.pbx.settings.ami_port, "elsewhere")
    assert started == [
        *("PBX 1 up", "PBX 2 up", "engine up", "engine up"),
        *("engine down", "engine down", "PBX 2 down", "PBX 1 down"),
    ]


async def test_when_one_does_not_start_all_are_stopped(
    tmp_path: Path, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(_engine: Engine) -> None:
        raise SetupError("the engine did not start")

    monkeypatch.setattr(Engine, "start", refuses)
    with pytest.raises(SetupError, match="the engine did not start"):
        await Lanes(tmp_path, PbxSettings.from_environment({}), 2, calls=4).start()
    assert started[-2:] == ["PBX 2 down", "PBX 1 down"]
