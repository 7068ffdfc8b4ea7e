"""What the operator of this machine decides, and the error for what is wrong with it."""

from __future__ import annotations


class SettingsError(Exception):
    """Something on this machine is not as ivrflow needs it; its operator can mend it."""
