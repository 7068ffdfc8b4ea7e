"""Results of scenarios made by hand, one of every kind a report must be able to show.

The calls are short walks through a flow of its own with Chinese phrases; what the engine traced comes from the simulator, what
the phones heard is made up around it.
"""

import wave
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import small_flows as small
from msgspec.structs import replace as replace_verdict

from ivrflow.engine.trace import Fact, Judgement, TraceLine
from ivrflow.flow.model import HANG_UP, Band, CallFlow, Phrase, Prompt, PromptCatalogue
from ivrflow.flow.problems import Location
from ivrflow.scenario.observation import (
    Act,
    ClockPair,
    EngineSide,
    Finding,
    GaveUp,
    Heard,
    Observation,
    PhoneSide,
    Result,
    SipLine,
)
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.script import (
    AgentPart,
    Background,
    Expectations,
    HangUp,
    Hear,
    HearMusic,
    HearStart,
    HungUpFirst,
    Pause,
    Press,
    Say,
    Scenario,
    Stage,
    Step,
    Wait,
)
from ivrflow.simulator.agents import Agent
from ivrflow.simulator.caller_commands import Bare, Stay
from ivrflow.simulator.caller_commands import Press as PressKeys
from ivrflow.simulator.simulation import Simulation
from ivrflow.softphone.audio_source import Noise, Silence

FILE = "scenarios/gov/silent_call.yaml"

TEXTS: Mapping[str, tuple[str, float]] = {
    "gov/silent_call.greeting": ("您好，政府热线，请问有什么可以帮到您？", 3.84),
    "gov/silent_call.connected": ("您好，您的电话已接通，请讲！", 2.92),
    "gov/silent_call.change_phone": ("对不起，听不到您的声音，请您换一部话机再拨，谢谢。", 5.12),
    "gov/collect.ask_number": ("请输入您的受理编号，以井号键结束。", 3.6),
    "gov/collect.incomplete": ("您输入的编号不完整。", 2.1),
    "gov/number.received": ("您的编号已收到。", 1.9),
    "gov/transfer.connecting": ("正在为您转接，请稍候。", 2.3),
    "gov/transfer.nobody": ("坐席暂时无人接听。", 2.2),
    "gov/anything_else.ask": ("请问您还需要什么帮助吗？", 2.4),
    "gov/closing.survey": ("请您稍后挂机，并进行评价，谢谢！", 3.1),
    "gov/closing.please_hang_up": ("请您先挂机，谢谢！", 1.8),
    "gov/long.apology": (
        "非常抱歉，工作期间不方便帮您转告，请您拨打这位同事的私人电话联系，谢谢您对我们工作的配合和理解，再见！如有给您带来不便，请您谅解！再次感谢您对我们工作的关心与支持！",
        18.4,
    ),
    "gov/long.supervisor": (
        "很抱歉我的服务给您带来不好的体验，感谢您的及时提醒，我现在将您的电话转给管理人员，请您稍等并不要挂断电话。",
        12.6,
    ),
}

SILENT_CALL = small.rule(
    "silent_call",
    small.rule_rung("gov/silent_call.greeting", (3, 3), leave_on="speech"),
    small.rule_rung("gov/silent_call.connected", (3, 3), leave_on="speech"),
    small.rule_rung("gov/silent_call.change_phone"),
    then="hangup",
)
LONG = small.rule(
    "long", small.rule_rung("gov/long.apology", (2, 2)), small.rule_rung("gov/long.supervisor"), then="hangup"
)
HOLD = small.rule("hold_request", small.rule_rung(task="look_up", wait=(10, 130), leave_on="lookup_done"))


