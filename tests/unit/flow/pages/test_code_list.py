import re
from pathlib import Path

from service_hotline import compiled

from ivrflow.flow.pages.code_list import TELEPHONE_CODES, Code, code_list

DIALPLAN = Path(__file__).parents[4] / "asterisk" / "etc" / "extensions.conf"


def line(code: str, *changes: tuple[str, str]) -> Code:
    return next(one for one in code_list(compiled(*changes)).codes if one.code == code)


def test_a_situation_has_the_words_of_its_rule() -> None:
    assert line("*21") == Code("*21", "situation", "noise", "the line is noisy", "请您大声一点，好吗？")


def test_orders_that_are_no_situation_have_a_sentence() -> None:
    assert [(one.name, one.does.partition(":")[0]) for one in code_list(compiled()).codes if one.code > "*79"] == [
        ("cancel", "take the situation back; the call goes on where it was"),
        ("done", "what you were asked to do is done"),
        ("leave", "what the situation waits for has happened"),
    ]


def test_a_transfer_says_whom_it_rings_and_who_stays() -> None:
    told = line("*70")

    assert (told.orders, told.name, told.says) == ("transfer", "to_colleague", "")
    assert told.does == "hand the caller over to 1002; you stay until somebody answers"


def test_who_is_not_handed_over_warmly_is_let_go() -> None:
    warm = "    warm: {whisper: whisper, thanks: thanks, back: back}\n"
    told = line("*70", (f'    transfer: "1002"\n{warm}', '    transfer: "1002"\n    announce: wait\n'))

    assert (told.does, told.says) == ("hand the caller over to 1002; you are let go at once", "请稍候。")


def test_codes_are_sorted_whatever_the_order_in_the_file() -> None:
    codes = [one.code for one in code_list(compiled(('codes: {"', 'codes: {"*99": noise, "*00": noise, "'))).codes]

    assert codes == ["*00", "*21", "*70", "*80", "*81", "*82", "*99"]


def test_what_only_the_call_knows_is_dots() -> None:
    assert Code("*20", "situation", "greet", "greeted", "{surname}{honorific}，您好，{result}").begins == "“…，您好，…”"


def test_who_says_nothing_has_a_task() -> None:
    assert Code("*20", "situation", "readback", "data", "", "readback_and_confirm").begins == "readback and confirm"


def test_the_hold_key() -> None:
    listed = code_list(compiled())

    assert (listed.hold_situation, listed.hold) == ("hold_request", "hold_request, something is looked up")


def test_a_flow_without_a_hold_situation_has_music() -> None:
    listed = code_list(compiled(("  hold: hold_request\n", "")))

    assert (listed.hold_situation, listed.hold) == ("", "music until you take the caller back")


def test_the_telephones_own_codes_are_those_of_the_dialplan() -> None:
    known = re.findall(r"^exten => (\*\d\d),1,", DIALPLAN.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(TELEPHONE_CODES) == sorted(known)
