"""Reading pages in tests: structure that must hold on every page, forms, texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser

import httpx
from werkzeug.test import TestResponse

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_SHAPES = frozenset(["path", "rect", "circle", "polygon", "polyline"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.faults: list[str] = []
        self.forms: list[dict[str, str]] = []
        self._open: list[str] = []
        self._form: dict[str, str] | None = None
        self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {k: v or "" for k, v in attrs}
        if len(found) != len(attrs):
            self.faults.append(f"<{tag}> repeats an attribute")
        self.tags.append((tag if "svg" not in self._open else f"svg:{tag}" if tag == "title" else tag, found))
        if tag == "form":
            self._form = {"@action": found.get("action", ""), "@method": found.get("method", "get")}
            self.forms.append(self._form)
        if tag == "input" and self._form is not None and found.get("type") == "hidden":
            self._form[found["name"]] = found.get("value", "")
        if tag not in _VOID and tag not in _SHAPES:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data if "svg" not in self._open else ""  # a figure's own title
        elif data.strip():
            self.texts.append(data.strip())

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]


class Page:
    """An answer, read."""

    def __init__(self, response: TestResponse | httpx.Response) -> None:
        self.headers: Mapping[str, str] = response.headers  # type: ignore[assignment]
        self.data = response.content if isinstance(response, httpx.Response) else response.data
        self.status = response.status_code
        self.source = self.data.decode("utf-8", "replace")
        self._read = _Reader()
        self._read.feed(self.source)
        self._read.close()
        self.title = self._read.title
        self.text = " ".join(self._read.texts)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self._read.tags if name == tag]

    def form(self, action: str) -> dict[str, str]:
        """The hidden fields of the form with this address."""
        found = next(f for f in self._read.forms if f["@action"] == action)
        return {k: v for k, v in found.items() if not k.startswith("@")}

    @property
    def onward(self) -> str | None:
        """Where the page sends the browser by itself."""
        found = [m["content"] for m in self.all("meta") if m.get("http-equiv") == "refresh"]
        return found[0].removeprefix("0; url=") if found else None

    def has_form(self, ending: str) -> bool:
        return any(f["@action"].endswith(ending) for f in self._read.forms)

    def cookies(self) -> list[str]:
        """What the answer sets, cookie by cookie."""
        return [v for k, v in self.headers.items() if k.lower() == "set-cookie"]

    def checked(self) -> list[str]:
        return [i["value"] for i in self.all("input") if i.get("type") == "radio" and "checked" in i]

    def faults(self) -> list[str]:
        """What no page may have."""
        faults = list(self._read.faults)
        names = [name for name, _ in self._read.tags]
        attributes = [a for _, a in self._read.tags]
        ids = Counter(a["id"] for a in attributes if "id" in a)
        faults += [f"id {i!r} stands {n} times" for i, n in ids.items() if n > 1]
        faults += [f"{names.count(tag)} <{tag}>" for tag in ("h1", "main", "title") if names.count(tag) != 1]
        if self.all("html")[0].get("lang") not in ("fr", "en", "br"):
            faults.append("no lang")
        if not self.title.endswith(" – Parvis"):
            faults.append(f"title {self.title!r}")
        labels = {label.get("for") for label in self.all("label")}
        fields = [i for i in self.all("input") if i.get("type") != "hidden"] + self.all("textarea")
        faults += [f"no label for {f.get('id')!r}" for f in fields if f.get("id") not in labels]
        pointed = [a[k] for a in attributes for k in ("aria-labelledby", "aria-describedby") if k in a]
        faults += [f"{i!r} is pointed at and missing" for p in pointed for i in p.split() if i not in ids]
        inner = [a["href"][1:] for a in self.all("a") if a.get("href", "").startswith("#")]
        faults += [f"#{i} leads nowhere" for i in inner if i not in ids]
        faults += self._outside(names, attributes)
        return faults

    def _outside(self, names: list[str], attributes: list[dict[str, str]]) -> list[str]:
        scripts = [a for name, a in zip(names, attributes, strict=True) if name == "script"]
        faults = ["a script in the page" for a in scripts if not a.get("src") or not a.get("integrity")]
        faults += [f"inline {k}" for a in attributes for k in a if k == "style" or k.startswith("on")]
        links = [a.get("href") or a.get("src") or a.get("action") or "" for a in attributes]
        outside = [x for x in links if x.startswith(("http:", "https:", "//")) and x != self.onward]
        return faults + [f"leaves the site: {x}" for x in outside]
