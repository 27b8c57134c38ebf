"""Questionnaire: several items in one answer, some asked only after a certain answer to an earlier one.

The voter answers each item that is asked of them: one choice, several, a place on a scale, a number. Items that need
not be answered may be left out. Nothing is elected: the result is how many gave each answer, item by item, among those
who were asked. Free text has no place in a ballot. Source: ISO 20252 (market and opinion research), closed questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.ballot.methods import marks
from services.ballot.methods.method import Json, Method, Profile, Question, WrongAnswer, WrongQuestion, is_blank
from services.ballot.protocol.fields import Fields

MAX_ITEMS: Final = 60
_COMMON: Final = ("id", "text", "kind", "required", "shown_if")
_OWN: Final = {
    "choice": ("options",),
    "multiple": ("options", "least", "most"),
    "scale": ("least", "most", "least_label", "most_label"),
    "number": ("least", "most"),
}


class Survey(Method):
    name = "survey"
    is_sum = True
    tie_breaks = ("none",)
    settings = ("items",)
    least_options = 0

    def check_question(self, question: Question) -> None:
        if question.options:
            raise WrongQuestion("must be empty: a questionnaire's options stand in its items", field="options")
        super().check_question(question)

    def check_settings(self, question: Question, settings: Fields) -> None:
        """`items`: 1 to 60 of {id, text, kind, required, shown_if} and what the kind needs. `shown_if` is null, or
        {item, values}: an earlier item of kind choice or multiple, and option ids of which at least one was chosen."""
        items = settings.raw("items")
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
            raise WrongQuestion(f"must be a list of 1 to {MAX_ITEMS} items", field="settings.items")
        earlier: dict[str, Json] = {}
        for place, item in enumerate(items):
            _check_item(item, f"settings.items[{place}]", earlier)
            earlier[item["id"]] = item

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"items": {item id: option id | [option ids] | integer}}: exactly the items asked, but for those that need
        no answer."""
        given = marks.only(answer, "items")
        if not isinstance(given, Mapping):
            raise WrongAnswer("must be an object", field="items")
        items = question.settings["items"]
        known = {item["id"] for item in items}
        for name in given:
            if name not in known:
                raise WrongAnswer("is not an item of the questionnaire", field=f"items.{name[:80]}")
        for item in items:
            field = f"items.{item['id']}"
            if item["id"] not in given:
                if item["required"] and is_asked(item, given):
                    raise WrongAnswer("needs an answer", field=field)
            elif not is_asked(item, given):
                raise WrongAnswer("is not asked after the answers before", field=field)
            else:
                _CHECKS[item["kind"]](item, given[item["id"]], field)

    def sums(self, question: Question, profile: Profile) -> Json:
        """{"items": {id: {"asked", "answered", "values": {value: how many}}}, "blank", "expressed"}"""
        items = question.settings["items"]
        counts: Json = {item["id"]: {"asked": 0, "answered": 0, "values": _places(item)} for item in items}
        blank = expressed = 0
        for answer, times in profile:
            if is_blank(answer):
                blank += times
                continue
            expressed += times
            given = answer["items"]
            for item in items:
                _count(counts[item["id"]], item, given, times)
        return {"items": counts, "blank": blank, "expressed": expressed}

    def add(self, one: Json, other: Json) -> Json:
        items = {name: _added(counts, other["items"][name]) for name, counts in one["items"].items()}
        return {"items": items, **{name: one[name] + other[name] for name in ("blank", "expressed")}}

    def count(self, question: Question, profile: Profile) -> Json:
        found = self.sums(question, profile)
        return {"winners": [], **found, "steps": [{"step": "counted", **found}]}


def is_asked(item: Json, given: Mapping[str, Any]) -> bool:
    """Whether the answers before lead to this item."""
    condition = item["shown_if"]
    if condition is None:
        return True
    before = given.get(condition["item"])
    chosen = before if isinstance(before, list) else [before]
    return any(value in chosen for value in condition["values"])


