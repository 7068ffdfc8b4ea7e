"""Call flows on disk: the one place where flow, standard and phrase files are found and read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ivrflow.flow.compiling.compiler import Checked, check_flow
from ivrflow.flow.compiling.glances import check_standard, is_flow, standards_named
from ivrflow.flow.days import Calendar
from ivrflow.flow.keys.holiday_file import HOLIDAY_FILE, is_holiday_file, read_calendar
from ivrflow.flow.keys.outgoing import may_ring_all
from ivrflow.flow.model import CallBack, CallFlow, PromptCatalogue, Standard
from ivrflow.flow.problems import FlowError, Location, Problem, ProblemList, did_you_mean
from ivrflow.flow.reading.encoding import SIZE_LIMIT, decode, too_large
from ivrflow.flow.reading.reader import Named
from ivrflow.flow.wording.wording_lint import lint_against
from ivrflow.settings import SettingsError

STANDARDS = "standards"
"""The folder beside the flows that holds standards and phrase files."""

ENDINGS = (".yaml", ".yml")


@dataclass(slots=True)
class FlowReport:
    """What came of reading flows.

    Attributes:
        flows: those without an error, by id.
        standards: standard and phrase files that were read by themselves or for a flow, by file name.
        problems: errors and warnings of all files, by place.
        files: how many flow files were read.
        calendars: what came of holiday files, by file name; a broken one refuses no flow.
        said: keys of the phrases that calls of a flow can say, by its file; as far as they could be read.
    """

    flows: dict[str, CallFlow] = field(default_factory=dict)
    standards: dict[str, Standard] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    calendars: dict[str, Calendar] = field(default_factory=dict)
    said: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def calendar_problems(self) -> list[Problem]:
        """What is wrong with holiday files, by place."""
        return sorted({problem for calendar in self.calendars.values() for problem in calendar.problems})

    @property
    def errors(self) -> list[Problem]:
        """The problems that refuse a file."""
        return [problem for problem in self.problems if problem.severity == "error"]


def load_flows(paths: Sequence[Path], catalogue: PromptCatalogue | None = None) -> dict[str, CallFlow]:
    """All flows in files and folders, by id.

    Args:
        paths: flow files, and folders whose `*.yaml` are flows.
        catalogue: the prompts that exist as audio; None leaves them unchecked.

    Raises:
        FlowError: with every problem of every file.
        SettingsError: a path does not exist, or a folder holds no flow.
    """
    report = check_paths(paths, catalogue)
    if report.errors:
        raise FlowError(report.problems)
    if not report.flows:
        named = ", ".join(str(path) for path in paths)
        raise SettingsError(f"{named} holds no call flow, only standards or phrases; a flow begins with 'flow: NAME'")
    return report.flows


def check_paths(
    paths: Sequence[Path], catalogue: PromptCatalogue | None = None, *, every_taboo: bool = False
) -> FlowReport:
    """Read flows and standards, and tell everything that is wrong with them.

    Args:
        paths: flow, standard and phrase files, and folders of them; a folder's `standards/` belongs to it.
        catalogue: the prompts that exist as audio; None leaves them unchecked.
        every_taboo: whether wordings are compared with the taboo of the other standards at hand too.

    Raises:
        SettingsError: a path does not exist, or a folder holds nothing to read.
    """
    report = FlowReport()
    problems: set[Problem] = set()
    checked: list[Checked] = []
    alone: dict[str, str] = {}
    for path in _files(paths):
        if is_holiday_file(str(path)):
            _holidays(path.parent, report)
            continue
        found = ProblemList()
        text = read_text(path, found)
        problems.update(found.problems)
        if text is None:
            report.files += path.parent.name != STANDARDS
        elif path.parent.name == STANDARDS or not is_flow(text, str(path)):
            alone[str(path)] = text
        else:
            report.files += 1
            checked.append(_check(path, text, catalogue, problems, alone, _holidays(path.parent, report)))
            report.said[str(path)] = checked[-1].said
    for file, text in alone.items():
        standard, found_here = check_standard(text, file)
        problems.update(found_here)
        if standard is not None:
            report.standards[file] = standard
    for one in checked:
        problems.update(one.problems)
    problems.update(_clashes(checked))
    problems.update(_callbacks(checked))
    if every_taboo:
        problems.update(_other_taboos(report.standards))
    spoilt = {problem.where.file for problem in problems if problem.severity == "error"}
    report.flows = {
        one.flow.id: one.flow for one in checked if one.flow is not None and not spoilt.intersection(one.flow.source)
    }
    report.problems = sorted(problems)
    return report


def _other_taboos(read: Mapping[str, Standard]) -> list[Problem]:
    """What wordings of these files say that another standard of theirs, or of a folder they lie in, calls taboo."""
    beside: dict[str, Standard] = {}
    for folder in dict.fromkeys(Path(file).parent for file in read):
        for path in _yaml_files(folder) if folder.name == STANDARDS else []:
            text = None if str(path) in read else read_text(path, ProblemList())
            standard = None if text is None else check_standard(text, str(path))[0]
            if standard is not None:
                beside[str(path)] = standard
    found = ProblemList()
    lint_against(read.values(), [*read.values(), *beside.values()], found)
    return found.problems


@dataclass(frozen=True, slots=True)
class _Holidays:
    """The calendar beside a flow, and the file it was made of, if one could be read."""

    calendar: Calendar = field(default_factory=Calendar)
    source: dict[str, str] = field(default_factory=dict)


def _holidays(folder: Path, report: FlowReport) -> _Holidays:
    """The holiday file of a folder; what is wrong with it is kept in the report's calendar."""
    file = next((path for ending in ENDINGS if (path := folder / f"{HOLIDAY_FILE}{ending}").exists()), None)
    if file is None:
        return _Holidays()
    found = ProblemList()
    text = read_text(file, found)
    source = {} if text is None else {str(file): text}
    calendar = report.calendars.get(str(file)) or (
        Calendar(file=str(file), problems=tuple(found.problems)) if text is None else read_calendar(text, str(file))
    )
    report.calendars[str(file)] = calendar
    return _Holidays(calendar, source)


