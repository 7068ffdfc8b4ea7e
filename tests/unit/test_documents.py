"""What the documents name is there: linked files and headings, commands and their options, make targets, settings."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ivrflow.cli import main
from ivrflow.settings import ENV_FILE, Settings, variable

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
# At the start of a line of code, or after a prompt, a separator or a path: not the name in "the ivrflow engine".
_START = r"(?:^\s*|[$;&|/(!] *|exec engine )"
_COMMAND = re.compile(_START + r"ivrflow ((?:[a-z]+ ?)*)([^\n#|&;]*)", re.MULTILINE)
_TARGET = re.compile(_START + r"(?:sudo )?(?:[A-Z_]+=\S+ )*make ([a-z-]+)", re.MULTILINE)
_SETTING = re.compile(r"\bIVRFLOW_[A-Z_]+\b")

NO_SETTINGS = {"IVRFLOW_DONE", "IVRFLOW_CALL", "IVRFLOW_SECONDS", "IVRFLOW_POSITION"}
"""Names that begin like settings: channel variables of the dialplan."""


def code(document: Path) -> Iterator[str]:
    """Everything in the document that is set as code."""
    for block, span in _CODE.findall(document.read_text(encoding="utf-8")):
        yield block or span


def commands(document: Path) -> Iterator[tuple[click.Command, str, list[str]]]:
    """Every `ivrflow …` it names: the command, its words, its options."""
    for text in code(document):
        for words, rest in _COMMAND.findall(text):
            command: click.Command = main
            names: list[str] = []
            for word in words.split():
                if not isinstance(command, click.Group):
                    break
                found = command.get_command(click.Context(command), word)
                assert found is not None, f"{document.name}: there is no command 'ivrflow {' '.join([*names, word])}'"
                command, names = found, [*names, word]
            yield command, " ".join(names), re.findall(r"(?<!\S)--[a-z-]+", f"{words}{rest}")


def targets() -> set[str]:
    """What the Makefile can make."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def anchors(document: Path) -> set[str]:
    """The fragments that its headings can be linked by."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in _LINK.findall(document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if target.is_file():
            ignored = subprocess.run(["git", "check-ignore", "--quiet", target], cwd=ROOT, check=False).returncode == 0
            assert not ignored, f"{link} is not part of the repository"
        if fragment:
            assert fragment in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_exists_with_its_options(document: Path) -> None:
    for command, words, options in commands(document):
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
        unknown = set(options) - known - {"--help", "--version"}
        assert not unknown, f"ivrflow {words} has no {', '.join(sorted(unknown))}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_exists(document: Path) -> None:
    named = {target for text in code(document) for target in _TARGET.findall(text)}
    assert named <= targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_exists(document: Path) -> None:
    known = {variable(name) for name in Settings.__dataclass_fields__} | NO_SETTINGS | {ENV_FILE}
    assert set(_SETTING.findall(document.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_source_file_exists(document: Path) -> None:
    named = {path for text in code(document) for path in re.findall(r"\b(?:src|tools|bench|asterisk)/[\w./-]+", text)}
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_page_is_in_the_index() -> None:
    linked = set(_LINK.findall((ROOT / "docs/README.md").read_text(encoding="utf-8")))
    assert {page.name for page in ROOT.glob("docs/*.md")} - {"README.md"} <= linked


def test_the_readme_and_its_twin_say_the_same_in_code() -> None:
    def said(document: Path) -> list[str]:
        return [re.sub(r"(?m)^(make [\w-]+) +#.*$", r"\1", text) for text in code(document)]

    assert said(CHINESE) == said(ENGLISH)


def every_command(group: click.Group, before: str = "") -> Iterator[str]:
    """What can be typed after `ivrflow`; a group that does something by itself counts once."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group) and not command.invoke_without_command:
            yield from every_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_the_readme_and_its_twin_name_every_command() -> None:
    every = set(every_command(main))
    for document in (ENGLISH, CHINESE):
        assert {words for _, words, _ in commands(document)} == every
        assert {target for text in code(document) for target in _TARGET.findall(text)} >= {
            "run",
            "test",
            "check",
            "bench",
            "scenarios",
        }


def test_the_languages_link_to_each_other() -> None:
    assert f"]({CHINESE.name})" in ENGLISH.read_text(encoding="utf-8")
    assert f"]({ENGLISH.name})" in CHINESE.read_text(encoding="utf-8")
