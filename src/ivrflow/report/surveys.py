"""What callers gave in surveys, survey by survey."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ivrflow.runtime.journal_counts import CountedScore


@dataclass(frozen=True, slots=True)
class SurveyCount:
    """One survey.

    Attributes:
        survey: its name.
        most: the best score there is; a survey whose scale was changed counts as two.
        given: how many callers gave each score, from 1 to `most`.
        satisfied: how many gave one above the middle of the scale.
        misses: ids of the calls on which one below the middle was given.
    """

    survey: str
    most: int
    given: tuple[tuple[int, int], ...]
    satisfied: int
    misses: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many callers gave a score."""
        return sum(number for _, number in self.given)

    @property
    def average(self) -> float:
        """The average score; there is at least one."""
        return sum(score * number for score, number in self.given) / self.count


def surveys_of(scores: Sequence[CountedScore]) -> tuple[SurveyCount, ...]:
    """Count, by name and scale."""
    grouped: dict[tuple[str, int], list[CountedScore]] = {}
    for one in scores:
        grouped.setdefault((one.survey, one.most), []).append(one)
    return tuple(_survey(name, most, some) for (name, most), some in sorted(grouped.items()))


def is_satisfied(score: CountedScore) -> bool:
    """Whether it is above the middle of its scale: 4 and 5 of 5, 3 of 3."""
    return 2 * score.score > 1 + score.most


def _survey(name: str, most: int, scores: Sequence[CountedScore]) -> SurveyCount:
    numbers = Counter(one.score for one in scores)
    scale = sorted({*range(1, most + 1), *numbers}) if most <= _LONGEST_SCALE else sorted(numbers)
    return SurveyCount(
        name,
        most,
        tuple((score, numbers[score]) for score in scale),
        sum(map(is_satisfied, scores)),
        tuple(dict.fromkeys(one.call for one in scores if 2 * one.score < 1 + one.most)),
    )


_LONGEST_SCALE = 10
"""Of a longer scale only the scores given are listed."""
