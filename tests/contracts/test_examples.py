"""Published events are read for ever: these bytes were written by a release, and every later one must read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.shared.contracts import ballot, identity
from services.shared.strict import MalformedJson

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.json"))
MODULES = {"ballot": ballot, "identity": identity}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_frozen_example_is_read_and_written_back_byte_for_byte(path: Path) -> None:
    service, kind, version = path.stem.split(".")
    module = MODULES[service]
    value = path.read_bytes().rstrip(b"\n")
    event = module.decode(kind, int(version[1:]), value)
    assert event is not None
    assert type(event).__name__ == kind
    assert module.encode(event) == value


@pytest.mark.parametrize("service", sorted(MODULES))
def test_every_published_event_has_a_frozen_example(service: str) -> None:
    frozen = {path.stem for path in EXAMPLES if path.stem.startswith(f"{service}.")}
    assert frozen == {f"{service}.{kind}.v{version}" for kind, version in MODULES[service]._KINDS}


@pytest.mark.parametrize("service", sorted(MODULES))
def test_an_unknown_kind_is_passed_over_and_a_broken_one_is_refused(service: str) -> None:
    module = MODULES[service]
    assert module.decode("NeverTold", 1, b"{}") is None
    for kind, version in module._KINDS:
        assert module.decode(kind, version + 1, b"{}") is None
        for broken in (b"{}", b"[]", b"null", json.dumps({"poll": 1, "more": 2}).encode()):
            with pytest.raises(MalformedJson):
                module.decode(kind, version, broken)
