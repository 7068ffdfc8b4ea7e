from collections.abc import Sequence
from dataclasses import replace

from hotline_scenarios import GOV
from recorded_calls import call, stored

from ivrflow.engine.messages import KeyPressed
from ivrflow.runtime.journal_reader import Happening
from ivrflow.scenario.language.replaced_digits import without_entries
from ivrflow.simulator.caller_commands import Bare, Press, Speak, Stay
from ivrflow.simulator.replay import replay


def keys(happenings: Sequence[Happening]) -> str:
    return "".join(one.event.key for one in happenings if isinstance(one.event, KeyPressed))


def replaced(*commands: Press | Stay | Speak | Bare) -> str:
    """The keys of a call, entries replaced; the call goes the same way with them."""
    recorded = stored(call(*commands)).happenings

    found = without_entries(recorded, GOV)

    assert replay(GOV, found).parting is None
    return keys(found)


def test_what_chose_a_way_stays_and_what_was_entered_does_not() -> None:
    found = replaced(Press("2"), Stay(1.0), Press("86420#"), Stay(None))

    assert found[0] == "2"
    assert found[-1] == "#"
    assert len(found) == 7
    assert all(new != old for new, old in zip(found[1:6], "86420", strict=True))


def test_what_was_keyed_ahead_is_an_entry_too() -> None:
    found = replaced(Press("286420#"), Stay(None))

    assert found[0] == "2"
    assert all(new != old for new, old in zip(found[1:6], "86420", strict=True))


def test_a_wrong_key_stays_a_wrong_key() -> None:
    found = replaced(Speak(1.0), Bare.LISTEN, Press("7"), Bare.LISTEN, Press("1"), Stay(None))

    assert found[0] not in "7012"
    assert found[1] == "1"


def test_what_is_keyed_into_a_talk_leads_nowhere() -> None:
    found = replaced(Press("0"), Stay(20.0), Press("9081"), Stay(None))

    assert found[0] == "0"
    assert all(new != old for new, old in zip(found[1:], "9081", strict=True))


def test_a_call_without_keys_stays_as_it_is() -> None:
    recorded = stored(call(Stay(None))).happenings

    assert without_entries(recorded, GOV) == recorded


def test_a_call_that_cannot_be_replayed_keeps_single_keys_that_are_offered() -> None:
    recorded = stored(call(Press("2"), Stay(4.0), Press("86210#"), Stay(3.0), Press("9"), Stay(None))).happenings
    lossy = [one for one in recorded if one.number != 4]
    assert replay(GOV, lossy).parting is not None

    assert keys(without_entries(lossy, GOV)) == "200000#0"


def test_the_flow_of_another_day_cannot_tell_either() -> None:
    recorded = stored(call(Press("2"), Stay(4.0), Press("86#"), Stay(None))).happenings
    other = replace(GOV, limits=replace(GOV.limits, call_length=2.0))

    assert keys(without_entries(recorded, other))[1:] == "00#"
