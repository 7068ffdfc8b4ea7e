import pytest
from rich.cells import cell_len

from ivrflow.engine.trace import AGENT_GONE, Fact, Judgement, TraceLine, Verdict, WaitSeen
from ivrflow.timeline import plain_lines, show, timeline

RULE = "gov12345/silent_call"
PLACE = "callflows/standards/gov12345.yaml:216:9"
TEXTS = {
    "gov12345/silent_call.greeting": "您好，政府热线，请问有什么可以帮到您？",
    "gov12345/long": "非常感谢您提出的宝贵建议，我已记录下来并会反馈给有关负责人，再次感谢您对政府工作的关心和支持。",
}

SILENT_CALL = [
    TraceLine(0.0, Fact.ARRIVED, detail="12345 政府服务热线", where="callflows/gov12345.yaml:3:1"),
    TraceLine(
        0.02,
        Fact.PHRASE_STARTED,
        rule=RULE,
        also_rule="gov12345/greeting_inbound",
        rung=1,
        phrase="gov12345/silent_call.greeting",
        seconds=3.25,
        where=PLACE,
    ),
    TraceLine(3.27, Fact.PHRASE_ENDED, rule=RULE, rung=1, phrase="gov12345/silent_call.greeting", detail="finished"),
    TraceLine(3.27, Fact.WAIT_BEGUN, rule=RULE, rung=1, seconds=4.0, where=PLACE),
    TraceLine(7.29, Fact.WAIT_USED_UP, rule=RULE, rung=1, where=PLACE),
    TraceLine(7.29, Fact.ENDED, detail="nobody_spoke", seconds=7.29),
]
KEPT = Verdict(RULE, Judgement.KEPT, "say, wait 3-5 s", "4.02 s, then hung up", (WaitSeen(3.0, 5.0, 4.02, 1),), (1, 2))
BROKEN = Verdict("gov12345/noise", Judgement.BROKEN, "say, wait 3 s", "waited 4.00 s after rung 1, not 3 s")
NOT_APPLICABLE = Verdict("gov12345/praise", Judgement.NOT_APPLICABLE, "say", "its situation did not arise")


def lines_for(*trace: TraceLine, verdicts: tuple[Verdict, ...] = (), width: int = 100) -> list[str]:
    return plain_lines(timeline(trace, verdicts, lambda phrase: TEXTS.get(phrase, "")), width)


def words_for(*trace: TraceLine) -> str:
    """The words of the last line."""
    return lines_for(*trace)[-1][len("  0.00  <  ") :].strip()


