"""How a tester's phones get at a PBX: where it is, and the passwords of the accounts."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ivrflow.scenario.pbx.cast import Accounts
from ivrflow.settings import DEFAULT_ENV_FILE, SettingsError, given_values, variable

OWN_HOST, OWN_PORT = "127.0.0.1", 15060
"""Where the PBX of this machine is, as `asterisk/settings.env` has it."""

SIP_PORT = 5060
"""Where somebody else's PBX is, when only its host is named."""

_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what a PBX may be told to bind to; nothing is bound here


@dataclass(frozen=True, slots=True)
class SipAccess:
    """A PBX that can be called.

    Attributes:
        named: "HOST:PORT" as it was given, for people.
        accounts: its address, and who we are there.
        watched: whether the manager connection and the journal of the settings belong to this PBX.
    """

    named: str
    accounts: Accounts
    watched: bool


def password_variable(account: str) -> str:
    """Where the password of a SIP account is looked for: "PBX_PASSWORD_CALLER" of "caller"."""
    return "PBX_PASSWORD_" + re.sub(r"[^A-Z0-9]", "_", account.upper())


def sip_access(
    pbx: str | None, account: str, agents: Iterable[str] = (), environ: Mapping[str, str] = os.environ
) -> SipAccess:
    """Find out how to call.

    Args:
        pbx: "HOST" or "HOST:PORT"; None for the PBX of this machine.
        account: the SIP account that calls.
        agents: those that are called.
        environ: the environment.

    Raises:
        SettingsError: the host is not known, or passwords are missing; each with what to set.
    """
    given = given_values(environ)
    host, port = _address(pbx) if pbx is not None else _own(given)
    needed = dict.fromkeys([account, *agents])
    missing = [name for name in needed if not given.get(password_variable(name))]
    if missing:
        raise SettingsError(*map(_no_password, missing))
    try:
        address = str(socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0])
    except OSError:
        raise SettingsError(f"the PBX's host '{host}' is not known here; write its name or its IPv4 address") from None
    return SipAccess(
        named=f"{host}:{port}",
        accounts=Accounts(
            server=(address, port), caller=account, passwords={name: given[password_variable(name)] for name in needed}
        ),
        watched=pbx is None or variable("ami_host") in given or host == OWN_HOST,
    )


def _no_password(account: str) -> str:
    return (
        f"the password of the SIP account '{account}' is not known; set {password_variable(account)} in the environment "
        f"or in {DEFAULT_ENV_FILE}"
    )


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.partition(":")
    if not host or (colon and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535)):
        raise SettingsError(f"'{text}' is not the address of a PBX; write HOST or HOST:PORT, such as 192.0.2.10:5060")
    return host, int(port) if colon else SIP_PORT


def _own(given: Mapping[str, str]) -> tuple[str, int]:
    """The PBX that `make run` starts with the same environment."""
    host, port = given.get("PBX_SIP_BIND", ""), given.get("PBX_SIP_PORT", str(OWN_PORT))
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise SettingsError(f"PBX_SIP_PORT: '{port}' is not a port; write a number from 1 to 65535")
    return OWN_HOST if host in _EVERYWHERE else host, int(port)
