"""What runs in a circle: the strongly connected parts of a graph, and the shortest way round."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

N = TypeVar("N", bound=Hashable)


def connected_parts(leads: Mapping[N, Iterable[N]]) -> list[tuple[N, ...]]:
    """The nodes in parts whose members all lead to one another, in an order in which no part leads to a later one.

    Nodes that are only led to count as leading nowhere. After Tarjan, with a stack of its own instead of recursion.
    """
    number: dict[N, int] = {}
    low: dict[N, int] = {}
    waiting: list[N] = []
    is_waiting: set[N] = set()
    parts: list[tuple[N, ...]] = []
    for root in leads:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        waiting.append(root)
        is_waiting.add(root)
        path = [(root, iter(tuple(leads.get(root, ()))))]
        while path:
            node, ahead = path[-1]
            for following in ahead:
                if following not in number:
                    number[following] = low[following] = len(number)
                    waiting.append(following)
                    is_waiting.add(following)
                    path.append((following, iter(tuple(leads.get(following, ())))))
                    break
                if following in is_waiting:
                    low[node] = min(low[node], number[following])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == number[node]:
                    cut = waiting.index(node)
                    parts.append(tuple(waiting[cut:]))
                    is_waiting.difference_update(waiting[cut:])
                    del waiting[cut:]
    return parts


def runs_round(part: tuple[N, ...], leads: Mapping[N, Iterable[N]]) -> bool:
    """Whether one can come round in a connected part: it has several members, or one that leads to itself."""
    return len(part) > 1 or part[0] in leads.get(part[0], ())


def shortest_way(begin: N, goal: N, leads: Mapping[N, Iterable[N]]) -> list[N]:
    """The nodes from `begin` to `goal`, both included; empty when there is no way."""
    came_from: dict[N, N] = {begin: begin}
    ahead = deque([begin])
    while ahead:
        node = ahead.popleft()
        if node == goal:
            way = [node]
            while way[-1] != begin:
                way.append(came_from[way[-1]])
            return way[::-1]
        for following in leads.get(node, ()):
            if following not in came_from:
                came_from[following] = node
                ahead.append(following)
    return []