@lru_cache(maxsize=1)
def flow() -> CallFlow:
    """The hotline that the samples call."""
    close = replace(
        small.close(reminder="gov/closing.please_hang_up"),
        ladder=small.ladder(
            small.rung("gov/anything_else.ask", 2.0, rule="gov/anything_else", band=Band(2, 2)),
            small.rung("gov/closing.survey", rule="gov/closing"),
            then="survey",
            name="close",
        ),
    )
    collect = replace(
        small.collect("number", done="received", barge_in=frozenset({"key"})),
        ask="gov/collect.ask_number",
        incomplete_say="gov/collect.incomplete",
    )
    made = small.flow(
        small.climb(
            "welcome",
            *small.rungs_of(SILENT_CALL),
            ladder_name="silent_call",
            listens=small.listening(barge_in=small.BOTH, speech="agent", keys={"1": "number"}),
        ),
        collect,
        small.say("received", "gov/number.received", then="agent"),
        small.transfer("agent", "gov/transfer.connecting", agent_left="close", no_answer="away"),
        small.say("away", "gov/transfer.nobody", then=HANG_UP),
        small.climb("apology", *small.rungs_of(LONG), ladder_name="long"),
        close,
        rules=(SILENT_CALL, LONG, HOLD, small.ANYTHING_ELSE, small.CLOSING),
        outcomes={"closing": "close"},
    )
    phrases = {key: Phrase(key, text, small.WHERE) for key, (text, _) in TEXTS.items()}
    prompts: dict[tuple[str, tuple[tuple[str, str], ...]], Prompt] = {
        (key, ()): Prompt(key, text, seconds, 4000) for key, (text, seconds) in TEXTS.items()
    }
    rules = {
        name: replace(rule, trigger=f"when {name.replace('_', ' ')} is what it is about")
        for name, rule in made.standard.rules.items()
    }
    return replace(
        made,
        title="12345 政府服务热线",
        phrases=phrases | {key: phrase for key, phrase in made.phrases.items() if key not in phrases},
        prompts=PromptCatalogue({**made.prompts.prompts, **prompts}),
        standard=replace(made.standard, rules=rules),
    )


# ── scenarios ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SILENT_TEXT = """\
# A caller who never says a word is asked twice,
# three seconds apart, and then hung up on.
scenario: a silent caller meets the whole ladder
flow: gov12345
proves: [silent_call, greeting_inbound]
caller:
  - hear: silent_call.greeting
  - pause: as the rule says
  - hear: silent_call.connected
  - pause: as the rule says
  - hear: silent_call.change_phone
expect:
  hung_up_first: ivrflow
  outcome: hung_up
  verdicts: {silent_call: kept}
  lasts: 15s-25s
"""


def where(line: int, file: str = FILE) -> Location:
    return Location(file, line, 5)


def scenario(
    title: str = "a silent caller meets the whole ladder",
    *,
    text: str = SILENT_TEXT,
    file: str = FILE,
    caller: Iterable[Step] = (),
    agents: tuple[AgentPart, ...] = (),
    proves: tuple[str, ...] = ("gov/silent_call",),
    about: tuple[str, ...] = (
        "A caller who never says a word is asked twice,",
        "three seconds apart, and then hung up on.",
    ),
    at: datetime | None = None,
    stages: tuple[Stage, ...] = ("simulator", "pbx"),
    why_not: str = "",
) -> Scenario:
    return Scenario(
        title=title,
        file=file,
        text=text,
        about=about,
        flow=flow(),
        number="12345",
        at=at,
        proves=proves,
        stages=stages,
        why_not=why_not,
        background=Silence(),
        caller=tuple(caller),
        agents=agents,
        expect=Expectations(),
        within=60.0,
        where=where(3, file),
    )


def silent_steps() -> list[Step]:
    rule = Band(3, 3)
    return [
        Hear("gov/silent_call.greeting", where(7)),
        Pause(rule, where(8), 0.25, "gov/silent_call"),
        Hear("gov/silent_call.connected", where(9)),
        Pause(rule, where(10), 0.25, "gov/silent_call"),
        Hear("gov/silent_call.change_phone", where(11)),
    ]


# ── what the engine says ──────────────────────────────────────────────────────────────────────────────────────────────


def engine_side(
    simulation: Simulation, *, call: str = "1795312800.7", hung_up_first: HungUpFirst | None = "ivrflow"
) -> EngineSide:
    session = simulation.session
    answered = next(line.at for line in session.trace if line.fact is Fact.ANSWERED)
    return EngineSide(call, answered, tuple(session.trace), session.verdicts, "hung_up", hung_up_first)


def silent_call() -> Simulation:
    simulation = Simulation(flow())
    simulation.run_out()
    return simulation


def heard_by_wire(trace: Iterable[TraceLine], late: float = 0.02) -> tuple[Heard, ...]:
    """What a caller hears when the engine has played its phrases, so many seconds later."""
    heard: list[Heard] = []
    began: TraceLine | None = None
    for line in trace:
        if line.fact is Fact.PHRASE_STARTED:
            began = line
        elif line.fact is Fact.PHRASE_ENDED and began is not None:
            length = TEXTS[began.phrase][1]
            share = min(1.0, (line.at - began.at) / length)
            start = began.at + late
            heard.append(Heard("phrase", began.phrase, start, line.at + late - 0.04, share, 0.98, length))
    return tuple(heard)


# ── signalling ────────────────────────────────────────────────────────────────────────────────────────────────────────

_INVITE = """\
INVITE sip:12345@127.0.0.1:5060 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:40123;branch=z9hG4bK7d{n};rport
From: "Wang Fang" <sip:13800138000@127.0.0.1>;tag=a7f3
To: <sip:12345@127.0.0.1>
Contact: <sip:13800138000@127.0.0.1:40123>
Call-ID: 6f1c2e9b@ivrflow
CSeq: {n} INVITE
Max-Forwards: 70
{extra}Content-Type: application/sdp
Content-Length: 214

