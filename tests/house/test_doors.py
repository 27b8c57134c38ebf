from __future__ import annotations

import re
import subprocess
import sys

import pytest

from deploy.processes import PUBLIC, ROOT, read_doors, services_of
from services.shared.settings import Common

DOORS = read_doors()


@pytest.mark.parametrize("service", services_of(DOORS))
def test_every_door_is_a_command_of_its_service(service: str) -> None:
    words = [sys.executable, "-m", f"services.{service}", "--help"]
    shown = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    for name in [door.name for door in DOORS if door.service == service] + ["migrate", "keys"]:
        assert re.search(rf"\b{name}\b", shown.stdout), f"services.{service} --help does not list {name}"


def test_every_service_folder_has_its_doors() -> None:
    folders = {p.name for p in (ROOT / "services").iterdir() if (p / "__main__.py").exists()}
    assert folders == set(services_of(DOORS))


def test_every_address_that_services_look_for_is_served_by_one_door() -> None:
    fields = {f"PARVIS_{name.upper()}" for name in Common.__dataclass_fields__ if name.endswith("_url")}
    assert sorted(fields) == sorted(door.url for door in DOORS if door.url)
    assert PUBLIC in fields
