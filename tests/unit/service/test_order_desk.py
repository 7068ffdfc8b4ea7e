"""Orders that are answered: what the call did with them, in words; and what is wrong with those it cannot take."""

import asyncio
from collections.abc import Sequence

import pytest
from agent_flows import QUEUE_EXITS, colleague, queue, with_agents
from pretended_calls import HandClock, Notebook
from small_flows import NOISE, RULES, SHORT_LOOKUP, flow, rule, say

from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.orders.answered import Reply, What, asked_fields, read_asked
from ivrflow.bridge.orders.to_calls import OrderRefused
from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, Location, Problem
from ivrflow.runtime.call_loop import LiveCall
from ivrflow.runtime.switchboard import Switchboard
from ivrflow.service.order_desk import MOST_CALLS, OrderDesk, understood
from ivrflow.service.reading_aside import ReadingFailed
from ivrflow.settings import SettingsError

ASK = "ask-00000001"
RAINY = rule("rainy", not_on_phone="rain is not heard")


class Prompts:
    """A line on which every prompt takes no time, and the queue's agent answers when told."""

    def __init__(self) -> None:
        self.call: LiveCall
        self.sought: m.Ticket = 0

    def perform(self, action: m.Action) -> None:
        match action:
            case m.Answer():
                self.call.happened(m.CallAnswered())
            case m.Play(ticket=ticket) if self.finishes:
                self.call.happened(m.PromptEnded(ticket=ticket))
            case m.JoinQueue(ticket=ticket):
                self.sought = ticket
            case _:
                pass

    finishes = True


