"""Digits a caller keys in, as a value: what each key makes of the entry. No clock: the session arms the timeouts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ivrflow.flow.model import Collect

DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class DigitEntry:
    """What has been keyed so far for one `Collect` step. The digits are personal."""

    step: Collect
    digits: str = ""
    ended: bool = False

    def keyed(self, key: str) -> DigitEntry:
        """The entry after one more key. The end key ends it; anything but a digit is otherwise ignored."""
        if self.step.end_key and key == self.step.end_key:
            return replace(self, ended=True)
        if key not in DIGITS or self.is_full:
            return self
        return replace(self, digits=self.digits + key)

    @property
    def is_full(self) -> bool:
        """Whether no further digit can belong to it."""
        return len(self.digits) >= self.step.most

    @property
    def is_over(self) -> bool:
        """Whether nothing more needs to be waited for."""
        return self.ended or self.is_full

    @property
    def timeout(self) -> float:
        """Seconds to wait for the next key: the first-digit or the inter-digit timeout, which are not the same."""
        return self.step.inter_digit if self.digits else self.step.first_digit

    @property
    def timeout_name(self) -> str:
        """The field's word for that timeout."""
        return "inter-digit timeout" if self.digits else "first-digit timeout"

    @property
    def result(self) -> Literal["done", "no_input", "incomplete"]:
        """What the entry amounts to when it is over or its timeout has passed."""
        if len(self.digits) >= self.step.least:
            return "done"
        return "incomplete" if self.digits or self.ended else "no_input"
