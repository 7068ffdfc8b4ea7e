"""A flow of calls we place."""

from dataclasses import replace

from small_flows import flow as small_flow
from small_flows import say

from ivrflow.flow.model import HANG_UP, Band, CallFlow, Ladder, PlacesCalls, Quiet, Rule, RuleRung, Rung
from ivrflow.flow.problems import Location

HERE = Location("flow.yaml", 1, 1)
NO_ANSWER = Rule(
    id="s/no_answer",
    situation="outbound_no_answer",
    trigger="nobody answers",
    rungs=(RuleRung(HERE, task="dial", wait=Band(30.0, 30.0), leave_on="answered"),),
    then="hangup",
    limits={},
    notes="",
    where=HERE,
)


def placing_flow(*, quiet: tuple[Quiet, ...] = (), to: tuple[str, ...] = ("1*",), ring: float = 30.0) -> CallFlow:
    plain = small_flow(say("welcome", "s/hello", then=HANG_UP), say("other", "s/hello", then=HANG_UP))
    rung = Rung(HERE, task="dial", wait=ring, band=Band(30.0, 30.0), leave_on="answered", rule=NO_ANSWER.id)
    placing = PlacesCalls(Ladder("no_answer", (rung,), "hangup", HERE), quiet, to, "other", HERE)
    standard = replace(plain.standard, rules={"no_answer": NO_ANSWER})
    return replace(plain, places_calls=placing, standard=standard)