def test_a_silent_call_in_a_hundred_columns() -> None:
    assert lines_for(*SILENT_CALL, verdicts=(KEPT, BROKEN, NOT_APPLICABLE)) == [
        "second     what happened                               rule              place",
        "  0.00  <  call arrived, 12345 政府服务热线                              callflows/gov12345.yaml:3",
        "  0.02  >  您好，政府热线，请问有什么可以帮到您？      silent_call 1     standards/gov12345.yaml:216",
        "                                                       greeting_inbound",
        "  3.27     heard to its end, after 3.25 s              silent_call 1",
        "  3.27  ~  waiting 4 s                                 silent_call 1     standards/gov12345.yaml:216",
        "  7.29  ~  waited 4.02 s; the standard says 3-5 s      silent_call 1     standards/gov12345.yaml:216",
        "  7.29     call ended: nobody spoke",
        "",
        "verdicts: 1 broken, 1 kept, 1 not applicable",
        "BROKEN  gov12345/noise        expected  say, wait 3 s",
        "                              observed  waited 4.00 s after rung 1, not 3 s",
        "kept    gov12345/silent_call  expected  say, wait 3-5 s",
        "                              observed  4.02 s, then hung up",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_wide_characters_wrap_and_the_columns_stay_in_line(width: int) -> None:
    long = TraceLine(1.0, Fact.PHRASE_STARTED, rule=RULE, rung=2, phrase="gov12345/long", where=PLACE)
    lines = lines_for(*SILENT_CALL, long, verdicts=(KEPT,), width=width)
    assert all(cell_len(line) <= width for line in lines)
    starts = {
        cell_len(line[: line.index("silent_call ")]) for line in lines if "silent_call " in line and "kept" not in line
    }
    assert len(starts) == 1
    spoken = "".join(line[11:].split("  ")[0] for line in lines[lines.index(lines_starting("  1.00", lines)) :])
    assert TEXTS["gov12345/long"] in spoken.replace(" ", "")


def lines_starting(start: str, lines: list[str]) -> str:
    return next(line for line in lines if line.startswith(start))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (TraceLine(0.0, Fact.ANSWERED), "line open"),
        (TraceLine(0.0, Fact.STEP_ENTERED, step="main_menu"), "step main_menu"),
        (TraceLine(0.0, Fact.LADDER_BEGUN, detail="silent_call"), "ladder silent_call"),
        (TraceLine(0.0, Fact.PHRASE_STARTED, phrase="gov12345/unknown"), "gov12345/unknown"),
        (TraceLine(0.0, Fact.WAIT_BEGUN, seconds=6.0, detail="first-digit timeout"), "waiting 6 s first-digit timeout"),
        (TraceLine(0.0, Fact.LADDER_LEFT, detail="speech"), "ladder left: speech"),
        (TraceLine(0.0, Fact.LADDER_USED_UP, detail="take_message"), "ladder used up, then take message"),
        (TraceLine(0.0, Fact.KEY_PRESSED, key="•"), "key •"),
        (TraceLine(0.0, Fact.DIGITS_COLLECTED, detail="done, 4 digits", key="••••"), "entry done, 4 digits: ••••"),
        (TraceLine(0.0, Fact.DIGITS_COLLECTED, detail="no input, 0 digits"), "entry no input, 0 digits"),
        (TraceLine(0.0, Fact.SPEECH_STARTED), "caller speaks"),
        (TraceLine(0.0, Fact.SPEECH_ENDED), "caller stops speaking"),
        (TraceLine(0.0, Fact.SIGNAL_GIVEN, detail="caller_agrees"), "signal: caller agrees"),
        (TraceLine(0.0, Fact.TASK_ASKED, detail="play_waiting_tone"), "agent is to play waiting tone"),
        (TraceLine(0.0, Fact.TASK_DONE, detail="mute", seconds=1.5), "agent did mute, in 1.50 s"),
        (TraceLine(0.0, Fact.RINGING, seconds=20.0), "ringing an agent, 20 s at most"),
        (TraceLine(0.0, Fact.AGENT_LEFT), "agent left"),
        (TraceLine(0.0, Fact.SITUATION_STARTED, detail="noise"), "situation noise"),
        (TraceLine(0.0, Fact.SITUATION_OVER, detail="continue"), "situation over, then continue"),
        (TraceLine(0.0, Fact.SITUATION_OVER, detail=AGENT_GONE), "situation given up: the agent is gone"),
        (
            TraceLine(0.0, Fact.PHRASE_STARTED, detail="the caller's message", seconds=4.0),
            "plays back the caller's message, 4.00 s",
        ),
        (TraceLine(0.0, Fact.AGENT_LEFT, detail="handed over"), "agent left, handed over"),
        (TraceLine(0.0, Fact.QUEUED, detail="agents", seconds=180.0), "queue agents, 180 s at most"),
        (TraceLine(0.0, Fact.QUEUE_MOVED, detail="position 2", seconds=90.0), "position 2, 90 s expected"),
        (TraceLine(0.0, Fact.QUEUE_MOVED, detail="position 2"), "position 2"),
        (TraceLine(0.0, Fact.LEVEL_RAISED, detail="experts"), "next level, queue experts"),
        (TraceLine(0.0, Fact.AGENT_HOLDS), "agent puts the caller on hold"),
        (TraceLine(0.0, Fact.PARTED), "caller and agent apart"),
        (TraceLine(0.0, Fact.JOINED), "caller and agent joined again"),
        (TraceLine(0.0, Fact.ORDER_GIVEN, detail="situation noise"), "agent orders: situation noise"),
        (TraceLine(0.0, Fact.RECORDING, detail="paused"), "recording of the call paused"),
        (TraceLine(0.0, Fact.MESSAGE_RECORDED, detail="silence", seconds=6.0), "message of 6.00 s, ended by: silence"),
        (TraceLine(0.0, Fact.MESSAGE_KEPT, detail="voicemail", seconds=6.0), "message of 6.00 s kept: voicemail"),
        (TraceLine(0.0, Fact.SCORED, detail="satisfaction: 3 of 3"), "score, satisfaction: 3 of 3"),
        (TraceLine(0.0, Fact.CALLBACK_ORDERED, detail="by desk", seconds=7200.0), "callback within 2 h, by desk"),
        (TraceLine(0.0, Fact.ENQUIRED, seconds=8.0), "look-up, 8 s at most"),
        (TraceLine(0.0, Fact.HEARING_LOST), "the caller cannot be heard"),
        (TraceLine(0.0, Fact.HEARING_RESTORED), "the caller can be heard again"),
        (TraceLine(0.0, Fact.LIMIT_REACHED, detail="call_length"), "limit reached: call_length"),
        (TraceLine(0.0, Fact.IGNORED, detail="no situation to cancel"), "ignored: no situation to cancel"),
        (TraceLine(0.0, Fact.CALLER_HUNG_UP, detail="cause 16"), "caller hung up, cause 16"),
        (TraceLine(0.0, Fact.CALLER_HUNG_UP), "caller hung up"),
        (TraceLine(0.0, Fact.LINE_LOST), "the line is gone; nobody hung up"),
        (TraceLine(0.0, Fact.HANDED_OVER, detail="a bug in the engine"), "handed to the fallback: a bug in the engine"),
    ],
)
def test_every_fact_has_its_words(line: TraceLine, words: str) -> None:
    assert words_for(line) == words


