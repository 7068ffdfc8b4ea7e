import re
from xml.etree import ElementTree as ET

import pytest
from hotline_scenarios import GOV, caller, read
from made_timetables import table_of

from ivrflow.flow.problems import FlowError
from ivrflow.scenario.load.sipp import SippSounds, backgrounds, check_for_sipp, sipp_script, stream_of
from ivrflow.scenario.script import Say, Scenario
from ivrflow.softphone.audio_source import AudioSource, Breathing, ComfortNoise, Noise, NoRtp, Silence, Tone

SOUNDLESS = SippSounds({}, {})


def script(scenario: Scenario, sounds: SippSounds = SOUNDLESS, *headers: tuple[str, str]) -> ET.Element:
    return ET.fromstring(sipp_script(scenario, table_of(scenario), sounds, headers))


def told(root: ET.Element) -> list[str]:
    """The script from the answer on, in short."""
    lines: list[str] = []
    for part in list(root)[[one.get("id") for one in root].index("3") + 1 :]:
        match part.tag:
            case "send":
                lines.append(method(part))
            case "pause":
                lines.append(f"wait {part.get('milliseconds')}")
            case "recv":
                lines.append(f"recv {part.get('response') or part.get('request')}")
            case "nop":
                (action,) = part.iter("exec")
                lines.append(f"stream {action.get('rtp_stream')}")
            case tag:
                lines.append(tag)
    return lines


def method(part: ET.Element) -> str:
    assert part.text is not None
    return part.text.split()[0] if part.text.split()[0] != "SIP/2.0" else part.text.split()[1]


def messages(root: ET.Element, wanted: str) -> list[str]:
    return [part.text.strip() for part in root.iter("send") if part.text and method(part) == wanted]


def refused(scenario: Scenario) -> list[str]:
    with pytest.raises(FlowError) as problem:
        check_for_sipp(scenario, table_of(scenario))
    return [f"{one.where.line}: {one.message}" for one in problem.value.problems]


def test_the_invite_is_signed_when_the_pbx_asks_for_it() -> None:
    root = script(caller("wait: 1s", flow=GOV))
    first, signed = messages(root, "INVITE")
    assert first.startswith("INVITE sip:12345@[remote_ip]:[remote_port] SIP/2.0\n")
    assert "[field1]" not in first
    assert "\n[field1]\n" in signed
    assert ("CSeq: 1 INVITE" in first, "CSeq: 2 INVITE" in signed) == (True, True)
    asked = [part for part in root.iter("recv") if part.get("response") in {"401", "407"}]
    assert [part.get("auth") for part in asked] == ["true", "true", None, None]  # the second time they are repetitions
    labels = {part.get("id") for part in root.iter("label")}
    assert {part.get("next") for part in root if part.get("next")} == labels == {"1", "2", "3"}


def test_every_answer_is_timed_from_the_first_invite() -> None:
    root = script(caller("wait: 1s", flow=GOV))
    assert [part.get("start_rtd") for part in root.iter("send") if part.get("start_rtd")] == ["setup"]
    assert [part.get("rtd") for part in root.iter("recv") if part.get("response") == "200"][:2] == ["setup", "setup"]


def test_further_headers_stand_in_both_invites() -> None:
    root = script(caller("wait: 1s", flow=GOV), SOUNDLESS, ("X-Ivrflow-At", "2026-11-20T10:00"))
    assert all("\nX-Ivrflow-At: 2026-11-20T10:00\n" in invite for invite in messages(root, "INVITE"))


def test_headers_end_with_an_empty_line_before_the_offer() -> None:
    for invite in messages(script(caller("wait: 1s", flow=GOV)), "INVITE"):
        head, _, body = invite.partition("\n\n")
        assert head.endswith("Content-Length: [len]")
        assert body.startswith("v=0\n")


def test_a_silent_caller_waits_to_be_hung_up_on_and_answers_that() -> None:
    scenario = caller("hear: greeting_inbound.standard", flow=GOV)
    table = table_of(scenario)
    waited = round(table.ends_no_earlier_than * 1000)
    assert told(script(scenario)) == [f"wait {waited}", "recv BYE", "200"]
    (bye,) = (part for part in script(scenario).iter("recv") if part.get("request") == "BYE")
    assert int(bye.get("timeout") or 0) == round(scenario.within * 1000) - waited


