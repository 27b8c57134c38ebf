"""A page by Tab, Shift+Tab, Space, Enter and arrows alone: what is reached, whether it shows, and the way out."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import Locator, Page

_MOST: Final = 150
_STOPS = """() => {
    const all = [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex="-1"])')]
    const stops = all.filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}))
    const groups = new Map()
    for (const e of stops) {
        const key = e.type === 'radio' ? `${e.form?.action} ${e.name}` : e
        if (!groups.has(key)) groups.set(key, groups.size)
        e.setAttribute('data-stop', groups.get(key))
    }
    return [...groups.values()].map(n => document.querySelector(`[data-stop="${n}"]`).outerHTML.slice(0, 90))
}"""
_FOCUSED = """() => {
    const e = document.activeElement
    if (!e || e === document.body || e === document.documentElement) return null
    const drawn = (node, pseudo) => {
        const s = getComputedStyle(node, pseudo), clear = /rgba\\(.*, 0\\)|transparent/.test(s.outlineColor)
        const line = s.outlineStyle === 'none' || parseFloat(s.outlineWidth) === 0 || clear
        return [line ? '' : s.outlineStyle + s.outlineWidth, s.boxShadow, s.backgroundColor, s.borderColor,
            s.borderWidth].join()
    }
    const parts = [e, ...(e.labels || [])]
    const look = () => parts.flatMap(p => [drawn(p), drawn(p, '::before'), drawn(p, '::after')]).join(';')
    const focused = look()
    e.blur()
    const plain = look()
    e.focus({preventScroll: true})
    const box = e.getClientRects()[0]
    const at = box && document.elementFromPoint(
        Math.min(Math.max(box.x + box.width / 2, 0), innerWidth - 1), box.y + Math.min(box.height / 2, 20))
    return {
        stop: e.getAttribute('data-stop'), text: e.outerHTML.slice(0, 90), outlined: focused !== plain,
        shown: !!box && box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
        covered: !!at && !e.contains(at) && !at.contains(e) && !(e.labels && [...e.labels].some(l => l.contains(at))),
        skip: e.classList.contains('govuk-skip-link'), y: e.getBoundingClientRect().y,
    }
}"""


def round_of(page: Page) -> list[str]:
    """What is wrong as Tab goes round the whole page once, from its beginning; ends on the way back to there."""
    stops = page.evaluate(_STOPS)
    page.keyboard.press("Tab")
    seen: list[dict[str, Any]] = []
    for _ in range(_MOST):
        here = page.evaluate(_FOCUSED)
        if here is None or (seen and here["stop"] == seen[0]["stop"]):
            break
        if seen and here["text"] == seen[-1]["text"] and here["y"] == seen[-1]["y"]:
            return [*_wrong(seen), f"a trap: Tab does not leave {here['text']}"]
        seen.append(here)
        page.keyboard.press("Tab")
    else:
        return [*_wrong(seen), f"a trap: no way out after {_MOST} stops, at {seen[-1]['text']}"]
    reached = {here["stop"] for here in seen}
    missed = [text for n, text in enumerate(stops) if str(n) not in reached]
    return [*_wrong(seen), *(f"never reached by Tab: {text}" for text in missed), *_way_back(page, seen)]


def _wrong(seen: list[dict[str, Any]]) -> list[str]:
    found = [f"focus shows nothing: {here['text']}" for here in seen if not here["outlined"]]
    found += [f"focused out of sight: {here['text']}" for here in seen if not here["shown"]]
    return found + [f"focused under something else: {here['text']}" for here in seen if here["covered"]]


def _way_back(page: Page, seen: list[dict[str, Any]]) -> list[str]:
    """Shift+Tab leads to the last stop again, another Tab out of the page."""
    page.keyboard.press("Shift+Tab")
    here = page.evaluate(_FOCUSED)
    if here is None:  # Chromium stands before the first stop: once more is the last one
        page.keyboard.press("Shift+Tab")
        here = page.evaluate(_FOCUSED)
    return [] if here and here["stop"] == seen[-1]["stop"] else [f"Shift+Tab does not lead back to {seen[-1]['text']}"]


def skips(page: Page) -> list[str]:
    """What is wrong with the first stop, which must lead past the menu."""
    tab_to(page, page.locator(".govuk-skip-link"))
    page.keyboard.press("Enter")
    on = page.evaluate("document.activeElement.id")
    return [] if on == "contenu" else [f"the skip link leads to {on or 'nothing'}"]


def tab_to(page: Page, wanted: Locator) -> None:
    """Tab until this, or for a radio button any of its group, has the focus. Raises AssertionError."""
    wanted.wait_for(state="attached")
    same = """e => e === document.activeElement || (e.type === 'radio' && document.activeElement.type === 'radio'
        && e.name === document.activeElement.name)"""
    for _ in range(_MOST):
        if wanted.evaluate(same):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is never reached by Tab")


def choose(page: Page, wanted: Locator) -> None:
    """Space on a box; arrows within a group of radio buttons."""
    tab_to(page, wanted)
    if not wanted.evaluate("e => e === document.activeElement"):
        for _ in range(_MOST):
            page.keyboard.press("ArrowDown")
            if wanted.evaluate("e => e === document.activeElement"):
                break
    if not wanted.is_checked():
        page.keyboard.press("Space")
    assert wanted.is_checked(), wanted


def pick(page: Page, wanted: Locator, line: str) -> None:
    """A line of a list, by arrows."""
    tab_to(page, wanted)
    shown = "e => e.options[e.selectedIndex].text"
    page.keyboard.press("Home")
    for _ in range(_MOST):
        if wanted.evaluate(shown) == line:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{line} is not among {wanted}")