def _check(
    path: Path,
    text: str,
    catalogue: PromptCatalogue | None,
    problems: set[Problem],
    standards: dict[str, str],
    holidays: _Holidays,
) -> Checked:
    """Check one flow with the files it names, which are remembered in `standards` for their own sake."""
    source = {str(path): text, **holidays.source}
    broken: list[str] = []
    folder = path.parent / STANDARDS
    for name in standards_named(text, str(path)):
        file = next((folder / f"{name}{ending}" for ending in ENDINGS if (folder / f"{name}{ending}").is_file()), None)
        if file is not None:
            found = ProblemList()
            other = read_text(file, found)
            problems.update(found.problems)
            if other is None:
                broken.append(name)
            else:
                source[str(file)] = standards[str(file)] = other
    known = [file.stem for file in _yaml_files(folder)]
    return check_flow(source, str(path), catalogue, known=known, broken=broken, calendar=holidays.calendar)


def _files(paths: Iterable[Path]) -> list[Path]:
    """The files meant by `paths`, each once: those of a folder before those of its `standards/`."""
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise SettingsError(f"there is no file or folder {path}; name a flow, or the folder with the flows")
        if not path.is_dir():
            files[path] = None
            continue
        inside = [*_yaml_files(path), *_yaml_files(path / STANDARDS)]
        if not inside:
            raise SettingsError(f"the folder {path} holds no call flow; flows are files ending in .yaml")
        files |= dict.fromkeys(inside)
    return list(files)


def _yaml_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in ENDINGS and not path.name.startswith("."))


def read_text(path: Path, problems: ProblemList) -> str | None:
    """The text of a file; None after noting why there is none."""
    try:
        if too_large(path.stat().st_size, str(path), problems):
            return None
        if not path.is_file():
            problems.error(Location(str(path), 1, 1), "this is not a file", "name a file that ends in .yaml")
            return None
        with path.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        problems.error(
            Location(str(path), 1, 1), f"the file cannot be read: {reason}", "mend its permissions or its link"
        )
        return None
    return decode(data, str(path), problems)


def _clashes(checked: Sequence[Checked]) -> list[Problem]:
    """Two flows cannot have one name, nor one number."""
    problems: list[Problem] = []
    ids: dict[str, Named] = {}
    numbers: dict[str, tuple[Named, str]] = {}
    for one in checked:
        if one.flow_id and (other := ids.setdefault(one.flow_id.text, one.flow_id)) is not one.flow_id:
            message = f"another flow is called '{one.flow_id.text}' too: {other.where.file}"
            problems.append(Problem(one.flow_id.where, message, "choose another name"))
        for number in one.numbers:
            owner, flow = numbers.setdefault(number.text, (number, one.flow_id.text))
            if owner.where.file != number.where.file:
                message = f"this number leads to the flow '{flow}' already: {owner.where}"
                problems.append(Problem(number.where, message, "let it lead to one of them"))
    return problems


def _callbacks(checked: Sequence[Checked]) -> list[Problem]:
    """The flow that calls somebody back must be there, place calls, and be allowed to ring whom it is told to."""
    problems = ProblemList()
    at_hand = {one.flow_id.text: one for one in checked}
    for flow in (one.flow for one in checked if one.flow is not None):
        for step in flow.steps.values():
            if isinstance(step, CallBack):
                _check_callback(flow, step, at_hand, problems)
    return problems.problems


def _check_callback(flow: CallFlow, step: CallBack, at_hand: dict[str, Checked], problems: ProblemList) -> None:
    if step.flow not in at_hand:
        beside = _flows_beside(Path(flow.where.file))
        if step.flow not in beside:
            hint = did_you_mean(step.flow, {*at_hand, *beside} - {flow.id})
            problems.error(step.where, f"there is no flow '{step.flow}'", hint)
            return
        path, text = beside[step.flow]
        at_hand[step.flow] = _check(path, text, None, set(), {}, _Holidays())  # what else is wrong there was not asked
    caller = at_hand[step.flow].flow
    if caller is None:
        return  # its own problems are noted
    if caller.places_calls is None:
        hint = f"give it 'places_calls' in {caller.where.file}, or name another flow"
        problems.error(step.where, f"the flow '{step.flow}' places no calls", hint)
        return
    for numbers in step.to:
        if not may_ring_all(caller.places_calls.to, numbers):
            message = f"the flow '{step.flow}' may not ring {numbers}"
            hint = f"write it under places_calls.to in {caller.where.file}, or take it out of 'to'"
            problems.error(step.where, message, hint)


def _flows_beside(file: Path) -> dict[str, tuple[Path, str]]:
    """The flows in the same folder by name, as far as that can be told at a glance: where each is, and its text."""
    texts = [(path, read_text(path, ProblemList()) or "") for path in _yaml_files(file.parent)]
    hits = [(re.search(r"^flow: *([a-z0-9_]+)", text, flags=re.MULTILINE), path, text) for path, text in texts]
    return {hit[1]: (path, text) for hit, path, text in hits if hit}
