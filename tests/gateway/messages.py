"""Every text that can be translated, found where it stands: templates by their calls, tables by their names."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType
from typing import Final

from services.gateway.pages import (
    codes,
    declaration,
    errors,
    external_words,
    fault_words,
    language,
    marked,
    marking,
    method_words,
    people,
    polls,
    receipt,
    words,
)
from services.gateway.pages.citizen import standing
from services.gateway.pages.kit import fields, form
from services.gateway.pages.results import (
    bars,
    budget,
    duels,
    flow,
    grades,
    model,
    numbers,
    outcome,
    rounds,
    survey,
    views,
)

TEMPLATES: Final = Path(language.__file__).resolve().parent.parent / "templates"
FRAME: Final = ("base.html", "kit/macros.html")
PARTS: Final = {
    "pages/code_step.html": ("kit/fields.html",),
    "pages/choose.html": ("kit/ballot.html",),
    "pages/results.html": ("kit/results.html",),
    "pages/rounds.html": ("kit/results.html",),
    "pages/turnout.html": ("kit/results.html", "kit/turnout.html"),
}
"""What a page is made of, beside the frame."""
_RESULTS: Final = (bars, budget, duels, flow, grades, model, numbers, outcome, rounds, survey, views)
MODULES: Final = {
    **dict.fromkeys(("pages/results.html", "pages/rounds.html", "pages/turnout.html"), _RESULTS),
    "pages/sign_in.html": (people,),
    "pages/code_step.html": (codes, words, fields, form),
    "pages/poll.html": (method_words, words),
    "pages/choose.html": (marking, fault_words, method_words),
    "pages/check.html": (marked,),
    "pages/receipt.html": (receipt,),
    "pages/tracker.html": (polls,),
    "pages/external_failure.html": (external_words,),
    "pages/why.html": (standing,),
}
"""Where the texts come from that a page is given."""
_CALL: Final = re.compile(r"\b(?:said|frame)\('((?:[^'\\]|\\.)+)'")
_PLURAL: Final = re.compile(r"\bplural\('([^']+)', '([^']+)'")
_CODE: Final = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<svg.*?</svg>|<[^>]*>", re.DOTALL)
_SAID: Final = re.compile(r"""\b(?:aria-label|alt|title|placeholder)="([^"{]*[a-zà-ÿ]{2}[^"{]*)\"""")


def of_template(name: str) -> set[str]:
    """Its texts, the first form of those that have two."""
    text = (TEMPLATES / name).read_text("utf-8")
    return set(_CALL.findall(text)) | {one for one, _ in _PLURAL.findall(text)}


def of_tables() -> dict[str, set[str]]:
    """By the template that shows them."""
    failures = {*errors._BY_CODE.values(), *errors._BY_STATUS.values(), errors._UNEXPECTED}
    problems = [*words.PROBLEMS.values(), words._GENERIC]
    methods = [*method_words.METHODS.values(), method_words._UNKNOWN]
    counted = {text for m in bars.MEASURES.values() for text in (m.unit, m.second, m.how) if text}
    counted |= {*budget.HOW.values(), *budget._COMPLETION.values(), *duels.HOW.values(), *rounds.HOW.values()}
    counted |= {grades.HOW, grades._MIDDLE, rounds._EXHAUSTED, survey.HOW, views._TOGETHER}
    return {
        "base.html": set(declaration.LABELS.values()),
        "pages/home.html": {title for _, title, _ in polls._GROUPS},
        "pages/poll.html": {text for known in methods for text in known},
        "pages/choose.html": {text for problem in problems for text in problem},
        "pages/results.html": counted,
        "pages/turnout.html": {state.sentence for state in (*words.STATES.values(), words._UNKNOWN)},
        "pages/results_none.html": {state.sentence for state in (*words.STATES.values(), words._UNKNOWN)},
        "pages/failure.html": {text for failure in failures for text in failure},
    }


def of_module(module: ModuleType) -> set[str]:
    """What it marks, or says itself; the first form of what has two."""
    calls = [node for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text("utf-8"))) if _says(node)]
    texts = [call.args[0] for call in calls if isinstance(call, ast.Call) and call.args]
    return {str(text.value) for text in texts if isinstance(text, ast.Constant)}


def _says(node: ast.AST) -> bool:
    named = getattr(node, "func", None)
    return getattr(named, "attr", getattr(named, "id", "")) in ("mark", "said", "plural")


def wanted(name: str) -> set[str]:
    """With what its parts and the modules behind it say."""
    parts = [wanted(part) for part in PARTS.get(name, ())]
    modules = [of_module(module) for module in MODULES.get(name, ())]
    states = {state.label for state in (*words.STATES.values(), words._UNKNOWN)} if _shows_states(name) else set()
    return of_template(name).union(of_tables().get(name, ()), states, *parts, *modules)


def _shows_states(name: str) -> bool:
    return bool(re.search(r"\btag\(", (TEMPLATES / name).read_text("utf-8")))


def unmarked(name: str) -> list[str]:
    """Words that stand in the template itself, where no catalogue reaches them."""
    text = (TEMPLATES / name).read_text("utf-8")
    bare = [part.strip() for part in _CODE.sub("\n", text).splitlines()]
    return [part for part in [*bare, *_SAID.findall(text)] if re.search(r"[A-Za-zÀ-ÿ]{2}", part) and part not in OURS]


OURS: Final = {"Parvis", "– Parvis", "&shy;", "(JSON)", "(CSV)", "is-wrong"}
