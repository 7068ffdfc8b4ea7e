"""Small flows made at random, of every kind of step, and what may happen on a call of theirs."""

from dataclasses import dataclass, replace

from agent_flows import ask, call_back, queue, record
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
    ladder,
    listening,
    menu,
    rule,
    rule_rung,
    rung,
    say,
    transfer,
    window,
)

from ivrflow.flow.model import (
    HANG_UP,
    Agents,
    BargeIn,
    CallFlow,
    CallRecording,
    Keep,
    Limits,
    Listening,
    PlayBack,
    Rung,
    Score,
    Step,
    Transfer,
    Warm,
)
from ivrflow.simulator.agents import Agent
from ivrflow.simulator.look_ups import LookUp
from ivrflow.simulator.queues import SimulatedQueue

NAMES = ("s0", "s1", "s2", "s3", "s4")
SILENT = rule("silent_task", rule_rung(task="work"), rule_rung(task="more_work", wait=(2, 4)))
WAITS_FIRST = rule("waits_last", rule_rung("not at all", (4, 4)), then="transfer")
QUIET_AT_FIRST = rule("quiet_at_first", rule_rung(task="think", wait=(1, 3)), rule_rung("not at all", (2, 2)))
ROUND = replace(rule("round", rule_rung("one moment", (1, 1)), rule_rung("still there", (2, 2))), loops_from=2)
NOTICE = rule("notice", rule_rung("recorded from now on"))
EVERY_RULE = (*RULES, SILENT, WAITS_FIRST, QUIET_AT_FIRST, ROUND, NOTICE)
HOLDS = ("", "short_lookup", "slow_system", "silent_task")
KINDS = (
    *("say", "climb", "climb", "menu", "menu", "collect", "hours", "transfer", "close"),
    *("queue", "queue", "record", "playback", "keep", "score", "callback", "ask", "ask"),
)
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
def queues(draw: st.DrawFn, name: str) -> Step:
    waiting = ladder(rung(None, 1.0), *[rung("still busy", draw(waits)) for _ in range(draw(st.integers(0, 2)))])
    if len(waiting.rungs) > 1 and draw(st.booleans()):
        waiting = replace(waiting, loops_from=2, rounds=2)
    made = queue(
        name,
        *draw(st.lists(st.just("joining"), max_size=1)),
        levels=draw(st.sampled_from([{"agents": 0.0}, {"agents": 0.0, "seniors": 3.0}])),
        waiting=draw(st.sampled_from([waiting, ladder()])),
        thanks_over=draw(st.sampled_from([0.0, 2.0])),
    )
    return replace(
        made,
        most=draw(st.sampled_from([3.5, 8.0])),
        listening=listening(
            barge_in=draw(st.sampled_from([NONE, frozenset[BargeIn]({"key"})])),
            keys=draw(st.dictionaries(st.sampled_from("12"), targets, max_size=2)),
        ),
        agent_left=draw(targets),
        no_answer=draw(targets),
        nobody=draw(targets),
        full=draw(targets),
    )


@st.composite
def look_up_steps(draw: st.DrawFn, name: str) -> Step:
    filled: bool = draw(st.booleans())
    made = ask(name, filler=filled)
    return replace(
        made,
        filler_after=draw(st.sampled_from([0.5, 2.0, 6.0])),
        most=draw(st.sampled_from([2.0, 3.0, 9.0])),
        cases={"open": draw(targets)},
        done=draw(targets),
        late=draw(targets),
        wrong=draw(targets),
        failed=draw(targets),
    )


@st.composite
def transfers(draw: st.DrawFn, name: str) -> Step:
    said = draw(st.lists(st.just("connecting"), max_size=1))
    made: Transfer = transfer(
        name,
        *said,
        agent_left=draw(targets),
        no_answer=draw(targets),
        busy=draw(targets),
        unreachable=draw(targets),
    )
    whisper, thanks, back, why = (
        tuple(draw(st.lists(st.just(said), max_size=1)))
        for said in ("who is coming", "thank you", "nobody there", "please wait")
    )
    warm = Warm(WHERE, whisper, thanks, back, {one.name: why for one in EVERY_RULE})
    return replace(made, warm=draw(st.sampled_from([None, warm])))