v=0
o=- 3977 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 40124 RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
"""
_DIGEST = (
    'Authorization: Digest username="13800138000", realm="asterisk", nonce="1795/0c", uri="sip:12345@127.0.0.1:5060", '
    'response="5f8a1b7c6d9e0f112233445566778899", algorithm=MD5, cnonce="c0ffee", qop=auth, nc=00000001\n'
)


def _answer(status: str, cseq: str, extra: str = "") -> str:
    return (
        f"SIP/2.0 {status}\nVia: SIP/2.0/UDP 127.0.0.1:40123;branch=z9hG4bK7d;rport=40123\n"
        'From: "Wang Fang" <sip:13800138000@127.0.0.1>;tag=a7f3\nTo: <sip:12345@127.0.0.1>;tag=9b\n'
        f"Call-ID: 6f1c2e9b@ivrflow\nCSeq: {cseq}\n{extra}Content-Length: 0\n\n"
    )


def signalling(end: float, *, by: str = "in") -> tuple[SipLine, ...]:
    """A call as its phone signals it; the far side hangs up when `by` is "in"."""
    bye = "BYE sip:13800138000@127.0.0.1:40123 SIP/2.0\nCall-ID: 6f1c2e9b@ivrflow\nCSeq: 1 BYE\nReason: Q.850;cause=16\n\n"
    challenge = 'WWW-Authenticate: Digest realm="asterisk",nonce="1795/0c",algorithm=MD5,qop="auth"\n'
    said: list[tuple[float, str, str]] = [
        (-0.062, "out", _INVITE.format(n=1, extra="")),
        (-0.061, "in", _answer("401 Unauthorized", "1 INVITE", challenge)),
        (-0.060, "out", "ACK sip:12345@127.0.0.1:5060 SIP/2.0\nCall-ID: 6f1c2e9b@ivrflow\nCSeq: 1 ACK\n\n"),
        (-0.059, "out", _INVITE.format(n=2, extra=_DIGEST)),
        (-0.055, "in", _answer("100 Trying", "2 INVITE")),
        (-0.001, "in", _answer("200 OK", "2 INVITE", "Contact: <sip:127.0.0.1:5060>\n")),
        (0.0, "out", "ACK sip:127.0.0.1:5060 SIP/2.0\nCall-ID: 6f1c2e9b@ivrflow\nCSeq: 2 ACK\n\n"),
        (end, by, bye),
        (end + 0.001, "out" if by == "in" else "in", _answer("200 OK", "1 BYE")),
    ]
    return tuple(
        SipLine(at, "out" if way == "out" else "in", text.partition("\n")[0], text.replace("\n", "\r\n"))
        for at, way, text in said
    )


def sound_file(folder: Path, name: str, seconds: float) -> Path:
    """A silent sound file."""
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0\0\0" * int(seconds * 8000))
    return path


# ── the samples ───────────────────────────────────────────────────────────────────────────────────────────────────────


def clocks(*pairs: tuple[float, float | None, float | None]) -> tuple[ClockPair, ...]:
    """The silent call's waits: where they began, and what both clocks say."""
    return tuple(
        ClockPair("gov/silent_call", rung, "3 s", 3.0, 3.0, engine, wire, at)
        for rung, (at, engine, wire) in enumerate(pairs, 1)
    )


