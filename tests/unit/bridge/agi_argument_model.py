"""How Asterisk takes command lines and arguments apart, modelled on what it does with them.

Its command parser: blanks separate words outside double quotes; a backslash makes the next character an ordinary one.
Its application argument parser: commas separate outside quotes and brackets; backslashes and quotes are removed.
"""


def words(line: bytes) -> list[str]:
    """The words of one command line."""
    found: list[str] = []
    quoted = escaped = False
    between = True
    for character in line.decode().rstrip("\n"):
        if character == '"' and not escaped:
            quoted = not quoted
            if quoted and between:
                found.append("")
                between = False
        elif character in " \t" and not quoted and not escaped:
            between = True
        elif character == "\\" and not escaped:
            escaped = True
            continue
        else:
            if between:
                found.append("")
                between = False
            found[-1] += character
        escaped = False
    return found


def application_arguments(text: str) -> list[str]:
    """The arguments of an application that splits them the standard way."""
    found = [""]
    round_open = square_open = 0
    quoted = escaped = False
    for character in text:
        if escaped:
            found[-1] += character
            escaped = False
            continue
        if character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted and not round_open and not square_open:
            found.append("")
        else:
            round_open = max(0, round_open + {"(": 1, ")": -1}.get(character, 0))
            square_open = max(0, square_open + {"[": 1, "]": -1}.get(character, 0))
            found[-1] += character
    return found
