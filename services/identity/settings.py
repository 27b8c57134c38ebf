"""Settings of the identity service."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.settings import Common, between, read


@dataclass(frozen=True, slots=True)
class Settings:
    common: Common
    sign_in_tries: int

    @classmethod
    def from_env(cls) -> Settings:
        return cls(
            common=Common.from_env(),
            sign_in_tries=int(
                read(
                    "PARVIS_SIGN_IN_TRIES",
                    "5",
                    "Wrong sign-in codes that one source may send within a minute; then all its codes are refused.",
                    between(1, 1000),
                )
            ),
        )
