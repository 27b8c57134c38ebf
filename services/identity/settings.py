"""Settings of the identity service."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.settings import Common, between, read, whole


@dataclass(frozen=True, slots=True)
class Settings:
    common: Common
    sign_in_tries: int
    codes_per_source: int
    codes_in_all: int

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
            codes_per_source=read(
                "PARVIS_CODES_PER_SOURCE",
                "20",
                "Codes by e-mail, SMS or letter that one source may ask for within ten minutes.",
                whole(1, 100_000),
            ),
            codes_in_all=read(
                "PARVIS_CODES_IN_ALL",
                "3000",
                "Codes by e-mail, SMS or letter that may be asked for within ten minutes, by all together: what SMS "
                "may cost, and a bound on guessing.",
                whole(1, 10_000_000),
            ),
        )
