"""The passwords of this installation: made at random once, kept in a file that only its owner can read.

`python -m tools.passwords` makes those that are missing and prints where they are. The file is also what
`docker compose` reads, through the link `docker/.env`.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.places import CHECKOUT, DOCKER, SECRETS
from tools.stages import SetupError

ACCOUNTS = ("caller", "1000", "1001", "1002")
"""The SIP accounts of `asterisk/etc/pjsip.conf`."""
AMI_SECRET = "IVRFLOW_AMI_SECRET"  # noqa: S105 -- the name of a setting, not a secret

_HEADING = """\
# Passwords of this installation, made at random on the first start. Yours to change; restart afterwards.
# IVRFLOW_AMI_SECRET: between the engine and the PBX. PBX_PASSWORD_*: the SIP accounts of that name.
"""


def variable(account: str) -> str:
    """The setting that holds the password of a SIP account: "PBX_PASSWORD_CALLER" of "caller"."""
    return f"PBX_PASSWORD_{account.upper()}"


NAMES = (AMI_SECRET, *(variable(account) for account in ACCOUNTS))


def read(path: Path = SECRETS) -> dict[str, str]:
    """The passwords in the file; none when there is no file yet."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror}): it belongs to whoever ran `make run` first"
        ) from error
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def ensure(path: Path = SECRETS, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """All passwords; those that neither the environment nor the file has are made and added to the file.

    Returns:
        The value of every name in `NAMES`, that of the environment first.
    """
    kept = read(path)
    given = {name: environment[name] for name in NAMES if environment.get(name)}
    missing = [name for name in NAMES if not given.get(name) and not kept.get(name)]
    if missing:
        made = {name: secrets.token_urlsafe(18) for name in missing}
        kept.update(made)
        _append(path, made)
    return {name: given.get(name) or kept[name] for name in NAMES}


def link_for_compose(path: Path = SECRETS, link: Path = DOCKER / ".env") -> None:
    """Let `docker compose` find the passwords beside its file; an `.env` of the operator's own is left alone."""
    if not link.exists():
        link.unlink(missing_ok=True)  # a link to a file that is gone
        link.symlink_to(os.path.relpath(path, link.parent))


def _append(path: Path, made: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    # Mode 0600 from the first byte on.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        if not before:
            file.write(_HEADING)
        elif not before.endswith("\n"):
            file.write("\n")
        file.writelines(f"{name}={value}\n" for name, value in made.items())


def main() -> int:
    """Make what is missing and say where it is."""
    try:
        ensure()
        link_for_compose()
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(SECRETS.relative_to(CHECKOUT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
