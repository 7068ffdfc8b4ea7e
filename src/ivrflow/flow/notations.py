"""How what is dialled and keyed is written, wherever it comes from: a file, the manager, a command, the environment.

Matched whole, with `fullmatch`. Each becomes part of a dial string or of a dialplan's extension, in which '&', '@', ','
or '/' would mean something.
"""

from __future__ import annotations

import re

CODE = re.compile(r"[*][0-9]{2}")
"""What agents key during a talk: a star and two digits."""

EXTENSION = re.compile(r"[0-9]{1,20}")
"""An extension of ours, or a number outside that may be rung: digits and nothing else."""

QUEUE = re.compile(r"(?!general$)[a-z][a-z0-9_-]{1,63}")
"""A queue of the PBX. Two characters at least: the dialplan cannot tell a queue named h from its own extension h. None is
called general: so Asterisk calls the settings of all queues."""
