"""Settings of the notifications service: those that all services share."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.settings import Common


@dataclass(frozen=True, slots=True)
class Settings:
    common: Common

    @classmethod
    def from_env(cls) -> Settings:
        return cls(common=Common.from_env())
