"""What files say without a flow being compiled: what each is meant as, what it names, and a standard by itself."""

from __future__ import annotations

from collections.abc import Mapping

from ivrflow.flow.days import Calendar
from ivrflow.flow.keys import grammar as g
from ivrflow.flow.keys.holiday_file import TABLE_FILE, is_holiday_file, read_calendar, table_years
from ivrflow.flow.keys.standard import read_standard
from ivrflow.flow.model import Standard
from ivrflow.flow.problems import MOST_PROBLEMS, FlowError, Problem, ProblemList
from ivrflow.flow.reading.reader import Named
from ivrflow.flow.reading.source import Table, parse
from ivrflow.flow.wording.wording_lint import lint_standard


def check_standard(text: str, file: str) -> tuple[Standard | None, tuple[Problem, ...]]:
    """Read a standard or phrase file by itself."""
    problems = ProblemList(most=MOST_PROBLEMS)
    try:
        node = parse(text, file, problems)
        standard = None if node is None else read_standard(node, problems)
        if standard is not None and not problems.errors:
            lint_standard(standard, problems)
    except FlowError as error:
        return None, error.problems
    return (None if problems.errors else standard), tuple(sorted(set(problems.problems)))


def standards_named(text: str, file: str) -> tuple[str, ...]:
    """The ids of the standard and the phrase files a flow names, in order; what cannot be read names none."""
    scratch = ProblemList()
    node = parse(text, file, scratch)
    if not isinstance(node, Table):
        return ()
    names: list[Named] = []
    standard = node.get(g.STANDARD.name)
    if standard is not None and (one := g.STANDARD.kind.read(standard, scratch)):
        names.append(one)
    files = node.get(g.PHRASE_FILES.name)
    names += (g.PHRASE_FILES.unwritten if files is None else g.PHRASE_FILES.kind.read(files, scratch)) or ()
    return tuple(dict.fromkeys(name.text for name in names))


def voice_named(text: str, file: str) -> Named:
    """The voice a flow asks for; the default one where none can be read."""
    node = parse(text, file, ProblemList())
    value = node.get(g.VOICE.name) if isinstance(node, Table) else None
    return (g.VOICE.kind.read(value, ProblemList()) if value is not None else None) or g.VOICE.unwritten


def is_flow(text: str, file: str) -> bool:
    """Whether a file is meant as a flow, not as a standard or phrase file."""
    if is_holiday_file(file):
        return False
    node = parse(text, file, ProblemList())
    if not isinstance(node, Table):
        return True
    return node.get(g.FLOW.name) is not None or node.get("id") is None


def calendar_in(source: Mapping[str, str]) -> Calendar:
    """The calendar for a flow's files: the holiday file among them, and as much of the published table as was known."""
    years = table_years(source.get(TABLE_FILE))
    file = next((file for file in source if file != TABLE_FILE and is_holiday_file(file)), None)
    return Calendar(years=years) if file is None else read_calendar(source[file], file, years)
