"""Calls and callers' messages recorded by the real PBX: what is in the files, how long they are, and what is left when
nobody wanted them."""

import asyncio
import dataclasses
import logging
import os
import threading
import time
import wave
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import pytest_asyncio
from agents_here import floor_of
from conftest import Phones
from engine_here import EngineHere, flow_for_tests, serving
from peers import has_heard, prompt, seconds_of_tone
from recorded_here import BEEP_HZ, beep_heard, is_finished, place_of

from ivrflow.bridge import recording_files
from ivrflow.bridge.recordings_folder import Recordings, RecordingSettings
from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow, CallRecording, Collect, HangUp, Keep, PlayBack, Record, Say, Step, Transfer
from ivrflow.softphone.audio_source import Silence, Tone
from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.listening import find_all
from tools.pbx import Pbx
from tools.places import PROMPTS

ASK = "house/closing.farewell"
NOTICE = "house/recording.notice"
SPOKEN_HZ, AGENT_HZ = 600, 700
SILENCE_S, MOST_S = 1.5, 4.0


def spoken(seconds: float, hz: int = SPOKEN_HZ) -> Samples:
    """Somebody who speaks, as loud as people do: a tone, by which a test knows it again."""
    said: Samples = (6000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)
    return said


def sound_of(path: Path) -> Samples:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        samples: Samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return samples


def taking_messages(flow: CallFlow, *after: Step) -> CallFlow:
    """The hotline, taking a message of everybody, then doing what comes `after` a message."""
    where = flow.where
    take = Record("take", where, (ASK,), MOST_S, SILENCE_S, 0.5, "#", "voicemail", after[0].name, "nothing")
    ends = [HangUp(name, where, name) for name in ("thanked", "nothing")]
    return dataclasses.replace(flow, start="take", steps={step.name: step for step in (take, *after, *ends)})


@pytest.fixture(scope="module")
def hotline(pbx_prompts: Path) -> CallFlow:
    assert pbx_prompts.exists()
    return flow_for_tests("gov12345")


@pytest.fixture
def flow(hotline: CallFlow) -> CallFlow:
    """Every message is played back and kept."""
    where = hotline.where
    return taking_messages(hotline, PlayBack("listen", where, "keep"), Keep("keep", where, "thanked"))


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, flow: CallFlow, tmp_path: Path) -> AsyncIterator[EngineHere]:
    """A serving engine; after the test none of its messages may be left unsettled."""
    async with serving(pbx, flow, tmp_path) as here:
        yield here
    assert await files(pbx, "unsettled/*/*.wav", 0) == []


async def files(pbx: Pbx, pattern: str, count: int, within_s: float = 5.0) -> list[Path]:
    """The recordings that fit, once there are `count` that the PBX has finished; or what there is when time is up."""
    found: list[Path] = []
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    while loop.time() < until:
        found = sorted(pbx.recordings.glob(pattern))
        if len(found) == count and all(is_finished(path) for path in found):
            break
        await asyncio.sleep(0.05)  # a file system tells nobody
    return found


@pytest.fixture(autouse=True)
def none_yet(pbx: Pbx) -> None:
    for path in pbx.recordings.rglob("*.wav"):
        path.unlink()


def today() -> str:
    return datetime.now().astimezone().date().isoformat()


def details(engine: EngineHere, fact: Fact) -> list[str]:
    return [line.detail for line in engine.sessions[-1].trace if line.fact is fact]


