"""A reader of HTML that lets nothing pass a browser would have to guess at."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

_VOID = {"meta", "link", "input", "br", "img", "hr", "source", "wbr"}
_RAW = {"script", "style"}
_REFERRING = {"for", "aria-labelledby", "aria-describedby"}
_ADDRESSES = {"href", "src"}


class StrictHtml(HTMLParser):
    """Reads one page.

    Attributes:
        problems: what is not well-formed, in words.
        ids: all of them.
        addresses: everything `href` and `src` point at.
        text: all text outside scripts and styles.
        tags: names of all elements, in order.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.referred: list[str] = []
        self.tags: list[str] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self.feed(page)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        self.problems += [f"id {name!r} is there twice" for name in set(self.ids) if self.ids.count(name) > 1]
        local = [one[1:] for one in self.addresses if one.startswith("#")]
        missing = set(self.referred + local) - set(self.ids)
        self.problems += [f"nothing has the id {name!r}" for name in missing]

    @property
    def text(self) -> str:
        return " ".join("".join(self._text).split())

    @property
    def outside(self) -> list[str]:
        """Addresses that are neither in this page nor beside it."""
        return [one for one in self.addresses if urlsplit(one).scheme not in {"", "data"} or one.startswith("//")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"<{tag}> has an attribute twice: {names}")
        self.problems += [f"<{tag}> has {name}" for name in names if name.startswith("on")]
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in _ADDRESSES:
                self.addresses.append(value or "")
            if name in _REFERRING:
                self.referred += (value or "").split()
        self.tags.append(tag)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> comes while {self._open[-3:]} are open, at {self.getpos()}")
            if tag in self._open:
                while self._open.pop() != tag:
                    pass
            return
        self._open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.problems.append(f"<{tag}/> closes itself")
        super().handle_startendtag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in _RAW:
            self._text.append(data)

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"a comment: {data[:40]}")

    def unknown_decl(self, data: str) -> None:
        self.problems.append(f"a declaration: {data[:40]}")
