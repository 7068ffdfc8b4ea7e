from small_flows import ladder, rung

from ivrflow.engine.standing import Footing


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
