"""Two sequences brought into line: what should have come with what came, so that one missing piece spoils nothing else.

A longest common subsequence whose pairs may be worth more or less. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from ivrflow.flow.model import CallFlow


def align(first: int, second: int, worth: Callable[[int, int], float]) -> dict[int, int]:
    """Pair places of a sequence of length `first` with places of one of length `second`, both rising.

    Args:
        first: how long the one sequence is.
        second: how long the other is.
        worth: what a pair is worth; 0 for two that do not belong together.

    Returns:
        The place in the second per place in the first, worth most in sum; among equals each pair as early as can be.
    """
    best = [[0.0] * (second + 1) for _ in range(first + 1)]
    worths = [[worth(i, j) for j in range(second)] for i in range(first)]
    for i in range(first - 1, -1, -1):
        for j in range(second - 1, -1, -1):
            pair = worths[i][j] + best[i + 1][j + 1] if worths[i][j] > 0 else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], pair)
    pairs: dict[int, int] = {}
    i = j = 0
    while i < first and j < second:
        if worths[i][j] > 0 and best[i][j] == worths[i][j] + best[i + 1][j + 1]:
            pairs[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            i += 1
    return pairs


def sound_alike(flow: CallFlow, one: str, other: str) -> bool:
    """Whether two phrases are spoken in the same words, so that no ear can tell which one it heard."""
    return one == other or bool(_spoken(flow, one) & _spoken(flow, other))


def _spoken(flow: CallFlow, key: str) -> set[str]:
    phrase = flow.phrases.get(key)
    if phrase is None:
        return set()
    return {phrase.text, *([phrase.without] if phrase.without else [])}
