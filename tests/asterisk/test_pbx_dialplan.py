"""A caller is handed to the engine; when the engine cannot serve, the caller hears why and reaches the duty extension."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import pytest_asyncio
from one_pbx import DUTY_RINGS_S, Phones, complaints, no_channels_left, own_settings
from peers import AgiPeer, AgiSession, has_heard, has_heard_words, prompt, seconds_of_tone

from ivrflow.softphone.audio_source import Tone
from ivrflow.softphone.call import Call, CallRefused
from ivrflow.softphone.listening import find
from ivrflow.softphone.softphone import BUSY, Answer, RegistrationRefused, RingOn, SoftPhone
from tools.pbx import Pbx

PLAYED = "/var/lib/ivrflow/prompts"
REFUSED = pytest.mark.complains("Connecting to .* failed", "Couldn't connect to any host")
SHORT_S = 1.2
Heard: TypeAlias = Callable[[Call, str], bool]


@pytest.fixture(scope="module")
def short_prompts(pbx_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginnings of the real prompts, so that nobody waits for the whole apology in every test."""
    folder = tmp_path_factory.mktemp("prompts")
    (folder / "house").mkdir()
    for source in (pbx_prompts / "house").glob("*.?law"):
        (folder / "house" / source.name).write_bytes(source.read_bytes()[: int(SHORT_S * 8000)])
    for source in (pbx_prompts / "house").glob("*.g722"):
        (folder / "house" / source.name).write_bytes(source.read_bytes()[: int(SHORT_S * 8000)])
    folder.chmod(0o755)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_pbx(
    pbx_tree: Path, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pbx]:
    """A PBX of this module's own, with short prompts."""
    async with Pbx(tmp_path_factory.mktemp("pbx"), own_settings(), prompts=short_prompts, tree=pbx_tree) as running:
        yield running


@pytest.fixture
def heard(short_prompts: Path) -> Heard:
    """Whether that prompt was heard in the call."""

    def heard(call: Call, name: str) -> bool:
        found = find(call.recording, prompt(short_prompts, name))
        # A busy machine makes gaps in what is heard; half of it is proof enough that it was played.
        return found is not None and found.correlation > 0.9 and found.completeness > 0.5

    return heard


async def ended(call: Call, within_s: float = 30) -> str:
    async with asyncio.timeout(within_s):
        return (await call.ended).by


async def test_the_engine_answers_and_ends_the_call(pbx: Pbx, phones: Phones, heard: Heard) -> None:
    seen: dict[str, str] = {}

    async def serve(session: AgiSession) -> None:
        seen.update(session.environment)
        assert await session.command("ANSWER") == "200 result=0"
        assert re.match(
            r"200 result=0 endpos=\d{4}", await session.command(f'STREAM FILE {PLAYED}/house/menu.invalid ""')
        )
        await session.finish()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        assert await ended(call) == "peer"
    assert seen["agi_network_script"] == "call"
    assert seen["agi_extension"] == "12345"
    assert seen["agi_context"] == "ivrflow"
    assert seen["agi_uniqueid"].startswith("ivrflow-")
    assert heard(call, "house/menu.invalid")
    assert not heard(call, "house/fallback.apology")


@pytest.mark.parametrize("codec", ["ulaw", "alaw", "g722"])
async def test_prompts_are_played_as_the_phone_speaks(codec: str, pbx: Pbx, phones: Phones, heard: Heard) -> None:
    used = ""

    async def serve(session: AgiSession) -> None:
        nonlocal used
        await session.command("ANSWER")
        session.send(f'STREAM FILE {PLAYED}/house/fallback.nobody ""')
        used = await pbx.cli("core show channels concise")
        used = await pbx.cli(f"core show channel {used.split('!')[0]}")
        await session.line()
        await session.finish()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller", codec=codec)
        call = await caller.call("12345")
        assert await ended(call) == "peer"
    assert call.codec == codec
    assert re.search(rf"NativeFormats: \({codec}\)", used)
    assert re.search(r"WriteTranscode: No", used), "the file of the line's own codec is played"
    assert heard(call, "house/fallback.nobody")


async def test_any_number_of_two_digits_or_more_is_a_call(pbx: Pbx, phones: Phones) -> None:
    dialled = []

    async def serve(session: AgiSession) -> None:
        dialled.append(session.environment["agi_extension"])
        await session.command("ANSWER")
        await session.finish()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        for number in ("110", "02087654321"):
            assert await ended(await caller.call(number)) == "peer"
    assert dialled == ["110", "02087654321"]


@REFUSED
async def test_nobody_serves_at_all(phones: Phones, heard: Heard) -> None:
    caller = await phones.open("caller")
    call = await caller.call("12345")  # the fallback answers: an engine's port that refuses must not be silence
    assert await ended(call) == "peer"
    assert heard(call, "house/fallback.apology")
    assert heard(call, "house/fallback.nobody"), "no duty phone is registered"


async def test_the_engine_dies_while_it_plays(pbx: Pbx, phones: Phones, heard: Heard, short_prompts: Path) -> None:
    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        session.send(f'STREAM FILE {PLAYED}/house/menu.main ""')
        await is_heard.wait()
        session.die()

    is_heard = asyncio.Event()
    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        await has_heard_words(call, prompt(short_prompts, "house/menu.main"), 0.1)
        is_heard.set()
        assert await ended(call) == "peer"
    assert heard(call, "house/fallback.apology")


