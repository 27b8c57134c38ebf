"""Strings that would run a script, or put an element into a page, if a page printed them as they are.

Each is a way out of a place in HTML, and something to do there: `CORPUS` is every pair of them, with some that a page
which decodes twice, or reads a template twice, would fall for. `window.__xss` counts what ran.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple
from urllib.parse import quote


class Place(NamedTuple):
    """A place in a page: how a string leaves it, and a careless page that prints it there."""

    leave: str
    page: str


PLACES: Final = {
    "text": Place("", "<p>{}</p>"),
    "double quotes": Place('">', '<input value="{}">'),
    "single quotes": Place("'>", "<input value='{}'>"),
    "no quotes": Place("x>", "<input value={}>"),
    "textarea": Place("</textarea>", "<textarea>{}</textarea>"),
    "title": Place("</title>", "<title>{}</title>"),
    "option": Place("</option></select>", "<select><option>{}</option></select>"),
    "comment": Place("-->", "<!-- {} -->"),
    "script": Place("</script>", '<script>var a = "{}"</script>'),
    "style": Place("</style>", "<style>a { color: {} }</style>"),
    "picture": Place("</title></svg>", "<svg><title>{}</title></svg>"),
}
_RUN: Final = "top.__xss=1+(top.__xss|0)"
ELEMENTS: Final = (
    "<xss-probe data-xss>",
    f"<script data-xss>{_RUN}</script>",
    f"<ScRiPt data-xss>{_RUN}</sCrIpT>",
    f"<script data-xss>alert(1);{_RUN}</script>",
    f"<img data-xss src=x onerror={_RUN}>",
    f"<IMG data-xss SRC=x oNeRrOr={_RUN}>",
    f"<img\ndata-xss\nsrc=x\nonerror={_RUN}>",
    f"<img/data-xss/src=x/onerror={_RUN}>",
    f"<svg data-xss onload={_RUN}>",
    f"<svg/data-xss/onload={_RUN}>",
    f"<svg><script data-xss>{_RUN}</script></svg>",
    f"<svg><animate data-xss onbegin={_RUN} attributeName=x dur=1s>",
    f"<iframe data-xss onload={_RUN}></iframe>",
    f"<iframe data-xss srcdoc='<script>{_RUN}</script>'></iframe>",
    f"<iframe data-xss src=javascript:{_RUN}></iframe>",
    f"<details data-xss open ontoggle={_RUN}>x</details>",
    f"<input data-xss autofocus onfocus={_RUN}>",
    f"<video data-xss><source onerror={_RUN}></video>",
    f"<audio data-xss src=x onerror={_RUN}></audio>",
    f"<object data-xss data=javascript:{_RUN}></object>",
    f"<a data-xss href=javascript:{_RUN}>x</a>",
    f"<form data-xss action=javascript:{_RUN}><button>x</button></form>",
    f"<button data-xss formaction=javascript:{_RUN}>x</button>",
    f"<math><a data-xss xlink:href=javascript:{_RUN}>x</a></math>",
    "<link data-xss rel=stylesheet href=data:text/css,*{display:none}>",
    "<style data-xss>*{color:red}</style>",
    f"<b data-xss style=animation-name:x onanimationstart={_RUN} onclick={_RUN}>x</b>",
)
_WITHIN: Final = (
    f'" data-xss onfocus="{_RUN}" autofocus x="',
    f"' data-xss onfocus='{_RUN}' autofocus x='",
    f"x data-xss onfocus={_RUN} autofocus ",
    '" data-xss style="position:fixed;inset:0',
)
_ADDRESSES: Final = (
    f"javascript:{_RUN}",
    f"JaVaScRiPt:{_RUN}",
    f"\x01javascript:{_RUN}",
    f"java\tscript:{_RUN}",
    f"data:text/html,<script data-xss>{_RUN}</script>",
    "//xss.invalid/",
    "/\\xss.invalid/",
)
_TWICE: Final = tuple(
    change(element)
    for element in ELEMENTS[:5]
    for change in (
        escape,
        quote,
        lambda t: escape(escape(t)),
        lambda t: "".join(f"&#{ord(c)};" for c in t),
        lambda t: t.replace("<", "\\u003c"),
        lambda t: t.replace("<", "\uff1c").replace(">", "\uff1e"),
        lambda t: t.replace("<", "+ADw-").replace(">", "+AD4-"),
    )
)
_TEMPLATES: Final = tuple(
    t.replace("?", "89431*7717") for t in ("{{ ? }}", "{{ [?] }}", "{% if 1 %}{{ ? }}{% endif %}", "${?}")
)
IN_PLACES: Final = [(name, place.leave + element) for name, place in PLACES.items() for element in ELEMENTS]
CORPUS: Final = (*_WITHIN, *_ADDRESSES, *_TWICE, *_TEMPLATES, *(text for _, text in IN_PLACES))

LOOK: Final = r"""(document) => {
  const found = [...document.querySelectorAll('[data-xss], xss-probe')].map(e => 'element ' + e.outerHTML.slice(0, 90));
  for (const e of document.querySelectorAll('*')) for (const a of e.attributes) {
    if (/^on/i.test(a.name)) found.push('handler ' + e.outerHTML.slice(0, 90));
    const leads = /^(href|src|action|formaction|data|xlink:href|srcdoc)$/i.test(a.name);
    if (leads && /^(javascript|data:text|vbscript|\/[\/\\]xss)/i.test(a.value.replace(/[\x00-\x20]/g, '')))
      found.push('address ' + e.outerHTML.slice(0, 90));
  }
  const text = document.documentElement.textContent;
  if (text.includes('690139027')) found.push('template ' + text.match(/.{0,30}690139027/)[0]);
  return found;
}"""
"""In a browser: what the corpus would have put into the document, one line each."""


def packs(longest: int, strings: Sequence[str] = CORPUS) -> list[str]:
    """The strings, as many together as the length allows; what is longer stands alone."""
    made: list[str] = []
    for text in strings:
        if made and len(made[-1]) + 1 + len(text) <= longest:
            made[-1] += " " + text
        else:
            made.append(text)
    return made


def careless(place: str, text: str) -> str:
    """A page that prints the text as it is."""
    return f"<!DOCTYPE html><html><body>{re.sub('{}', lambda _: text, PLACES[place].page)}</body></html>"
