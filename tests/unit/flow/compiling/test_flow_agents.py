import pytest
from service_hotline import compiled, told

CODES = '{"*21": noise, "*70": to_colleague, "*80": cancel, "*81": done, "*82": leave}'


def test_codes_order_situations_transfers_and_what_becomes_of_them() -> None:
    agents = compiled().agents

    assert {code: (order.kind, order.name) for code, order in agents.codes.items()} == {
        "*21": ("situation", "noise"),
        "*70": ("transfer", "to_colleague"),
        "*80": ("cancel", ""),
        "*81": ("done", ""),
        "*82": ("leave", ""),
    }
    assert (agents.hold, agents.transfers) == ("hold_request", ("to_colleague",))


def test_a_flow_without_a_word_about_agents() -> None:
    flow = compiled(
        (f"agents:\n  hold: hold_request\n  transfers: [to_colleague]\n  codes: {CODES}\n", ""),
        ("recording: {announce: notice, keep: 30d}\n", ""),
        ("no_answer: leave_message\n      full", "no_answer: to_colleague\n      full"),
    )

    assert (flow.agents.codes, flow.agents.hold, flow.agents.transfers, flow.recording) == ({}, "", (), None)


def test_a_transfer_only_agents_lead_to_is_reached() -> None:
    assert told(("  transfers: [to_colleague]\n", ""), (', "*70": to_colleague', "")) == [
        "nothing leads to the step 'to_colleague'"
    ]


@pytest.mark.parametrize("code", ["*2", "*200", "#20", "20", "*2a", "＊20", "*２０"])
def test_what_is_no_code(code: str) -> None:
    assert told((CODES, f'{{"{code}": noise}}')) == [f"'{code}' is no code"]


def test_recording() -> None:
    recording = compiled().recording

    assert recording is not None
    assert (recording.announce, recording.whole_call, recording.keep_days) == (("service/notice",), False, 30)


def test_a_whole_call_is_kept_as_long_as_usual() -> None:
    recording = compiled(("{announce: notice, keep: 30d}", "{announce: notice, whole_call: yes}")).recording

    assert recording is not None
    assert (recording.whole_call, recording.keep_days) == (True, 90)


@pytest.mark.parametrize("days", ["30", "30 d", "0d", "3651d", "1w", "三天", "-1d"])
def test_what_is_no_number_of_days(days: str) -> None:
    assert len(told(("keep: 30d", f'keep: "{days}"'))) == 1
