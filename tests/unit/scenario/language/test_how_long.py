from dataclasses import replace

import pytest
from hotline_scenarios import GOV, HOTLINE, caller, read
from little_centre import CENTRE, NOTICE

from ivrflow.flow.model import Climb, Close
from ivrflow.scenario.language.how_long import FACTOR, MARGIN_S, least_seconds, longest_call, longest_silence, moments
from ivrflow.scenario.language.naming import phrase_seconds
from ivrflow.scenario.script import Wait
from ivrflow.scenario.simulated.on_simulator import play

HELLO_S = phrase_seconds(HOTLINE, "tiny/hello")


def earliest(*steps: str) -> list[float]:
    return [round(at, 3) for _, at in moments(caller(*steps).caller, HOTLINE)]


def test_the_second_before_which_a_step_cannot_end() -> None:
    assert earliest("wait: 2s", "say: 1.5s", 'press: {keys: "123", hold: 100ms, gap: 300ms}') == [2.0, 3.5, 4.4]
    assert earliest("wait_until: 9s", "hold: 3s", "wait: 1s") == [9.0, 9.0, 12.0, 12.0, 13.0]
    assert earliest("hear: {phrase: hello, at_least: 50%}", "hear_start: silent.again") == [HELLO_S / 2] * 2


def test_a_pause_runs_beside_what_is_done_in_it() -> None:
    assert earliest("hear_start: hello", "pause: 3s-5s", "wait: 1s", "hear_start: silent.again") == [0, 0, 1, 2.75]
    assert earliest("hear_start: hello", "pause: 3s-5s", "wait: 9s", "hear_start: silent.again") == [0, 0, 9, 9]


def test_a_pause_counts_from_the_phrase_whatever_is_done_before_it_is_named() -> None:
    assert earliest("hear_start: hello", "wait: 1s", "pause: 3s-5s", "hear_start: silent.again") == [0, 1, 1, 2.75]


def test_a_script_is_not_over_before_its_last_pause_is() -> None:
    steps = caller("hear_start: hello", "wait: 1s", "pause: 3s").caller

    assert least_seconds(steps, HOTLINE) == 2.75
    assert least_seconds(steps[:2], HOTLINE) == 1.0
    assert least_seconds((*steps, Wait(9.0, HOTLINE.where)), HOTLINE) == 10.0
    assert least_seconds((), HOTLINE) == 0.0


def test_a_silent_caller_is_done_with_at_some_time() -> None:
    assert 75 < longest_silence(GOV) < 400, (
        "the menu twice, 20 s of ringing, 3 min in a queue, the farewell, two guards"
    )
    assert longest_silence(HOTLINE) < 120


def test_a_circle_of_steps_is_walked_once() -> None:
    welcome = HOTLINE.steps["welcome"]
    assert isinstance(welcome, Climb)
    flow = replace(HOTLINE, steps={**HOTLINE.steps, "welcome": replace(welcome, used_up="welcome")})

    assert longest_silence(flow) == pytest.approx(longest_silence(HOTLINE))


def test_the_bound_grows_with_the_script_and_the_agents() -> None:
    silent = read("").within
    assert silent == pytest.approx(longest_silence(HOTLINE) * FACTOR + MARGIN_S, abs=0.1)
    assert caller("wait: 10s").within == pytest.approx(silent + 15)
    assert read('agents: {"1001": [ring: 2s, wait: 8s]}\n').within == pytest.approx(silent + 15)
    assert caller("hear: hello", "pause: 60s", "hear: silent.again").within > silent + 90
    longer = caller("hear: hello", "pause: 60s").within - caller("hear: hello").within
    assert longer == pytest.approx((60 + HOTLINE.limits.tolerance) * FACTOR, abs=0.1)
    assert read("expect: {lasts: 5m-10m}\n").within == 600 * FACTOR + MARGIN_S


def test_a_task_takes_its_time_unless_somebody_says_that_it_is_done() -> None:
    waiting, done = caller("situation: noise"), caller("situation: noise", "wait: 5s", "done")

    assert waiting.within > done.within + HOTLINE.limits.task_wait


def test_a_silent_caller_stays_below_the_bound() -> None:
    scenario = read("expect: {heard_else: yes}\n", GOV)

    seen = play(scenario)

    assert seen.caller.trouble == ""
    assert longest_call(GOV, (), (), None) == scenario.within


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────

CONNECTING_S, TOO_FEW_S, NUMBER_S = (
    phrase_seconds(CENTRE, phrase) for phrase in ("house/connecting", "house/too_few", "house/ask_number")
)


def silence_from(*names: str) -> float:
    """The longest silence of these steps of the centre; where they lead else the call ends."""
    steps = {name: CENTRE.steps[name] for name in names}
    others = {name: CENTRE.steps["hang_up"] for name in CENTRE.steps if name not in names}
    return round(longest_silence(replace(CENTRE, steps={**others, **steps})), 3)


def test_waiting_in_a_queue_leaving_no_message_and_asking_take_their_time() -> None:
    assert silence_from("queue") == round(CONNECTING_S + 180, 3)
    assert silence_from("message") == round(NUMBER_S + 1 + 4, 3)
    assert silence_from("queue", "message") == round(CONNECTING_S + 180 + NUMBER_S + 1 + 4, 3)
    assert silence_from("message", "play") == 120, "a message may be heard again"
    assert silence_from("ask") == round(8 + TOO_FEW_S, 3)
    assert silence_from("ask", "queue") == round(8 + TOO_FEW_S + CONNECTING_S + 180, 3)
    assert silence_from("keep", "score", "callback") == 0


def test_that_the_call_is_recorded_takes_time_to_say() -> None:
    notice = phrase_seconds(CENTRE, "house/morning")
    for whole_call in (False, True):
        recorded = replace(CENTRE, recording=replace(NOTICE, whole_call=whole_call))
        assert longest_silence(recorded) == pytest.approx(longest_silence(CENTRE) + notice)


def test_a_survey_may_come_after_the_farewell() -> None:
    bye = CENTRE.steps["bye"]
    assert isinstance(bye, Close)
    steps = {"bye": replace(bye, survey="message"), "message": CENTRE.steps["message"]}
    small = replace(CENTRE, steps={**dict.fromkeys(CENTRE.steps, CENTRE.steps["hang_up"]), **steps})

    assert longest_silence(small) == pytest.approx(silence_from("bye") + silence_from("message"))