async def test_the_engine_dies_between_two_commands(pbx: Pbx, phones: Phones, heard: Heard) -> None:
    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        session.die()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        assert await ended(call) == "peer"
    assert heard(call, "house/fallback.apology")


async def test_the_engine_hands_the_caller_over(pbx: Pbx, phones: Phones, heard: Heard) -> None:
    async def serve(session: AgiSession) -> None:
        await session.command("NOOP")  # closes without IVRFLOW_DONE, before it even answered

    talks: list[Call] = []

    def pick_up(call: Call) -> Answer:
        talks.append(call)
        return Answer(after_s=0.7, source=Tone(700))

    async with AgiPeer(pbx, serve):
        await phones.open("1000", on_call=pick_up)
        caller = await phones.open("caller")
        call = await caller.call("12345", source=Tone(1200))
        while not talks or talks[0].answered_at is None:  # noqa: ASYNC110 -- the phone has no event for its own answer
            await asyncio.sleep(0.02)
        talk = talks[0]
        assert talk.answered_at is not None
        talks_from = talk.answered_at
        await asyncio.gather(has_heard(call, 700, 0.7, since=talks_from), has_heard(talk, 1200, 0.7, since=talks_from))
        await talk.hang_up()
        assert await ended(call) == "peer"
    assert talk.rings_at is not None
    assert heard(call, "house/fallback.apology")
    ringing = (talk.rings_at, talk.answered_at)
    assert seconds_of_tone(call.recording.samples(*ringing), 450) > 0.3, "the caller hears it ring"
    assert not heard(call, "house/fallback.nobody")


@REFUSED
async def test_the_duty_phone_is_not_answered(phones: Phones, heard: Heard) -> None:
    rung: list[Call] = []

    def let_it_ring(call: Call) -> RingOn:
        rung.append(call)
        return RingOn()

    await phones.open("1000", on_call=let_it_ring)
    caller = await phones.open("caller")
    call = await caller.call("12345")
    assert await ended(call) == "peer"
    assert heard(call, "house/fallback.apology")
    assert heard(call, "house/fallback.nobody")
    (ring,) = rung
    assert ring.end is not None
    assert ring.rings_at is not None
    # The PBX counts by its own clock, from before the telephone knew of it; both may be held up.
    assert DUTY_RINGS_S - 0.5 < ring.end.at - ring.rings_at < DUTY_RINGS_S + 1.5


@REFUSED
async def test_the_duty_phone_is_busy(phones: Phones, heard: Heard) -> None:
    await phones.open("1000", on_call=BUSY)
    caller = await phones.open("caller")
    call = await caller.call("12345")
    assert await ended(call) == "peer"
    assert heard(call, "house/fallback.nobody")


async def test_a_caller_who_hung_up_rings_nobody(pbx: Pbx, phones: Phones, heard: Heard) -> None:
    rung: list[Call] = []

    def let_it_ring(call: Call) -> RingOn:
        rung.append(call)
        return RingOn()

    over = asyncio.Event()

    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        assert await session.line() == "HANGUP"
        over.set()  # and closes without IVRFLOW_DONE

    await phones.open("1000", on_call=let_it_ring)
    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        await call.hang_up()
        async with asyncio.timeout(2):
            await over.wait()
    await no_channels_left(pbx)
    assert rung == []
    assert not heard(call, "house/fallback.apology")


async def test_without_prompt_files_there_are_tones(pbx_tree: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    async with Pbx(tmp_path / "state", own_settings(), prompts=tmp_path / "prompts", tree=pbx_tree) as pbx:
        settings = pbx.settings
        server = (settings.sip_bind, settings.sip_port)
        async with SoftPhone("caller", settings.password("caller"), server) as caller:
            call = await caller.call("12345")
            assert await ended(call) == "peer"
        assert call.answered_at is not None
        tones = call.recording.samples(call.answered_at, call.answered_at + 8)
        for hz in (950, 1400, 1800):  # the international information tone, three seconds of it
            assert seconds_of_tone(tones, hz) > 0.4, hz
        assert seconds_of_tone(tones, 450) > 1, "then congestion: nobody to be reached"
        log = complaints(pbx.log.read_text(encoding="utf-8"))
        assert [line for line in log if "fallback.apology does not exist" in line], "the log says which file is missing"


async def test_agents_phones_do_not_dial(phones: Phones) -> None:
    agent = await phones.open("1001")
    with pytest.raises(CallRefused) as refused:
        await agent.call("12345")
    assert refused.value.status == 403


async def test_a_wrong_password_gets_nowhere(pbx: Pbx) -> None:
    server = (pbx.settings.sip_bind, pbx.settings.sip_port)
    async with SoftPhone("1001", "wrong", server) as phone:
        with pytest.raises(RegistrationRefused):
            await phone.register()
    async with SoftPhone("caller", "wrong", server) as phone:
        with pytest.raises(CallRefused):
            await phone.call("12345")


async def test_several_calls_at_once_from_one_account(pbx: Pbx, phones: Phones) -> None:
    all_in = asyncio.Barrier(5)

    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        await all_in.wait()
        await session.finish()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        calls = await asyncio.gather(*(caller.call("12345") for _ in range(5)))
        assert [await ended(call) for call in calls] == ["peer"] * 5
