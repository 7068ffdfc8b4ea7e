"""What is possible is not refused; the exact words for what is not stand in `tests/problems/scenarios`."""

from dataclasses import replace

import pytest
from hotline_scenarios import GOV, HOTLINE, caller, read, told
from little_centre import CENTRE

from ivrflow.flow.model import CallFlow, Transfer

HANG_UP = "caller: [hear: hello, hang_up]\n"
AGENT = 'agents: {"1001": [ring: 2s, wait: 5s]}\n'
LEAVING = 'agents: {"1001": [ring: 2s, wait: 5s, hang_up]}\n'


@pytest.mark.parametrize(
    "steps",
    [
        ("hear_start: hello", "wait: 600ms", "hang_up"),
        ("hear_start: hello", "press: 1"),
        ("hear_start: hello", "wait_until: 300ms"),
        ("hear: hello", "pause: 3s", "hear: silent.again", "pause: 2s", "hear: silent.goodbye"),
        ("hear: closing.thanks", "pause: as the rule says"),
        ("hear: silent.goodbye", "pause: 0s-500ms", "press: 1"),
        ("hold", "resume", "hold: 3s", "hold"),
        ("wait_until: 3s", "wait: 1s", "wait_until: 8s"),
        ("hear: silent.again", "hear: silent.again"),
    ],
)
def test_scripts_that_can_be(steps: tuple[str, ...]) -> None:
    caller(*steps)


@pytest.mark.parametrize(
    ("script", "expect"),
    [
        (HANG_UP, "hung_up_first: caller, outcome: caller_hung_up"),
        (HANG_UP, "outcome: handed_to_fallback, hung_up_first: nobody"),
        (HANG_UP + LEAVING, "hung_up_first: agent, outcome: caller_hung_up"),
        (LEAVING, "hung_up_first: agent, outcome: closed_by_ivrflow"),
        (LEAVING, "hung_up_first: agent, outcome: hung_up"),
        (AGENT, "hung_up_first: ivrflow, outcome: call_too_long"),
        ("", "hung_up_first: ivrflow, outcome: hung_up"),
        ("", "hung_up_first: nobody, outcome: handed_to_fallback"),
        ("", "hung_up_first: ivrflow, verdicts: {silent: broken, hello: kept, lookup: not_applicable}"),
        ("", "never_hear: [silent.again], verdicts: {silent: kept, lookup: not_applicable}"),
        ("caller: [hear: hello]\n", "verdicts: {hello: kept, silent: kept}"),
        ("within: 90s\n", "lasts: 30s-60s"),
        ("caller: [hear: closing.thanks, pause: 10s]\n" + LEAVING, "hung_up_first: agent, outcome: closed_by_ivrflow"),
    ],
)
def test_expectations_that_can_be(script: str, expect: str) -> None:
    read(f"{script}expect: {{{expect}}}\n")


def test_only_the_first_step_after_hanging_up_is_told() -> None:
    assert told("caller: [hang_up, pause: 3s, resume, wait_until: 3s]\n") == ["3:19: nothing can follow 'hang_up'"]


def test_every_phone_has_its_own_script() -> None:
    text = 'caller: [hold]\nagents:\n  "1001": [answers, resume, hear_start: house/menu, wait: 100ms]\n'

    assert told(text) == [
        "5:21: nothing is on hold here",
        "5:29: 1001 never hears 'house/menu'",
        "5:53: a phrase is known 600ms after its first sound, not earlier",
    ]


def test_an_agent_hears_what_the_caller_says() -> None:
    read('caller: [say: hello]\nagents:\n  "1001": [answers, hear: hello]\n')


def test_the_caller_hears_what_an_agent_says() -> None:
    read('caller: [hear: result]\nagents:\n  "1001": [answers, say: result]\n')


def test_what_the_pbx_says_by_itself_can_be_heard() -> None:
    caller("hear: house/fallback.apology", flow=GOV)


def test_a_rule_that_shares_a_phrase_may_be_not_applicable_though_it_is_heard() -> None:
    text = "caller: [hear: greeting_inbound.standard]\nexpect: {verdicts: {greeting_inbound: not_applicable}}\n"
    assert told(text, GOV) == [
        "4:21: greeting_inbound applies as soon as 'greeting_inbound.standard' is said, as it is in line 3"
    ]

    text = "caller: [hear: hold_request.lookup]\nexpect: {verdicts: {hold_request: not_applicable}}\n"
    assert "4:21" in str(told(text, GOV)), "the flow says it by that rule only"


def test_music_needs_somebody_to_wait_for() -> None:
    steps = {name: step for name, step in HOTLINE.steps.items() if not isinstance(step, Transfer)}
    text = "caller: [hear_music]\n"

    assert told(text) == []
    assert told(text, replace(HOTLINE, steps=steps | {"agent": HOTLINE.steps["hang_up"]})) == [
        "3:10: there is no music"
    ]


def test_a_script_that_takes_longer_than_allowed() -> None:
    assert told('within: 5s\nagents: {"1001": [ring: 4s, wait: 2s]}\n') == [
        "3:1: 5s are over before the script is: it takes at least 6.0 s"
    ]


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────


def only(*names: str) -> CallFlow:
    """The centre with these steps alone; where they lead else the call ends."""
    steps = {name: step if name in names else CENTRE.steps["hang_up"] for name, step in CENTRE.steps.items()}
    return replace(CENTRE, start=names[0], steps=steps)


def test_music_is_played_in_queues_and_during_look_ups() -> None:
    text = "caller: [hear_music]\n"

    assert told(text, only("queue")) == []
    assert told(text, only("ask")) == []
    assert told(text, only("message")) == ["3:10: there is no music"]


def test_an_agent_hears_what_is_played_during_a_talk() -> None:
    text = 'caller: []\nagents:\n  "1002": [answers, hear: PHRASE]\n'

    assert told(text.replace("PHRASE", "house/menu"), only("queue", "colleague")) == []
    assert told(text.replace("PHRASE", "house/ask_number"), only("queue", "colleague")) == [
        "5:21: 1002 never hears 'house/ask_number'"
    ]


def test_the_caller_never_hears_what_a_colleague_is_told() -> None:
    assert told("caller: [hear: house/menu]\n", only("queue", "colleague")) == ["3:10: ivrflow never says 'house/menu'"]
    assert told("caller: [hear: hello]\n", only("queue", "colleague")) == []
