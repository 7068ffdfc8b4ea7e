"""What may be personal is covered where others may look: keys pressed, numbers and names in signalling, proofs of passwords."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from ivrflow.engine.trace import TraceLine

COVER = "•"
COVERED = COVER * 3

_URI_USER = re.compile(r"(?P<scheme>\b(?:sips?|tel):)(?P<user>[^@\s<>;:?,]+)(?P<rest>:[^@\s<>;]*@|@)?", re.IGNORECASE)
_NAMED = re.compile(
    r"^(?P<header>(?:From|To|Contact|f|t|m|P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID|Diversion|"
    r"History-Info|Referred-By|b|Refer-To|r|Reply-To|Call-Info)[ \t]*:[ \t]*)"
    r'(?P<name>"(?:[^"\\]|\\.)*"|[^<"\r\n]*?)(?P<space>[ \t]*)(?=<)',
    re.IGNORECASE | re.MULTILINE,
)
_PROOF = re.compile(r'(?P<name>\b(?:response|cnonce)[ \t]*=[ \t]*)(?:"(?:[^"\\]|\\.)*"|[^\s,;]+)', re.IGNORECASE)
_DIGEST_USER = re.compile(
    r'(?P<name>\busername\*?[ \t]*=[ \t]*)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,;]+))', re.IGNORECASE
)
_SDP_OWNER = re.compile(r"^(?P<name>o=)(?P<user>[^\s]+)(?= )", re.MULTILINE)
_KEY_IN_INFO = re.compile(r"^(?P<name>Signal[ \t]*=[ \t]*)\S+", re.IGNORECASE | re.MULTILINE)
_KEY_ALONE = re.compile(
    r"(?P<head>^Content-Type[ \t]*:[ \t]*application/dtmf\b.*?\r?\n\r?\n)\s*\S+",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_NOBODY = frozenset({"", "-", "anonymous"})


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is covered.

    Attributes:
        known: user parts that stand in the scenario itself and stay readable: the number dialled, the agents' extensions.
        show: whether everything stays readable; a password's proof does not even then.
    """

    known: Collection[str] = ()
    show: bool = False

    def keys(self, keys: str) -> str:
        """Keys pressed, one dot for each."""
        return keys if self.show else COVER * len(keys)

    def line(self, line: TraceLine) -> TraceLine:
        """A line of the trace without the key in it."""
        return line if self.show or not line.key else msgspec.structs.replace(line, key=self.keys(line.key))

    def sip(self, text: str) -> str:
        """A SIP message, or a line of one.

        Covered are the user part of every address that is not `known`, the display names beside them, the digest's user, SDP's
        owner where it is a number, and keys sent in INFO. What proves a password is always removed.
        """
        text = _PROOF.sub(lambda found: f'{found["name"]}"(removed)"', text)
        if self.show:
            return text
        text = _NAMED.sub(self._name, text)
        text = _URI_USER.sub(self._user, text)
        text = _DIGEST_USER.sub(self._digest_user, text)
        text = _SDP_OWNER.sub(self._owner, text)
        text = _KEY_IN_INFO.sub(lambda found: found["name"] + COVER, text)
        return _KEY_ALONE.sub(lambda found: found["head"] + COVER, text)

    def _is_known(self, user: str) -> bool:
        return user.lower() in _NOBODY or user in self.known

    def _user(self, found: re.Match[str]) -> str:
        """`sip:host` has no user; `tel:` has nothing else."""
        is_user = found["rest"] is not None or found["scheme"].lower() == "tel:"
        if not is_user or self._is_known(found["user"]):
            return found[0]
        return found["scheme"] + COVERED + ("@" if found["rest"] else "")

    def _name(self, found: re.Match[str]) -> str:
        name = found["name"].strip().strip('"')
        return found[0] if self._is_known(name) else f'{found["header"]}"{COVERED}"{found["space"]}'

    def _digest_user(self, found: re.Match[str]) -> str:
        user = found["quoted"] if found["quoted"] is not None else found["bare"]
        return found[0] if self._is_known(user) else f'{found["name"]}"{COVERED}"'

    def _owner(self, found: re.Match[str]) -> str:
        is_number = sum(character.isdigit() for character in found["user"]) > 4
        return found["name"] + COVERED if is_number and not self._is_known(found["user"]) else found[0]