def passed(stage: Stage = "pbx", audio: Path | None = None) -> Result:
    """A silent call of which everything is as it should be."""
    simulation = silent_call()
    engine = engine_side(simulation)
    on_wire = stage == "pbx"
    heard = heard_by_wire(engine.trace) if on_wire else heard_by_wire(engine.trace, 0.0)
    end = engine.trace[-1].at + (0.03 if on_wire else 0.0)
    caller = PhoneSide(
        "caller", answered_at=0.0, ended_at=end, ended_by="peer", heard=heard,
        sip=signalling(end) if on_wire else (), audio=audio, audio_from=-0.05,
    )  # fmt: skip
    pairs = [
        (one.end, 3.0, 3.0 + (second.start - one.end - 3.0) if on_wire else None) for one, second in pairwise(heard)
    ]
    return Result(
        scenario(caller=silent_steps()),
        stage,
        Observation(stage, caller, engine=engine if on_wire else replace(engine, call="")),
        clocks=clocks(*pairs),
        took=18.9 if on_wire else 0.012,
    )


def failed(audio: Path | None = None) -> Result:
    """A pause out of its band, a phrase that was cut, one that was not heard, a verdict broken; clocks apart as a remark."""
    engine = engine_side(silent_call())
    broken = "waited 5.21 s after rung 1, not 3 s"
    engine = replace(
        engine,
        verdicts=tuple(
            replace_verdict(verdict, judgement=Judgement.BROKEN, observed=broken)
            if verdict.rule == "gov/silent_call"
            else verdict
            for verdict in engine.verdicts
        ),
    )
    greeting, connected, change = heard_by_wire(engine.trace)
    later = 2.21
    connected = replace(connected, start=connected.start + later, end=connected.end + later - 1.1, completeness=0.62)
    end = change.end + later
    unknown = Heard("unknown", "", change.start + later + 0.6, change.start + later + 2.4, length=1.8)
    caller = PhoneSide(
        "caller", answered_at=0.0, ended_at=end, ended_by="peer", heard=(greeting, connected, unknown),
        acts=(Act("say gov/agent_identity.number", 10.1, 11.6, where(9)),), sip=signalling(end), audio=audio,
    )  # fmt: skip
    findings = (
        Finding("verdict", where(15), "silent_call kept", "broken: waited 5.21 s after rung 1, not 3 s"),
        Finding("pause", where(8), "3 s, give or take 0.25 s", "5.21 s", at=greeting.end),
        Finding("cut", where(9), "silent_call.connected to at least 70 %", "62 % of it", at=connected.end),
        Finding(
            "not heard",
            where(11),
            "silent_call.change_phone within 33 s",
            "an unknown sound of 1.8 s",
            at=unknown.start,
        ),
        Finding("clocks", where(8), "wire and engine within 60 ms", "87 ms apart", at=greeting.end, fails=False),
    )
    return Result(
        scenario("a silent caller is asked again in time", caller=silent_steps(), at=datetime(2026, 11, 20, 10, 0)),  # noqa: DTZ001 - local to the flow
        "pbx",
        Observation("pbx", caller, engine=engine, stalls=((6.3, 0.24),)),
        findings,
        clocks((greeting.end, 5.123, 5.21), (connected.end, 3.004, None)),
        took=22.4,
        tries=2,
    )


AGENT_TEXT = """\
scenario: an agent takes the call, holds it and hangs up first
flow: gov12345
caller:
  - hear_start: silent_call.greeting
  - press: "1"
  - hear: collect.ask_number
  - press: {keys: "86420#", hold: 100ms, gap: 300ms}
  - background: noise -30dB
  - hear: transfer.connecting
  - hear_music
  - say: 2s
agents:
  "1001":
    - ring: 2s
    - wait: 5s
    - hold: 3s
    - hang_up
expect:
  hung_up_first: agent
"""


