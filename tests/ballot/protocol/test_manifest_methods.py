"""Questions of every method within a manifest: their bytes, their settings, their tie-breaks."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from services.ballot.methods import METHODS
from services.ballot.protocol import manifest as manifests
from services.shared import strict
from services.shared.errors import BadInput
from tests.ballot.builder import manifest_json
from tests.ballot.methods.made import Draw


def asked(method: str, seed: int = 0) -> dict[str, Any]:
    return Draw(random.Random(seed)).question(method, 6).as_json()


def refused(question: dict[str, Any]) -> str | None:
    with pytest.raises(BadInput) as refusal:
        manifests.from_json(manifest_json(questions=[question]), METHODS)
    assert refusal.value.reason
    return refusal.value.field


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("seed", range(3))
def test_a_manifest_of_every_method_survives_its_canonical_bytes(method: str, seed: int) -> None:
    value = manifest_json(questions=[asked(method, seed)])
    manifest = manifests.from_json(value, METHODS)
    again = manifests.parse(manifest.canonical, METHODS)
    assert again == manifest and again.hash == manifest.hash
    assert strict.parse(manifest.canonical) == value
    assert ("settings" in value["questions"][0]) == bool(METHODS[method].settings)


def test_a_manifest_can_ask_by_every_method_at_once() -> None:
    questions = [asked(method) | {"id": f"q{place}"} for place, method in enumerate(sorted(METHODS))]
    manifest = manifests.from_json(manifest_json(questions=questions), METHODS)
    assert [question.method for question in manifest.questions] == sorted(METHODS)


@pytest.mark.parametrize("method", sorted(name for name, rule in METHODS.items() if "seats" in rule.settings))
@pytest.mark.parametrize("seats", [0, 6, None, "2", 1.5, True])
def test_wrong_seats_are_named_with_their_question(method: str, seats: Any) -> None:
    question = asked(method)
    question["settings"] = dict(question["settings"]) | {"seats": seats}
    assert refused(question) == "questions[0].settings.seats"


@pytest.mark.parametrize("method", sorted(METHODS))
def test_settings_stand_exactly_where_the_method_has_any(method: str) -> None:
    question = asked(method)
    if not METHODS[method].settings:
        assert refused(question | {"settings": {}}) == "questions[0].settings"
        return
    without = copy.deepcopy(question)
    del without["settings"]
    assert refused(without) == "questions[0].settings"
    for wrong in (None, [], "seats"):
        assert refused(question | {"settings": wrong}) == "questions[0].settings"
    for name in METHODS[method].settings:
        fewer = {other: value for other, value in question["settings"].items() if other != name}
        assert refused(question | {"settings": fewer}) == f"questions[0].settings.{name}"
    assert refused(question | {"settings": question["settings"] | {"étrange": 1}}) == "questions[0].settings.étrange"


@pytest.mark.parametrize(
    "lot", ["lot", "lot:", "lot:A", "lot:é", "lot:-a", "lot:" + "a" * 65, "LOT:1", "hasard", 3, None]
)
def test_an_unknown_lot_is_refused(lot: Any) -> None:
    assert refused(asked("schulze") | {"tie_break": lot}) == "questions[0].tie_break"


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_tie_break_is_one_of_the_method(method: str) -> None:
    if METHODS[method].tie_breaks == ("none",):
        assert refused(asked(method) | {"tie_break": "order"}) == "questions[0].tie_break"
        assert refused(asked(method) | {"tie_break": "lot:1"}) == "questions[0].tie_break"
    else:
        assert refused(asked(method) | {"tie_break": "none"}) == "questions[0].tie_break"
        manifests.from_json(manifest_json(questions=[asked(method) | {"tie_break": "lot:" + "a" * 64}]), METHODS)
