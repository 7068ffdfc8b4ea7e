"""Whatever a small flow looks like and whatever happens on it: no call shows a longer silence, or takes longer to a
person, than was computed from the flow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from small_flows import (
    NONE,
    RULES,
    WHERE,
    climb,
    close,
    collect,
    flow,
    hours,
    listening,
    menu,
    rule,
    rule_rung,
    rung,
    say,
    transfer,
    window,
)

from ivrflow.engine import messages as m
from ivrflow.engine.standing import Keying, Tasking
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import HANG_UP, BargeIn, CallFlow, Limits, Listening, Rung, Step
from ivrflow.flow.proof.silence import silences
from ivrflow.flow.proof.to_human import ways_to_human
from ivrflow.simulator.agents import Agent
from ivrflow.simulator.simulation import Happening, Simulation

NAMES = ("s0", "s1", "s2", "s3", "s4")
SILENT = rule("silent_task", rule_rung(task="work"), rule_rung(task="more_work", wait=(2, 4)))
WAITS_FIRST = rule("waits_last", rule_rung("not at all", (4, 4)), then="transfer")
QUIET_AT_FIRST = rule("quiet_at_first", rule_rung(task="think", wait=(1, 3)), rule_rung("not at all", (2, 2)))
ROUND = replace(rule("round", rule_rung("one moment", (1, 1)), rule_rung("still there", (2, 2))), loops_from=2)
EVERY_RULE = (*RULES, SILENT, WAITS_FIRST, QUIET_AT_FIRST, ROUND)
WORDS = ("understood", "audible", "caller_agrees", "lookup_done", "caller_has_request", "refusal")

targets = st.sampled_from([*NAMES, HANG_UP])
barge_ins = st.sampled_from([NONE, frozenset[BargeIn]({"key"}), frozenset[BargeIn]({"key", "speech"})])
waits = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0])
rungs = st.lists(
    st.one_of(
        st.builds(rung, st.sampled_from(["hello", "again"]), waits, leave_on=st.sampled_from([None, "understood"])),
        st.builds(lambda seconds: rung(None, seconds), waits),
        st.builds(lambda seconds, word: rung(None, seconds, task="task", leave_on=word), waits,
                  st.sampled_from([None, "understood"])),
    ),
    max_size=4,
)  # fmt: skip


@st.composite
def listenings(draw: st.DrawFn) -> Listening:
    keys = draw(st.dictionaries(st.sampled_from("12"), targets, max_size=2))
    speech = draw(st.none() | targets)
    return listening(barge_in=draw(barge_ins), speech=speech, keys=keys)


@st.composite
def climbs(draw: st.DrawFn, name: str) -> Step:
    climbed: list[Rung] = draw(rungs)
    made = climb(
        name,
        *climbed,
        listens=draw(listenings()),
        left={"understood": draw(targets)},
        used_up=draw(targets),
    )
    goes_round: bool = draw(st.booleans())
    if climbed and goes_round:
        loops_from = draw(st.integers(1, len(climbed)))
        made = replace(made, ladder=replace(made.ladder, loops_from=loops_from, rounds=draw(st.integers(1, 3))))
    return made


@st.composite
def any_step(draw: st.DrawFn, name: str) -> Step:
    kind = draw(st.sampled_from(["say", "climb", "climb", "menu", "menu", "collect", "hours", "transfer", "close"]))
    a, b, c, d = (draw(targets) for _ in range(4))
    match kind:
        case "say":
            made: Step = say(name, *draw(st.lists(st.just("so"), max_size=2)), then=a, listens=draw(listenings()))
        case "climb":
            made = draw(climbs(name))
        case "menu":
            keys = draw(st.dictionaries(st.sampled_from("123"), targets, min_size=1, max_size=3))
            made = menu(
                name,
                keys=keys,
                barge_in=draw(barge_ins),
                speech=draw(st.none() | targets),
                wait=draw(st.sampled_from([1.0, 3.0, 5.0])),
                offers=draw(st.integers(1, 3)),
                invalid_repeats=draw(st.integers(0, 2)),
                no_input=a,
                invalid_then=b,
            )
        case "collect":
            least = draw(st.integers(1, 3))
            made = collect(
                name,
                least=least,
                most=draw(st.integers(least, 4)),
                end_key=draw(st.sampled_from(["", "#"])),
                barge_in=draw(st.sampled_from([NONE, frozenset[BargeIn]({"key"})])),
                repeats=draw(st.integers(0, 2)),
                done=a,
                no_input=b,
                incomplete=c,
            )
        case "hours":
            said = draw(st.lists(st.just("good day"), max_size=1))
            made = hours(name, window(range(7), 0, draw(st.integers(1, 1440)), *said, then=a), otherwise=b)
        case "transfer":
            said = draw(st.lists(st.just("connecting"), max_size=1))
            made = transfer(name, *said, agent_left=a, no_answer=b, busy=c, unreachable=d)
        case _:
            made = close(
                name,
                ask=draw(st.booleans()),
                barge_in=draw(barge_ins),
                request=a,
                reminder=draw(st.sampled_from([None, "reminder"])),
                guard=draw(st.sampled_from([1.0, 4.0])),
            )
    return made


class Small:
    """A small flow, shown by what was drawn for it."""

    def __init__(self, made: CallFlow) -> None:
        self.flow = made

    def __repr__(self) -> str:
        steps = [repr(step).replace(f", where={WHERE!r}", "") for step in self.flow.steps.values()]
        return "\n".join([*steps, repr(self.flow.outcomes), repr(self.flow.leaves), repr(self.flow.limits)])


@st.composite
def flows(draw: st.DrawFn) -> Small:
    steps = [draw(any_step(name)) for name in NAMES]
    limits = Limits(visits_per_step=draw(st.sampled_from([2, 3])), task_wait=7.0, rounds=2)
    outcomes = {"transfer": draw(targets), "closing": draw(targets), "survey": draw(targets)}
    leaves = {"agreement": {"caller_agrees": draw(targets)}}
    return Small(flow(*steps, limits=limits, rules=EVERY_RULE, outcomes=outcomes, leaves=leaves))


@dataclass(frozen=True)
class Doing:
    """What happens next: after a share of the time until the next happening, this."""

    share: float
    what: str
    word: str = ""


presses = st.sampled_from("0123#*").map(lambda key: ("press", key))
by_caller = st.one_of(presses, st.just(("nothing", "")), st.just(("speak", "")))
by_others = st.one_of(
    st.sampled_from(sorted(one.name for one in EVERY_RULE)).map(lambda name: ("situation", name)),
    st.sampled_from(WORDS).map(lambda word: ("signal", word)),
    st.sampled_from([("cancel", ""), ("done", "")]),
)
shares = st.sampled_from([0.0, 0.3, 0.999_999, 0.999_999, 1.0, 1.0])


def doings(what: st.SearchStrategy[tuple[str, str]], most: int) -> st.SearchStrategy[list[Doing]]:
    one = st.builds(lambda share, done: Doing(share, *done), shares, what)
    return st.lists(one, max_size=most)


agents = st.sampled_from([Agent("answers", 1.0, 2.0, 100.0), Agent("away"), Agent("busy", 0.5, works=1.0)])


class WatchedCall(Simulation):
    """A simulation that remembers where the call stood."""

    def __init__(self, small: CallFlow, agent: Agent) -> None:
        self.was_keying: list[bool] = []
        self.is_tasking: list[bool] = []
        super().__init__(small, agents={"": agent}, arrived_at=1_795_140_000.0)

    def feed(self, happened: m.CallEvent) -> Happening | None:
        keying = isinstance(self.session._standing, Keying)
        happening = super().feed(happened)
        if happening is not None:
            self.was_keying.append(keying)
            self.is_tasking.append(isinstance(self.session._standing, Tasking))
        return happening


def play(small: CallFlow, agent: Agent, script: Sequence[Doing]) -> WatchedCall:
    call = WatchedCall(small, agent)
    for doing in script:
        if (ahead := call.next_at) is None:
            break
        if doing.share >= 1.0:
            call.step()
        else:
            call.advance((ahead - call.now) * doing.share)
        if call.is_over:
            break
        match doing.what:
            case "press":
                call.feed(m.KeyPressed(key=doing.word))
            case "speak":
                call.feed(m.SpeechStarted())
                call.feed(m.SpeechEnded())
            case "situation":
                call.feed(m.SituationStarted(name=doing.word))
            case "signal":
                call.feed(m.SignalGiven(word=doing.word))
            case "cancel":
                call.feed(m.SituationCancelled())
            case "done":
                call._finish_task()
            case _:
                pass
        call.advance(0.0)
    call.run_out()
    return call


class Line:
    """What is heard on the caller's line."""

    def __init__(self) -> None:
        self.sounds: set[str] = {"not answered"}

    def after(self, happening: Happening, *, is_tasking: bool) -> bool:
        """Take what happened; whether anything sounded at that moment, however briefly."""
        self._ends(happening.event)
        sounded = False
        for action in happening.actions:
            self._does(action)
            sounded = sounded or bool(self.sounds)
        self.sounds.discard("task")
        if is_tasking:
            self.sounds.add("task")
        return sounded

    def _ends(self, event: m.CallEvent) -> None:
        match event:
            case m.CallAnswered():
                self.sounds.discard("not answered")
            case m.PromptEnded():
                self.sounds.discard("prompt")
            case m.AgentLeft():
                self.sounds.discard("agent")
            case _:
                pass

    def _does(self, action: m.Action) -> None:
        match action:
            case m.Play():
                self.sounds.add("prompt")
            case m.StopPlaying():
                self.sounds.discard("prompt")
            case m.StartMusic():
                self.sounds.add("music")
            case m.StopMusic():
                self.sounds.discard("music")
            case m.Bridge():
                self.sounds.add("agent")
            case m.DropAgent():
                self.sounds.discard("agent")
            case m.EndCall() | m.FallBack():
                self.sounds.add("over")
            case _:
                pass


