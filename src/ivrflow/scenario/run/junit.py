"""A run's results as JUnit XML, the format every CI server reads: one suite per stage, one test case per scenario.

What a scenario proves stands in its properties, what the caller heard in its output. A finding that does not fail its
scenario stands in the output too; CI servers know no third state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from ivrflow.scenario.observation import Finding, Observation, Result
from ivrflow.scenario.script import Stage

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 file may hold, not even escaped."""


def junit_xml(results: Sequence[Result], *, began: datetime, leaks: Sequence[str] = (), could_not: str = "") -> bytes:
    """The whole file.

    Args:
        results: all of a run's; those of one stage become one suite, in the order given.
        began: when the run began, with its time zone.
        leaks: what the run as a whole left behind; a failed test case of its own.
        could_not: why the run could not go on; the same.
    """
    suites = ET.Element("testsuites", name="ivrflow scenarios")
    stages: dict[Stage, None] = dict.fromkeys(result.stage for result in results)
    if leaks or could_not:
        stages["pbx"] = None
    for stage in stages:
        suite = ET.SubElement(
            suites, "testsuite", name=stage, timestamp=began.isoformat(timespec="seconds"), hostname="localhost"
        )
        seen: dict[tuple[str, str], int] = {}
        for result in results:
            if result.stage == stage:
                key = result.scenario.file, result.scenario.title
                seen[key] = seen.get(key, 0) + 1
                suite.append(_case(result, seen[key]))
        if leaks and stage == "pbx":
            suite.append(_of_the_run("nothing is left behind", "leak", leaks))
        if could_not and stage == "pbx":
            suite.append(_of_the_run("all scenarios can be played", "not played", [could_not]))
        _count(suite, [suite])
    _count(suites, list(suites))
    ET.indent(suites)
    text: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(result: Result, repetition: int) -> ET.Element:
    scenario = result.scenario
    title = scenario.title if repetition == 1 else f"{scenario.title} ({repetition})"
    case = ET.Element(
        "testcase",
        classname=_xml(f"{result.stage}.{_folder(scenario.file)}"),
        name=_xml(title),
        file=_xml(scenario.file),
        line=str(scenario.where.line),
        time=f"{result.took:.3f}",
    )
    if scenario.proves or result.tries > 1:
        properties = ET.SubElement(case, "properties")
        for rule in scenario.proves:
            ET.SubElement(properties, "property", name="rule", value=_xml(rule))
        if result.tries > 1:
            ET.SubElement(properties, "property", name="tries", value=str(result.tries))
    failing = [finding for finding in result.findings if finding.fails]
    if result.skipped:
        ET.SubElement(case, "skipped", message=_xml(result.trouble))
    elif result.trouble:
        problem = ET.SubElement(case, "error", type="not played", message=_xml(result.trouble))
        problem.text = _xml(f"{scenario.where}: {result.trouble}")
    elif failing:
        failure = ET.SubElement(case, "failure", type=failing[0].kind, message=_xml(_headline(failing)))
        failure.text = _xml("\n".join(map(_words, failing)))
    said = [*_heard(result.observation), *(_words(finding) for finding in result.findings if not finding.fails)]
    if said:
        ET.SubElement(case, "system-out").text = _xml("\n".join(said))
    return case


def _of_the_run(name: str, kind: str, problems: Sequence[str]) -> ET.Element:
    case = ET.Element("testcase", classname="pbx", name=name, time="0.000")
    failure = ET.SubElement(case, "failure", type=kind, message=_xml("; ".join(problems)))
    failure.text = _xml("\n".join(problems))
    return case


def _folder(file: str) -> str:
    """The scenario's folder as a dotted name, the way CI servers group test cases."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return ".".join(part for part in path.parent.parts if part not in {"/", "..", "."}) or "scenarios"


def _headline(failing: Sequence[Finding]) -> str:
    first = f"expected {failing[0].expected}; observed {failing[0].observed}"
    return first if len(failing) == 1 else f"{first} (and {len(failing) - 1} more)"


def _words(finding: Finding) -> str:
    at = "" if finding.at is None else f" (second {finding.at:.2f})"
    head = f"{finding.where}: {finding.kind}{at}" if finding.fails else f"{finding.where}: note: {finding.kind}{at}"
    return f"{head}\n    expected {finding.expected}\n    observed {finding.observed}"


def _heard(observation: Observation | None) -> Iterator[str]:
    """What the caller heard, a line each, in seconds since the answer."""
    if observation is None:
        return
    for heard in observation.caller.heard:
        share = f"  {heard.completeness:.0%}" if heard.kind == "phrase" else ""
        understood = f"  understood: {heard.text}" if heard.text else ""
        name = heard.name if heard.kind == "phrase" else f"{heard.kind} {heard.name}".rstrip()
        yield f"{heard.start:7.2f} {heard.end:7.2f}  {name}{share}{understood}"
    if observation.caller.ended_at is not None:
        by = {"phone": "the caller", "peer": "the other side"}.get(observation.caller.ended_by or "", "nobody")
        yield f"{observation.caller.ended_at:7.2f}          ended by {by}"


def _count(element: ET.Element, within: Iterable[ET.Element]) -> None:
    """Write how many test cases there are in it, how many went which way, and their seconds."""
    cases = [case for suite in within for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    for word, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(word, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
