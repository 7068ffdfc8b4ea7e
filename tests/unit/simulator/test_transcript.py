from dataclasses import replace

from simulated_calls import HOTLINE, TEN_IN_THE_MORNING, VOCABULARY, a_call, a_call_with

from ivrflow.engine.trace import Fact, Judgement, Verdict
from ivrflow.flow.model import Phrase, Prompt, PromptCatalogue
from ivrflow.simulator.agents import Agent
from ivrflow.simulator.call_file import place_call, play
from ivrflow.simulator.caller import Vocabulary, read_command
from ivrflow.simulator.simulation import Simulation
from ivrflow.simulator.transcript import Told, Transcript, tell_verdicts, whole_transcript


def after(*lines: str, call: Simulation | None = None) -> list[Told]:
    call = call or a_call()
    commands = [command for line in lines if (command := read_command(line, VOCABULARY)) is not None]
    play(call, commands)
    return list(Transcript(call).news())


def words(told: list[Told]) -> list[str]:
    return [f"{line.who}: {line.what}" for line in told]


def test_a_line_says_when_who_what_on_which_rule_and_where() -> None:
    told = Told(3.5, "ivrflow", "waits 3s", "gov/silent_call 1", "small.yaml:1")
    assert str(told) == "    3.50  ivrflow  waits 3s  [gov/silent_call 1]  small.yaml:1"


def test_a_silent_caller_can_be_read() -> None:
    assert words(after()) == [
        "caller: calls 12345 (Small) on Fri 2026-11-20 10:00",
        "ivrflow: answers",
        "ivrflow: goes to step hours",
        "ivrflow: says good day “good day” (2.00 s)",
        "ivrflow: goes to step welcome",
        "ivrflow: says greeting “greeting” (2.00 s)",
        "ivrflow: waits 3s",
        "clock: the wait is used up",
        "ivrflow: says connected “connected” (2.00 s)",
        "ivrflow: waits 3s",
        "clock: the wait is used up",
        "ivrflow: says change phone “change phone” (2.00 s)",
        "ivrflow: has used up the ladder, then: hangup",
        "ivrflow: goes to step hang_up",
        "ivrflow: the call is over: hung_up, ivrflow hung up first",
    ]


def test_what_ivrflow_does_names_its_rule_and_place() -> None:
    (wait, *_) = [line for line in after() if line.what == "waits 3s"]
    assert (wait.rule, wait.where) == ("gov/silent_call 1", "small.yaml:1")


def test_what_others_do_needs_no_place() -> None:
    assert all(not line.where and not line.rule for line in after("/listen", "/speech") if line.who != "ivrflow")


def test_music_and_the_agent_are_told_in_the_order_they_are_heard() -> None:
    told = words(after("/listen", "0", call=a_call_with(_1001=Agent("answers", 5.0, 10.0))))
    begin = told.index("caller: presses 0")
    assert told[begin : begin + 12] == [
        "caller: presses 0",
        "ivrflow: leaves the ladder: key",
        "ivrflow: goes to step agent",
        "ivrflow: says connecting “connecting” (2.00 s)",
        "ivrflow: plays music",
        "ivrflow: rings 1001 for at most 20s",
        "agent: answers",
        "ivrflow: stops the music",
        "ivrflow: joins caller and agent",
        "agent: is off the line",
        "ivrflow: goes to step close",
        "ivrflow: says anything else “anything else” (2.00 s)",
    ]


def test_the_music_stops_before_the_apology() -> None:
    told = words(after("/listen", "0", "/agent busy"))
    apology = told.index("ivrflow: says nobody there “nobody there” (2.00 s)")
    assert told[apology - 3 : apology] == [
        "agent: cannot be had: busy",
        "ivrflow: stops the music",
        "ivrflow: goes to step away",
    ]


def test_a_phrase_cut_off_says_why() -> None:
    told = words(after("/silence 3s", "/speech"))
    assert "ivrflow: breaks off greeting (barge-in by speech)" in told


def test_situations_tasks_signals_and_values() -> None:
    told = words(
        after("/listen", "/situation short_lookup", "/next", "/done", "/listen", "/situation noise", "/signal audible")
    )
    assert "agent: starts the situation short_lookup" in told
    assert "ivrflow: asks the agent to look up" in told
    assert "agent: has done it in 0s: look up" in told
    assert "agent: judges: audible" in told
    assert "ivrflow: is through with the situation, then: continue" in told


def test_the_wording_is_the_one_that_is_really_spoken() -> None:
    greeting = Phrase("greeting", "你好，{honorific}", HOTLINE.where, ("honorific",), "你好")
    spoken: dict[tuple[str, tuple[tuple[str, str], ...]], Prompt] = {
        ("greeting", ()): Prompt("a", "你好", 1.0),
        ("greeting", (("honorific", "女士"),)): Prompt("b", "你好，女士", 1.5),
    }
    flow = replace(HOTLINE, phrases={**HOTLINE.phrases, "greeting": greeting}, prompts=PromptCatalogue(spoken))
    for opening, expected in (
        (["/silence 2s"], "says greeting “你好” (1.00 s)"),
        (["/value honorific=女士"], "says greeting “你好，女士” (1.50 s)"),
    ):
        call = place_call(flow, TEN_IN_THE_MORNING)
        play(call, [command for line in opening if (command := read_command(line, Vocabulary.of(flow)))])
        assert expected in [line.what for line in Transcript(call).news()]


def test_news_are_told_once() -> None:
    call = a_call()
    transcript = Transcript(call)
    first = list(transcript.news())
    assert first
    assert list(transcript.news()) == []
    call.step()
    assert [line.at for line in transcript.news()] == [2.0, 2.0]


def test_broken_rules_come_first_and_the_others_are_counted() -> None:
    verdicts = (
        Verdict("gov/a", Judgement.KEPT, "say", "said"),
        Verdict("gov/b", Judgement.NOT_APPLICABLE, "say", "its situation did not arise"),
        Verdict("gov/c", Judgement.BROKEN, "say, wait 3 s", "waited 9.00 s after rung 1, not 3 s"),
    )
    assert list(tell_verdicts(verdicts)) == [
        "broken    gov/c: say, wait 3 s",
        "          observed: waited 9.00 s after rung 1, not 3 s",
        "kept      gov/a: say",
        "          observed: said",
        "not applicable: 1 rules",
    ]


def test_the_whole_ends_with_the_verdicts() -> None:
    call = a_call()
    call.run_out()
    text = whole_transcript(call)
    assert text.startswith("    0.00  caller   calls 12345")
    assert "\n\nkept      gov/silent_call: say, wait 3 s" in text
    assert text.endswith("rules\n")


def test_every_fact_has_words() -> None:
    """A fact added to the trace must be told too: each is put into a line of a recorded call."""
    call = a_call()
    transcript = Transcript(call)
    line = call.session.trace[0]
    for fact in Fact:
        assert transcript._words(type(line)(at=0.0, fact=fact, phrase="greeting"), call.record[0].event, None)[1]
