"""A region's look: its name, its logo and its colours, from one file of the operator's.

Colours are those of assets/scss/_theme.scss, by name. What would be hard to read is refused at the start: text on its
ground needs 4.5 to 1, the edge of a field 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11), in the light look and in the dark one.
Print keeps its own colours.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import msgspec

from services.gateway.pages import operator_file

SETTING: Final = "PARVIS_THEME"
NAME: Final = "Parvis"
_TEXT, _EDGE = 4.5, 3.0
_LOGO_BYTES: Final = 12 * 1024  # of the 50 KB that a first visit may weigh
_LOGOS: Final = (".svg", ".png")
_LIGHT: Final = re.compile(r":root\{(--ground[^}]*)\}")
_DARK: Final = re.compile(r"prefers-color-scheme: ?dark\)\{:root\{(--ground[^}]*)\}\}")
_COLOUR: Final = re.compile(r"--([a-z-]+): ?(#[0-9a-f]{6})(?=;|$)")
_GROUNDS: Final = ("ground", "sheet")
PAIRS: Final[tuple[tuple[str, tuple[str, ...], float], ...]] = (
    ("ink", ("ground", "sheet", "sunk", "care-soft"), _TEXT),
    ("ink-soft", _GROUNDS, _TEXT),
    ("act", _GROUNDS, _TEXT),
    ("act-hover", _GROUNDS, _TEXT),
    ("act-text", ("act", "act-hover"), _TEXT),
    ("act-ink", ("act-soft",), _TEXT),
    ("care", _GROUNDS, _TEXT),
    ("care-text", ("care",), _TEXT),
    ("gold-ink", ("gold-soft",), _TEXT),
    ("visited", _GROUNDS, _TEXT),
    ("square-text", ("square",), _TEXT),
    ("square-soft", ("square",), _TEXT),
    ("focus-ink", ("focus",), _TEXT),
    ("line-strong", _GROUNDS, _EDGE),
)
Colour = Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$")]
Palette = Mapping[str, str]


class Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`logo`: a file beside this one. `light`, `dark`: {name of a colour: #rrggbb}; those left out stay as they are."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^\S[^\x00-\x1f\x7f]*$")] = NAME
    logo: str = ""
    light: dict[str, Colour] = {}
    dark: dict[str, Colour] = {}


@dataclass(frozen=True, slots=True)
class Look:
    """What pages need to know of it. `files`: those to be served, by name; `assets`: how a page finds them."""

    name: str
    bars: tuple[str, str]  # of the browser around the page, light and dark
    files: Mapping[str, bytes] = field(default_factory=dict)
    assets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def logo(self) -> str | None:
        return next((name for name in self.assets if name.startswith("logo.")), None)

    def write(self, folder: Path) -> None:
        """The files, each with a compressed twin where that helps."""
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
            if not name.endswith(".png"):
                (folder / f"{name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))


def palettes(css: str) -> tuple[Palette, Palette]:
    """The colours of a built style sheet, light and dark, by name."""
    light, dark = _LIGHT.search(css), _DARK.search(css)
    if light is None or dark is None:
        raise LookupError("the style sheet holds no colours in :root, light and dark")
    found = dict(_COLOUR.findall(light[1]))
    return found, found | dict(_COLOUR.findall(dark[1]))


def load(path: Path | None, css: str) -> Look:
    """The look in this file over that of the built style sheet. Raises SettingRefused, naming the field."""
    light, dark = palettes(css)
    if path is None:
        return Look(NAME, (light["sheet"], dark["sheet"]))
    theme = operator_file.load(SETTING, path, Theme)
    for part, own, usual in (("light", theme.light, light), ("dark", theme.dark, dark)):
        for name, reason in _unreadable(own, usual):
            raise operator_file.refused(SETTING, path, f"{part}.{name}", reason)
    files: dict[str, bytes] = {}
    assets: dict[str, dict[str, str]] = {}
    for name, data in _made(path, theme, css):
        at = f"{Path(name).stem}-{hashlib.sha256(data).hexdigest()[:12]}{Path(name).suffix}"
        integrity = base64.b64encode(hashlib.sha384(data).digest()).decode()
        files[at], assets[name] = data, {"file": at, "integrity": f"sha384-{integrity}"}
    return Look(theme.name, ({**light, **theme.light}["sheet"], {**dark, **theme.dark}["sheet"]), files, assets)


def _made(path: Path, theme: Theme, css: str) -> Iterator[tuple[str, bytes]]:
    """The colours stand in the one style sheet of every page: a sheet of their own would cost a request."""
    if theme.light or theme.dark:
        yield "parvis.css", f"{css}{_sheet(theme)}".encode()
    if theme.logo:
        yield f"logo{Path(theme.logo).suffix}", _logo(path, theme.logo)


def _logo(path: Path, name: str) -> bytes:
    if Path(name).name != name or Path(name).suffix not in _LOGOS:
        raise operator_file.refused(SETTING, path, "logo", f"a file beside this one, {' or '.join(_LOGOS)}")
    try:
        data = (path.parent / name).read_bytes()
    except OSError as e:
        raise operator_file.refused(SETTING, path, "logo", f"{name} cannot be read: {e.strerror}") from None
    if len(data) > _LOGO_BYTES:
        reason = f"{name} has {len(data)} bytes, where {_LOGO_BYTES} are the most: a page must stay light"
        raise operator_file.refused(SETTING, path, "logo", reason)
    return data


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _unreadable(own: Palette, usual: Palette) -> Iterator[tuple[str, str]]:
    """(colour, why) for those of `own` that are unknown, or too near to what they stand on or under."""
    for name in own:
        if name not in usual:
            yield name, f"there is no such colour; there are {', '.join(sorted(usual))}"
    now = {**usual, **own}
    for text, grounds, least in PAIRS:
        for ground in grounds:
            found = contrast(now[text], now[ground])
            if found < least and (text in own or ground in own):
                name, other = (text, ground) if text in own else (ground, text)
                yield name, f"with {other} ({now[other]}) its contrast is {found:.1f} to 1, where {least:g} is needed"


def _sheet(theme: Theme) -> str:
    """On screens alone."""

    def said(colours: Palette) -> str:
        return ":root{" + ";".join(f"--{name}:{value.lower()}" for name, value in sorted(colours.items())) + "}"

    dark = f"@media screen and (prefers-color-scheme:dark){{{said(theme.dark)}}}" if theme.dark else ""
    return f"@media screen{{{said(theme.light)}}}{dark}" if theme.light else dark
