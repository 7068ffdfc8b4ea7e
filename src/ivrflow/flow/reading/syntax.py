"""What PyYAML cannot read, said in words an author can act on, at the place where the mistake was made.

PyYAML reports where it noticed; for an open quote that is the end of the file. Its C parser and its Python parser word
the same errors slightly differently; both are understood.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from yaml.error import MarkedYAMLError, YAMLError

Place: TypeAlias = tuple[int, int]
"""Line and column, from 1."""

Finding: TypeAlias = tuple[Place, str, str]
"""Place, message, hint."""

_FULL_WIDTH = {"：": ":", "，": ",", "“": '"', "”": '"', "‘": "'", "’": "'", "＃": "#", "｛": "{", "｝": "}", "［": "[",
               "］": "]", "－": "-", "\u3000": " ", "\u00a0": " "}  # fmt: skip
_NO_SPACE_AFTER_COLON = re.compile(r"^\s*(?:- +)?([\w.]+):(?=[^\s:])")


def shortened(text: str, most: int = 60) -> str:
    """`text` on one line and at most `most` characters long."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def full_width_hint(line: str) -> str:
    """A hint when `line` has punctuation of a Chinese keyboard where YAML wants ASCII; else empty."""
    outside = re.sub(r'"[^"]*"|\'[^\']*\'', "", line)
    outside = re.sub(r"(^|\s)#.*", "", outside)
    for wide, ascii_character in _FULL_WIDTH.items():
        if wide in outside:
            if wide in "\u3000\u00a0":
                return "the line holds a wide blank; write a plain one"
            return f"the line holds a full-width '{wide}'; write '{ascii_character}'"
    return ""


def in_plain_words(error: YAMLError, text: str) -> Finding:
    """Place, message and hint for a `yaml.YAMLError`."""
    lines = re.split(r"\r\n|\r|\n", text)
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    if not isinstance(error, MarkedYAMLError) or mark is None:
        return (1, 1), f"this is not readable YAML: {shortened(str(error))}", ""
    context_mark = error.context_mark or mark
    place = (mark.line + 1, mark.column + 1)
    begun = (context_mark.line + 1, context_mark.column + 1)
    problem = error.problem or ""
    context = error.context or ""
    place, message, hint = _finding(problem, context, place, begun, lines)
    for line in {place[0], begun[0]}:
        hint = full_width_hint(_line(lines, line)) or hint
    return place, message, hint


def _finding(problem: str, context: str, place: Place, begun: Place, lines: list[str]) -> Finding:
    character = _at(lines, place)
    if "quoted scalar" in context:
        return _quoted(problem, place, begun, lines)
    if "flow mapping" in context or "flow sequence" in context:
        return _brackets("}" if "mapping" in context else "]", place, begun, lines)
    if "mapping values are not allowed" in problem:
        return _unexpected_colon(place, lines)
    if "could not find expected ':'" in problem:
        return begun, "a key without a colon", "write 'key: value'"
    if "expected key" in problem or "block mapping" in context:
        return _unexpected_line(place, character, lines)
    if "'-' indicator" in problem or "block collection" in context:
        return place, "this line stands among list items but is none", "begin it with '- ' or indent it"
    if "cannot start any token" in problem:
        if character == "\t":
            return place, "a tab instead of spaces", "write spaces"
        return place, f"text cannot begin with '{character}'", "put the text in quotes"
    if "scanning an alias" in context or "scanning an anchor" in context:
        mark = _at(lines, begun)
        return (
            begun,
            f"'{mark}' has a meaning of its own in YAML",
            f"""for the key or the text write "{mark}" """.rstrip(),
        )
    if "block scalar" in context:
        return place, "text after '|' or '>' begins on the next line", "put the text in quotes instead"
    if "node content" in problem:
        return place, f"'{character}' is not expected here", "put the text in quotes, or delete it"
    if "document start" in problem:
        return place, "text after the end of the document", "is there a bracket too many above?"
    if "directive" in context or "YAML document" in problem:
        return place, "a line cannot begin with '%'", "delete the line"
    return place, f"this is not readable YAML: {shortened(problem)}", ""


