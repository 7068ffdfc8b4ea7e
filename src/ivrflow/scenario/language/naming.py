"""What a scenario may refer to: the phrases, rules, outcomes, situations and extensions of the flow that answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ivrflow.engine.session import SECONDS_PER_CHARACTER
from ivrflow.flow.keys.outgoing import may_ring
from ivrflow.flow.model import CallFlow, HangUp, Queue
from ivrflow.flow.problems import Location, ProblemList, did_you_mean
from ivrflow.flow.reading.reader import Named
from ivrflow.flow.reading.syntax import shortened
from ivrflow.scenario.language.phrases_said import said_by
from ivrflow.scenario.script import NEVER_TALKED
from ivrflow.simulator.caller import Vocabulary

ENGINE_OUTCOMES = ("caller_hung_up", "closed_by_ivrflow", "call_too_long", "line_lost", "handed_to_fallback")
"""Words for the end of a call that every flow has."""

FALLBACK_PHRASES = ("house/fallback.apology", "house/fallback.nobody")
"""What the PBX says by itself when the engine is not there."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Looks up names in one flow, noting those that lead nowhere.

    Attributes:
        phrases: what ivrflow can say on a call of this flow.
    """

    flow: CallFlow
    vocabulary: Vocabulary
    phrases: frozenset[str]
    outcomes: frozenset[str]
    problems: ProblemList

    @classmethod
    def of(cls, flow: CallFlow, problems: ProblemList) -> Naming:
        """The names of `flow`."""
        ends = {step.outcome for step in flow.steps.values() if isinstance(step, HangUp)}
        ends |= NEVER_TALKED if flow.places_calls else set()
        said = frozenset({*said_by(flow), *(key for key in FALLBACK_PHRASES if key in flow.phrases)})
        return cls(flow, Vocabulary.of(flow), said, frozenset({*ends, *ENGINE_OUTCOMES}), problems)

    # ── phrases ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def phrase(self, name: Named) -> str:
        """The full key of a phrase: "gov12345/silent_call.greeting"; empty after noting that there is none."""
        if not name:
            return ""
        owner, slash, own = name.text.rpartition("/")
        key = name.text if slash else f"{self.flow.standard.id}/{own}"
        if key in self.flow.phrases:
            return key
        message = f"there is no phrase '{shortened(name.text)}'"
        self.problems.error(name.where, message, self._phrase_hint(owner, own))
        return ""

    def _phrase_hint(self, owner: str, own: str) -> str:
        elsewhere = next((key for key in sorted(self.flow.phrases) if key.partition("/")[2] == own), "")
        if elsewhere:
            return f"did you mean '{self.short(elsewhere)}'?"
        books = {key.partition("/")[0] for key in self.flow.phrases}
        if owner and owner not in books:
            return did_you_mean(owner, books)
        known = [key for key in self.flow.phrases if not owner or key.startswith(f"{owner}/")]
        return did_you_mean(f"{owner}/{own}" if owner else own, [key if owner else self.short(key) for key in known])

    def short(self, name: str) -> str:
        """A phrase or rule as people write it: without the id of the flow's own standard."""
        return name.removeprefix(f"{self.flow.standard.id}/")

    def seconds(self, phrase: str) -> float:
        """How long a phrase takes, without values filled in."""
        return phrase_seconds(self.flow, phrase)

    # ── the other names ───────────────────────────────────────────────────────────────────────────────────────────────

    def rule(self, name: Named) -> str:
        """The id of a rule: "gov12345/silent_call"; empty after noting that there is none."""
        owner, _, own = name.text.rpartition("/")
        standard = self.flow.standard
        if owner and owner != standard.id and own in standard.rules:
            message = f"the flow obeys the standard '{standard.id}', not '{shortened(owner)}'"
            self.problems.error(name.where, message, f"write {own}")
        elif owner and owner != standard.id:
            message = f"the flow obeys the standard '{standard.id}', not '{shortened(owner)}'"
            self.problems.error(name.where, message, did_you_mean(own.lower(), standard.rules))
        elif own in standard.rules:
            return standard.rules[own].id
        else:
            self._unknown("rule", f"{standard.id} has no", Named(own, name.where), standard.rules)
        return ""

    def outcome(self, name: Named) -> str:
        """An outcome the flow can have."""
        return self._known("outcome", name, self.outcomes)

    def situation(self, name: Named) -> str:
        """A situation of the standard."""
        return self._known("situation", name, self.vocabulary.situations)

    def signal(self, name: Named) -> str:
        """A word that leaves a ladder."""
        return self._known("signal", name, self.vocabulary.signals)

    def extension(self, name: Named) -> str:
        """An extension that the flow rings; a blank one is noted already."""
        if not name:
            return ""
        if name.text in self.vocabulary.extensions:
            return name.text
        rung = ", ".join(sorted(self.vocabulary.extensions))
        hint = f"it rings {rung}" if rung else "it rings nobody: leave 'agents' out"
        if any(isinstance(step, Queue) for step in self.flow.steps.values()):
            hint = f"{f'it rings {rung}; ' if rung else ''}an agent of a queue begins with - queue: and its name"
        self.problems.error(name.where, f"the flow never rings {shortened(name.text)}", hint)
        return ""

    def queue(self, name: Named) -> str:
        """A queue in which callers of the flow wait for an agent."""
        steps = self.flow.steps.values()
        queues = {level.queue for step in steps if isinstance(step, Queue) for level in step.levels}
        if name.text in queues:
            return name.text
        message = f"no caller of {self.flow.id} waits in a queue '{shortened(name.text)}'"
        hint = did_you_mean(name.text, queues) if queues else "the flow has no queue: leave 'queue' out"
        self.problems.error(name.where, message, hint)
        return ""

    def transfer(self, name: Named) -> str:
        """A transfer step to which agents may send callers."""
        if name.text in self.flow.agents.transfers:
            return name.text
        allowed = self.flow.agents.transfers
        message = f"agents of {self.flow.id} may not send callers to '{shortened(name.text)}'"
        hint = did_you_mean(name.text, allowed) if allowed else "the flow names no transfers below 'agents'"
        self.problems.error(name.where, message, hint)
        return ""

    def one_of(self, what: str, name: Named, known: Collection[str]) -> str:
        """A name that the flow itself gives to `what`: a survey, a message box, a look-up."""
        if name.text in known:
            return name.text
        hint = did_you_mean(name.text, known) if known else "it has none"
        self.problems.error(name.where, f"{self.flow.id} has no {what} '{shortened(name.text)}'", hint)
        return ""

    def number(self, name: Named) -> str:
        """A number that leads to the flow."""
        if name.text in self.flow.numbers:
            return name.text
        hint = f"{self.flow.id} answers {', '.join(self.flow.numbers)}"
        self.problems.error(name.where, "this number does not lead to the flow", hint)
        return ""

    def rung_number(self, name: Named, where: Location) -> str:
        """A number that the flow may ring: the one written, or the only one there is; "" after noting what is wrong."""
        placing = self.flow.places_calls
        assert placing is not None, "only a flow that places calls rings a number"
        listed = next((one for one in placing.to if not one.endswith("*")), "")
        if not name and not listed:
            self.problems.error(where, "which number is rung?", 'write call: "1002"')
        elif name and not may_ring(placing, name.text):
            hint = f"it may ring {', '.join(placing.to)}"
            self.problems.error(name.where, f"{self.flow.id} may not ring this number", hint)
        else:
            return name.text or listed
        return ""

    def value(self, name: Named, value: Named) -> bool:
        """Whether a placeholder can have this value."""
        if not self._known("placeholder", name, self.vocabulary.placeholders):
            return False
        declared = self.flow.standard.placeholders.get(name.text)
        if declared is None or not declared.values or value.text in declared.values:
            return True
        # The value may be somebody's name: it is not repeated.
        hint = f"it takes {', '.join(declared.values)}"
        self.problems.error(value.where, f"'{name.text}' has no such value", hint)
        return False

    def _known(self, what: str, name: Named, known: Iterable[str]) -> str:
        if name.text in known:
            return name.text
        self._unknown(what, "the flow knows no", name, known)
        return ""

    def _unknown(self, what: str, message: str, name: Named, known: Iterable[str]) -> None:
        self.problems.error(
            name.where, f"{message} {what} '{shortened(name.text)}'", did_you_mean(name.text.lower(), known)
        )


def phrase_seconds(flow: CallFlow, phrase: str) -> float:
    """How long a phrase takes without values filled in: its recording, else what its wording lets expect.

    For a wording of the calendar its longest line.
    """
    lines = flow.lines_of(phrase)
    if lines != ((phrase,),):
        return max((sum(phrase_seconds(flow, said) for said in line) for line in lines), default=0.0)
    known = flow.phrases[phrase]
    prompt = flow.prompts.best(known, {})
    return prompt.seconds if prompt else round(len(known.without or known.text) * SECONDS_PER_CHARACTER, 2)
