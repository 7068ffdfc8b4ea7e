import pytest

from ivrflow.simulator.look_ups import LookUp, read_look_up


@pytest.mark.parametrize(
    ("text", "look_up"),
    [
        ("answers", LookUp()),
        ("answers 1500ms status=open", LookUp("answers", 1.5, (("status", "open"),))),
        ("answers status='in progress' name=王", LookUp(fields=(("status", "in progress"), ("name", "王")))),
        ("answers sum=a=b", LookUp(fields=(("sum", "a=b"),))),
        ("wrong 2s", LookUp("wrong", 2.0)),
        ("fails", LookUp("fails")),
        ("never", LookUp("never", 0.0)),
    ],
)
def test_how_a_look_up_can_end(text: str, look_up: LookUp) -> None:
    assert read_look_up(text) == look_up
    assert read_look_up(str(look_up)) == look_up


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "'' is no way a look-up ends", "known here"),
        ("answer", "'answer' is no way a look-up ends", "did you mean 'answers'?"),
        ("answers 2", "'2' has no unit", "2s"),
        ("answers status", "'status' is not FIELD=VALUE", "status=open"),
        ("answers status=", "'status=' is not FIELD=VALUE", "status=open"),
        ("answers status='in progress", "a quotation mark is not closed", "status='in progress'"),
        ("wrong status=open", "'wrong' tells nothing", "leave out 'status=open'"),
        ("never 5s", "'never' takes no time", "nothing ever comes"),
    ],
)
def test_how_it_cannot(text: str, message: str, hint: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_look_up(text)
    assert message in refused.value.args[0]
    assert hint in refused.value.args[1]