@st.composite
def any_step(draw: st.DrawFn, name: str) -> Step:
    kind = draw(st.sampled_from(KINDS))
    a, b, c = (draw(targets) for _ in range(3))
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
            made = draw(transfers(name))
        case "queue":
            made = draw(queues(name))
        case "record":
            made = replace(record(name), most=9.0, silence=draw(st.sampled_from([1.0, 4.0])), done=a, nothing=b)
            made = replace(made, ask=draw(st.sampled_from([(), ("speak now",)])))
        case "playback":
            made = PlayBack(name, WHERE, a)
        case "keep":
            made = Keep(name, WHERE, a)
        case "score":
            made = Score(name, WHERE, "survey", 3, 5, a)
        case "callback":
            made = replace(call_back(name, draw(st.sampled_from(["", "number"]))), then=a, undiallable=b)
        case "ask":
            made = draw(look_up_steps(name))
        case _:
            made = close(
                name,
                ask=draw(st.booleans()),
                barge_in=draw(barge_ins),
                request=a,
                reminder=draw(st.sampled_from([None, "reminder"])),
                guard=draw(st.sampled_from([1.0, 4.0])),
            )
            made = replace(made, survey=draw(st.sampled_from(["", *NAMES])))
    return made


class Small:
    """A small flow, shown by what was drawn for it."""

    def __init__(self, made: CallFlow) -> None:
        self.flow = made

    def __repr__(self) -> str:
        steps = [repr(step).replace(f", where={WHERE!r}", "") for step in self.flow.steps.values()]
        return "\n".join([*steps, repr(self.flow.outcomes), repr(self.flow.leaves), repr(self.flow.limits), repr(self.flow.agents),
                          repr(self.flow.recording)])  # fmt: skip


@st.composite
def flows(draw: st.DrawFn) -> Small:
    steps = [draw(any_step(name)) for name in NAMES]
    limits = Limits(visits_per_step=draw(st.sampled_from([2, 3])), task_wait=7.0, rounds=2)
    outcomes = {"transfer": draw(targets), "closing": draw(targets), "survey": draw(targets)}
    leaves = {"agreement": {"caller_agrees": draw(targets)}}
    # Without the waits of situations those of the steps are the longest.
    rules = draw(st.sampled_from([EVERY_RULE, (NOTICE,)]))
    made = flow(*steps, limits=limits, rules=rules, outcomes=outcomes, leaves=leaves)
    agents = Agents(
        hold=draw(st.sampled_from(HOLDS)),
        transfers=tuple(name for name, step in made.steps.items() if isinstance(step, Transfer)),
    )
    notice = CallRecording(WHERE, ("recorded from now on",), whole_call=draw(st.booleans()))
    return Small(replace(made, agents=agents, recording=draw(st.sampled_from([None, notice]))))


@dataclass(frozen=True)
class Doing:
    """What happens next: after a share of the time until the next happening, this."""

    share: float
    what: str
    word: str = ""


presses = st.sampled_from("0123#*").map(lambda key: ("press", key))
by_caller = st.one_of(presses, st.just(("nothing", "")), st.just(("speak", "")))
by_agents = st.one_of(
    st.sampled_from(["holds", "back"]).map(lambda what: ("agent", what)),
    st.just(("agent", "leaves")),
    st.sampled_from(NAMES).map(lambda name: ("send", name)),
)
by_others = st.one_of(
    by_agents,
    st.sampled_from(sorted(one.name for one in EVERY_RULE)).map(lambda name: ("situation", name)),
    st.sampled_from(WORDS).map(lambda word: ("signal", word)),
    st.sampled_from([("cancel", ""), ("done", "")]),
)
shares = st.sampled_from([0.0, 0.3, 0.999_999, 0.999_999, 1.0, 1.0])


def doings(what: st.SearchStrategy[tuple[str, str]], most: int) -> st.SearchStrategy[list[Doing]]:
    one = st.builds(lambda share, done: Doing(share, *done), shares, what)
    return st.lists(one, max_size=most)


@dataclass(frozen=True)
class Others:
    """How everybody but the caller behaves."""

    agent: Agent
    queue: SimulatedQueue
    look_up: LookUp
    caller: str


others = st.builds(
    Others,
    st.sampled_from([Agent("answers", 1.0, 2.0, 100.0), Agent("answers", 2.5, 100.0), Agent("away"),
                     Agent("busy", 0.5, works=1.0)]),
    st.sampled_from([SimulatedQueue(), SimulatedQueue(), SimulatedQueue(members=()), SimulatedQueue(is_full=True)]),
    st.sampled_from([LookUp("answers", 0.0), LookUp("answers", 1.0, (("state", "open"),)), LookUp("wrong", 2.5),
                     LookUp("fails", 1.999_999), LookUp("never", 0.0)]),
    st.sampled_from(["", "139"]),
)  # fmt: skip
