"""A caller whose name, number and headers are written to do harm walks through queue, talk, warm transfer and message:
nothing of it gets into an order, a command, a name, a log, or onto an agent's telephone."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from agents_here import AGENT_HZ, CALLER_HZ, COLLEAGUE_HZ
from centre_here import SOON, Centre, deaf_server, hotline
from engine_here import serving
from one_pbx import complaints, no_channels_left, own_settings
from peers import AgiPeer, AgiSession
from recorded_here import beep_heard

from ivrflow.bridge import ami_client, ami_protocol
from ivrflow.bridge.agi_commands import Command
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.engine.trace import Fact
from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.sip_message import NameAddr
from ivrflow.softphone.softphone import SoftPhone
from tools.pbx import Pbx
from tools.places import RECIPE

TRUNK_IP = "127.0.0.9"
TRUNK = f"""
[trunk](phone)
context = ivrflow
aors = trunk
[trunk]
type = aor
contact = sip:{TRUNK_IP}:5060
[trunk]
type = identify
endpoint = trunk
match = {TRUNK_IP}
"""
"""The telephone company's line: whatever number and name it says."""

MARK = "mallory"
HERE = Path("/tmp/ivrflow-mallory-was-here")
NAMES = {
    "dial string": f"{MARK}&PJSIP/1000|1001,60)/n@other",
    "shell": f"{MARK}$(touch {HERE})`touch {HERE}`;touch {HERE}",
    "dialplan": f"{MARK}${{SHELL(touch {HERE})}}$[1+1]${{GLOBAL(DUTY)}}",
    "lines": f"{MARK}%0d%0aAction: Originate%0d%0aEvent: Mallory\\\\r\\\\nEvent: Mallory",
    "brackets": f"{MARK}]),U(other^s^1)b(other^s^1)<sip:x>",
}
NUMBERS = {
    "dial string": f"{MARK}&SIP=1,2)",
    "shell": f"{MARK}$(id)",
    "dialplan": f"{MARK}%24%7BSHELL(id)%7D",
    "lines": f"{MARK}%0aagi_uniqueid%3a%20x%0d%0aUniqueid%3a%20x%0d%0a%0d%0aEvent%3a%20Mallory%0d%0aX%3a%20y",
    "brackets": f"{MARK}%5D),U(x%5Es)",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx(pbx_tree: Path, pbx_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pbx]:
    """A PBX with a trunk."""
    recipe = tmp_path_factory.mktemp("recipe") / "asterisk"
    shutil.copytree(RECIPE, recipe)
    with (recipe / "etc/pjsip.conf").open("a", encoding="utf-8") as config:
        config.write(TRUNK)
    recipe.parent.chmod(0o755)
    state, recordings = tmp_path_factory.mktemp("pbx"), tmp_path_factory.mktemp("recordings")
    settings = own_settings(PBX_WRAPUP_SECONDS="0")
    async with Pbx(
        state, settings, prompts=pbx_prompts, recordings=recordings, recipe=recipe, tree=pbx_tree
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody_was_here() -> Iterator[None]:
    """No program was run."""
    HERE.unlink(missing_ok=True)
    yield
    assert not HERE.exists()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything the engine sends to Asterisk, over both connections."""
    everything: list[bytes] = []
    build, send = ami_protocol.build_action, AgiChannel.send

    def built(*given: object, **named: object) -> bytes:
        everything.append(build(*given, **named))  # type: ignore[arg-type]  # exactly what it was given
        return everything[-1]

    def command_sent(channel: AgiChannel, command: Command) -> int:
        everything.append(command.line)
        return send(channel, command)

    monkeypatch.setattr(ami_client, "build_action", built)
    monkeypatch.setattr(AgiChannel, "send", command_sent)
    return everything


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[AmiEvent]:
    """Every event of the manager's."""
    events: list[AmiEvent] = []
    init = ami_client.AmiClient.__init__

    def watched(client: ami_client.AmiClient, *given: object, **named: object) -> None:
        take = named["on_event"]

        def taken(event: AmiEvent) -> None:
            events.append(event)
            take(event)  # type: ignore[operator]  # as it was given

        named["on_event"] = taken
        init(client, *given, **named)  # type: ignore[arg-type]  # the same

    monkeypatch.setattr(ami_client.AmiClient, "__init__", watched)
    return events


async def mallory(centre: Centre, kind: str) -> None:
    """The caller's telephone, behind the trunk."""
    settings = centre.pbx.settings
    phone = SoftPhone(
        "caller", "", (settings.sip_bind, settings.sip_port), codecs=("alaw",), local_ip=TRUNK_IP, display=NAMES[kind]
    )
    await centre.closing.enter_async_context(phone)
    assert phone._agent is not None
    phone._agent._me = NameAddr(f"sip:{NUMBERS[kind]}@127.0.0.1", NAMES[kind])
    headers = [
        ("P-Asserted-Identity", f'"{NAMES[kind]}" <sip:{NUMBERS[kind]}@127.0.0.1>'),
        ("Diversion", f'"{NAMES[kind]}" <sip:{NUMBERS[kind]}@127.0.0.1>;reason=unconditional'),
        ("User-Agent", NAMES[kind]),
        ("Reason", f'SIP;cause=200;text="{MARK}"'),
        ("X-Ivrflow-Call", NAMES[kind]),
        ("X-Ivrflow-At", NAMES[kind]),
        ("Subject", NAMES[kind]),
    ]
    centre.phones["caller"] = phone
    centre.calls["caller"] = await phone.call("7000", source=Tone(CALLER_HZ, -20.0), headers=headers)


async def log_out(pbx: Pbx) -> None:
    """Whatever became of the test."""
    await pbx.cli("queue remove member PJSIP/1001 from agents")


async def of_channels(pbx: Pbx) -> str:
    """What the dialplan works with on every channel: application, its arguments, variables."""
    listed = (await pbx.cli("core show channels concise")).splitlines()
    shown = [await pbx.cli(f"core show channel {line.split('!')[0]}") for line in listed if "!" in line]
    kept = []
    for text in shown:
        kept += [line for line in text.splitlines() if line.strip().startswith(("Application:", "Data:", "Extension:"))]
        kept.append(text.partition("Variables:")[2].partition("CDR Variables:")[0])
    return "\n".join(kept)


FROM = {
    '"Zhang San" <sip:13800138000@127.0.0.1>': "13800138000",
    "<sip:+8613800138000;phone-context=x:secret@127.0.0.1;user=phone>": "+8613800138000",
    "sip:8001-2.b_c@127.0.0.1": "8001-2.b_c",
    '"a <sip:10086@127.0.0.1>" <sip:13800138000@127.0.0.1>': "13800138000",
    "<tel:+8613800138000>": "+8613800138000",
    '"Anonymous" <sip:anonymous@anonymous.invalid>': "anonymous",
    "<sip:1380013%38000@127.0.0.1>": "13800138000",
    "<sip:127.0.0.1>": "127.0.0.1",
    "<sip:1380013%0a8000@127.0.0.1>": "unknown",
    "<sip:13800138000%20@127.0.0.1>": "unknown",
}
"""What a telephone company may say of a caller, and the number that is known then."""


async def test_who_calls_is_known_by_a_number_or_not_at_all(pbx: Pbx) -> None:
    known = []

    async def serve(session: AgiSession) -> None:
        known.append(session.environment["agi_callerid"])
        assert session.environment["agi_calleridname"] in {"", "unknown"}
        await session.command("ANSWER")
        await session.finish()

    settings = pbx.settings
    server = (settings.sip_bind, settings.sip_port)
    async with AgiPeer(pbx, serve):
        for header in FROM:
            async with SoftPhone("caller", "", server, codecs=("alaw",), local_ip=TRUNK_IP) as phone:
                assert phone._agent is not None
                phone._agent._me = SaidToBe(header)
                call = await phone.call("12345", within_s=SOON)
                async with asyncio.timeout(SOON):
                    await call.ended
    assert dict(zip(FROM, known, strict=True)) == FROM
    await no_channels_left(pbx)


class SaidToBe(NameAddr):
    """A From header as it stands."""

    def __str__(self) -> str:
        return self.uri + (f";tag={self.tag}" if self.tag else "")

    def with_tag(self, tag: str) -> SaidToBe:
        return SaidToBe(self.uri, params={"tag": tag})


@pytest.mark.parametrize("kind", list(NAMES))
async def test_who_calls_to_do_harm_does_none(
    kind: str, pbx: Pbx, tmp_path: Path, sent: list[bytes], seen: list[AmiEvent], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ivrflow")
    logged = len(pbx.log.read_text(encoding="utf-8"))
    on_channels = []
    async with (
        deaf_server() as port,
        AsyncExitStack() as closing,
        serving(pbx, hotline(tmp_path, port), tmp_path, IVRFLOW_TEST_CALLS="yes") as engine,
    ):
        centre = Centre(pbx, engine, closing)
        closing.push_async_callback(log_out, pbx)
        await centre.log_in("1001")
        await mallory(centre, kind)
        await centre.presses("1", Fact.QUEUED)
        await centre.picks_up("1001", AGENT_HZ)
        await centre.joined("1001", AGENT_HZ)
        on_channels.append(await of_channels(pbx))
        await centre.phone("1002")
        await centre.calls["1001"].press("*70")
        await centre.picks_up("1002", COLLEAGUE_HZ)
        await centre.joined("1002", COLLEAGUE_HZ)
        on_channels.append(await of_channels(pbx))
        await centre.calls["1002"].hang_up()
        await centre.fact(Fact.STEP_ENTERED, step="rate")
        await centre.calls["caller"].press("1")
        await centre.fact(Fact.SCORED)
        await centre.fact(Fact.PHRASE_STARTED, phrase="yunda/closing.anything_else")
        await centre.calls["caller"].press("9")  # there is something else
        await engine.until(lambda trace: [line.step for line in trace if line.fact is Fact.STEP_ENTERED][-1] == "greet")
        await centre.calls["caller"].press("2")
        await centre.fact(Fact.PHRASE_ENDED, phrase="house/collect.ask_number")
        await beep_heard(centre.calls["caller"])
        await asyncio.sleep(1.0)  # something is said
        on_channels.append(await of_channels(pbx))
        await centre.calls["caller"].hang_up()
        await centre.fact(Fact.ENDED)
        await no_channels_left(pbx, within_s=SOON)
        invitations = [line.text for name in ("1001", "1002") for line in centre.calls[name].signalling]
        centre.everybody_hangs_up()
    session = engine.sessions[-1]
    (name,) = {event.get("Uniqueid") for event in seen if "PJSIP/trunk" in event.get("Channel")}
    assert session._caller == "", "it is no number"
    assert MARK not in b"\n".join(sent).decode()
    assert MARK not in "\n".join(on_channels)
    assert MARK not in "\n".join(invitations)
    assert MARK not in caplog.text
    assert MARK not in "\n".join(map(str, session.trace))
    assert "Mallory" not in {event.name for event in seen}
    callers = [event for event in seen if event.get("Uniqueid") == name]
    assert {"Newchannel", "DTMFBegin", "Hangup"} <= {event.name for event in callers}, (
        "Asterisk does tell of the caller"
    )
    assert not any(MARK in text for event in seen for text in event.headers.values())
    files = [str(path) for folder in (pbx.recordings, pbx.state) for path in folder.rglob("*")]
    assert not any(MARK in path for path in files)
    assert complaints(pbx.log.read_text(encoding="utf-8")[logged:]) == []
