import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from ivrflow.scenario.report.templating import asset, duration, environment, language, milliseconds, pixels


def test_everything_put_into_a_page_is_escaped() -> None:
    assert environment().from_string("{{ a }}").render(a="<b>&\"'") == "&lt;b&gt;&amp;&#34;&#39;"
    assert environment().from_string("{{ a }}").render(a=Markup("<b>")) == "<b>"
    assert "</script>" not in environment().from_string("{{ a | tojson }}").render(a="</script>")


def test_what_no_page_may_hold_is_replaced() -> None:
    assert environment().from_string("{{ a }}").render(a="a\x00b\x1b\ud800\tc\n") == "a\ufffdb\ufffd\ufffd\tc\n"


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nothing.at_all }}").render()


def test_numbers() -> None:
    assert [pixels(0.0), pixels(12.0), pixels(1.005), pixels(3.14159), pixels(100)] == ["0", "12", "1", "3.14", "100"]
    assert [milliseconds(0.0234), milliseconds(-0.004), milliseconds(0.0)] == ["+23 ms", "−4 ms", "0 ms"]
    assert [duration(0.0001), duration(0.012), duration(4.21), duration(125)] == [
        "< 1 ms",
        "12 ms",
        "4.2 s",
        "2 min 5 s",
    ]


def test_chinese_is_marked_as_such() -> None:
    assert language("您好") == ' lang="zh-CN"'
    assert language("hello") == ""


def test_the_style_and_the_script_are_there() -> None:
    assert "prefers-color-scheme" in asset("report.css")
    assert "DOMContentLoaded" in asset("report.js")
