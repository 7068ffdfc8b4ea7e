import pytest

from ivrflow.bridge.agi_events import Reply, read_environment


def test_script_is_taken_apart() -> None:
    found = read_environment({"agi_network_script": "hot%20line/zh?x=1&name=%E4%BD%A0%E5%A5%BD&empty=&x=2"})
    assert found.path == "hot line/zh"
    assert found.query == {"x": "2", "name": "你好", "empty": ""}
    assert found.variables["agi_network_script"].startswith("hot%20line")


def test_arguments_in_order() -> None:
    lines = {"agi_arg_2": "two", "agi_arg_1": "one", "agi_arg_10": "not counted: 3 is missing"}
    assert read_environment(lines).arguments == ("one", "two")


def test_nothing_said_is_nothing_known() -> None:
    found = read_environment({"agi_network": "yes"})
    assert (found.path, found.query, found.arguments) == ("", {}, ())
    assert (found.channel, found.unique_id, found.caller_number, found.dialled_number) == ("", "", "", "")


def test_who_called_what() -> None:
    lines = {
        "agi_channel": "PJSIP/line-1",
        "agi_uniqueid": "pbx-1.1",
        "agi_callerid": "13800138000",
        "agi_dnid": "12345",
        "agi_extension": "s",
    }
    found = read_environment(lines)
    assert (found.channel, found.unique_id) == ("PJSIP/line-1", "pbx-1.1")
    assert (found.caller_number, found.dialled_number) == ("13800138000", "12345")


def test_unknown_numbers() -> None:
    found = read_environment({"agi_callerid": "unknown", "agi_dnid": "unknown", "agi_extension": "12345"})
    assert (found.caller_number, found.dialled_number) == ("", "12345")


@pytest.mark.parametrize(
    ("reply", "failed"),
    [
        (Reply(200, "0"), False),
        (Reply(200, "1", text="value"), False),
        (Reply(200, ""), False),
        (Reply(200, "-1"), True),
        (Reply(200, "-2"), True),
        (Reply(511, message="dead"), True),
    ],
)
def test_failed(reply: Reply, *, failed: bool) -> None:
    assert reply.failed is failed