def _check_item(item: Any, path: str, earlier: Mapping[str, Json]) -> None:
    kind = item.get("kind") if isinstance(item, dict) else None
    if not isinstance(kind, str) or kind not in _OWN:
        raise WrongQuestion(f"must be one of {', '.join(_OWN)}", field=f"{path}.kind")
    fields = Fields(item, (*_COMMON, *_OWN[kind]), path=path, refusal=WrongQuestion)
    if fields.slug("id") in earlier:
        raise fields.refuse("id", "stands twice")
    fields.text("text", longest=1000)
    fields.boolean("required")
    if "options" in _OWN[kind]:
        _check_options(fields, item)
    if kind == "multiple":
        fields.integer("least", least=1, most=fields.integer("most", least=1, most=len(item["options"])))
    elif kind in ("scale", "number"):
        _check_bounds(fields, kind)
    _check_condition(fields, earlier)


def _check_options(fields: Fields, item: Json) -> None:
    seen: set[str] = set()
    for option in fields.inner_items("options", ("id", "label"), least=2, most=60):
        option.text("label", longest=300)
        if option.slug("id") in seen:
            raise option.refuse("id", "stands twice")
        seen.add(option.slug("id"))


def _check_bounds(fields: Fields, kind: str) -> None:
    widest = 11 if kind == "scale" else 10**9
    least = fields.integer("least", least=-(10**9), most=10**9)
    most = fields.integer("most", least=-(10**9), most=10**9)
    if not least < most or (kind == "scale" and most - least >= widest):
        raise fields.refuse("most", "must be greater than least" + (", by 10 at most" if kind == "scale" else ""))
    if kind == "scale":
        fields.text("least_label", shortest=0, longest=100)
        fields.text("most_label", shortest=0, longest=100)


def _check_condition(fields: Fields, earlier: Mapping[str, Json]) -> None:
    if fields.raw("shown_if") is None:
        return
    inner = fields.inner("shown_if", ("item", "values"))
    before = earlier.get(inner.slug("item"))
    if before is None or "options" not in before:
        raise inner.refuse("item", "must be an earlier item with options")
    known = [option["id"] for option in before["options"]]
    values = inner.items("values", most=len(known))
    if any(value not in known for value in values):
        raise inner.refuse("values", "must be options of that item")


def _check_choice(item: Json, value: Any, field: str) -> None:
    if not isinstance(value, str) or value not in (option["id"] for option in item["options"]):
        raise WrongAnswer("is not an option of the item", field=field)


def _check_multiple(item: Json, value: Any, field: str) -> None:
    known = [option["id"] for option in item["options"]]
    if not isinstance(value, list) or not item["least"] <= len(value) <= item["most"]:
        raise WrongAnswer(f"must hold {item['least']} to {item['most']} options", field=field)
    if any(one not in known for one in value) or value != [one for one in known if one in value]:
        raise WrongAnswer("must name options of the item in its order, each once", field=field)


def _check_number(item: Json, value: Any, field: str) -> None:
    if type(value) is not int or not item["least"] <= value <= item["most"]:
        raise WrongAnswer(f"must be an integer from {item['least']} to {item['most']}", field=field)


_CHECKS: Final = {
    "choice": _check_choice,
    "multiple": _check_multiple,
    "scale": _check_number,
    "number": _check_number,
}


def _places(item: Json) -> dict[str, int]:
    """Every value that can be told from the start; numbers appear as they are given."""
    if "options" in item:
        return {option["id"]: 0 for option in item["options"]}
    if item["kind"] == "scale":
        return {str(value): 0 for value in range(item["least"], item["most"] + 1)}
    return {}


def _count(counts: Json, item: Json, given: Mapping[str, Any], times: int) -> None:
    if not is_asked(item, given):
        return
    counts["asked"] += times
    if item["id"] not in given:
        return
    counts["answered"] += times
    value = given[item["id"]]
    for one in value if isinstance(value, list) else [value]:
        counts["values"][str(one)] = counts["values"].get(str(one), 0) + times


def _added(one: Json, other: Json) -> Json:
    values = dict(one["values"])
    for value, times in other["values"].items():
        values[value] = values.get(value, 0) + times
    return {"asked": one["asked"] + other["asked"], "answered": one["answered"] + other["answered"], "values": values}
