import pytest
import yaml

from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import source
from ivrflow.flow.reading.source import DEEPEST, Items, Node, Table, Text, Unreadable, parse


def read(text: str) -> tuple[Node | None, list[str]]:
    problems = ProblemList()
    node = parse(text, "a.yaml", problems)
    return node, [str(problem).partition("\n")[0] for problem in problems.problems]


def fine(text: str) -> Node:
    node, told = read(text)
    assert told == []
    assert node is not None
    return node


def plain(node: Node) -> object:
    match node:
        case Text(text=text):
            return text
        case Items(items=items):
            return [plain(item) for item in items]
        case Table(entries=entries):
            return {entry.key.text: plain(entry.value) for entry in entries}
        case Unreadable():
            return None


@pytest.mark.parametrize("written", ["011", "22:15", "no", "on", "1e3", "0x1F", "~", "2024-01-01", "1_000", ".5"])
def test_scalars_stay_text(written: str) -> None:
    assert plain(fine(f"a: {written}\n")) == {"a": written}


def test_a_bare_on_is_a_key() -> None:
    assert plain(fine("on:\n  no: yes\n")) == {"on": {"no": "yes"}}


def test_nothing_and_empty_text_are_told_apart() -> None:
    node = fine('a:\nb: ""\n')
    assert isinstance(node, Table)

    nothing, empty = node.get("a"), node.get("b")

    assert isinstance(nothing, Text)
    assert isinstance(empty, Text)
    assert (nothing.quoted, empty.quoted) == (False, True)


@pytest.mark.parametrize("loader", [getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader])
def test_positions_count_characters_from_one(loader: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_LOADER", loader)
    node = fine("# 您好\n一二: {三: 四,  五: [六, 七]}\n")

    places: dict[str, tuple[int, int]] = {}

    def walk(node: Node) -> None:
        match node:
            case Text(text=text):
                places[text] = (node.where.line, node.where.column)
            case Items(items=items):
                for item in items:
                    walk(item)
            case Table(entries=entries):
                for entry in entries:
                    walk(entry.key)
                    walk(entry.value)
            case _:
                pytest.fail("unreadable")

    walk(node)
    assert places == {"一二": (2, 1), "三": (2, 6), "四": (2, 9), "五": (2, 13), "六": (2, 17), "七": (2, 20)}


def test_of_two_equal_keys_the_first_counts() -> None:
    node, told = read("a: 1\nb: 2\na: 3\n")

    assert node is not None
    assert plain(node) == {"a": "1", "b": "2"}
    assert told == ["a.yaml:3:1: 'a' is written twice, first in line 1"]


def test_every_equal_key_of_nested_tables_is_told() -> None:
    _, told = read("a: {x: 1, x: 2}\nb:\n  y: 1\n  y: 2\n")

    assert [line.split(": ")[0] for line in told] == ["a.yaml:1:11", "a.yaml:4:3"]


def test_an_alias_stands_for_its_anchor() -> None:
    assert plain(fine("a: &keys {1: x}\nb: *keys\n")) == {"a": {"1": "x"}, "b": {"1": "x"}}


def test_an_alias_to_itself_is_no_endless_tree() -> None:
    node, told = read("a: &x [1, *x]\n")

    assert node is not None
    assert plain(node) == {"a": ["1", None]}
    assert told == ["a.yaml:1:11: '*x' refers to the value it stands in"]


def test_an_alias_bomb_is_refused_in_no_time() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join(f'*{last}' for _ in range(10))}]"
        for last, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
    ]

    node, told = read("\n".join(lines))

    assert node is None
    assert "more than 50,000 values" in told[0]


def test_aliases_count_towards_the_depth() -> None:
    lines = ["a: &a [x]"] + [f"{name}: &{name} [[[[*{last}]]]]" for last, name in zip("abcdef", "bcdefg", strict=True)]

    _, told = read("\n".join(lines))

    assert told
    assert "nested more than 24 levels" in told[0]


@pytest.mark.parametrize("text", ["[" * 500_000, "{a: " * 200_000, "- " * 400_000, "? " * 400_000, "a: " + "[" * 30])
def test_depth_is_bounded_without_recursion(text: str) -> None:
    node, told = read(text)

    assert node is None
    assert len(told) == 1


def test_the_deepest_tree_allowed_is_read() -> None:
    _, told = read("[" * DEEPEST + "]" * DEEPEST)

    assert told == []


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_nothing_at_all_is_told(text: str) -> None:
    _, told = read(text)

    assert told == ["a.yaml:1:1: the file is empty"]


def test_only_the_first_document_counts() -> None:
    node, told = read("a: 1\n---\nb: 2\n")

    assert node is not None
    assert plain(node) == {"a": "1"}
    assert told == ["a.yaml:2:1: a second document begins here"]


def test_tags_make_a_value_unreadable_and_nothing_else() -> None:
    node, told = read("a: !include other.yaml\nb: 1\n")

    assert node is not None
    assert plain(node) == {"a": None, "b": "1"}
    assert told == ["a.yaml:1:4: tags like '!include' mean nothing here"]


def test_invisible_characters_are_named_and_left_out() -> None:
    node, told = read("a: x\0y\nb: \u200by\nc: \x07z\n")

    assert node is not None
    assert plain(node) == {"a": "xy", "b": "\u200by", "c": "z"}
    assert told == [
        "a.yaml:1:5: the invisible character U+0000 (NUL)",
        "a.yaml:3:4: the invisible character U+0007",
    ]


def test_lone_surrogates_do_not_reach_the_parser() -> None:
    _, told = read("a: \ud800\n")

    assert told == ["a.yaml:1:4: the invisible character U+D800"]


def test_a_byte_order_mark_is_a_warning_and_shifts_no_column() -> None:
    problems = ProblemList()

    node = parse("\ufeffa: 1\n", "a.yaml", problems)

    assert isinstance(node, Table)
    assert node.entries[0].key.where.column == 1
    assert [problem.severity for problem in problems.problems] == ["warning"]


class TestTabs:
    def test_each_line_is_told_and_the_rest_is_read(self) -> None:
        node, told = read("a:\n\tb: 1\n\tc:\n\t\td: 2\n")

        assert node is not None
        assert plain(node) == {"a": {"b": "1", "c": {"d": "2"}}}
        assert told == [f"a.yaml:{line}:1: a tab in the indentation" for line in (2, 3, 4)]

    def test_a_tab_counts_as_wide_as_its_neighbours_make_it(self) -> None:
        node, _ = read("steps:\n  a:\n\tsay: x\n\tthen: y\n")

        assert node is not None
        assert plain(node) == {"steps": {"a": {"say": "x", "then": "y"}}}

    def test_columns_count_what_is_written(self) -> None:
        node, _ = read("a:\n\t\tb: value\n")
        assert isinstance(node, Table)
        inner = node.get("a")
        assert isinstance(inner, Table)

        entry = inner.entries[0]

        assert (entry.key.where.column, entry.value.where.column) == (3, 6)

    def test_tabs_elsewhere_do_no_harm(self) -> None:
        assert plain(fine("a: 1\t# one\nb: 'x\ty'\n")) == {"a": "1", "b": "x\ty"}


def test_a_comment_that_was_meant_as_a_key_is_a_warning() -> None:
    _, told = read("key:\n  1: consult\n  #: agent\n  # a remark: fine\n")

    assert told == ["a.yaml:3:3: warning: '#' begins a comment: this line is not read"]