def with_agents(audio: Path | None = None) -> Result:
    """Keys, a cut by barge-in, an agent who rings, talks, holds with music and hangs up first; another who never answers."""
    simulation = Simulation(flow(), agents={"1001": Agent("answers", 2.0, 12.0)})
    simulation.advance(1.5)
    simulation.caller(PressKeys("1"))
    simulation.advance(4.2)
    simulation.caller(PressKeys("86420#"))
    simulation.caller(Stay())
    engine = engine_side(simulation, hung_up_first="ivrflow")
    heard = heard_by_wire(engine.trace)
    answered = next(line.at for line in engine.trace if line.fact is Fact.AGENT_ANSWERED)
    left = next(line.at for line in engine.trace if line.fact is Fact.AGENT_LEFT)
    end = engine.trace[-1].at
    pressed = next(line.at for line in engine.trace if line.fact is Fact.KEY_PRESSED)
    keyed = [line.at for line in engine.trace if line.fact is Fact.KEY_PRESSED][1:]
    music = Heard("music", "", answered + 5.1, answered + 8.0, length=2.9)
    tone = Heard("tone", "440 Hz", answered - 1.9, answered - 0.9, length=1.0)
    steps: list[Step] = [
        HearStart("gov/silent_call.greeting", where(4)),
        Press("1", where(5)),
        Hear("gov/collect.ask_number", where(6)),
        Press("86420#", where(7)),
        Background(Noise(-30.0), where(8)),
        Hear("gov/transfer.connecting", where(9)),
        HearMusic(where(10)),
        Say(2.0, where(11)),
    ]
    caller = PhoneSide(
        "caller", answered_at=0.0, ended_at=end, ended_by="peer",
        heard=tuple(sorted([*heard, music, tone], key=lambda one: one.start)),
        acts=(
            Act("hear the start of gov/silent_call.greeting", 0.0, 0.6, where(4)),
            Act("press keys", pressed - 0.1, pressed, where(5), "1"),
            Act("press keys", keyed[0] - 0.1, keyed[-1], where(7), "86420#"),
            Act("background noise -30dB", keyed[-1], keyed[-1], where(8)),
            Act("say 2s", music.end + 0.2, music.end + 2.2, where(11)),
        ),
        sip=signalling(end), audio=audio,
    )  # fmt: skip
    agent = PhoneSide(
        "1001", rang_at=answered - 2.0, answered_at=answered, ended_at=left, ended_by="phone",
        heard=(Heard("unknown", "", music.end + 0.25, music.end + 2.2, length=1.95),),
        acts=(
            Act("wait 5s", answered, answered + 5, where(15)),
            Act("hold", answered + 5.0, answered + 5.05, where(16)),
            Act("wait 3s", answered + 5.05, answered + 8.0, where(16)),
            Act("resume", answered + 8.0, answered + 8.04, where(16)),
            Act("hang up", left, left, where(17)),
        ),
        sip=signalling(left, by="out")[3:], audio=audio,
    )  # fmt: skip
    absent = PhoneSide("1002", rang_at=answered - 2.0, ended_at=answered + 0.02, ended_by="peer")
    agents = (AgentPart("1001", "answers", where(13), 2.0), AgentPart("1002", "rings_on", where(13)))
    return Result(
        scenario(
            "an agent takes the call, holds it and hangs up first",
            text=AGENT_TEXT,
            file="scenarios/gov/agent.yaml",
            caller=steps,
            agents=agents,
            proves=(),
            about=(),
        ),
        "pbx",
        Observation("pbx", caller, {"1001": agent, "1002": absent}, engine),
        took=41.0,
    )


def long_wait() -> Result:
    """A wait of 130 s in a call of two and a half minutes."""
    start = 6.4
    trace = (
        TraceLine(0.0, Fact.ARRIVED),
        TraceLine(0.01, Fact.ANSWERED),
        TraceLine(0.01, Fact.STEP_ENTERED, step="welcome"),
        TraceLine(0.02, Fact.PHRASE_STARTED, phrase="gov/silent_call.greeting", seconds=3.84),
        TraceLine(3.86, Fact.PHRASE_ENDED, phrase="gov/silent_call.greeting", detail="finished"),
        TraceLine(4.5, Fact.SITUATION_STARTED, step="hold_request", detail="hold_request"),
        TraceLine(start, Fact.TASK_ASKED, rule="gov/hold_request", rung=1, detail="look_up", seconds=130.0),
        TraceLine(start + 130.0, Fact.WAIT_USED_UP, rule="gov/hold_request", rung=1),
        TraceLine(
            start + 130.02, Fact.PHRASE_STARTED, phrase="gov/closing.survey", rule="gov/closing", rung=1, seconds=3.1
        ),
        TraceLine(start + 133.1, Fact.PHRASE_ENDED, phrase="gov/closing.survey", detail="finished"),
        TraceLine(start + 133.2, Fact.ENDED, detail="hung_up"),
    )
    heard = (
        Heard("phrase", "gov/silent_call.greeting", 0.03, 3.84, 1.0, 0.99, 3.84),
        Heard("music", "", start + 0.1, start + 129.8, length=129.7),
        Heard("phrase", "gov/closing.survey", start + 130.05, start + 133.1, 1.0, 0.97, 3.1),
    )
    caller = PhoneSide("caller", answered_at=0.0, ended_at=start + 133.25, ended_by="peer", heard=heard)
    engine = EngineSide("1795312800.9", 0.01, trace, (), "hung_up", "ivrflow")
    pair = ClockPair("gov/hold_request", 1, "10-130 s", 10.0, 130.0, 130.0, 130.01, start)
    return Result(
        scenario("a caller is on hold for two minutes", file="scenarios/gov/hold.yaml", proves=("gov/hold_request",)),
        "pbx",
        Observation("pbx", caller, engine=engine),
        clocks=(pair,),
        took=141.0,
    )