def test_every_fact_can_be_shown() -> None:
    assert len(lines_for(*(TraceLine(0.0, fact, phrase="p", step="s") for fact in Fact))) == len(Fact) + 1


def test_how_long_things_took_is_worked_out() -> None:
    phrase = TraceLine(1.0, Fact.PHRASE_STARTED, phrase="a/b")
    ringing = TraceLine(2.0, Fact.RINGING, seconds=20.0)
    asked = TraceLine(3.0, Fact.TASK_ASKED, detail="mute")
    cut = TraceLine(1.4, Fact.PHRASE_ENDED, detail="stopped: barge-in by speech")
    assert words_for(phrase, cut) == "stopped: barge-in by speech, after 0.40 s"
    assert words_for(ringing, TraceLine(5.5, Fact.AGENT_ANSWERED)) == "agent answered after 3.50 s"
    assert words_for(ringing, TraceLine(4.0, Fact.AGENT_UNAVAILABLE, detail="no_answer")) == (
        "agent unavailable after 2.00 s: no answer"
    )
    queued = TraceLine(2.0, Fact.QUEUED, detail="agents", seconds=180.0)
    announced = TraceLine(9.0, Fact.WAIT_BEGUN, seconds=10.0)
    answered = TraceLine(32.5, Fact.AGENT_ANSWERED, detail="1001", seconds=4.0)
    assert words_for(queued, announced, answered) == "agent 1001 answered after 30.50 s, rung for 4 s"
    held = TraceLine(2.0, Fact.AGENT_HOLDS)
    assert words_for(held, TraceLine(22.0, Fact.AGENT_BACK)) == "agent is back after 20.00 s"
    enquired = TraceLine(2.0, Fact.ENQUIRED, seconds=8.0)
    assert (
        words_for(enquired, TraceLine(3.5, Fact.ENQUIRY_OVER, detail="answered"))
        == "look-up over after 1.50 s: answered"
    )
    assert words_for(asked, TraceLine(9.0, Fact.WAIT_USED_UP, detail="task")) == "waited 6.00 s task"


def test_a_phrase_nobody_heard_is_marked_as_trouble() -> None:
    missing = TraceLine(1.0, Fact.PHRASE_ENDED, phrase="a/b", detail="missing")
    assert lines_for(missing)[-1].startswith("  1.00  !  missing")


def test_text_that_looks_like_markup_is_shown_as_it_is() -> None:
    line = TraceLine(1.0, Fact.IGNORED, detail="[bold]x[/]")
    assert words_for(line) == "ignored: [bold]x[/]"


def test_nothing_but_plain_text_goes_to_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    show(timeline(SILENT_CALL, (BROKEN,), TEXTS.__getitem__))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines() == lines_for(*SILENT_CALL, verdicts=(BROKEN,))


def test_a_terminal_gets_colours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show(timeline(SILENT_CALL, (BROKEN,), TEXTS.__getitem__))
    assert "\x1b[1;31mBROKEN" in capsys.readouterr().out


def places_for(*places: str) -> list[str]:
    """The last column of a trace with these places."""
    trace = [TraceLine(0.0, Fact.ANSWERED, where=place) for place in places]
    return [line.split()[-1] for line in lines_for(*trace)[1:]]


def test_a_flow_and_its_standard_of_the_same_name_are_told_apart() -> None:
    assert places_for("callflows/gov12345.yaml:22:3", "callflows/standards/gov12345.yaml:194:5") == [
        "callflows/gov12345.yaml:22",
        "standards/gov12345.yaml:194",
    ]


def test_a_place_has_its_folder_only_where_that_tells_something() -> None:
    assert places_for("callflows/gov12345.yaml:22:3", "callflows/standards/house.yaml:4:5", "tiny.yaml:1:1") == [
        "gov12345.yaml:22",
        "standards/house.yaml:4",
        "tiny.yaml:1",
    ]
