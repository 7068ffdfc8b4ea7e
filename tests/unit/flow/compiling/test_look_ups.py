import pytest
from service_hotline import step, told

from ivrflow.flow.model import Ask

URL = "https://crm.example/cases"


def test_a_look_up() -> None:
    ask = step(Ask, "status")

    assert (ask.url, ask.sends) == (URL, ("case_number", "caller"))
    assert (ask.learns, ask.field) == ({"surname": "name"}, "status")
    assert ask.cases == {"open": "say_open", "closed 2026": "ask_satisfaction"}
    assert (ask.filler, ask.filler_after, ask.most) == (("service/filler",), 2.0, 8.0)
    assert (ask.done, ask.late, ask.wrong, ask.failed) == ("wait_for_agent",) * 4


def test_an_answer_that_makes_no_sense_may_lead_elsewhere() -> None:
    ask = step(Ask, "status", ("late: wait_for_agent, failed: wait_for_agent", "wrong: bye, failed: say_open"))

    assert (ask.late, ask.wrong, ask.failed) == ("say_open", "bye", "say_open")


@pytest.mark.parametrize("url", ["http://10.0.0.1:8080/", "https://crm.example", "https://[::1]:8443/a?kind=b&c=%20"])
def test_addresses_that_can_be_asked(url: str) -> None:
    assert step(Ask, "status", (URL, f'"{url}"')).url == url


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://crm.example/",
        "https://",
        "https:///cases",
        "https://user@crm.example/",
        "https://:word@crm.example/",
        "https://crm.example:99999/",
        "https://crm.example/{caller}",
        "https://crm.example/a b",
        "https://[::1",
        "https://crm.example/#a",
        "https://crm.example/" + "a" * 500,
    ],
)
def test_addresses_that_cannot(url: str) -> None:
    assert len(told((URL, f'"{url}"'))) == 1


def test_a_password_in_an_address_is_not_repeated() -> None:
    assert "secret" not in told((URL, "https://operator:secret@crm.example/cases"))[0]


@pytest.mark.parametrize("value", ["caller", "case_number", "callback_number", "surname"])
def test_values_that_can_be_sent(value: str) -> None:
    assert step(Ask, "status", ("send: [case_number, caller]", f"send: {value}")).sends == (value,)
