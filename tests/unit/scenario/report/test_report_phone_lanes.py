import sample_results as made

from ivrflow.scenario.observation import Act, GaveUp, Heard, PhoneSide
from ivrflow.scenario.performer import in_words
from ivrflow.scenario.report.phone_lanes import agent_lane, caller_lane, heard_lane
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.scene import Lane, Shown
from ivrflow.scenario.script import Order

COVERING = Privacy()
W = made.where(5)


def everything(lane: Lane) -> list[Shown]:
    return [shown for row in lane.rows for shown in row.shown]


def did(*acts: Act, **other: object) -> list[Shown]:
    side = PhoneSide("caller", answered_at=0.0, acts=acts, **other)  # type: ignore[arg-type]  # passed on
    return everything(caller_lane(side, "silence", COVERING))


def heard(*sounds: Heard) -> list[Shown]:
    return everything(heard_lane(PhoneSide("caller", heard=sounds), (), lambda _: "您好"))


def test_what_a_caller_did() -> None:
    shown = did(
        Act("hear gov/greeting", 0, 1, W),
        Act("say gov/name.own", 1, 3, W),
        Act("press keys", 3, 3.4, W, "86#"),
        Act("wait 2s", 3.4, 5.4, W),
        Act("background noise -30dB", 5.5, 5.5, W),
        Act("hang up", 8, 8.01, W),
    )
    assert [(one.look, one.label) for one in shown] == [
        ("speech", "says name.own"),
        ("keys", "•••"),
        ("act", "background noise -30dB"),
        ("hang_up", "hangs up"),
    ]


def test_every_order_is_a_mark_of_its_own() -> None:
    for order in (
        Order("situation", W, "noise"),
        Order("cancel", W),
        Order("signal", W, "understood"),
        Order("done", W),
        Order("value", W, "honorific", "女士"),
    ):
        [shown] = did(Act(in_words(order), 1, 1, W))
        assert shown.look == "order"


def test_a_hold_lasts_to_its_resume_or_to_the_end() -> None:
    hold, resume = Act("hold", 5, 5.1, W), Act("resume", 9, 9.1, W)
    assert [(one.look, one.start, one.end) for one in did(hold, resume)] == [("hold", 5, 9)]
    [shown] = did(hold, ended_at=20.0)
    assert (shown.end, shown.label) == (20.0, "holds the line to the end")
    assert [(one.start, one.end) for one in did(hold, resume, Act("hold", 12, 12.1, W), ended_at=15.0)] == [
        (5, 9),
        (12, 15.0),
    ]


def test_a_phone_that_hangs_up_without_its_script_saying_so() -> None:
    assert [one.look for one in did(ended_by="phone", ended_at=7.0)] == ["hang_up"]
    assert did(ended_by="peer", ended_at=7.0) == []
    assert len(did(Act("hang up", 7, 7, W), ended_by="phone", ended_at=7.0)) == 1


def test_a_script_that_got_stuck() -> None:
    [shown] = did(gave_up=GaveUp("gov/greeting was not heard within 30 s", 1.0, 31.0, W))
    assert (shown.look, shown.start, shown.end) == ("stuck", 1.0, 31.0)
    assert "line 5 of the scenario" in shown.details


def test_a_whole_phrase() -> None:
    [shown] = heard(Heard("phrase", "gov/a.greeting", 0.02, 3.8, 0.98, 0.97, 3.9))
    assert (shown.label, shown.small, shown.rest) == ("您好", "a.greeting", None)
    assert "98% of it heard" in shown.details


def test_a_phrase_that_was_cut_shows_its_unheard_rest_up_to_what_came_instead() -> None:
    cut = Heard("phrase", "gov/a.greeting", 0.0, 2.0, 0.5, 0.97, 4.0)
    [shown] = heard(cut)
    assert shown.rest == 4.0
    assert shown.small.startswith("50% heard, cut")
    assert heard(cut, Heard("phrase", "gov/b", 3.0, 5.0))[0].rest == 3.0
    assert heard(cut, Heard("phrase", "gov/b", 2.05, 5.0))[0].rest is None


def test_other_sounds_are_what_they_are() -> None:
    shown = heard(
        Heard("music", "", 0, 5), Heard("tone", "440 Hz", 6, 7), Heard("unknown", "", 8, 9, text="喂")
    )  # fmt: skip
    assert [(one.look, one.label) for one in shown] == [
        ("music", "hold music"),
        ("tone", "tone 440 Hz"),
        ("unknown", "unknown sound"),
    ]
    assert "understood as: 喂" in shown[2].details


def test_nothing_heard_is_said() -> None:
    assert heard_lane(PhoneSide("caller"), (), lambda _: "").about == "nothing was heard"


def test_an_agents_phone_rings() -> None:
    answered = agent_lane(PhoneSide("1001", rang_at=2.0, answered_at=4.0, ended_at=9.0), str, COVERING)
    assert [(one.look, one.start, one.end) for one in everything(answered)] == [
        ("talk", 4.0, 9.0),
        ("ringing", 2.0, 4.0),
    ]
    never = agent_lane(PhoneSide("1001", rang_at=2.0, ended_at=22.0), str, COVERING)
    assert [(one.label, one.end) for one in everything(never)] == [("rings, never answered", 22.0)]
    assert agent_lane(PhoneSide("1001"), str, COVERING).about == "it never rang"
    assert agent_lane(PhoneSide("1001", trouble="no RTP came"), str, COVERING).about == "no RTP came"


def test_what_agents_do_besides() -> None:
    acts = (
        Act("hold", 5.0, 5.1, W),
        Act("hear nothing 3s", 5.1, 8.1, W),
        Act("resume", 8.1, 8.2, W),
        Act("press keys", 9.0, 9.3, W, "*21"),
        Act("press keys", 9.5, 9.8, W, "*2"),
        Act("talk 2s", 10.0, 12.0, W),
        Act("transfer colleague", 13.0, 13.0, W),
    )
    shown = everything(agent_lane(PhoneSide("1001", acts=acts), str, COVERING))
    assert [(one.look, one.label) for one in shown] == [
        ("hold", "holds the line"),
        ("silence", "hears nothing"),
        ("keys", "*21"),  # a code of the flow's is nobody's secret
        ("keys", "••"),
        ("speech", "talks"),
        ("order", "transfer colleague"),
    ]


def test_the_other_side_is_a_voice() -> None:
    heard = (Heard("unknown", "", 10.1, 12.0), Heard("unknown", "", 14.0, 15.0))
    caller = PhoneSide("caller", acts=(Act("talk 2s", 10.0, 12.0, W),))
    shown = everything(agent_lane(PhoneSide("1001", heard=heard), str, COVERING, [caller]))
    assert [one.label for one in shown] == ["a voice", "unknown sound"]
