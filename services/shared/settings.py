"""Settings come from the environment alone, are read once at start, and each has a documented default.

`read()` registers what it reads, so that `make docs` lists every variable with its default and meaning.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeVar, cast

T = TypeVar("T")
Engine = Literal["embedded", "region"]


class SettingRefused(Exception):
    """A variable holds what cannot be used. The sentence names it and says what would do."""


class Variable(NamedTuple):
    name: str
    default: str
    doc: str


KNOWN: Final[dict[str, Variable]] = {}


def read(name: str, default: str, doc: str, parse: Callable[[str], T]) -> T:
    """The parsed value of `name`, or of `default` when unset or empty. Raises SettingRefused."""
    KNOWN[name] = Variable(name, default, doc)
    text = os.environ.get(name) or default
    try:
        return parse(text)
    except ValueError as e:
        raise SettingRefused(f"{name}={text!r} cannot be used: {e}") from None


def one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return text

    return parse


def yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
        raise ValueError("it must be yes or no")
    return text.lower() in ("yes", "true", "1")


def between(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = float(text)
        if not low <= number <= high:
            raise ValueError(f"it must lie between {low:g} and {high:g}")
        return number

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text[:9]) <= high:
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return int(text)

    return parse


def url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("it must begin with http:// or https://")
    return text.rstrip("/")


def email_address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or not text.isascii() or set(text) & set(' <>,;\r\n"'):
        raise ValueError("it must be an address like name@domain.example")
    return text


@dataclass(frozen=True, slots=True)
class Common:
    """What every service knows of its surroundings."""

    data: Path
    keys: Path
    engine: Engine
    postgres: str
    kafka: str
    ballot_url: str
    cast_url: str
    identity_url: str
    notifications_url: str
    gateway_url: str
    host_name: str
    bind: str

    @classmethod
    def from_env(cls) -> Common:
        data = read("PARVIS_DATA", "data", "Folder of the embedded stores and the local event log.", Path)
        keys = read("PARVIS_KEYS", "", "Folder of the key files (mode 0600); empty: `keys` in the data folder.", str)
        engine = read(
            "PARVIS_ENGINE",
            "embedded",
            "`embedded`: SQLite and the local event log. `region`: PostgreSQL and Kafka.",
            one_of("embedded", "region"),
        )
        return cls(
            data=data,
            keys=Path(keys) if keys else data / "keys",
            engine=cast(Engine, engine),
            postgres=read("PARVIS_POSTGRES", "postgresql://127.0.0.1:5432", "Server of the region's stores.", str),
            kafka=read("PARVIS_KAFKA", "127.0.0.1:9092", "Brokers of the region's event log, comma between.", str),
            ballot_url=read("PARVIS_BALLOT_URL", "http://127.0.0.1:8081", "The ballot service's API.", url),
            cast_url=read("PARVIS_CAST_URL", "http://127.0.0.1:8082", "The ballot service's cast door.", url),
            identity_url=read("PARVIS_IDENTITY_URL", "http://127.0.0.1:8083", "The identity service's API.", url),
            notifications_url=read(
                "PARVIS_NOTIFICATIONS_URL", "http://127.0.0.1:8084", "The notifications service's API.", url
            ),
            gateway_url=read("PARVIS_GATEWAY_URL", "http://127.0.0.1:8080", "Where people reach the gateway.", url),
            host_name=read(
                "PARVIS_HOST_NAME", "parvis.localhost", "First part of every log's origin; never change it.", str
            ),
            bind=read("PARVIS_LISTEN", "127.0.0.1", "Address on which HTTP doors listen; 0.0.0.0 in a container.", str),
        )
