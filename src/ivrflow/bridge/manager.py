"""The manager connection as lines see it: it carries out what they want of the PBX, and nobody waits for its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class Manager(Protocol):
    """Carries out orders at the PBX."""

    def order(
        self,
        action: str,
        headers: Mapping[str, str],
        on_refused: Callable[[str], None] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        is_refused_only_surely: bool = False,
    ) -> None:
        """Send an action; `on_refused` hears why if Asterisk refuses it or the connection is lost.

        `variables` are channel variables to set. With `is_refused_only_surely` it does not hear of an action that
        Asterisk may have carried out all the same: one without an answer in time, or before the connection was lost.
        """