class Doorstep:
    """Takes the answers, and reads the flows anew as told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Reply | str]] = []
        self.next: Sequence[str] | Exception = ("as before: 1 flow",)
        self.answered = asyncio.Event()

    def heard(self, ask: str) -> None:
        self.said.append((ask, "heard"))

    def reply(self, ask: str, reply: Reply) -> None:
        self.said.append((ask, reply))
        self.answered.set()

    async def reload(self) -> Sequence[str]:
        await asyncio.sleep(0)
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


class Office:
    """A desk, and the calls it reaches."""

    def __init__(self) -> None:
        self.doorstep, self.switchboard, self.clock = Doorstep(), Switchboard(), HandClock()
        self.desk = OrderDesk(self.doorstep, self.switchboard, self.clock, self.doorstep)
        self.lines: dict[str, Prompts] = {}

    def call(self, call_id: str, served: CallFlow) -> LiveCall:
        line = Prompts()
        line.call = LiveCall(call_id, CallSession(served), line, self.clock, Notebook(), self.switchboard.release)
        self.lines[call_id] = line
        self.switchboard.connect(line.call)
        line.call.happened(m.CallArrived(number="12345", caller="13800001111", arrived_at=1_700_000_000.0))
        return line.call

    def talk(self, call_id: str = "pbx-1.1") -> LiveCall:
        served = flow(queue(), colleague(), *QUEUE_EXITS, rules=(*RULES, RAINY))
        call = self.call(call_id, with_agents(served, "colleague"))
        call.happened(m.AgentAnswered(ticket=self.lines[call_id].sought, agent="1001", rang=3.0))
        self.lines[call_id].finishes = False
        return call

    def order(self, what: str, call: str = "pbx-1.1", word: str = "", **more: str) -> Reply:
        fields = {**asked_fields(ASK, what, call, word), **more}  # type: ignore[arg-type]  # the words of the kinds
        self.desk.ordered(read_asked(AmiEvent({"Event": "UserEvent", **fields})))
        ask, reply = self.doorstep.said[-1]
        assert ask == ASK
        assert isinstance(reply, Reply)
        return reply


@pytest.fixture
async def office() -> Office:
    return Office()


async def test_a_situation_begins_and_is_taken_back(office: Office) -> None:
    office.talk()
    started = office.order("situation", word="noise")
    assert (started.done, started.call) == (True, "pbx-1.1")
    assert started.words[0].startswith("the call is at situation noise, waiting for ")
    again = office.order("situation", word="noise")
    assert (again.done, again.words) == (False, ("not now: situation noise: not during situation noise",))
    back = office.order("cancel")
    assert back.done
    assert "situation" not in back.words[0]
    assert office.order("cancel").words == ("not now: no situation to cancel",)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("noize", "the flow small has no situation named noize; did you mean 'noise'?"),
        ("zzzz", "the flow small has no situation named zzzz; known here: "),
        ("rainy", "rainy does not happen on a phone line: rain is not heard"),
        ("13800001111", "its Word '###########' is no name"),
        ("", "its Word '' is no name"),
    ],
)
async def test_situations_the_flow_does_not_have(office: Office, word: str, why: str) -> None:
    call = office.talk()
    before = len(call.session.trace)
    reply = office.order("situation", word=word)
    assert not reply.done
    assert reply.words[0].startswith(why)
    assert len(call.session.trace) == before, "the call hears nothing of it"


async def test_not_while_the_caller_still_waits_in_the_queue(office: Office) -> None:
    office.call("pbx-1.1", flow(queue(), *QUEUE_EXITS))
    assert office.order("situation", word="noise").words == ("not now: situation noise: not while an agent is sought",)


NO_TASK = "no task is asked for on this call now"


async def test_a_task_is_done(office: Office) -> None:
    call = office.talk()
    assert office.order("done").words == (NO_TASK,)
    assert office.order("situation", word=SHORT_LOOKUP.name).done
    office.lines["pbx-1.1"].finishes = True
    call.happened(m.PromptEnded(ticket=_playing(call)))
    assert call.session.task
    assert office.order("done").done
    late = office.order("done")
    assert (late.done, late.words) == (False, (NO_TASK,))


def _playing(call: LiveCall) -> m.Ticket:
    """Ticket of what plays, as its record has it."""
    record = call._record
    assert isinstance(record, Notebook)
    plays = [action for _, _, actions in record.lines for action in actions if isinstance(action, m.Play)]
    return plays[-1].ticket


async def test_a_signal_leaves_what_is_played_or_says_which_would(office: Office) -> None:
    office.talk()
    nowhere = office.order("signal", word="audible")
    assert not nowhere.done
    assert nowhere.words[0].startswith("not now: nothing is left by that word where the call is (")
    office.order("situation", word=NOISE.name)
    wrong = office.order("signal", word="lookup_done")
    assert wrong.words[0].endswith("(situation noise); what leaves it: audible")
    assert office.order("signal", word="audible").done


@pytest.mark.parametrize("talks", [True, False])
@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("situation", "situation"),
        ("signal", "signal"),
        ("transfer", "transfer step that agents may send callers to"),
    ],
)
async def test_what_the_flow_does_not_have_is_told_alike_in_every_call(
    office: Office, what: What, named: str, talks: bool
) -> None:
    """Whether the caller talks or waits, and whether anybody answers the order or the log says why it is ignored."""
    call = office.talk() if talks else office.call("pbx-1.1", flow(queue(), *QUEUE_EXITS))
    before = len(call.session.trace)
    reply = office.order(what, word="louder2")
    assert reply.words[0].startswith(f"the flow small has no {named} named louder2")
    with pytest.raises(OrderRefused, match=f"^the flow small has no {named} named 'louder#'"):
        understood(AmiEvent({"Order": what, "Word": "louder2"}), call.session)
    assert len(call.session.trace) == before, "the call hears nothing of it"


async def test_what_the_flow_has_is_understood(office: Office) -> None:
    session = office.talk().session
    assert understood(AmiEvent({"Order": "situation", "Word": "noise"}), session) == m.SituationStarted(name="noise")
    assert understood(AmiEvent({"Order": "signal", "Word": "audible"}), session) == m.SignalGiven(word="audible")


async def test_a_caller_is_sent_on_where_agents_may_send_callers(office: Office) -> None:
    office.talk()
    assert office.order("transfer", word="agent_left").words == (
        "the flow small has no transfer step that agents may send callers to named agent_left; known here: colleague",
    )
    sent = office.order("transfer", word="colleague")
    assert sent.done
    assert not office.order("transfer", word="colleague").done, "on the way already"


async def test_a_value_is_learned_and_never_in_the_log(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    office.talk()
    assert office.order("value", word="surname", Value="王13800001111").done
    assert "1380" not in caplog.text
    assert "call pbx-1.1: ordered: value\n" in caplog.text


@pytest.mark.parametrize("what", ["cancel", "done"])
async def test_a_word_that_names_nothing_is_never_in_the_log(
    what: str, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    call = office.talk()
    assert office.order("situation", word=SHORT_LOOKUP.name).done
    office.lines["pbx-1.1"].finishes = True
    call.happened(m.PromptEnded(ticket=_playing(call)))
    assert office.order(what, word="13800001111").done
    assert "1380" not in caplog.text
    assert f"call pbx-1.1: ordered: situation {SHORT_LOOKUP.name}\n" in caplog.text
    assert f"call pbx-1.1: ordered: {what}\n" in caplog.text


async def test_a_call_is_named_by_a_beginning_that_no_other_has(office: Office) -> None:
    office.talk("pbx-1.10")
    office.talk("pbx-1.11")
    office.talk("pbx-1.1")
    assert office.order("cancel", call="pbx-1.10").call == "pbx-1.10"
    assert office.order("cancel", call="pbx-1.1").call == "pbx-1.1", "the whole name wins"
    several = office.order("cancel", call="pbx")
    assert several.words == ("3 running calls begin with pbx: pbx-1.1, pbx-1.10, pbx-1.11; write more of it",)
    nobody = office.order("cancel", call="pbx-2")
    assert (nobody.done, nobody.words) == (False, ("no running call is called pbx-2; see: ivrflow live",))


async def test_an_order_that_ends_the_call_says_so(office: Office) -> None:
    call = office.call("pbx-1.1", flow(say("start", "hello")))
    assert call.session.is_over
    assert not office.order("cancel").done


async def test_the_running_calls(office: Office) -> None:
    office.talk("pbx-1.1")
    office.clock.time += 60
    office.call("pbx-1.2", flow(queue(), *QUEUE_EXITS))
    reply = office.order("live", call="")
    assert [(seen.call, seen.flow, seen.agent, seen.step) for seen in reply.calls] == [
        ("pbx-1.1", "small", "1001", "queue"),
        ("pbx-1.2", "small", "", "queue"),
    ]
    assert reply.calls[1].since - reply.calls[0].since == pytest.approx(60, abs=5)
    assert "13800001111" not in str(reply), "numbers do not leave the engine"
    assert reply.more_calls == 0


async def test_a_talk_that_is_over_has_no_agent(office: Office) -> None:
    call = office.talk()
    call.happened(m.AgentLeft(ticket=office.lines["pbx-1.1"].sought))
    assert [seen.agent for seen in office.order("live", call="").calls] == [""]


async def test_a_listing_has_a_bound(office: Office) -> None:
    served = flow(queue(), *QUEUE_EXITS)
    for number in range(MOST_CALLS + 3):
        office.call(f"pbx-{number}", served)
    reply = office.order("live", call="")
    assert (len(reply.calls), reply.more_calls) == (MOST_CALLS, 3)


PROBLEMS = (Problem(Location("a.yaml", 1, 2), "this is wrong", "mend it"),)


@pytest.mark.parametrize(
    ("outcome", "reply"),
    [
        (("new: one", "as before"), Reply(done=True, words=("new: one", "as before"))),
        (
            FlowError(PROBLEMS),
            Reply(done=False, words=("the flows are not in order; the old ones stay",), problems=PROBLEMS),
        ),
        (
            SettingsError("no folder", "no file"),
            Reply(done=False, words=("the flows were not read; the old ones stay", "no folder", "no file")),
        ),
        (ReadingFailed("late"), Reply(done=False, words=("the flows were not read; the old ones stay", "late"))),
        (OSError("no memory"), Reply(done=False, words=("the reload failed; the engine's log says why",))),
    ],
)
async def test_a_reload_is_heard_at_once_and_answered_when_it_is_done(
    office: Office, outcome: Sequence[str] | Exception, reply: Reply
) -> None:
    office.doorstep.next = outcome
    office.desk.ordered(read_asked(AmiEvent({"Event": "UserEvent", **asked_fields(ASK, "reload")})))
    assert office.doorstep.said == [(ASK, "heard")]
    async with asyncio.timeout(10):
        await office.doorstep.answered.wait()
    assert office.doorstep.said[1:] == [(ASK, reply)]
    await office.desk.close()


async def test_closing_breaks_a_reload_off(office: Office) -> None:
    office.desk.ordered(read_asked(AmiEvent({"Event": "UserEvent", **asked_fields(ASK, "reload")})))
    await office.desk.close()
    assert office.doorstep.said == [(ASK, "heard")]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert office.order("reload", call="").words == ("the engine is stopping",)
    office.talk()
    assert office.order("situation", word="noise").done, "an agent can do everything while the engine drains"
