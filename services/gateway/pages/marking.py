"""Reading one question of the ballot's form, by the shape of its answer; every fault names its field and what to do.

A field is `reponse-<question>` or `reponse-<question>.<option>`; in a questionnaire `reponse-<question>.<item>`, and
`reponse-<question>.<item>.<option>` for boxes. Ids hold no dot, so no two fields meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.gateway.clients.ballot import Question
from services.gateway.pages import fault_words
from services.gateway.pages.language import mark, said
from services.gateway.voting import Answer

PREFIX: Final = "reponse-"
BLANK: Final = "blanc"
CHOICE: Final = "choix:"
TICKED: Final = "1"
Form = Mapping[str, str]
Json = dict[str, Any]


class Fault(NamedTuple):
    """What is wrong with the field of that id, and what to do."""

    field: str
    text: str


class Wrong(Exception):
    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults)
        self.faults = faults


def name(question: str, *parts: str) -> str:
    return ".".join((PREFIX + question, *parts))


def answer(question: Question, form: Form) -> Answer:
    """The question's answer. Raises Wrong."""
    return _SHAPES[shape(question)](question, form)


def shape(question: Question) -> str:
    """How the question is marked: the name of its part of the page, too."""
    if question.method.startswith("budget_"):
        return "boxes" if question.settings["ballot"]["kind"] == "approval" else "points"
    return _SHAPE_OF.get(question.method, "radios")


def equals_allowed(question: Question) -> bool:
    return question.method in ("borda", "schulze", "ranked_pairs")


def _radios(question: Question, form: Form) -> Answer:
    value = form.get(name(question.id), "")
    options = {CHOICE + option.id: option.id for option in question.options}
    if value in options:
        return {"choice": options[value]}
    if value == BLANK and question.blank:
        return {"blank": True}
    raise Wrong(Fault(name(question.id), _or_blank(question, said("Choisissez une réponse"))))


def _boxes(question: Question, form: Form) -> Answer:
    chosen = [option.id for option in question.options if form.get(name(question.id, option.id)) == TICKED]
    if _blank(question, form, bool(chosen)):
        return {"blank": True}
    least, most = _limits(question)
    first = name(question.id, question.options[0].id)
    if len(chosen) > most:
        raise Wrong(Fault(first, fault_words.too_many_boxes(len(chosen), most)))
    if len(chosen) < least:
        raise Wrong(Fault(first, _or_blank(question, fault_words.too_few_boxes(least))))
    return {"choices": chosen}


def _limits(question: Question) -> tuple[int, int]:
    """How few and how many boxes. An approval of nothing is a blank vote where that is offered."""
    says = question.settings.get("ballot", question.settings)
    if question.method == "approval":
        return int(question.blank), len(question.options)
    return says.get("least", 1), says.get("most", len(question.options))


def _scores(question: Question, form: Form) -> Answer:
    says = question.settings
    return _numbers(
        question, form, "scores", says["least"], says["most"], mark("une note"), mark("Donnez au moins une note")
    )


def _points(question: Question, form: Form) -> Answer:
    says = question.settings.get("ballot", question.settings)
    given = _numbers(
        question, form, "points", 0, says["most"], mark("un nombre de points"), mark("Donnez au moins un point")
    )
    if given.get("blank"):
        return given
    points = {option: value for option, value in given["points"].items() if value}
    first = name(question.id, question.options[0].id)
    if not points:
        raise Wrong(Fault(first, _or_blank(question, said("Donnez au moins un point"))))
    total = sum(points.values())
    if total > says["points"]:
        raise Wrong(Fault(first, fault_words.too_many_points(total, says["points"])))
    return {"points": points}


def _numbers(question: Question, form: Form, kind: str, least: int, most: int, what: str, none: str) -> Answer:
    given: dict[str, int] = {}
    faults = []
    for option in question.options:
        field = name(question.id, option.id)
        text = form.get(field, "").strip()
        value = _integer(text)
        if text and (value is None or not least <= value <= most):
            faults.append(Fault(field, fault_words.number(option.label, what, least, most, text)))
        elif value is not None:
            given[option.id] = value
    if _blank(question, form, bool(given or faults)):
        return {"blank": True}
    if faults:
        raise Wrong(*faults)
    if not given:
        raise Wrong(Fault(name(question.id, question.options[0].id), _or_blank(question, said(none))))
    return {kind: given}


def _grades(question: Question, form: Form) -> Answer:
    known = {CHOICE + grade["id"]: grade["id"] for grade in question.settings["grades"]}
    posted = {option.id: form.get(name(question.id, option.id), "") for option in question.options}
    given = {option: known[value] for option, value in posted.items() if value in known}
    if _blank(question, form, bool(given)):
        return {"blank": True}
    if not given:
        first = name(question.id, question.options[0].id)
        raise Wrong(Fault(first, _or_blank(question, said("Donnez au moins une mention"))))
    return {"grades": given}


