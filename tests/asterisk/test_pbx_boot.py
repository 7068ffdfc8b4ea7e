"""The PBX starts clean, as nobody special, beside others, and ends with whoever started it."""

import asyncio
import os
import re
import select
import shutil
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from one_pbx import complaints, own_settings

from tools.pbx import USER_ID, Pbx, PbxSettings
from tools.places import CHECKOUT, RECIPE
from tools.stages import SetupError


def status_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


async def gone(pid: int, *, within_s: float = 10) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool((await asyncio.to_thread(select.select, [handle], [], [], within_s))[0])
    finally:
        os.close(handle)


def test_boot_logs_no_warning_and_no_error(shared_pbx: Pbx) -> None:
    boot, ready, _ = (shared_pbx.state / "console.log").read_text(encoding="utf-8").partition("Asterisk Ready.")
    assert ready
    assert "modules will be loaded" in boot, "the console tells what the boot had to say"
    assert complaints(boot) == []


async def test_exactly_the_listed_modules_run(pbx: Pbx) -> None:
    listed = set(
        re.findall(r"^load = (\S+\.so)", (RECIPE / "etc/modules.conf").read_text(encoding="utf-8"), re.MULTILINE)
    )
    shown = await pbx.cli("module show like .so")
    running = {
        line.split()[0] for line in shown.splitlines() if line.split()[0].endswith(".so") and " Running " in line
    }
    assert running == listed
    assert "bridge_native_rtp.so" not in running


def test_asterisk_is_an_ordinary_user_without_any_privilege(pbx: Pbx) -> None:
    status = status_of(pbx.pid)
    assert set(status["Uid"]) == set(status["Gid"]) == {str(USER_ID)}
    assert status["NoNewPrivs"] == ["1"]
    assert int(status["CapEff"][0], 16) == 0


def test_it_listens_on_loopback_only(pbx: Pbx) -> None:
    listening = []
    for table in ("tcp", "udp"):
        for line in Path(f"/proc/{pbx.pid}/net/{table}").read_text(encoding="utf-8").splitlines()[1:]:
            local = line.split()[1]
            if int(local.split(":")[1], 16) in {pbx.settings.sip_port, pbx.settings.ami_port}:
                listening.append(socket.inet_ntoa(bytes.fromhex(local.split(":")[0])[::-1]))
    assert set(listening) == {"127.0.0.1"}


def test_configuration_with_passwords_is_the_users_own(pbx: Pbx) -> None:
    files = list((pbx.state / "etc").glob("*.conf"))
    assert len(files) == len(list((RECIPE / "etc").glob("*.conf")))
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        assert file.stat().st_uid == USER_ID


async def test_a_vanished_caller_does_not_stay_for_ever(pbx: Pbx) -> None:
    shown = await pbx.cli("pjsip show endpoint caller")
    assert re.search(r"rtp_timeout\s+: 60\b", shown)
    assert re.search(r"rtp_timeout_hold\s+: 300\b", shown)


async def test_two_run_side_by_side(pbx: Pbx, pbx_tree: Path, pbx_prompts: Path, tmp_path: Path) -> None:
    async with Pbx(tmp_path / "second", own_settings(), prompts=pbx_prompts, tree=pbx_tree) as second:
        assert second.pid != pbx.pid
        assert f":{second.settings.sip_port}" in await second.cli("pjsip show transports")
        assert f":{pbx.settings.sip_port}" in await pbx.cli("pjsip show transports")
        pid = second.pid
    assert await gone(pid)


def test_nothing_is_mounted_for_others_to_see(pbx: Pbx, pbx_tree: Path) -> None:
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert str(pbx.state) not in mounts
    assert str(pbx_tree) not in mounts


async def test_a_taken_port_is_named_with_its_setting(pbx_settings: PbxSettings, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = replace(pbx_settings, sip_port=other.getsockname()[1])
        with pytest.raises(SetupError, match=rf"port {taken.sip_port} on 127.0.0.1 is in use.*PBX_SIP_PORT"):
            await Pbx(tmp_path, taken).start()


async def test_a_start_that_fails_says_what_asterisk_said(
    pbx_settings: PbxSettings, pbx_tree: Path, pbx_prompts: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe"
    shutil.copytree(RECIPE, recipe)
    modules = recipe / "etc/modules.conf"
    modules.write_text(modules.read_text(encoding="utf-8") + "require = no_such_module.so\n", encoding="utf-8")
    broken = Pbx(tmp_path / "state", pbx_settings, prompts=pbx_prompts, recipe=recipe, tree=pbx_tree)
    with pytest.raises(SetupError, match=r"(?s)did not start.*no_such_module"):
        await broken.start()


STARTER = """
import asyncio, sys
from pathlib import Path
from tools.pbx import Pbx, PbxSettings

async def main():
    async with Pbx(Path(sys.argv[1]), PbxSettings.from_environment({}).on_free_ports(), prompts=Path(sys.argv[2])) as pbx:
        print(pbx.pid, flush=True)
        await pbx.exited()

asyncio.run(main())
"""


@pytest.mark.usefixtures("pbx_tree")  # so that the starter need not build it
@pytest.mark.parametrize("killed_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_it_ends_with_the_process_that_started_it(
    killed_by: signal.Signals, pbx_prompts: Path, tmp_path: Path
) -> None:
    starter = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", STARTER, str(tmp_path / "state"), str(pbx_prompts)],
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert starter.stdout is not None
        pid = int(await starter.stdout.readline())
        starter.send_signal(killed_by)
        assert await gone(pid)
    finally:
        with suppress(ProcessLookupError):
            starter.kill()
        await starter.communicate()
