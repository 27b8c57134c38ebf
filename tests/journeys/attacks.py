"""Strings of xss.py sent through forms, and what a browser makes of the pages that come back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import cycle, islice
from typing import Any

import httpx
from playwright.sync_api import Page

from services.gateway.pages.security import FIELD
from tests.gateway import xss
from tests.gateway.processes import visitor
from tests.journeys.route_map import Answer, Visit, Walker
from tests.journeys.snapshots import Snapshots

TOKEN = re.compile(r'value="[0-9a-f]{40}"')
STYLE = re.compile(r'<link rel="stylesheet" href="/assets/parvis-[^>]*>')
SESSION = re.compile(
    r' data-fin="\d+"|session jusqu’à [^<]*|se termine à [^<]*'
)  # its end, which differs by the second
FRAMES = 40
SHORT, LONG, MOST = 190, 3000, 12_000  # the tracker's length; a word's; a form's, which may be 64 KB once encoded
EACH_FRAME = f"""[...document.querySelectorAll('iframe')].map(
    f => f.contentDocument ? ({xss.LOOK})(f.contentDocument) : ['left for elsewhere'])"""
MANY = 8
"""A form of more fields than this takes a string a field, fewer take packs."""


@dataclass
class Form:
    action: str = ""
    method: str = "get"
    hidden: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)

    @property
    def kind(self) -> tuple[object, ...]:
        """Alike for the forms of one template on different polls."""
        return re.sub(r"[0-9a-f-]{36}", "*", self.action), frozenset(self.typed), frozenset(self.hidden)

    @property
    def shown(self) -> list[str]:
        """What is typed into."""
        return [name for name in self.typed if name != FIELD]

    @property
    def whole(self) -> list[str]:
        """All that it sends, but for the token that goes with it."""
        return [name for name in (*self.typed, *self.hidden, *self.marked) if name != FIELD]


class Forms(HTMLParser):
    """Every form of a page with its fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._form: Form | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {k: v or "" for k, v in attrs}
        if tag == "form":
            self._form = Form(has.get("action", ""), has.get("method", "get"))
            self.found.append(self._form)
        if self._form is None or not has.get("name"):
            return
        if tag == "textarea" or (tag == "input" and has.get("type", "text") not in ("hidden", "radio", "checkbox")):
            self._form.typed.append(has["name"])
        elif tag == "input" and has["type"] == "hidden":
            self._form.hidden[has["name"]] = has.get("value", "")
        elif tag in ("input", "select", "button") and has["name"] not in self._form.marked:
            self._form.marked.append(has["name"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


def seen(window: Page, pages: Snapshots, texts: list[str]) -> list[list[str]]:
    """What ran and what was put in, page by page. Chromium refuses more to a window that showed some two thousand."""
    found: list[list[str]] = []
    for start in range(0, len(texts), 10 * FRAMES):
        fresh = window.context.new_page()
        found += _seen(fresh, pages, texts[start : start + 10 * FRAMES])
        fresh.close()
    return found


def _seen(window: Page, pages: Snapshots, texts: list[str]) -> list[list[str]]:
    """They are loaded in frames, many at a time."""
    found: list[list[str]] = []
    dialogs: list[str] = []

    def dismiss(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    window.on("dialog", dismiss)
    for start in range(0, len(texts), FRAMES):
        addresses = [pages.add(text) for text in texts[start : start + FRAMES]]
        frames = "".join(f"<iframe src='{address}' width=300 height=200></iframe>" for address in addresses)
        window.goto(pages.add(f"<!DOCTYPE html><title>x</title>{frames}"), wait_until="load")
        found += window.evaluate(EACH_FRAME)
        ran = window.evaluate("window.__xss | 0")
        if ran or dialogs:
            found[-1] = [*found[-1], f"{ran} scripts ran, {len(dialogs)} dialogs, in pages {start} and after"]
        dialogs.clear()
    window.remove_listener("dialog", dismiss)
    return found


def faults(window: Page, pages: Snapshots, named: dict[str, str]) -> list[str]:
    found = seen(window, pages, list(named))
    return [f"{named[text]}: {line}" for text, lines in zip(named, found, strict=True) for line in lines[:3]]


def keep(kept: dict[str, str], name: str, html: str) -> None:
    """Pages that differ by a token or a session's end alone are one. Without style sheet: many are quickly drawn."""
    kept.setdefault(STYLE.sub("", SESSION.sub("", TOKEN.sub("", html)), count=1), name)


Sent = Iterator[dict[str, str]]


def every_attack(form: Form) -> Sent:
    """What to send so that every field holds every string: what is typed, alone; then whatever the form has."""
    typed = form.shown
    strings = list(xss.CORPUS) if len(typed) > MANY else xss.packs(SHORT)
    for start in range(0, len(strings) if typed else 0, len(typed) if len(typed) > MANY else 1):
        yield form.hidden | dict(zip(typed, islice(cycle(strings), start, None), strict=False))
    whole = form.whole
    strings = xss.packs(min(LONG, MOST // len(whole)))
    for start in range(len(strings)):
        yield form.hidden | dict(zip(whole, islice(cycle(strings), start, None), strict=False))


class Rotation:
    """Every field twice typed in and once as part of all that the form has, with the strings whose turn it is.

    `left` are the packs of the corpus that no typed field had yet."""

    def __init__(self) -> None:
        packs = xss.packs(SHORT)
        self.left = set(packs)
        self._typed, self._whole = cycle(packs), cycle(packs)

    def __call__(self, form: Form) -> Sent:
        for _ in range(2 if form.shown else 0):
            typed = {name: next(self._typed) for name in form.shown}
            self.left.difference_update(typed.values())
            yield form.hidden | typed
        yield form.hidden | {name: next(self._whole) for name in form.whole}


def attacked(
    walker: Walker, visits: Iterable[Visit], attacks: Callable[[Form], Sent]
) -> Iterator[tuple[Form, str, str]]:
    """Each form of these visits, once a template: the form, the visit's name, and the page that each attack gets."""
    done: set[tuple[object, ...]] = set()
    for visit in visits:
        if visit.status >= 500:
            continue
        with visitor(walker.url) as client:
            answer = walker.walk_in(client, visit)
            for form in Forms(answer.response.text).found:
                if form.kind in done or not form.whole:
                    continue
                done.add(form.kind)
                for fields in attacks(form):
                    yield form, visit.name, _sent(client, answer, form, fields)


def _sent(client: httpx.Client, answer: Answer, form: Form, fields: dict[str, str]) -> str:
    if form.method == "post":
        return client.post(form.action, data=fields, follow_redirects=False).text
    return client.get(form.action or answer.path, params=fields).text
