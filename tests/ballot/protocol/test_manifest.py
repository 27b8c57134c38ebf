"""Every field of a manifest is checked, and a refusal names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from services.ballot.methods import METHODS
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.manifest import StratumTooSmall, WrongManifest
from services.shared import strict
from services.shared.errors import BadInput
from tests.ballot.builder import make_manifest, manifest_json, public

Change = Callable[[dict[str, Any]], object]


def test_a_manifest_survives_its_canonical_bytes() -> None:
    manifest = make_manifest()
    again = manifests.parse(manifest.canonical, METHODS)
    assert again == manifest
    assert again.hash == sha256(manifest.canonical).digest()
    assert strict.parse(manifest.canonical) == manifest_json()


def test_the_hash_is_fixed_for_ever() -> None:
    """A change of this value is a change of a stored format: old polls could no longer be audited."""
    assert make_manifest().hash.hex() == "e345d196f56472d5eb9996d1010ce2906d59ca9ca756602c1abf27a94c4cf21c"


def test_other_bytes_of_the_same_manifest_are_refused() -> None:
    with pytest.raises(WrongManifest):
        manifests.parse(json.dumps(manifest_json()).encode(), METHODS)


def test_what_is_asked_of_a_manifest() -> None:
    manifest = make_manifest()
    assert manifest.roll == 10_000_000
    assert manifest.roll_of("bureau-2") == 5_000_000
    assert manifest.log_origin("bureau-1") == f"parvis.localhost/{manifest.poll}/bureau-1"
    assert [stratum.index for stratum in manifest.strata] == [0, 1]
    assert manifest.stratum["quartiers"].station == "bureau-2"


def put(*path: Any) -> Change:
    """Sets the last of `path` at the place that the others lead to."""

    def change(value: Any) -> None:
        *way, name, new = path
        for step in way:
            value = value[step]
        value[name] = new

    return change


WRONG: list[tuple[Change, str]] = [
    (put("version", 2), "version"),
    (put("version", True), "version"),
    (put("version", 1.0), "version"),
    (put("poll", "0192F0C1-7A33-7C1E-9D7A-0A1B2C3D4E5F"), "poll"),
    (put("poll", None), "poll"),
    (put("title", ""), "title"),
    (put("title", "   "), "title"),
    (put("title", "a\x07b"), "title"),
    (put("title", "x" * 301), "title"),
    (put("description", 3), "description"),
    (put("mode", "A"), "mode"),
    (put("questions", []), "questions"),
    (put("questions", {}), "questions"),
    (put("questions", 0, "text"), "questions[0]"),
    (put("questions", 0, "id", "Place"), "questions[0].id"),
    (put("questions", 1, "id", "place"), "questions[1].id"),
    (put("questions", 0, "text", "\n"), "questions[0].text"),
    (put("questions", 0, "method", "oracle"), "questions[0].method"),
    (put("questions", 0, "method", ["yes_no"]), "questions[0].method"),
    (put("questions", 0, "options", []), "questions[0].options"),
    (put("questions", 0, "options", 0, "id", "a b"), "questions[0].options[0].id"),
    (put("questions", 0, "options", 1, "id", "oui"), "questions[0].options[1].id"),
    (put("questions", 0, "options", 1, "label", ""), "questions[0].options[1].label"),
    (put("questions", 0, "options", 1, "colour", ""), "questions[0].options[1].colour"),
    (put("questions", 0, "blank", 1), "questions[0].blank"),
    (put("questions", 0, "tie_break", "lot"), "questions[0].tie_break"),
    (put("questions", 0, "tie_break", None), "questions[0].tie_break"),
    (put("strata", []), "strata"),
    (put("strata", 0, "id", ""), "strata[0].id"),
    (put("strata", 1, "id", "habitants"), "strata[1].id"),
    (put("strata", 0, "roll_size", 49), "strata[0].roll_size"),
    (put("strata", 0, "roll_size", "60"), "strata[0].roll_size"),
    (put("strata", 0, "roll_root", "AB" * 32), "strata[0].roll_root"),
    (put("strata", 0, "roll_root", "ab" * 31), "strata[0].roll_root"),
    (put("strata", 0, "station", "bureau-9"), "strata[0].station"),
    (put("strata", 1, "station", "bureau-1"), "strata[1].station"),
    (lambda value: value["stations"].append({"id": "bureau-3", "label": "Bureau 3"}), "stations[2].id"),
    (put("strata", 0, "issuer_keys", []), "strata[0].issuer_keys"),
    (put("strata", 0, "issuer_keys", ["zz"]), "strata[0].issuer_keys[0]"),
    (put("strata", 0, "issuer_keys", [public("a"), public("a")]), "strata[0].issuer_keys"),
    (put("strata", 0, "issuer_keys", [public("a"), public("b"), public("c")]), "strata[0].issuer_keys"),
    (put("strata", 0, "issuer_keys", [public("parvis/log")]), "strata[0].issuer_keys"),
    (put("stations", []), "stations"),
    (put("stations", 1, "id", "bureau-1"), "stations[1].id"),
    (put("stations", 0, "label", None), "stations[0].label"),
    (put("opens_at", "2026-11-23"), "opens_at"),
    (put("opens_at", "2026-02-30T00:00:00Z"), "opens_at"),
    (put("closes_at", "2026-11-23T08:00:00Z"), "closes_at"),
    (put("closes_at", "2026-11-30T19:00:00+01:00"), "closes_at"),
    (put("log_by", "2026-11-30T20:00:01Z"), "log_by"),
    (put("epoch_seconds", 0), "epoch_seconds"),
    (put("epoch_min", 0), "epoch_min"),
    (put("epoch_min", 1.5), "epoch_min"),
    (put("origin", "https://parvis"), "origin"),
    (put("origin", "par vis"), "origin"),
    (put("log_key", "00" * 32), "log_key"),
    (put("promise_key", "ee" + "ff" * 30 + "7f"), "promise_key"),
    (put("promise_key", public("parvis/log")), "promise_key"),
    (put("replaces", "ab"), "replaces"),
    (put("replaces", "ab" * 32), "reason"),
    (put("reason", "une raison"), "reason"),
    (put("colour", "blue"), "colour"),
    (lambda value: value.pop("epoch_min"), "epoch_min"),
]


@pytest.mark.parametrize("change, field", WRONG)
def test_a_wrong_field_is_refused_by_name(change: Change, field: str) -> None:
    value = strict.parse(strict.canonical(manifest_json()))
    change(value)
    with pytest.raises(BadInput) as refused:
        manifests.from_json(value, METHODS)
    assert refused.value.field == field
    assert refused.value.reason


@pytest.mark.parametrize("value", [None, [], "manifest", 3])
def test_something_else_than_a_manifest_is_refused(value: Any) -> None:
    with pytest.raises(WrongManifest):
        manifests.from_json(value, METHODS)


def test_a_stratum_too_small_for_secrecy_has_a_refusal_of_its_own() -> None:
    value = manifest_json()
    value["strata"][0]["roll_size"] = 49
    with pytest.raises(StratumTooSmall):
        manifests.from_json(value, METHODS)


def test_a_correction_names_what_it_replaces_and_why() -> None:
    manifest = make_manifest(replaces="ab" * 32, reason="Une date était fausse.")
    assert manifests.parse(manifest.canonical, METHODS).replaces == b"\xab" * 32
