"""Reads processes.toml: which doors exist, which of them serve HTTP, and under which variable others find them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PROCESSES: Final = ROOT / "deploy" / "processes.toml"
PUBLIC: Final = "PARVIS_GATEWAY_URL"


@dataclass(frozen=True, slots=True)
class Door:
    """One process of a service. `url` is empty for a door that serves no HTTP."""

    service: str
    name: str
    url: str = ""

    @property
    def label(self) -> str:
        return f"{self.service}-{self.name}"


def read_doors(path: Path = PROCESSES) -> list[Door]:
    """The doors in the order of the file."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Door(service, name, str(options.get("url", "")))
        for service, doors in tables.items()
        for name, options in doors.items()
    ]


def services_of(doors: list[Door]) -> list[str]:
    return list(dict.fromkeys(door.service for door in doors))