def _quoted(problem: str, place: Place, begun: Place, lines: list[str]) -> Finding:
    quote = _at(lines, begun)
    if "escape" in problem:
        if _at(lines, place) != "\\" and _at(lines, (place[0], place[1] - 1)) == "\\":
            place = (place[0], place[1] - 1)  # the Python parser points one further
        shown = _at(lines, place) + _at(lines, (place[0], place[1] + 1))
        return (
            place,
            f"'{shown}' means nothing inside double quotes",
            "write \\\\ for a backslash, or use single quotes",
        )
    return begun, "this quote is never closed", f"end the text with {quote}"


def _brackets(closing: str, place: Place, begun: Place, lines: list[str]) -> Finding:
    opening = "{" if closing == "}" else "["
    first = _line(lines, begun[0])[begun[1] - 1 :]
    comment = re.search(r"(?:[\s,{\[])(#)", first)
    if comment and closing not in first[: comment.start()]:
        column = begun[1] + comment.start(1)
        return (begun[0], column), "'#' begins a comment here", 'for the key write "#"'
    if place[0] == begun[0]:
        return place, f"a comma or '{closing}' is missing before this", "put text with ':' or ',' in quotes"
    return begun, f"this '{opening}' is never closed", f"end it with '{closing}'"


def _unexpected_colon(place: Place, lines: list[str]) -> Finding:
    number, column = place
    line = _line(lines, number)
    if re.search(r":\s", line[: column - 1]):
        return place, "a second colon in one line", "put the text with the colon in quotes"
    above = next((n for n in range(number - 1, 0, -1) if _line(lines, n).strip()), 0)
    before = _line(lines, above)
    if full_width_hint(before):
        wide = min(before.find(c) for c in _FULL_WIDTH if c in before)
        return (above, wide + 1), "this is no 'key: value'", full_width_hint(before)
    if hit := _NO_SPACE_AFTER_COLON.match(before):
        return (above, hit.end()), "no blank after the colon", f"write '{hit[1]}: {before[hit.end() :].strip()}'"
    if above and re.search(r":\s+\S", before) and _indent(line) > _indent(before):
        return (
            (number, _indent(line) + 1),
            "this line is indented although the line above has a value",
            (f"line it up with line {above}, or move that line's value down"),
        )
    if above and ":" not in before:
        return (above, _indent(before) + 1), "a key without a colon", "write 'key: value'"
    return place, "a colon is not expected here", "put text with a colon in quotes"


def _unexpected_line(place: Place, character: str, lines: list[str]) -> Finding:
    number, column = place
    before = _line(lines, number)[: column - 1]
    if before.rstrip().endswith(("'", '"')):
        quote = before.rstrip()[-1]
        if before.count(quote) % 2 and (opened := _opened_above(quote, number, lines)):
            return opened, "this quote is not closed in its line", f"end the text with {quote}"
        return (
            place,
            "text goes on after the closing quote",
            "put the whole text in one pair of quotes, '' inside is one '",
        )
    if character == "-" and not before.strip():
        return place, "a list item among keys", "indent it below the key it belongs to"
    if character in "}]":
        return place, f"'{character}' closes nothing", "delete it"
    return place, "the indentation of this line fits none above", "line it up with the keys it belongs to"


def _opened_above(quote: str, number: int, lines: list[str]) -> Place | None:
    """The nearest line above with an odd number of this quote: a text that runs on until it meets the next quote."""
    for above in range(number - 1, 0, -1):
        line = _line(lines, above)
        if line.count(quote) % 2:
            return above, line.rindex(quote) + 1
    return None


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _at(lines: list[str], place: Place) -> str:
    line = _line(lines, place[0])
    return line[place[1] - 1] if 0 < place[1] <= len(line) else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def counted(number: int, what: str) -> str:
    """How many there are, in words: "1 rule", "2 rules"."""
    return f"{number} {what}" + ("" if number == 1 else "s")
