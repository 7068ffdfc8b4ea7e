import sample_results as made

from ivrflow.scenario.observation import PhoneSide, SipLine
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.sip_ladder import ladder


def test_a_call_from_invite_to_bye() -> None:
    rungs = ladder(PhoneSide("caller", sip=made.signalling(17.9)), Privacy({"12345"})).rungs
    assert [(rung.direction, rung.name, rung.tone) for rung in rungs] == [
        ("out", "INVITE", "request"),
        ("in", "401 Unauthorized", "provisional"),
        ("out", "ACK", "request"),
        ("out", "INVITE", "request"),
        ("in", "100 Trying", "provisional"),
        ("in", "200 OK", "success"),
        ("out", "ACK", "request"),
        ("in", "BYE", "request"),
        ("out", "200 OK", "success"),
    ]
    assert rungs[0].about == "sip:12345@127.0.0.1:5060 · CSeq 1 INVITE"
    assert rungs[0].later is None
    assert rungs[7].later == 17.9


def test_refusals_stand_out_and_numbers_do_not() -> None:
    line = SipLine(1.0, "in", "", "SIP/2.0 486 Busy Here\r\nTo: <sip:13800138000@h>\r\nCSeq: 1 INVITE\r\n\r\n")
    [rung] = ladder(PhoneSide("1001", sip=(line,)), Privacy()).rungs
    assert (rung.name, rung.tone, rung.about) == ("486 Busy Here", "refused", "CSeq 1 INVITE")
    assert "13800138000" not in rung.text


def test_what_is_no_sip_is_shown_as_it_is() -> None:
    lines = (SipLine(1.0, "in", "a summary", ""), SipLine(2.0, "out", "", "what \x00 is this"))
    rungs = ladder(PhoneSide("caller", sip=lines), Privacy()).rungs
    assert [rung.name for rung in rungs] == ["a summary", "what \x00 is this"]