def _ranks(question: Question, form: Form) -> Answer:
    most = len(question.options)
    ranks: dict[str, int] = {}
    faults = []
    for option in question.options:
        field = name(question.id, option.id)
        text = form.get(field, "").strip()
        value = _integer(text)
        if text and (value is None or not 1 <= value <= most):
            faults.append(Fault(field, fault_words.rank(option.label, most, text)))
        elif value is not None:
            ranks[option.id] = value
    if _blank(question, form, bool(ranks or faults)):
        return {"blank": True}
    groups = [[o.id for o in question.options if ranks.get(o.id) == rank] for rank in sorted(set(ranks.values()))]
    if not equals_allowed(question):
        faults += _shared_ranks(question, groups, ranks)
    if faults:
        raise Wrong(*faults)
    if not groups:
        first = name(question.id, question.options[0].id)
        raise Wrong(Fault(first, _or_blank(question, said("Classez au moins une réponse"))))
    return {"ranking": groups}


def _shared_ranks(question: Question, groups: Sequence[Sequence[str]], ranks: Mapping[str, int]) -> list[Fault]:
    labels = {option.id: option.label for option in question.options}
    return [
        Fault(name(question.id, group[1]), fault_words.same_rank(ranks[group[0]], [labels[option] for option in group]))
        for group in groups
        if len(group) > 1
    ]


def _survey(question: Question, form: Form) -> Answer:
    """Items that the answers before do not lead to are left out, whatever was marked there."""
    given: Json = {}
    faults: list[Fault] = []
    for item in question.settings["items"]:
        if not asked(item, given):
            continue
        field = name(question.id, item["id"])
        try:
            value = _ITEMS[item["kind"]](question, item, form)
        except Wrong as wrong:
            faults += wrong.faults
            continue
        if value is not None:
            given[item["id"]] = value
        elif item["required"]:
            at = name(question.id, item["id"], item["options"][0]["id"]) if item["kind"] == "multiple" else field
            faults.append(Fault(at, fault_words.unanswered(item["text"])))
    if _blank(question, form, bool(given)):
        return {"blank": True}
    if faults:
        raise Wrong(*faults)
    return {"items": given}


def asked(item: Json, given: Mapping[str, Any]) -> bool:
    """Whether the answers before lead to this item: the rule of the ballot service."""
    condition = item["shown_if"]
    if condition is None:
        return True
    before = given.get(condition["item"])
    return any(value in (before if isinstance(before, list) else [before]) for value in condition["values"])


def _item_choice(question: Question, item: Json, form: Form) -> str | None:
    value = form.get(name(question.id, item["id"]), "").removeprefix(CHOICE)
    return value if value in (option["id"] for option in item["options"]) else None


def _item_multiple(question: Question, item: Json, form: Form) -> list[str] | None:
    fields = {option["id"]: name(question.id, item["id"], option["id"]) for option in item["options"]}
    chosen = [option for option, field in fields.items() if form.get(field) == TICKED]
    if chosen and not item["least"] <= len(chosen) <= item["most"]:
        text = fault_words.item_boxes(item["text"], item["least"], item["most"])
        raise Wrong(Fault(next(iter(fields.values())), text))
    return chosen or None


def _item_number(question: Question, item: Json, form: Form) -> int | None:
    field = name(question.id, item["id"])
    text = form.get(field, "").strip()
    value = _integer(text)
    if text and (value is None or not item["least"] <= value <= item["most"]):
        raise Wrong(Fault(field, fault_words.item_number(item["text"], item["least"], item["most"], text)))
    return value


def _blank(question: Question, form: Form, marked: bool) -> bool:
    """Whether the blank vote is chosen. Raises Wrong when something else is marked too."""
    field = name(question.id)
    if not question.blank or form.get(field) != BLANK:
        return False
    if marked:
        text = said("Vous avez coché « Vote blanc » et répondu aussi : gardez l’un ou l’autre.")
        raise Wrong(Fault(field, text))
    return True


def _or_blank(question: Question, text: str) -> str:
    return said("%(todo)s, ou votez blanc.", todo=text) if question.blank else f"{text}."


def _integer(text: str) -> int | None:
    digits = text.strip().removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) <= 12 else None


_SHAPE_OF: Final = {
    "multiple_choice": "boxes",
    "approval": "boxes",
    "supports": "boxes",
    "score": "scores",
    "cumulative": "points",
    "majority_judgment": "grades",
    **dict.fromkeys(("borda", "schulze", "ranked_pairs", "irv", "stv_scottish", "stv_wigm"), "ranks"),
    "survey": "survey",
}
_SHAPES: Final[Mapping[str, Callable[[Question, Form], Answer]]] = {
    "radios": _radios,
    "boxes": _boxes,
    "scores": _scores,
    "points": _points,
    "grades": _grades,
    "ranks": _ranks,
    "survey": _survey,
}
_ITEMS: Final[Mapping[str, Callable[[Question, Json, Form], Any]]] = {
    "choice": _item_choice,
    "multiple": _item_multiple,
    "scale": _item_number,
    "number": _item_number,
}
