import pytest

from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.model import Promise

STANDARD = """
id: small
name: Small
source: made up
placeholders:
  hours: {{about: hours until the answer}}
  days: {{about: days until the answer}}
phrases:
  later: {{text: "好的。"}}
rules:
  - id: small/later
    situation: later
    trigger: it cannot be answered now
    ladder: [{{say: later}}]
    then: callback
    met_by: [promise]
    promise: {promise}
"""


def read(promise: str) -> tuple[Promise | None, list[str]]:
    standard, problems = check_standard(STANDARD.format(promise=promise), "callflows/standards/small.yaml")
    made = standard.rules["later"].promise if standard else None
    return made, [
        f"{problem.where.line}:{problem.where.column}: {problem.message}; {problem.hint}" for problem in problems
    ]


def made(promise: str) -> Promise:
    found, problems = read(promise)
    assert problems == []
    assert found is not None
    return found


def test_hours() -> None:
    found = made("{within: 24h, about: complaint}")
    assert (found.hours, found.working_days, found.value, found.about) == (24.0, None, "", "complaint")
    assert (found.owed_by, found.repeats, found.then_hours) == ("agent", False, None)


def test_working_days() -> None:
    assert made('{within: "3 working days", about: enquiry}').working_days == 3
    assert made('{within: "1 working day", about: enquiry}').working_days == 1


def test_what_the_agent_fills_in() -> None:
    found = made('{within: "{hours}", about: enquiry, or: 24h}')
    assert (found.value, found.days_value, found.or_hours) == ("hours", "", 24.0)
    found = made('{within: "{days} days", about: enquiry, or: 24h}')
    assert (found.value, found.days_value) == ("", "days")
    found = made('{within: ["{days} days", "{hours}"], about: enquiry, or: 24h}')
    assert (found.value, found.days_value) == ("hours", "days")


def test_what_is_owed_again_and_what_somebody_else_owes_next() -> None:
    assert made("{within: 24h, about: complaint, repeats: yes}").repeats
    found = made("{within: 2h, about: complaint, then: {within: 3h, owed_by: manager}}")
    assert (found.then_hours, found.then_owed_by) == (3.0, "manager")
    assert made("{within: 2h, about: complaint, then: {within: 3h}}").then_owed_by == "agent"


@pytest.mark.parametrize(
    ("promise", "says"),
    [
        (
            "{within: soon, about: enquiry}",
            (
                "17:23: 'soon' is no time for a promise; "
                'write 24h, "3 working days", or what the agent fills in: "{hours}", "{days} days"'
            ),
        ),
        (
            "{within: 0h, about: enquiry}",
            "17:23: '0h' is due before it is promised; write at least 1h or 1 working day",
        ),
        (
            '{within: "{hours}", about: enquiry}',
            "17:15: nothing is due when {hours} is not named; add or: 24h, your own choice",
        ),
        (
            '{within: "{huors}", about: enquiry, or: 24h}',
            "17:5: there is no placeholder 'huors'; did you mean 'hours'?",
        ),
        (
            '{within: [24h, "{hours}"], about: enquiry, or: 24h}',
            (
                "17:15: a promise cannot be due at several times; "
                'write one time, or what the agent may fill in: ["{hours}", "{days} days"]'
            ),
        ),
        ('{within: "{hours}", about: enquiry, or: "2 working days"}', "17:50: 'or' takes hours; write or: 24h"),
        (
            '{within: "3 working days", about: enquiry, repeats: yes}',
            "17:57: only what is due after hours can be due again; write within: 24h",
        ),
        (
            '{within: 2h, about: enquiry, then: {within: "2 working days"}}',
            "17:50: what is owed next is due after hours; write within: 2h",
        ),
        (
            "{within: 2h, about: enquiry, repeats: yes, then: {within: 2h}}",
            "17:57: what repeats has nothing after it; delete 'repeats' or 'then'",
        ),
        ("{within: 24h, about: money}", "17:35: 'money' is nothing promised; write enquiry, complaint or other"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(promise: str, says: str) -> None:
    told = read(promise)[1]
    assert says in told


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(read("{within: never, about: nothing, or: 1d}")[1]) == 3
