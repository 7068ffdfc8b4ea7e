import pytest
import yaml

from ivrflow.flow.reading.syntax import full_width_hint, in_plain_words, shortened

LOADERS = [getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]

BROKEN = {
    "a: 'foo\nb: 1\n": ((1, 4), "this quote is never closed"),
    'a: "foo\nb: "1"\n': ((1, 4), "this quote is not closed in its line"),
    "a: {1: x, #: y}\nb: 2\n": ((1, 11), "'#' begins a comment here"),
    "a: {1: x, *: y}\n": ((1, 11), "'*' has a meaning of its own in YAML"),
    "a: &\n": ((1, 4), "'&' has a meaning of its own in YAML"),
    "say:foo\nb: 1\n": ((1, 4), "no blank after the colon"),
    "say：foo\nb: 1\n": ((1, 4), "this is no 'key: value'"),
    "say foo\nb: 1\n": ((1, 1), "a key without a colon"),
    "a: b: c\n": ((1, 5), "a second colon in one line"),
    "a: 1\n  b: 2\n": ((2, 3), "this line is indented although the line above has a value"),
    "a: @x\n": ((1, 4), "text cannot begin with '@'"),
    "a: `x\n": ((1, 4), "text cannot begin with '`'"),
    "a: [1, 2\nb: 3\n": ((1, 4), "this '[' is never closed"),
    "a: {x: 1\nb: 3\n": ((1, 4), "this '{' is never closed"),
    "a: {b: 1 c: 2}\n": ((1, 11), "a comma or '}' is missing before this"),
    "a:\n  b: 1\n c: 2\n": ((3, 2), "the indentation of this line fits none above"),
    "a: 1\n- b\n": ((2, 1), "a list item among keys"),
    "- a\nb: 1\n": ((2, 1), "this line stands among list items but is none"),
    'a: "\\q"\n': ((1, 5), "'\\q' means nothing inside double quotes"),
    "a: |x\n b\n": ((1, 5), "text after '|' or '>' begins on the next line"),
    "a: }\n": ((1, 4), "'}' is not expected here"),
    "{a: 1}}\n": ((1, 7), "text after the end of the document"),
    "key: 'it's'\n": ((1, 10), "text goes on after the closing quote"),
    "%YAML 9.0\n---\na: 1\n": ((1, 1), "a line cannot begin with '%'"),
    "a: 1\nb\n": ((2, 1), "a key without a colon"),
}


@pytest.mark.parametrize("loader", LOADERS, ids=["libyaml", "python"])
@pytest.mark.parametrize("text", BROKEN)
def test_place_and_words_are_the_authors_whichever_parser_reads(text: str, loader: type[yaml.SafeLoader]) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        list(yaml.parse(text, Loader=loader))

    place, message, hint = in_plain_words(caught.value, text)

    assert (place, message) == BROKEN[text]
    assert hint


def test_an_error_without_a_place_is_still_told() -> None:
    assert in_plain_words(yaml.YAMLError("odd"), "") == ((1, 1), "this is not readable YAML: odd", "")


@pytest.mark.parametrize(
    ("line", "sign"),
    [("say：foo", "："), ("on: ｛1: a｝", "｛"), ("then:\u3000agent", "blank"), ("transfer: “1001”", "“")],
)
def test_signs_of_a_chinese_keyboard_are_pointed_out(line: str, sign: str) -> None:
    assert sign in full_width_hint(line)


@pytest.mark.parametrize("line", ['text: "您好，请讲：谢谢"', "a: 1  # 说明：好", "a: 您好"])
def test_they_are_welcome_inside_quotes_and_comments(line: str) -> None:
    assert full_width_hint(line) == ""


def test_long_text_is_shown_on_one_line() -> None:
    assert shortened("a\n b\t c") == "a b c"
    assert len(shortened("x" * 1000)) == 60
