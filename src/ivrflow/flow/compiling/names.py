"""What a flow may refer to: its steps, the phrases it can say, the rules of its standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ivrflow.flow.model import HANG_UP, RETURN, WHEN, Phrase, Rule, Standard, Wording
from ivrflow.flow.problems import Location, ProblemList, did_you_mean, near_word
from ivrflow.flow.reading.reader import Named


@dataclass(slots=True)
class Names:
    """Resolves references, noting those that lead nowhere, and remembers what is said where.

    Attributes:
        standard_id: the standard named by the flow, loaded or not.
        standard: None when it could not be loaded; that is noted already, so nothing in it is missed.
        files: every standard and phrase file at hand, by id.
        missing: ids of files that are noted as missing.
        steps: None when they could not be read; that is noted, so none is missed.
        said: the first place where each phrase is said.
        tasks: phrase key per task that ivrflow speaks itself.
        wordings: those that the calendar chooses, by name.
        chosen: the names of those that are used.
        values: names of what the flow's steps keep or learn of a caller.
    """

    problems: ProblemList
    standard_id: str
    standard: Standard | None
    files: Mapping[str, Standard]
    missing: frozenset[str]
    steps: frozenset[str] | None
    said: dict[str, Location] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    wordings: dict[str, Wording] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)
    values: frozenset[str] = frozenset()

    def phrase(self, name: Named) -> str:
        """The full key of a phrase: "gov12345/silent_call.greeting"; empty for none."""
        if not name:
            return ""
        owner, _, own = name.text.rpartition("/")
        if owner == WHEN:
            return self._wording(name, own)
        owner = owner or self.standard_id
        key = f"{owner}/{own}"
        file = self.files.get(owner)
        if file is None:
            if owner not in self.missing and owner:
                hint = did_you_mean(owner, self.files)
                self.problems.error(name.where, f"there is no phrase file '{owner}'", hint)
        elif key not in file.phrases:
            self.problems.error(name.where, f"there is no phrase '{name.text}'", self._phrase_hint(owner, own))
        else:
            self.said.setdefault(key, name.where)
        return key

    def _wording(self, name: Named, own: str) -> str:
        if own not in self.wordings:
            hint = did_you_mean(own, self.wordings) or "declare it under 'wordings:'"
            self.problems.error(name.where, f"there is no wording '{own}'", hint)
            return ""
        self.chosen.add(own)
        return name.text

    def wordings_of(self, key: str) -> tuple[str, ...]:
        """Every phrase that may be said where `key` stands."""
        owner, _, own = key.partition("/")
        return tuple(said for line in self.wordings[own].lines for said in line.says) if owner == WHEN else (key,)

    def _phrase_hint(self, owner: str, own: str) -> str:
        elsewhere = next((f"{file.id}/{own}" for file in self.files.values() if f"{file.id}/{own}" in file.phrases), "")
        if elsewhere:
            return f"did you mean '{elsewhere}'?"
        prefix = "" if owner == self.standard_id else f"{owner}/"
        return did_you_mean(prefix + own, [prefix + key.partition("/")[2] for key in self.files[owner].phrases])

    def phrases(self, names: tuple[Named, ...]) -> tuple[str, ...]:
        """The full keys of several phrases."""
        return tuple(key for name in names if (key := self.phrase(name)))

    def step(self, name: Named) -> str:
        """The step referred to; after noting an unknown one the step most likely meant, or nothing."""
        if not name or self.steps is None or name.text in self.steps:
            return name.text
        if name.text == RETURN:
            hint = f"only a situation can go back; name a step, for example {HANG_UP}"
            self.problems.error(name.where, f"'{RETURN}' is no step", hint)
            return ""
        self.problems.error(name.where, f"there is no step '{name.text}'", did_you_mean(name.text, self.steps))
        return near_word(name.text, self.steps)

    def step_or_return(self, name: Named) -> str:
        """The step referred to, or `RETURN`."""
        return RETURN if name.text == RETURN else self.step(name)

    def rule(self, name: Named) -> Rule | None:
        """The rule of the standard, written with or without the standard's id."""
        if not name or self.standard is None:
            return None
        rule = self.standard.rules.get(name.text)
        if rule is None:
            hint = did_you_mean(name.text, self.standard.rules)
            self.problems.error(name.where, f"{self.standard.id} has no rule '{name.text}'", hint)
        elif rule.not_on_phone:
            message = f"{rule.id} cannot apply to a phone line: {rule.not_on_phone}"
            self.problems.error(name.where, message, "name another rule, or take this out")
        return rule

    def phrase_data(self) -> dict[str, Phrase]:
        """Every phrase at hand, by full key."""
        return {key: phrase for file in self.files.values() for key, phrase in file.phrases.items()}
