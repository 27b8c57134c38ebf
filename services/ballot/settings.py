"""Settings of the ballot service."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.settings import Common, between, read


@dataclass(frozen=True, slots=True)
class Settings:
    common: Common
    queue: int
    seal_pause: float

    @classmethod
    def from_env(cls) -> Settings:
        return cls(
            common=Common.from_env(),
            queue=int(
                read(
                    "PARVIS_CAST_QUEUE",
                    "8192",
                    "Ballots that may wait for the disk at one cast door; more are answered 503.",
                    between(16, 1_000_000),
                )
            ),
            seal_pause=read(
                "PARVIS_SEAL_PAUSE",
                "0.2",
                "Seconds between two looks of the sealer at each station.",
                between(0.01, 60),
            ),
        )
