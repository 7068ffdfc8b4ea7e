"""Orders to the engine from outside: manager events, so that any process that may log in at Asterisk can give one.

As they are written and read, without sockets: `to_calls` (live calls), `to_place_calls`, `answered` (whose giver waits for
the answer). What the giver's process does: `giving` (one that is answered), `ordering_calls`.
"""
