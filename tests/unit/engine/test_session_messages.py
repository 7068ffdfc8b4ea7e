"""Messages, callbacks, look-ups, surveys and recordings of calls: bounded, worded, and nothing said is lost."""

from dataclasses import replace
from typing import Literal, TypeAlias

import pytest
from agent_flows import ask, call_back, queue, record
from driven_call import ARRIVED_AT, BEGIN, DrivenCall, call
from small_flows import WHERE, collect, flow, menu, say

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow, CallRecording, Keep, PlayBack, Prompt, PromptCatalogue, Score

MessageEnded: TypeAlias = Literal["key", "silence", "full", "failed"]
Answered: TypeAlias = Literal["answered", "wrong", "failed"]


def names(actions: list[m.Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


# ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────

MAILBOX = flow(
    record(),
    menu("recorded", keys={"1": "keep", "2": "listen", "3": "message"}, no_input="keep"),
    PlayBack("listen", WHERE, "recorded"),
    Keep("keep", WHERE, "kept"),
    say("kept", "kept"),
    say("nothing", "nothing"),
)


def recording() -> DrivenCall:
    return call(MAILBOX).prompt_ends()


def recorded(seconds: float = 12.5, how: MessageEnded = "silence") -> DrivenCall:
    speaking = recording()
    ended = m.MessageRecorded(ticket=speaking.ticket(m.RecordMessage), how=how, seconds=seconds)
    return speaking.happens(ended, seconds + 4.0)


def test_the_message_is_recorded_after_the_question_with_every_bound() -> None:
    speaking = recording()
    ticket = speaking.ticket(m.RecordMessage)
    assert speaking.last == [m.RecordMessage(ticket=ticket, seconds=120.0, silence=4.0, end_key="#")]
    assert speaking.waits_for == 125.0


def test_it_is_kept_when_the_caller_says_so_or_says_nothing() -> None:
    for kept in (recorded().prompt_ends().key("1", 1.0), recorded().silence(30)):
        (keep,) = [action for action in kept.actions if isinstance(action, m.KeepMessage)]
        assert (keep.about, keep.seconds) == ("voicemail", 12.5)
        assert kept.says[-1] == "kept"


def test_the_caller_listens_to_it_and_speaks_again() -> None:
    heard = recorded().prompt_ends().key("2", 1.0)
    assert heard.playing is not None
    assert (heard.playing.message, heard.playing.seconds) == (heard.ticket(m.RecordMessage), 12.5)
    again = heard.prompt_ends().prompt_ends().key("3", 1.0).prompt_ends()
    assert names(again.last) == ["RecordMessage"]


def test_the_end_key_ends_it() -> None:
    speaking = recording().key("#", 5.0)
    assert speaking.last == [m.StopRecordingMessage(ticket=speaking.ticket(m.RecordMessage))]
    assert recording().key("1", 5.0).last == []


@pytest.mark.parametrize(("seconds", "how"), [(0.4, "silence"), (0.0, "failed"), (9.0, "failed")])
def test_nothing_was_said(seconds: float, how: MessageEnded) -> None:
    assert recorded(seconds, how).steps[-1] == "nothing"


def test_an_end_that_is_never_reported_is_waited_for_no_longer_than_the_bound() -> None:
    lost = recording().time_passes()
    assert lost.last[0] == m.StopRecordingMessage(ticket=lost.ticket(m.RecordMessage))
    assert lost.steps[-1] == "nothing", "nobody knows that there is one, so nobody is told that it is kept"


def test_who_hangs_up_after_speaking_has_left_a_message() -> None:
    for gone in (recording().hangs_up(7.0), recorded().hangs_up(1.0)):
        (keep,) = [action for action in gone.last if isinstance(action, m.KeepMessage)]
        assert keep.about == "voicemail"
    assert recording().hangs_up(0.5).last == [], "too short to be one"
    assert recorded().prompt_ends().key("1", 1.0).hangs_up(1.0).last == [], "kept once"


# ── callbacks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def calling_back(number: str = "") -> CallFlow:
    exits = (say("noted", "noted"), say("undiallable", "undiallable"))
    if number:
        return flow(collect(most=11, done="callback"), call_back(), *exits)
    return flow(call_back(number=""), *exits)


def rung_from(caller: str) -> DrivenCall:
    made = DrivenCall(calling_back())
    made.session, made.actions, made.now = CallSession(calling_back()), [], BEGIN
    made.happens(m.CallArrived(number="12345", arrived_at=ARRIVED_AT, caller=caller))
    return made.answered()


def test_the_number_the_caller_rings_from() -> None:
    (order,) = [action for action in rung_from("13800000000").actions if isinstance(action, m.OrderCallback)]
    assert (order.caller, order.flow, order.number, order.tries) == ("13800000000", "placing", 1, 3)
    assert order.due_at - order.made_at == 24 * 3600
    assert order.made_at == ARRIVED_AT


@pytest.mark.parametrize("caller", ["", "anonymous", "0123", "1" * 21, "1380&PJSIP/1001", "１380"])
def test_a_number_that_may_not_or_cannot_be_rung(caller: str) -> None:
    refused = rung_from(caller)
    assert refused.steps[-1] == "undiallable"
    assert not [action for action in refused.actions if isinstance(action, m.OrderCallback)]
    assert caller not in "".join(line.detail for line in refused.trace) or not caller


def test_a_number_keyed_in() -> None:
    made = call(calling_back("number")).prompt_ends().keys("13812345678", 0.5)
    (order,) = [action for action in made.actions if isinstance(action, m.OrderCallback)]
    assert order.caller == "13812345678"


# ── look-ups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def asking(*, filler: bool = True) -> DrivenCall:
    exits = ("open", "done", "late", "wrong", "failed")
    return call(flow(ask(filler=filler), *(say(name, name) for name in exits)))


def answer(
    looking: DrivenCall, after: float, how: Answered = "answered", values: dict[str, str] | None = None
) -> DrivenCall:
    found = m.AnswerReceived(ticket=looking.ticket(m.Enquire), how=how, values=values or {})
    return looking.happens(found, after)


def test_it_asks_for_what_it_needs_with_a_bound() -> None:
    (enquire,) = asking().last
    assert isinstance(enquire, m.Enquire)
    assert (enquire.url, enquire.wanted, enquire.seconds) == ("https://crm.example/cases", ("name", "state"), 8.0)
    assert enquire.values == {}, "what is not known is not sent"
    assert asking().waits_for == 2.0


def test_an_answer_in_time_leads_on_by_its_field() -> None:
    assert answer(asking(), 1.0, values={"state": "open"}).steps[-1] == "open"
    assert answer(asking(), 1.0, values={"state": "strange"}).steps[-1] == "done"
    assert answer(asking(), 1.0).steps[-1] == "done"


def test_a_slow_one_is_bridged_by_the_filler_and_music() -> None:
    slow = asking().silence(3.0)
    assert slow.says == ["one moment"]
    slow.silence(2.0)
    assert slow.last == [m.StartMusic()]
    answer(slow, 0.5, values={"state": "open"})
    assert slow.last[0] == m.StopMusic()
    assert slow.steps[-1] == "open"


def test_an_answer_during_the_filler_waits_until_it_is_said() -> None:
    early = answer(asking().silence(3.0), 0.2, values={"state": "open"})
    assert early.last == []
    assert early.prompt_ends().steps[-1] == "open"
    assert m.StartMusic() not in early.actions


def test_an_answer_during_a_situation_that_interrupts_the_filler_is_kept() -> None:
    early = answer(asking().silence(3.0).situation("thanks"), 0.2, values={"state": "open"})
    assert early.last == []
    early.prompt_ends()
    assert early.says == ["one moment", "not at all", "one moment"], "a phrase cut off is said again"
    assert early.prompt_ends().steps[-1] == "open"


@pytest.mark.parametrize("filler", [True, False])
def test_an_answer_that_never_comes_is_late_at_the_bound(filler: bool) -> None:
    never = asking(filler=filler).silence(7.9)
    assert never.steps == ["ask"]
    assert never.silence(0.2).steps[-1] == "late"
    assert answer(never, 0.1).last == [], "too late"


@pytest.mark.parametrize("how", ["wrong", "failed"])
def test_an_answer_that_is_none_has_its_own_way(how: Answered) -> None:
    assert answer(asking(), 1.0, how).steps[-1] == how


def test_a_caller_who_hangs_up_meanwhile_is_gone() -> None:
    gone = asking().silence(5.0).hangs_up()
    assert gone.last == [m.StopMusic()]
    assert gone.session.is_over


# ── surveys ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_score_is_noted() -> None:
    scored = call(
        flow(menu(keys={"1": "best"}), Score("best", WHERE, "satisfaction", 3, 3, "thanks"), say("thanks", "thanks"))
    )
    scored.prompt_ends().key("1", 1.0)
    assert m.NoteScore(survey="satisfaction", score=3, most=3) in scored.last
    assert [line.detail for line in scored.trace if line.fact is Fact.SCORED] == ["satisfaction: 3 of 3"]
    assert scored.says[-1] == "thanks"


# ── recordings of calls ───────────────────────────────────────────────────────────────────────────────────────────────


def recorded_calls(*, whole_call: bool) -> CallFlow:
    made = flow(collect(done="queue"), queue("queue", "connecting"), say("agent_left", "agent_left"))
    spoken = {("recorded", ()): Prompt("small/recorded", "recorded", 2.0, 4000), **made.prompts.prompts}
    phrases = {**made.phrases, "recorded": replace(made.phrases["connecting"], key="recorded")}
    return replace(
        made,
        phrases=phrases,
        prompts=PromptCatalogue(spoken),
        recording=CallRecording(WHERE, ("recorded",), whole_call=whole_call),
    )


def test_the_caller_is_told_before_an_agent_is_sought_and_the_talk_is_recorded() -> None:
    told = call(recorded_calls(whole_call=False)).prompt_ends().keys("12#", 0.5)
    assert told.says == ["ask", "recorded"]
    told.prompt_ends().prompt_ends()
    assert not [action for action in told.actions if isinstance(action, m.StartRecording)]
    told.happens(m.AgentAnswered(ticket=told.ticket(m.JoinQueue)), 3.0)
    assert names(told.last) == ["StopMusic", "StartRecording", "Bridge"]


def test_the_caller_is_told_once_however_many_agents_are_sought() -> None:
    made = recorded_calls(whole_call=False)
    told = call(replace(made, start="queue", steps={**made.steps, "no_answer": made.steps["queue"]}))
    told.prompt_ends().prompt_ends()
    told.happens(m.AgentUnavailable(ticket=told.ticket(m.JoinQueue), why="no_answer"))
    assert told.says == ["recorded", "connecting", "connecting"]


def test_a_whole_call_is_recorded_but_not_what_the_caller_keys_in() -> None:
    whole = call(recorded_calls(whole_call=True))
    assert names(whole.last) == ["StartRecording", "Play"]
    whole.prompt_ends()
    assert names(whole.last) == ["PauseRecording", "Play"]
    whole.prompt_ends().keys("12#", 0.5)
    assert names(whole.last) == ["ResumeRecording", "Play"]
    assert whole.says == ["recorded", "ask", "connecting"], "told once"


def test_what_is_keyed_while_the_recording_is_announced_is_kept_for_the_first_step() -> None:
    menus = replace(recorded_calls(whole_call=True), start="menu")
    menus = replace(menus, steps={**menus.steps, "menu": menu(keys={"1": "queue"}, barge_in=frozenset({"key"}))})
    keyed = call(menus).key("1", 0.5)
    assert keyed.last == []
    keyed.prompt_ends()
    assert keyed.steps == ["menu", "queue"]


def test_a_message_being_played_back_is_played_again_after_a_situation() -> None:
    heard = recorded().prompt_ends().key("2", 1.0).situation("thanks", 2.0).prompt_ends()
    assert heard.playing is not None
    assert heard.playing.message == heard.ticket(m.RecordMessage)