def sixty_findings() -> Result:
    """So much that is wrong that it must be folded."""
    base = passed()
    assert base.observation is not None
    end = base.observation.caller.ended_at or 1.0
    findings = tuple(
        Finding(
            ("pause", "unexpected", "not heard", "never")[number % 4],
            where(5 + number % 12),
            f"thing {number} as it is written",
            f"another thing, {number * 0.1:.1f} s off",
            at=None if number % 10 == 9 else end * number / 60,
            fails=number % 6 != 5,
        )
        for number in range(60)
    )
    return replace(
        base,
        scenario=replace(base.scenario, title="everything goes wrong", file="scenarios/gov/wrong.yaml"),
        findings=findings,
    )


def nothing_heard() -> Result:
    """A call in which not a sound came, without a journal, with something left behind."""
    caller = PhoneSide(
        "caller", answered_at=0.0, ended_at=34.0, ended_by="phone",
        gave_up=GaveUp("gov/silent_call.greeting was not heard within 30 s", 0.0, 30.6, where(7)),
        trouble="no RTP came from 127.0.0.1 within 34 s",
    )  # fmt: skip
    findings = (
        Finding("gave up", where(7), "silent_call.greeting", "nothing within 30 s", at=30.6),
        Finding("leak", where(3), "nothing left behind", "1 channel: PJSIP/caller-00000007"),
    )
    return Result(
        scenario("nothing comes from the PBX", file="scenarios/gov/mute.yaml", caller=silent_steps()),
        "pbx",
        Observation(
            "pbx", caller, leaks=("1 channel was left behind: PJSIP/caller-00000007",), stalls=((3.0, 0.4), (12.0, 1.3))
        ),
        findings,
        took=36.1,
    )


def long_phrases() -> Result:
    """Phrases that take longer to read than to hear, with the noise of a caller who speaks now and then."""
    simulation = Simulation(replace(flow(), start="apology"))
    simulation.run_out()
    engine = engine_side(simulation)
    heard = heard_by_wire(engine.trace)
    end = engine.trace[-1].at + 0.02
    acts = tuple(Act("say 0.4s", second, second + 0.4, where(9)) for second in (2.0, 2.6, 3.2, 9.0, 20.1, 20.9))
    caller = PhoneSide(
        "caller", answered_at=0.0, ended_at=end, ended_by="peer", heard=heard, acts=acts, sip=signalling(end)
    )
    pause = ClockPair("gov/long", 1, "2 s", 2.0, 2.0, 2.0, heard[1].start - heard[0].end, heard[0].end)
    return Result(
        scenario("长话短说：投诉人要求找某位同事，并且一直说话", file="scenarios/投诉/长话.yaml", proves=("gov/long",)),
        "pbx",
        Observation("pbx", caller, engine=engine),
        clocks=(pause,),
        took=40.0,
    )


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)> & ' ]]> {{ 7 * 7 }} {% raw %} \x00\x1b[31m \ud800"


