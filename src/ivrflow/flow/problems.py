"""Problems in files people edit: where, what is wrong, what to write instead.

The same `Problem` serves the terminal, `--format json` for editors and a refused reload. All problems of a run are
collected and reported at once; nobody should have to run a checker once per typo.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file: line and column count from 1, as editors do."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing its author can mend.

    Attributes:
        where: the place in the file.
        message: what is wrong, lower case, without a full stop.
        hint: what to write instead; empty when there is nothing to add.
        severity: an error refuses the file; a warning does not.
    """

    where: Location
    message: str
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.severity == "error" else f"{self.where}: warning: {self.message}"
        return f"{text}\n    hint: {self.hint}" if self.hint else text


class FlowError(Exception):
    """A flow, standard or phrase file cannot be used; its author can mend every problem listed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


MOST_PROBLEMS = 200
"""Problems reported for one flow; a file with more is not what it is taken for."""


@dataclass(slots=True)
class ProblemList:
    """Collects problems while a file is read, so that one pass reports them all.

    Attributes:
        most: after this many, `FlowError` is raised with what was found: the file is not what it is taken for, and
            nobody reads on. None collects without end.
    """

    problems: list[Problem] = field(default_factory=list)
    most: int | None = None

    def error(self, where: Location, message: str, hint: str = "") -> None:
        """Note something that makes the file unusable."""
        self._note(Problem(where, message, hint))

    def warn(self, where: Location, message: str, hint: str = "") -> None:
        """Note something that works but was probably not meant."""
        self._note(Problem(where, message, hint, "warning"))

    def _note(self, problem: Problem) -> None:
        self.problems.append(problem)
        if self.most is not None and len(self.problems) >= self.most:
            end = Problem(problem.where, f"that makes {self.most} problems; the rest is not shown", "mend these first")
            raise FlowError([*self.problems, end])

    @property
    def errors(self) -> list[Problem]:
        """The problems that refuse the file."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def raise_errors(self) -> None:
        """Raise `FlowError` with everything noted when there is at least one error."""
        if self.errors:
            raise FlowError(self.problems)


def near_word(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`; empty when none is near."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return near[0] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint for an unknown word: the nearest known one, or the list of them when none is near."""
    names = sorted(set(known))
    if near := near_word(word, names):
        return f"did you mean '{near}'?"
    if not names:
        return ""
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known here: {listed}"