async def test_a_message_ends_with_silence_is_heard_back_and_is_kept_without_it(
    pbx: Pbx, phones: Phones, engine: EngineHere
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345")
    await beep_heard(call)
    await asyncio.sleep(0.3)  # the recording begins after the tone; people take a breath as well
    await call.say(spoken(1.6))
    session = await engine.until_fact(Fact.MESSAGE_KEPT)
    await asyncio.wait_for(call.ended, 5)
    (recorded,) = [line for line in session.trace if line.fact is Fact.MESSAGE_RECORDED]
    assert recorded.detail == "silence"
    (kept,) = await files(pbx, f"messages/{session.flow.id}/voicemail/{today()}/*-1.wav", 1)
    sound = sound_of(kept)
    assert seconds_of_tone(sound, SPOKEN_HZ) == pytest.approx(1.6, abs=0.2)
    assert len(sound) / RATE == pytest.approx(recorded.seconds, abs=0.001)
    assert len(sound) / RATE < 1.6 + SILENCE_S, "the silence that ended it is cut"
    assert seconds_of_tone(sound, BEEP_HZ) == 0.0, "the tone is not part of it"
    assert call.recording.span is not None
    heard = call.recording.samples(call.recording.span.start, call.recording.span.end)
    assert seconds_of_tone(heard, SPOKEN_HZ) > 1.2, "the caller heard it back"
    assert {path.name for path in pbx.recordings.rglob("*.wav")} == {kept.name, "tone.wav"}


async def test_a_key_ends_a_message_and_is_told_as_always(pbx: Pbx, phones: Phones, engine: EngineHere) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345", source=Tone(SPOKEN_HZ, -15.0))
    await beep_heard(call)
    await asyncio.sleep(1.0)  # of speech
    await call.press("5")
    await asyncio.sleep(0.3)  # of speech
    await call.press("#")
    session = await engine.until_fact(Fact.MESSAGE_KEPT)
    await call.hang_up()
    assert [line.key for line in session.trace if line.fact is Fact.KEY_PRESSED] == ["5", "#"]
    assert details(engine, Fact.MESSAGE_RECORDED) == ["key"]
    (kept,) = await files(pbx, "messages/*/voicemail/*/*.wav", 1)
    sound = sound_of(kept)
    assert 0.9 < seconds_of_tone(sound, SPOKEN_HZ) < MOST_S
    # The keys' own tones would be there if they were audible: 770 + 1336 Hz and 941 + 1477 Hz.
    assert not any(seconds_of_tone(sound, hz) for hz in (770, 941, 1336, 1477))


async def test_a_message_that_does_not_end_is_full(pbx: Pbx, phones: Phones, engine: EngineHere) -> None:
    phone = await phones.open("caller")
    await phone.call("12345", source=Tone(SPOKEN_HZ, -15.0))
    await engine.until_fact(Fact.MESSAGE_KEPT)
    assert details(engine, Fact.MESSAGE_RECORDED) == ["full"]
    (kept,) = await files(pbx, "messages/*/voicemail/*/*.wav", 1)
    assert len(sound_of(kept)) / RATE == pytest.approx(MOST_S, abs=0.3)


async def test_who_says_nothing_leaves_nothing(pbx: Pbx, phones: Phones, engine: EngineHere) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345", source=Silence())
    session = await engine.until_fact(Fact.ENDED)
    await asyncio.wait_for(call.ended, 5)
    assert session.outcome == "nothing"
    (recorded,) = [line for line in session.trace if line.fact is Fact.MESSAGE_RECORDED]
    assert (recorded.detail, recorded.seconds) == ("silence", 0.0)
    assert await files(pbx, "**/*.wav", 1) == list(pbx.recordings.glob("unsettled/*/tone.wav"))


async def test_who_hangs_up_while_speaking_has_left_a_message(pbx: Pbx, phones: Phones, engine: EngineHere) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345", source=Tone(SPOKEN_HZ, -15.0))
    await beep_heard(call)
    spoke_from = time.monotonic()
    await asyncio.sleep(1.5)  # of speech
    spoke = time.monotonic() - spoke_from
    await call.hang_up()
    session = await engine.until_fact(Fact.ENDED)
    assert session.outcome == "caller_hung_up"
    (kept,) = await files(pbx, "messages/*/voicemail/*/*.wav", 1)
    assert seconds_of_tone(sound_of(kept), SPOKEN_HZ) == pytest.approx(spoke, abs=0.4)


async def test_a_message_nobody_kept_is_gone_with_the_call(
    pbx: Pbx, phones: Phones, hotline: CallFlow, tmp_path: Path
) -> None:
    flow = taking_messages(hotline, PlayBack("listen", hotline.where, "thanked"))
    async with serving(pbx, flow, tmp_path) as engine:
        phone = await phones.open("caller")
        call = await phone.call("12345")
        await beep_heard(call)
        await call.say(spoken(1.0))
        await engine.until_fact(Fact.MESSAGE_RECORDED)
        assert len(await files(pbx, "unsettled/*/ivrflow-*.wav", 1)) == 1
        await engine.until_fact(Fact.ENDED)
        assert await files(pbx, "unsettled/*/ivrflow-*.wav", 0) == []
    assert list(pbx.recordings.rglob("*.wav")) == []


@pytest.mark.complains("Unable to open file", "Cannot open")
async def test_a_folder_the_pbx_cannot_write_fails_the_message_and_not_the_call(
    pbx: Pbx, phones: Phones, engine: EngineHere, caplog: pytest.LogCaptureFixture
) -> None:
    phone = await phones.open("caller")
    call = await phone.call("12345", source=Tone(SPOKEN_HZ, -15.0))
    await engine.until_fact(Fact.PHRASE_STARTED, phrase=ASK)
    (folder,) = await opened(pbx, engine)
    os.chown(folder, 0, 0)
    folder.chmod(0o755)
    session = await engine.until_fact(Fact.ENDED)
    await asyncio.wait_for(call.ended, 5)
    assert session.outcome == "nothing"
    assert details(engine, Fact.MESSAGE_RECORDED) == ["failed"]
    assert "a message could not be recorded: the PBX made no file" in caplog.text


async def opened(pbx: Pbx, engine: EngineHere) -> Sequence[Path]:
    """The engine's own folder, made before its first message is."""
    unsettled = engine.service.recordings.unsettled
    await asyncio.to_thread(unsettled.prepare, "ivrflow-0.0", 1)
    return list(pbx.recordings.glob("unsettled/*/"))


async def test_a_folder_that_hangs_fails_the_message_and_keeps_no_caller_waiting(
    phones: Phones, engine: EngineHere, caplog: pytest.LogCaptureFixture
) -> None:
    goes_on = threading.Event()
    engine.service.recordings.do(goes_on.wait, lambda _: None)
    try:
        phone = await phones.open("caller")
        call = await phone.call("12345", source=Tone(SPOKEN_HZ, -15.0))
        session = await engine.until_fact(Fact.ENDED)
        await asyncio.wait_for(call.ended, 5)
    finally:
        goes_on.set()
    assert session.outcome == "nothing"
    assert details(engine, Fact.MESSAGE_RECORDED) == ["failed"]
    assert "the recordings folder does not answer within 1 s" in caplog.text


async def test_a_full_disk_fails_the_message_and_not_the_call(
    phones: Phones, engine: EngineHere, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_files, "LEAST_ROOM_BYTES", 10**18)
    phone = await phones.open("caller")
    call = await phone.call("12345", source=Tone(SPOKEN_HZ, -15.0))
    session = await engine.until_fact(Fact.ENDED)
    await asyncio.wait_for(call.ended, 5)
    assert session.outcome == "nothing"
    assert details(engine, Fact.MESSAGE_RECORDED) == ["failed"]
    assert "make room there" in caplog.text


# ── whole calls ───────────────────────────────────────────────────────────────────────────────────────────────────────


def recording(flow: CallFlow, start: str, *steps: Step, whole: bool = True, announce: Sequence[str] = ()) -> CallFlow:
    """The hotline, recording its calls."""
    ends = [HangUp(name, flow.where, name) for name in ("thanked", "nothing")]
    return dataclasses.replace(
        flow,
        start=start,
        steps={**flow.steps, **{step.name: step for step in (*steps, *ends)}},
        recording=CallRecording(flow.where, announce=tuple(announce), whole_call=whole, keep_days=30),
    )


def saying(flow: CallFlow, *phrases: str) -> Say:
    """Says them, then hangs up."""
    say = next(step for step in flow.steps.values() if isinstance(step, Say))
    rung = say.ladder.rungs[0]
    rungs = tuple(dataclasses.replace(rung, say=phrase, wait=0.0) for phrase in phrases)
    return dataclasses.replace(say, name="say_it", ladder=dataclasses.replace(say.ladder, rungs=rungs), then="thanked")


async def the_call(pbx: Pbx, engine: EngineHere) -> Samples:
    """The recording of the newest call, found by the call's id in the journal."""
    session = engine.sessions[-1]
    (path,) = await files(pbx, f"calls/{session.flow.id}/{today()}/*.wav", 1)
    assert path.stem.startswith("ivrflow-")
    return sound_of(path)


@pytest.mark.parametrize("whole", [True, False], ids=["the whole call", "from the talk on"])
async def test_both_sides_of_a_talk_are_recorded_and_the_call_goes_on(
    whole: bool,
    pbx: Pbx,
    phones: Phones,
    hotline: CallFlow,
    tmp_path: Path,
) -> None:
    talk = next(step for step in hotline.steps.values() if isinstance(step, Transfer) and step.extension == "1001")
    flow = recording(hotline, talk.name, whole=whole)
    async with serving(pbx, flow, tmp_path) as engine:
        agent = await phones.open("1001")
        phone = await phones.open("caller")
        call = await phone.call("12345", source=Tone(SPOKEN_HZ, -20.0))
        at_agent = await agent.next_call()
        at_agent.answer()
        await engine.until_fact(Fact.AGENT_ANSWERED)
        call.source = Silence()
        at_agent.source = Tone(AGENT_HZ, -20.0)
        agent_from = time.monotonic()
        await has_heard(call, AGENT_HZ, 1.2, since=agent_from)
        at_agent.source = Silence()
        agent_for = time.monotonic() - agent_from
        call.source = Tone(SPOKEN_HZ, -20.0)
        await has_heard(at_agent, SPOKEN_HZ, 1.2, since=time.monotonic())
        await at_agent.hang_up()
        await engine.until_fact(Fact.AGENT_LEFT)
        await call.hang_up()
        await engine.until_fact(Fact.ENDED)
        sound = await the_call(pbx, engine)
        assert 1.0 < seconds_of_tone(sound, AGENT_HZ) < agent_for + 0.5
        assert seconds_of_tone(sound, SPOKEN_HZ) > 1.0
        assert details(engine, Fact.RECORDING) == ["begun"]


async def test_callers_hear_that_it_is_recorded_before_anybody_is_rung(
    pbx: Pbx, phones: Phones, hotline: CallFlow, tmp_path: Path
) -> None:
    talk = next(step for step in hotline.steps.values() if isinstance(step, Transfer) and step.extension == "1001")
    flow = recording(hotline, talk.name, whole=False, announce=[NOTICE])
    async with serving(pbx, flow, tmp_path) as engine:
        agent = await phones.open("1001")
        phone = await phones.open("caller")
        call = await phone.call("12345")
        at_agent = await agent.next_call()
        at_agent.source = Tone(AGENT_HZ, -20.0)
        at_agent.answer()
        await has_heard(call, AGENT_HZ, 0.5, since=time.monotonic())
        await call.hang_up()
        await engine.until_fact(Fact.ENDED)
        sound = await the_call(pbx, engine)
    notice = prompt(PROMPTS, NOTICE)
    (heard,) = find_all(call.recording, notice)
    assert heard.completeness > 0.9
    assert at_agent.rings_at is not None
    assert heard.end < at_agent.rings_at
    assert place_of(notice, sound) is None, "it begins with the talk"
    assert seconds_of_tone(sound, AGENT_HZ) > 0.4


async def test_it_goes_on_while_caller_and_agent_are_apart(pbx: Pbx, phones: Phones, hotline: CallFlow) -> None:
    recordings = Recordings(RecordingSettings(pbx.recordings, PurePosixPath("/var/lib/ivrflow/recordings")), dict)
    async with floor_of(pbx, phones, recordings) as floor:
        agent = await phones.open("1001")
        here = await floor.call()
        here.line.flow = hotline.id
        here.do(m.StartRecording(), m.Ring(ticket=3, extension="1001", seconds=10.0))
        at_agent = await agent.next_call()
        at_agent.source = Tone(AGENT_HZ, -20.0)
        at_agent.answer()
        await here.until(m.AgentAnswered)
        here.do(m.Bridge(ticket=3))
        await has_heard(here.phone, AGENT_HZ, 0.5, since=time.monotonic())
        prompt = hotline.prompts.prompts[ASK, ()]
        here.do(
            m.Part(ticket=3),
            m.Play(ticket=4, phrase=ASK, prompt=prompt.file, seconds=prompt.seconds, hearer="both", leg=3),
        )
        assert await here.until(m.PromptEnded) == m.PromptEnded(ticket=4)
        here.do(m.Bridge(ticket=3))
        await has_heard(here.phone, AGENT_HZ, 0.5, since=time.monotonic())
        await here.phone.hang_up()
        await here.until(m.CallerHungUp)
    await recordings.close()
    (path,) = await files(pbx, f"calls/{hotline.id}/{today()}/*.wav", 1)
    sound = sound_of(path)
    farewell = place_of(codec("ulaw").decode((PROMPTS / f"{prompt.file}.ulaw").read_bytes()), sound)
    assert farewell is not None, "what both heard while they were apart"
    begins, ends = farewell.begin, farewell.end
    assert has_tone(sound[max(0, begins - RATE // 2) : begins], AGENT_HZ), "the agent before"
    assert not has_tone(sound[begins + RATE // 5 : ends - RATE // 5], AGENT_HZ), "who was not heard meanwhile"
    assert has_tone(sound[ends:], AGENT_HZ), "and the agent after it"


def has_tone(sound: Samples, hertz: int) -> bool:
    """Whether such a tone is in it, among others."""
    spectrum = np.abs(np.fft.rfft(sound))
    return bool(spectrum[round(hertz * len(sound) / RATE)] > 20 * np.median(spectrum))


async def test_prompts_are_in_the_recording_and_keyed_digits_are_not(
    pbx: Pbx, phones: Phones, hotline: CallFlow, tmp_path: Path
) -> None:
    ask = next(step for step in hotline.steps.values() if isinstance(step, Collect))
    ask = dataclasses.replace(ask, done="say_it")
    flow = recording(hotline, ask.name, ask, saying(hotline, ASK))
    async with serving(pbx, flow, tmp_path) as engine:
        phone = await phones.open("caller")
        call = await phone.call("12345", source=Tone(SPOKEN_HZ, -12.0))
        await engine.until(lambda trace: any(line.detail == "paused" for line in trace))
        await asyncio.sleep(1.0)  # the pause is to be found in the file again
        await call.press("864201#")
        await engine.until_fact(Fact.DIGITS_COLLECTED)
        await engine.until_fact(Fact.ENDED)
        sound = await the_call(pbx, engine)
        assert details(engine, Fact.RECORDING) == ["begun", "paused", "goes on"]
        paused, resumed = (
            next(line.at for line in engine.sessions[-1].trace if line.detail == word) for word in ("paused", "goes on")
        )
        # The caller's tone never pauses. While a key is down the telephone sends none, and no time passes in the file.
        ((begins, ends),) = silences(sound)
        assert begins == pytest.approx(paused, abs=0.5)
        assert resumed - paused - 7 * 0.15 - 0.3 < ends - begins < resumed - paused + 0.3
        farewell = codec("ulaw").decode((PROMPTS / f"{flow.prompts.prompts[ASK, ()].file}.ulaw").read_bytes())
        assert place_of(farewell, sound[round(ends * RATE) :]) is not None
        assert place_of(farewell, sound[: round(ends * RATE)]) is None, "it is said once"


def silences(sound: Samples) -> list[tuple[float, float]]:
    """Seconds from and to which nothing at all is to be heard, 0.2 s or longer."""
    quiet = np.concatenate([[False], ~sound[: len(sound) // 160 * 160].reshape(-1, 160).any(axis=1), [False]])
    edges = np.flatnonzero(quiet[1:] != quiet[:-1]) * 0.02
    return [(float(begin), float(end)) for begin, end in edges.reshape(-1, 2) if end - begin >= 0.2]


@pytest.mark.complains("Unable to open file", "Cannot open")
async def test_a_call_that_cannot_be_recorded_goes_on(
    pbx: Pbx, phones: Phones, hotline: CallFlow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    flow = recording(hotline, "say_it", saying(hotline, ASK, ASK))
    day = pbx.recordings / "calls" / flow.id / today()
    day.mkdir(parents=True, exist_ok=True)
    day.chmod(0o755)
    os.chown(day, 0, 0)
    try:
        async with serving(pbx, flow, tmp_path) as engine:
            phone = await phones.open("caller")
            call = await phone.call("12345")
            session = await engine.until_fact(Fact.ENDED)
            await asyncio.wait_for(call.ended, 5)
            assert session.outcome == "thanked"
            assert "is not recorded: the PBX made no file" in caplog.text
    finally:
        day.rmdir()


async def test_a_message_in_a_recorded_call_is_in_both(
    pbx: Pbx, phones: Phones, hotline: CallFlow, tmp_path: Path
) -> None:
    where = hotline.where
    take = Record("take", where, (), MOST_S, SILENCE_S, 0.5, "#", "voicemail", "keep", "nothing")
    flow = recording(hotline, "take", take, Keep("keep", where, "say_it"), saying(hotline, ASK))
    async with serving(pbx, flow, tmp_path) as engine:
        phone = await phones.open("caller")
        call = await phone.call("12345")
        await beep_heard(call)
        await call.say(spoken(1.0))
        await engine.until_fact(Fact.ENDED)
        sound = await the_call(pbx, engine)
        assert seconds_of_tone(sound, SPOKEN_HZ) == pytest.approx(1.0, abs=0.3)
        assert seconds_of_tone(sound, BEEP_HZ) == pytest.approx(0.3, abs=0.1)
        farewell = codec("ulaw").decode((PROMPTS / f"{flow.prompts.prompts[ASK, ()].file}.ulaw").read_bytes())
        assert place_of(farewell, sound) is not None, "it goes on when the message is over"
        (kept,) = await files(pbx, "messages/*/voicemail/*/*.wav", 1)
        assert seconds_of_tone(sound_of(kept), SPOKEN_HZ) == pytest.approx(1.0, abs=0.3)
        assert seconds_of_tone(sound_of(kept), BEEP_HZ) == 0.0