def hostile() -> Result:
    """Markup wherever text can come from."""
    file = f"scenarios/{HOSTILE}/../../etc/passwd.yaml"
    place = Location(file, 2, 1)
    step = Hear(HOSTILE, place)
    trace = (
        TraceLine(0.0, Fact.ARRIVED, detail=HOSTILE),
        TraceLine(0.0, Fact.ANSWERED),
        TraceLine(0.1, Fact.STEP_ENTERED, step=HOSTILE, where=HOSTILE),
        TraceLine(0.2, Fact.PHRASE_STARTED, phrase=HOSTILE, rule=HOSTILE, rung=1),
        TraceLine(1.2, Fact.PHRASE_ENDED, phrase=HOSTILE, detail=HOSTILE),
        TraceLine(2.0, Fact.KEY_PRESSED, key="9"),
        TraceLine(3.0, Fact.ENDED, detail=HOSTILE),
    )
    caller = PhoneSide(
        "caller", answered_at=0.0, ended_at=3.0, ended_by="peer",
        heard=(Heard("phrase", HOSTILE, 0.2, 1.2, 0.4, 0.9, 2.0, HOSTILE), Heard("tone", HOSTILE, 1.4, 1.6, text=HOSTILE)),
        acts=(Act(f"say {HOSTILE}", 0.5, 1.0, place),),
        gave_up=GaveUp(HOSTILE, 1.0, 2.0, place),
        sip=(SipLine(0.0, "in", HOSTILE, f"INVITE sip:{HOSTILE}@x SIP/2.0\r\nX: </pre></details>{HOSTILE}\r\n\r\n"),),
        trouble=HOSTILE,
    )  # fmt: skip
    return Result(
        replace(
            scenario(HOSTILE, text=f"# {HOSTILE}\nscenario: {HOSTILE}\n", file=file, caller=(step,), proves=(HOSTILE,), about=(HOSTILE,)),
            number=HOSTILE,
            where=place,
        ),
        "pbx",
        Observation("pbx", caller, {HOSTILE: replace(caller, name=HOSTILE)}, EngineSide(HOSTILE, 0.0, trace, (), HOSTILE, "ivrflow"), (HOSTILE,)),
        (Finding("not heard", place, HOSTILE, HOSTILE, at=0.7), Finding("clocks", Location(HOSTILE, 1, 1), HOSTILE, HOSTILE, fails=False)),
        (ClockPair(HOSTILE, 1, HOSTILE, 1.0, 1.0, 1.0, 1.2, 0.5),),
    )  # fmt: skip


def caller_leaves() -> Result:
    """The caller hangs up by its script, in the middle of a phrase."""
    simulation = Simulation(flow())
    simulation.advance(2.0)
    simulation.caller(Bare.HANG_UP)
    engine = replace(engine_side(simulation, hung_up_first="caller"), outcome="caller_hung_up")
    steps: list[Step] = [HearStart("gov/silent_call.greeting", where(7)), Wait(2.0, where(8)), HangUp(where(9))]
    heard = (Heard("phrase", "gov/silent_call.greeting", 0.02, 2.0, 0.5, 0.98, 3.84),)
    acts = (Act("wait 2s", 0.0, 2.0, where(8)), Act("hang up", 2.0, 2.01, where(9)))
    caller = PhoneSide("caller", answered_at=0.0, ended_at=2.01, ended_by="phone", heard=heard, acts=acts)
    made = scenario(
        "a caller who hangs up during the greeting", file="scenarios/gov/leaves.yaml", caller=steps, proves=()
    )
    return Result(made, "pbx", Observation("pbx", caller, engine=engine), took=3.2)


def not_run() -> Result:
    made = scenario(
        "a caller who sends no RTP at all",
        file="scenarios/gov/no_rtp.yaml",
        stages=("pbx",),
        why_not="there is no RTP in the simulator",
    )
    return Result(made, "simulator", None, trouble="only on the pbx: there is no RTP in the simulator", skipped=True)


def not_played() -> Result:
    made = scenario("the PBX is not there", file="scenarios/gov/unreachable.yaml", proves=("gov/closing",))
    return Result(
        made, "pbx", None, trouble="nothing answers at 127.0.0.1:5060 (SIP over UDP); is the PBX running?", took=8.0
    )


def samples(audio: Path | None = None) -> dict[str, Result]:
    """One of every kind, by name."""
    return {
        "passed": passed(audio=audio),
        "simulated": passed("simulator"),
        "failed": failed(audio),
        "agents": with_agents(audio),
        "long_wait": long_wait(),
        "sixty_findings": sixty_findings(),
        "nothing_heard": nothing_heard(),
        "long_phrases": long_phrases(),
        "hostile": hostile(),
        "caller_leaves": caller_leaves(),
        "not_run": not_run(),
        "not_played": not_played(),
    }


def summary() -> RunSummary:
    return RunSummary(
        datetime(2026, 11, 20, 14, 3, 7, tzinfo=UTC),
        184.2,
        ("simulator", "pbx"),
        "127.0.0.1:5060",
        "0.1.0",
        40,
        remarks=("Without the manager's password nobody looked for channels that were left behind.",),
    )
