"""Settings of the notifications service."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.settings import Common, email_address, read, whole, yes_or_no


@dataclass(frozen=True, slots=True)
class Settings:
    common: Common
    sender: str
    keep_days: int
    spool_page: bool

    @classmethod
    def from_env(cls) -> Settings:
        return cls(
            common=Common.from_env(),
            sender=read(
                "PARVIS_MAIL_FROM",
                "ne-pas-repondre@parvis.localhost",
                "The address that e-mails come from.",
                email_address,
            ),
            keep_days=read(
                "PARVIS_SPOOL_DAYS",
                "40",
                "After how many days a message to one person is deleted from the spool, carried on or not.",
                whole(31, 3650),
            ),
            spool_page=read(
                "PARVIS_SPOOL_PAGE",
                "no",
                "`yes`: whoever reaches the gateway reads every message of the spool, sign-in codes too. For the "
                "demonstration alone: `make run` sets it while it makes its made-up town.",
                yes_or_no,
            ),
        )