def test_keys_go_as_info_each_at_its_time() -> None:
    root = script(caller("wait_until: 2s", 'press: {keys: "4#", hold: 100ms, gap: 300ms}', "hang_up", flow=GOV))
    assert told(root) == [
        "wait 2000",
        "INFO",
        "recv 200",
        "wait 400",
        "INFO",
        "recv 200",
        "wait 100",
        "BYE",
        "recv 200",
    ]
    four, hash_key = messages(root, "INFO")
    assert "Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal=4\nDuration=100" in four
    assert "Signal=#" in hash_key
    numbers = [re.findall(r"CSeq: (\d+)", text)[0] for text in (four, hash_key, messages(root, "BYE")[0])]
    assert numbers == ["3", "4", "5"]


def test_speech_is_streamed_and_the_background_goes_on_after_it() -> None:
    scenario = caller("wait_until: 2s", "say: 1500ms", "wait_until: 5s", "hang_up", flow=GOV)
    (said,) = (step for step in scenario.caller if isinstance(step, Say))
    root = script(scenario, SippSounds({said: "/t/said.al"}, {Silence(): "/t/quiet.al"}))
    assert told(root) == [
        "stream /t/quiet.al,-1,8",
        "wait 2000",
        "stream /t/said.al,1,8",
        "wait 1500",
        "stream /t/quiet.al,-1,8",
        "wait 1500",
        "BYE",
        "recv 200",
    ]
    assert "[rtpstream_audio_port]" in messages(root, "INVITE")[0]


def test_a_caller_who_sends_nothing_needs_no_stream() -> None:
    scenario = read("background: no_rtp\ncaller:\n  - wait: 1s\n  - hang_up\n", GOV)
    root = script(scenario)
    assert told(root) == ["wait 1000", "BYE", "recv 200"]
    assert "m=audio [media_port] " in messages(root, "INVITE")[0]


def test_another_background_is_another_stream() -> None:
    scenario = caller("wait: 1s", "background: noise -40dB", "wait: 1s", "hang_up", flow=GOV)
    sounds = SippSounds({}, {Silence(): "/t/a.al", Noise(-40.0): "/t/b.al"})
    assert backgrounds(scenario, table_of(scenario)) == [Silence(), Noise(-40.0)]
    assert told(script(scenario, sounds)) == [
        "stream /t/a.al,-1,8", "wait 1000", "stream /t/b.al,-1,8", "wait 1000", "BYE", "recv 200",
    ]  # fmt: skip


@pytest.mark.parametrize("source", [Silence(), Noise(-40.0), Breathing(), Tone(440, -20.0)])
def test_a_background_that_never_pauses_can_be_streamed(source: AudioSource) -> None:
    stream = stream_of(source)
    assert stream is not None
    assert len(stream) >= 8000 * 4


def test_nothing_can_be_streamed_as_nothing() -> None:
    assert stream_of(NoRtp()) is None
    with pytest.raises(ValueError, match="without pauses"):
        stream_of(ComfortNoise())


@pytest.mark.parametrize(
    ("scenario", "problem"),
    [
        (caller("wait: 1s", "hold", flow=GOV), "5: SIPp cannot put a call on hold here"),
        (
            caller("wait: 1s", "background: comfort_noise", flow=GOV),
            "5: SIPp cannot make this background: it sends sound without pauses, or nothing",
        ),
        (
            caller("wait: 1s", "background: no_rtp", flow=GOV),
            "5: SIPp cannot fall silent, or begin with nothing and go on with a sound",
        ),
    ],
)
def test_what_sipp_cannot_do_is_refused_at_its_line(scenario: Scenario, problem: str) -> None:
    assert refused(scenario) == [problem]


def test_what_sipp_can_do_is_not_refused() -> None:
    scenario = caller("wait: 1s", 'press: "1"', "say: 1s", "background: noise -30dB", "hang_up", flow=GOV)
    check_for_sipp(scenario, table_of(scenario))
