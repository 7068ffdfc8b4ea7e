from ivrflow.flow.proof.circles import connected_parts, runs_round, shortest_way

LEADS = {"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": ["d", "e"], "e": []}


def test_parts_come_after_all_they_lead_to() -> None:
    parts = connected_parts(LEADS)

    assert [set(part) for part in parts] == [{"e"}, {"d"}, {"a", "b", "c"}]


def test_a_part_runs_round_when_one_can_come_back() -> None:
    assert [runs_round(part, LEADS) for part in connected_parts(LEADS)] == [False, True, True]


def test_what_is_only_led_to_leads_nowhere() -> None:
    assert connected_parts({"a": ["z"]}) == [("z",), ("a",)]


def test_a_long_chain_needs_no_recursion() -> None:
    leads = {number: [number + 1] for number in range(20_000)}
    assert len(connected_parts(leads)) == 20_001


def test_the_shortest_way() -> None:
    assert shortest_way("a", "d", LEADS) == ["a", "b", "d"]
    assert shortest_way("a", "a", LEADS) == ["a"]
    assert shortest_way("e", "a", LEADS) == []
