"""Writes what is generated: docs/settings.md, events.md, metrics.md, api/*.json, and what the gateway publishes of the
services' APIs. A guard test shows when one is old.

Settings and metrics are read from the calls that declare them, so none can be missing; events from the contracts.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from deploy import descriptions, source
from deploy.processes import ROOT

DOCS: Final = ROOT / "docs"
_WRITTEN: Final = "<!-- Written by `make docs`: change the code, not this page. -->\n\n"
_KINDS: Final = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram", "Summary": "summary"}


def settings() -> str:
    found: dict[str, tuple[str, str]] = {}
    readers: dict[str, set[str]] = defaultdict(set)
    for path in source.modules("services"):
        for call in source.calls(path, "read"):
            name, default, doc = ([source.text_of(a) for a in call.args[:3]] + [None] * 3)[:3]
            if name and name.startswith("PARVIS_") and default is not None and doc is not None:
                found[name] = (default, doc)
                readers[name].add(source.dotted(path))
    lines = [
        "# Settings\n\nAll come from the environment, are read once at start, and have a default. A value that cannot "
        "be used stops the process with a sentence that names it.\n",
        "| Variable | Default | Meaning | Read by |",
        "|-|-|-|-|",
    ]
    for name in sorted(found):
        default, doc = found[name]
        shown = f"`{default}`" if default else "(empty)"
        lines.append(f"| `{name}` | {shown} | {doc} | {', '.join(f'`{m}`' for m in sorted(readers[name]))} |")
    return _WRITTEN + "\n".join(lines) + "\n"


def metrics() -> str:
    rows = []
    for path in source.modules("services"):
        for call in source.calls(path, *_KINDS):
            name, help_text = ([source.text_of(a) for a in call.args[:2]] + [None] * 2)[:2]
            if name and help_text:
                kind = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
                labels = ", ".join(f"`{label}`" for label in _labels(call)) or "–"
                rows.append(f"| `{name}` | {_KINDS[kind]} | {labels} | {help_text} | `{source.dotted(path)}` |")
    lines = [
        "# Metrics\n\nServed by every HTTP door at `/metrics`, by workers and relays on `PARVIS_METRICS_PORT`. No "
        "label ever carries a person, a credential or an unbounded value.\n",
        "| Name | Kind | Labels | Meaning | Declared in |",
        "|-|-|-|-|-|",
        *sorted(rows),
    ]
    return _WRITTEN + "\n".join(lines) + "\n"


def _labels(call: ast.Call) -> list[str]:
    given = [k.value for k in call.keywords if k.arg == "labelnames"] or call.args[2:3]
    if not given or not isinstance(given[0], (ast.Tuple, ast.List)):
        return []
    return [text for element in given[0].elts if (text := source.text_of(element))]


def events() -> str:
    parts = [
        "# Events\n\nWhat services tell each other: `services/shared/contracts`. A message's headers are in "
        "`services/shared/eventlog`. Frozen examples: `tests/contracts/examples`.\n"
    ]
    for path in source.modules("services"):
        if path.parent.name != "contracts" or path.stem == "__init__":
            continue
        module = importlib.import_module(source.dotted(path))
        parts.append(f"## {path.stem}\n\n{inspect.getdoc(module) or ''}\n")
        topics = {n: v for n, v in vars(module).items() if n.endswith("TOPIC") and isinstance(v, str)}
        parts += [f"- `{name}` = `{value}`" for name, value in sorted(topics.items())]
        for kind in _events_of(module.__name__):
            fields = "".join(f"| `{f.name}` | `{f.type}` |\n" for f in dataclasses.fields(kind))
            doc = inspect.getdoc(kind) or ""
            shown = "" if doc.startswith(f"{kind.__name__}(") else f"{doc}\n\n"
            parts.append(f"\n### {kind.__name__}\n\n{shown}| Field | Type |\n|-|-|\n{fields}".rstrip())
        parts.append("")
    return _WRITTEN + "\n".join(parts).rstrip() + "\n"


def _events_of(name: str) -> list[type]:
    """The dataclasses that a module declares, in the order of its text."""
    module = sys.modules[name]
    found = [v for v in vars(module).values() if isinstance(v, type) and dataclasses.is_dataclass(v)]
    ours = [kind for kind in found if kind.__module__ == name and not kind.__name__.startswith("_")]
    return list(dict.fromkeys(ours))


PAGES: Final[dict[str, Callable[[], str]]] = {
    "settings.md": settings,
    "events.md": events,
    "metrics.md": metrics,
    **{f"api/{name}.json": partial(descriptions.written, name) for name in descriptions.SERVICES},
    descriptions.PUBLISHED: descriptions.published,
}


def main() -> int:
    for name, page in PAGES.items():
        path: Path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(), encoding="utf-8")
        print(path.resolve().relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
