"""What a callback is noted as."""

from agent_flows import call_back

from ivrflow.engine.callback_order import callback_order, number_to_ring
from ivrflow.engine.messages import OrderCallback


def test_the_number_is_the_one_keyed_for_it_or_the_one_that_called() -> None:
    assert number_to_ring(call_back(), {"number": "13800000000"}, "1001") == "13800000000"
    assert number_to_ring(call_back(), {"case": "12"}, "1001") == ""
    assert number_to_ring(call_back(number=""), {"number": "13800000000"}, "1001") == "1001"


def test_the_order_says_by_when_and_how_often_and_keeps_what_was_known() -> None:
    values = {"surname": "王"}

    order = callback_order(call_back(), "13800000000", number=2, made_at=1000.0, values=values)
    values["surname"] = "李"

    assert order == OrderCallback(
        number=2,
        caller="13800000000",
        flow="placing",
        made_at=1000.0,
        due_at=1000.0 + 24 * 3600,
        tries=3,
        retry_after=900.0,
        values={"surname": "王"},
    )
