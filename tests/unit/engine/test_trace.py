import msgspec
from driven_call import call
from small_flows import collect, flow, say, silent_call_flow

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict, WaitSeen


def test_lines_and_verdicts_come_back_from_their_wire_form() -> None:
    line = TraceLine(1.5, Fact.WAIT_BEGUN, "welcome", "gov/silent_call", "", 1, "", "", "", 3.0, "a.yaml:1:2")
    assert msgspec.json.decode(msgspec.json.encode(line), type=TraceLine) == line
    verdict = Verdict("gov/x", Judgement.KEPT, "say", "said", (WaitSeen(3, 5, 4.0, 1),), (1, 2))
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


def test_times_count_from_the_arrival_and_every_line_knows_its_place_in_the_files() -> None:
    trace = call(silent_call_flow()).silence(60).trace
    assert [line.at for line in trace] == sorted(line.at for line in trace)
    assert (trace[0].at, trace[-1].at) == (0.0, 12.0)
    assert all(line.where == "small.yaml:1:1" for line in trace)


def test_before_the_first_step_a_line_names_no_step() -> None:
    trace = call(silent_call_flow()).trace
    assert [(line.fact, line.step) for line in trace[:3]] == [
        (Fact.ARRIVED, ""),
        (Fact.ANSWERED, ""),
        (Fact.STEP_ENTERED, "welcome"),
    ]


def test_keyed_digits_stand_only_in_the_field_for_keys() -> None:
    trace = call(flow(collect(done="next"), say("next", "thanks"))).prompt_ends().keys("4711").trace
    collected = next(line for line in trace if line.fact is Fact.DIGITS_COLLECTED)
    assert (collected.key, collected.detail) == ("4711", "done, 4 digits")
    assert not any("4711" in msgspec.structs.replace(line, key="").__repr__() for line in trace)
