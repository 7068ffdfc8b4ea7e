"""What a phone hears of the real PBX, told while it is heard and named afterwards: prompts, hold music, ringing."""

import asyncio
import time
from pathlib import Path

import pytest
from one_pbx import Phones
from peers import AgiPeer, AgiSession

from ivrflow.scenario.pbx.hearing import hear_all, load_music, load_sounds
from ivrflow.settings import Settings
from ivrflow.softphone.call import Call
from ivrflow.softphone.ear import LOOK_EVERY_S, Began, Ear, Ended
from ivrflow.softphone.repertoire import Repertoire
from tools.pbx import Pbx

PLAYED = "/var/lib/ivrflow/prompts"
PLEASE_HOLD = "gov12345/hold_request.short.alt1"
THANKS = "house/closing.farewell"
MUSIC_S = 3.0


@pytest.fixture(scope="module")
def repertoire(pbx_prompts: Path, pbx_tree: Path) -> Repertoire:
    """What the flow of 12345 can say: to know eleven standards apart takes seconds before the first call."""
    every, _ = load_sounds(Settings(prompts_dir=pbx_prompts))
    sounds = {name: sound for name, sound in every.items() if name.startswith(("gov12345/", "house/"))}
    return Repertoire(sounds, load_music(pbx_tree / "usr/share/asterisk/moh"))


async def serve(session: AgiSession) -> None:
    """An engine that asks to hold, plays music, and takes leave."""
    await session.command("ANSWER")
    await session.command(f'STREAM FILE {PLAYED}/{PLEASE_HOLD} ""')
    await session.command("SET MUSIC ON default")
    await session.command(f"WAIT FOR DIGIT {MUSIC_S * 1000:.0f}")
    await session.command("SET MUSIC OFF")
    await session.command(f'STREAM FILE {PLAYED}/{THANKS} ""')
    await session.finish()


async def listened(call: Call, repertoire: Repertoire) -> list[Began | Ended]:
    """What an ear told of the phrase, the music, and the other phrase."""
    assert call.answered_at is not None
    ear = Ear(call.recording, repertoire)
    told: list[Began | Ended] = []
    since = call.answered_at
    for phrase in (PLEASE_HOLD, "", THANKS):
        if phrase:
            ear.listen_for(phrase, since)
        else:
            ear.listen_for_music(since)
        heard: Began | Ended | None = None
        while not isinstance(heard, Ended) and (call.end is None or heard):
            if heard := ear.look(time.monotonic()):
                told.append(heard)
                since = heard.at
            await asyncio.sleep(LOOK_EVERY_S)
    return told


@pytest.mark.parametrize("codec", ["alaw", "ulaw", "g722"])
async def test_it_is_told_while_it_is_heard_and_named_afterwards(
    codec: str, pbx: Pbx, phones: Phones, repertoire: Repertoire
) -> None:
    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller", codec=codec)
        call = await caller.call("12345")
        live = await listened(call, repertoire)
        async with asyncio.timeout(30):
            await call.ended
    assert call.answered_at is not None
    heard = hear_all(call.recording, repertoire, likely=(PLEASE_HOLD, THANKS), answered_at=call.answered_at)
    assert [(one.kind, one.name) for one in heard] == [("phrase", PLEASE_HOLD), ("music", ""), ("phrase", THANKS)]
    hold, music, thanks = heard
    assert min(hold.completeness, thanks.completeness) > 0.98
    assert -0.1 < hold.start < 1  # its first packet may overtake our note of the answer
    assert hold.end < music.start < hold.end + 1.8  # some of the tunes begin very softly
    assert music.start + 1 < music.end < thanks.start + 0.05
    began = [told.at - call.answered_at for told in live if isinstance(told, Began)]
    assert began[0] == pytest.approx(hold.start, abs=0.03)
    assert began[1] == pytest.approx(music.start, abs=0.3)
    assert began[2] == pytest.approx(thanks.start, abs=0.03)  # it took the place of the music
    ended = [told.at - call.answered_at for told in live if isinstance(told, Ended)]
    assert ended[0] == pytest.approx(hold.end, abs=0.15)  # a hold-up is only known for one when it is over


async def test_ringing_is_a_tone(pbx: Pbx, phones: Phones, repertoire: Repertoire) -> None:
    async def ring(session: AgiSession) -> None:
        await session.command("ANSWER")
        await session.command("EXEC Playtones ring")
        await session.command("WAIT FOR DIGIT 1500")
        await session.command("EXEC StopPlaytones")
        await session.finish()

    async with AgiPeer(pbx, ring):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        async with asyncio.timeout(30):
            await call.ended
    assert call.answered_at is not None
    heard = hear_all(call.recording, repertoire, likely=(THANKS,), answered_at=call.answered_at)
    assert {one.kind for one in heard} == {"tone"}
    assert heard[0].end - heard[0].start > 0.5
