"""The nine key figures: what they count, and what nobody can know."""

from dataclasses import replace

import pytest
from made_reports import DUE, JIANGNAN, promise

from ivrflow.flow.model import KeyFigure
from ivrflow.report.key_figures import Evidence, Result, key_figures, reached
from ivrflow.report.matters import matters_of
from ivrflow.runtime.journal_counts import Counted, CountedPromise

NOW = DUE + 3600


def figure(
    name: str,
    *promises: CountedPromise,
    counted: Counted | None = None,
    tags: dict[str, set[str]] | None = None,
    dialled: int | None = None,
) -> Result:
    frozen = {subject: frozenset(names) for subject, names in (tags or {}).items()}
    matters = matters_of(promises, frozen, NOW)
    dropped: dict[str, int] = {}
    for matter in matters:
        if matter.is_dropped:
            dropped[matter.about] = dropped.get(matter.about, 0) + 1
    evidence = Evidence(counted or Counted(), [one for one in matters if not one.is_dropped], dropped, dialled)
    return next(one for one in key_figures(JIANGNAN, evidence) if one.id == name)


def share(result: Result) -> tuple[int, int]:
    assert result.part is not None
    assert result.whole is not None
    return result.part.count, result.whole.count


@pytest.mark.parametrize("name", [one.id for one in JIANGNAN.key_figures])
def test_without_calls_there_is_no_figure_but_a_reason(name: str) -> None:
    result = figure(name)
    assert (result.percent, result.reached, result.misses) == (None, "no data", ())
    assert result.why


def test_only_the_carrier_knows_who_never_got_through() -> None:
    counted = Counted(answered=90)
    unknown = figure("system_connect_rate", counted=counted)
    assert unknown.percent is None
    assert "--dialled" in unknown.why
    known = figure("system_connect_rate", counted=counted, dialled=100)
    assert (known.percent, known.reached) == (90.0, "met")
    wrong = figure("system_connect_rate", counted=counted, dialled=80)
    assert (wrong.percent, wrong.why) == (None, "--dialled 80 is less than the 90 calls connected")


def test_agents_are_counted_by_calls() -> None:
    counted = Counted(asked_for_agent=7, agent_answered=5, without_agent=["a", "b"])
    result = figure("agent_answer_rate", counted=counted)
    assert share(result) == (5, 7)
    assert (result.reached, result.misses) == ("missed", ("a", "b"))


def test_replies_and_replies_in_time() -> None:
    promises = [
        promise("in time"),
        promise("late", kept_at=DUE + 60),
        promise("overdue", kept_at=None),
        promise("pending", kept_at=None, due_at=NOW + 60),
        promise("dropped", kept_at=None, dropped_at=DUE),
        promise("complaint", about="complaint"),
    ]
    replied = figure("enquiry_reply_rate", *promises)
    assert (share(replied), replied.misses, replied.reached) == ((2, 3), ("overdue",), "missed")
    in_time = figure("enquiry_reply_on_time_rate", *promises)
    assert (share(in_time), in_time.misses) == ((1, 3), ("late", "overdue"))
    assert in_time.notes[1:] == (
        "1 not yet due and open are not counted",
        "1 dropped are not counted; `ivrflow promises --all` tells why",
    )
    complaints = figure("complaint_reply_on_time_rate", *promises)
    assert (share(complaints), complaints.reached) == ((1, 1), "met")


def test_what_is_only_pending_gives_no_figure() -> None:
    assert figure("enquiry_reply_rate", promise("x", kept_at=None, due_at=NOW + 60)).percent is None


def test_a_complaint_with_daily_feedback_is_one_complaint_and_late_when_one_day_is() -> None:
    first = promise("c", about="complaint")
    second = first._replace(id="c/1.2", kept_at=DUE + 86_400 + 60, due_at=DUE + 86_400)
    assert share(figure("complaint_reply_on_time_rate", first)) == (1, 1)
    assert share(figure("complaint_reply_on_time_rate", first, second)) == (0, 1)


def test_repeated_complaints_are_known_when_somebody_looked() -> None:
    complaints = [promise(f"c{n}", about="complaint") for n in range(4)]
    assert figure("repeat_complaint_rate", *complaints).percent is None
    looked = figure("repeat_complaint_rate", *complaints, tags={"c1": {"first"}})
    assert (share(looked), looked.reached) == ((0, 4), "met")
    assert looked.notes == ("3 complaints without a tag are counted as first ones",)
    repeated = figure("repeat_complaint_rate", *complaints, tags={"c1/1": {"repeat"}})
    assert (share(repeated), repeated.reached, repeated.misses) == ((1, 3), "missed", ("c1",))
    every = figure("repeat_complaint_rate", complaints[0], tags={"c0": {"repeat"}})
    assert (every.percent, every.why) == (None, "all complaints are repeated ones")


def test_satisfaction_counts_those_who_were_asked() -> None:
    enquiries = [promise("a", satisfied=1), promise("b", satisfied=0), promise("c")]
    result = figure("enquiry_satisfaction", *enquiries)
    assert (share(result), result.misses, result.reached) == ((1, 2), ("b",), "missed")
    assert result.notes == ("of 1 more nobody knows, and they are not counted",)
    assert "--satisfied" in figure("enquiry_satisfaction", promise("c")).why


@pytest.mark.parametrize("tag", ["cross_province", "key_account"])
def test_complaints_nobody_tagged_are_not_guessed(tag: str) -> None:
    name = f"{tag}_complaint_satisfaction"
    complaint = promise("c", about="complaint", satisfied=1)
    assert f"ivrflow promises tag ID {tag}" in figure(name, complaint).why
    assert figure(name, complaint, tags={"c": {tag}}).percent == 100.0
    assert figure(name, complaint._replace(satisfied=None), tags={"c": {tag}}).percent is None


def test_a_figure_nobody_computes_says_so() -> None:
    odd = replace(JIANGNAN, key_figures=(KeyFigure("smiles", "smiles", "a / b", "100%", JIANGNAN.where),))
    (result,) = key_figures(odd, Evidence(Counted(), [], {}))
    assert (result.percent, result.why) == (None, "ivrflow does not compute a figure called smiles")


@pytest.mark.parametrize(
    ("target", "part", "whole", "expected"),
    [
        (">= 85%", 85, 100, "met"),
        (">= 85%", 849_999, 1_000_000, "missed"),
        ("<= 1%", 1, 100, "met"),
        ("<= 1%", 2, 100, "missed"),
        ("≥99.5 %", 199, 200, "met"),
        ("100%", 100, 100, "met"),
        ("100%", 999_999, 1_000_000, "missed"),
        ("as good as can be", 1, 1, "no target"),
    ],
)
def test_targets_are_compared_exactly(target: str, part: int, whole: int, expected: str) -> None:
    assert reached(target, part, whole) == expected