def longest_silence(call: WatchedCall, *, tasks_sound: bool) -> float:
    """The longest time without a sound in which at most one situation was started."""
    line = Line()
    longest, since, situations, trace_begin = 0.0, 0.0, 0, 0
    for index, happening in enumerate(call.record):
        was_silent = not line.sounds
        sounded = line.after(happening, is_tasking=tasks_sound and call.is_tasking[index])
        if was_silent:
            lines = call.session.trace[trace_begin : happening.trace_end]
            situations += sum(one.fact is Fact.SITUATION_STARTED for one in lines)
            if situations <= 1:
                longest = max(longest, happening.at - since)
        trace_begin = happening.trace_end
        is_digit = isinstance(happening.event, m.KeyPressed) and call.was_keying[index]
        if not was_silent or line.sounds or sounded or is_digit:
            since, situations = happening.at, 0
    return longest


TOLERANCE = 1e-6


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small=flows(), agent=agents, script=doings(st.one_of(by_caller, by_caller, by_others), 14))
def test_no_call_is_silent_for_longer_than_proven(small: Small, agent: Agent, script: list[Doing]) -> None:
    proven = silences(small.flow)

    call = play(small.flow, agent, script)

    waited = longest_silence(call, tasks_sound=True)
    worked = longest_silence(call, tasks_sound=False)
    event(f"silence {'as proven' if abs(waited - proven.waiting.seconds) < 0.01 else 'less'}")
    assert waited <= proven.waiting.seconds + TOLERANCE
    assert worked <= proven.working.seconds + TOLERANCE
    assert proven.waiting.seconds <= proven.working.seconds


