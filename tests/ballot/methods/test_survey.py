"""Questionnaires: items asked or not by what was answered before, counted among those who were asked."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.ballot.methods.asking import Json, ask, count, draft, refused_answer, refused_question

MODES = [{"id": mode, "label": mode.title()} for mode in ("velo", "bus", "pied")]


def item(name: str, kind: str, *, required: bool = True, shown_if: Json | None = None, **own: Any) -> Json:
    return {"id": name, "text": "Dites-nous", "kind": kind, "required": required, "shown_if": shown_if, **own}


ITEMS = [
    item("mode", "choice", options=MODES),
    item("lignes", "multiple", options=MODES, least=1, most=2, shown_if={"item": "mode", "values": ["bus", "pied"]}),
    item("note", "scale", least=-1, most=1, least_label="non", most_label="oui", required=False),
    item("km", "number", least=0, most=500, required=False, shown_if={"item": "lignes", "values": ["velo"]}),
]
QUESTION = ask("survey", (), "none", items=ITEMS)


def given(**items: Any) -> Json:
    return {"items": items}


def test_who_was_asked_and_what_they_answered() -> None:
    profile = [
        (given(mode="velo", note=1), 4),
        (given(mode="bus", lignes=["velo", "bus"], km=12, note=1), 2),
        (given(mode="pied", lignes=["velo"]), 1),
        ({"blank": True}, 6),
    ]
    result = count(QUESTION, profile)
    assert result["items"] == {
        "mode": {"asked": 7, "answered": 7, "values": {"velo": 4, "bus": 2, "pied": 1}},
        "lignes": {"asked": 3, "answered": 3, "values": {"velo": 3, "bus": 2, "pied": 0}},
        "note": {"asked": 7, "answered": 6, "values": {"-1": 0, "0": 0, "1": 6}},
        "km": {"asked": 3, "answered": 2, "values": {"12": 2}},
    }
    assert (result["winners"], result["blank"], result["expressed"]) == ([], 6, 7)


@pytest.mark.parametrize(
    "answer, field",
    [(given(), "items.mode"), (given(mode="train"), "items.mode"), (given(mode=["velo"]), "items.mode"),
     (given(mode="bus"), "items.lignes"), (given(mode="velo", lignes=["bus"]), "items.lignes"),
     (given(mode="bus", lignes=[]), "items.lignes"), (given(mode="bus", lignes=["bus", "velo"]), "items.lignes"),
     (given(mode="bus", lignes=["velo", "velo"]), "items.lignes"), (given(mode="bus", lignes="bus"), "items.lignes"),
     (given(mode="bus", lignes=["velo", "bus", "pied"]), "items.lignes"),
     (given(mode="velo", note=2), "items.note"), (given(mode="velo", note=1.0), "items.note"),
     (given(mode="velo", note=True), "items.note"), (given(mode="velo", km=3), "items.km"),
     (given(mode="bus", lignes=["velo"], km=501), "items.km"), (given(mode="velo", autre=1), "items.autre"),
     ({"items": []}, "items"), ({"item": {}}, "item"), (None, None)],
)  # fmt: skip
def test_another_answer_is_refused(answer: Any, field: str | None) -> None:
    assert refused_answer(QUESTION, answer) == field


def put(at: int, **changes: Any) -> Callable[[list[Any]], None]:
    return lambda items: items[at].update(changes)


@pytest.mark.parametrize(
    "change, field",
    [(put(0, kind="text"), "settings.items[0].kind"), (put(0, kind=["choice"]), "settings.items[0].kind"),
     (put(1, id="mode"), "settings.items[1].id"), (put(0, text=""), "settings.items[0].text"),
     (put(0, required=1), "settings.items[0].required"), (put(0, colour=1), "settings.items[0].colour"),
     (put(0, options=MODES[:1]), "settings.items[0].options"),
     (put(0, options=MODES * 2), "settings.items[0].options[3].id"),
     (put(1, most=4), "settings.items[1].most"), (put(1, least=3), "settings.items[1].least"),
     (put(2, most=-1), "settings.items[2].most"), (put(2, most=10), "settings.items[2].most"),
     (put(2, least_label=3), "settings.items[2].least_label"), (put(3, most=10**10), "settings.items[3].most"),
     (put(1, shown_if={"item": "note", "values": ["velo"]}), "settings.items[1].shown_if.item"),
     (put(0, shown_if={"item": "mode", "values": ["velo"]}), "settings.items[0].shown_if.item"),
     (put(3, shown_if={"item": "note", "values": ["1"]}), "settings.items[3].shown_if.item"),
     (put(1, shown_if={"item": "mode", "values": ["train"]}), "settings.items[1].shown_if.values"),
     (put(1, shown_if={"item": "mode", "values": []}), "settings.items[1].shown_if.values"),
     (put(1, shown_if="mode"), "settings.items[1].shown_if"),
     (lambda items: items.clear(), "settings.items"), (lambda items: items.extend([3]), "settings.items[4].kind")],
)  # fmt: skip
def test_a_wrong_item_is_refused(change: Callable[[list[Any]], None], field: str) -> None:
    items = copy.deepcopy(ITEMS)
    change(items)
    assert refused_question(draft("survey", (), "none", items=items)) == field


def test_options_stand_in_items_alone() -> None:
    assert refused_question(draft("survey", "ab", "none", items=ITEMS)) == "options"
    assert refused_question(draft("survey", (), "none", items={})) == "settings.items"
