import pytest
from small_flows import ladder, rung, transfer

from ivrflow.engine.standing import (
    Footing,
    Pausing,
    Ringing,
    Saying,
    Standing,
    Talking,
    ThenEnter,
    ThenRing,
    ThenTalk,
    ThenThank,
    is_of_the_talk,
)


def test_a_footing_climbs_rung_by_rung_until_the_ladder_is_used_up() -> None:
    first = Footing(ladder(rung("a"), rung("b")))
    second = first.next()
    assert second is not None
    assert (first.rung.say, second.rung.say, second.next()) == ("a", "b", None)


def test_a_rung_is_numbered_within_its_own_rule() -> None:
    footing: Footing | None = Footing(
        ladder(rung("a", rule="gov/one"), rung("b", rule="gov/two"), rung("c", rule="gov/two"), rung("d"), rung("e"))
    )
    places = []
    while footing:
        places.append(footing.number)
        footing = footing.next()
    assert places == [1, 1, 2, 1, 2]


@pytest.mark.parametrize(
    "standing", [Talking(1), *(Saying(1, "a", (), then(transfer())) for then in (ThenTalk, ThenThank))]
)
def test_what_is_said_before_two_are_joined_is_of_their_talk(standing: Standing) -> None:
    assert is_of_the_talk(standing)


@pytest.mark.parametrize(
    "standing",
    [
        Saying(1, "a", (), ThenRing(transfer())),
        Saying(1, "a", (), ThenEnter("menu")),
        Pausing(Footing(ladder(rung("a")))),
        Ringing(1),
    ],
)
def test_what_leads_elsewhere_is_not(standing: Standing) -> None:
    assert not is_of_the_talk(standing)