def comes_back_by_choice(call: WatchedCall) -> bool:
    """Whether a step is entered again, and not because nothing was done in between."""
    entered: dict[str, int] = {}
    chosen = 0
    for line in call.session.trace:
        if line.fact is Fact.LADDER_LEFT or (
            line.fact is Fact.DIGITS_COLLECTED and not line.detail.startswith("no_input")
        ):
            chosen += 1
        if line.fact is Fact.RINGING:
            break
        if line.fact is Fact.STEP_ENTERED:
            if entered.get(line.step, chosen) != chosen:
                return True
            entered[line.step] = chosen
    return False


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(small=flows(), agent=agents, script=doings(by_caller, 14))
def test_nobody_takes_longer_to_a_person_than_proven(small: Small, agent: Agent, script: list[Doing]) -> None:
    ways = ways_to_human(small.flow)

    call = play(small.flow, agent, script)

    rings = [happening.at for happening in call.record if any(isinstance(one, m.Ring) for one in happening.actions)]
    assume(rings and not comes_back_by_choice(call))
    proven = [way.seconds for way in ways if way.seconds is not None]
    depends_on_the_hour = any("depends on the hour" in way.why_never for way in ways)
    if proven and not depends_on_the_hour:
        event(f"to a person {'as proven' if abs(rings[0] - max(proven)) < 0.01 else 'less'}")
        assert rings[0] <= max(proven) + TOLERANCE
    else:
        assert depends_on_the_hour, "a person was rung, and the proof says never"
