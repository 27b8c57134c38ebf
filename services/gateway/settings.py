"""The gateway's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.shared.settings import Common, between, read, whole, yes_or_no


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    common: Common
    secure_cookies: bool
    session_seconds: int
    deadline_seconds: float
    trusted_proxies: int

    @property
    def token_key(self) -> Path:
        return self.common.keys / "gateway" / "token.key"

    @property
    def token_pub(self) -> Path:
        return self.common.keys / "gateway" / "token.pub"

    @property
    def cookie_key(self) -> Path:
        return self.common.keys / "gateway" / "cookie.key"

    @classmethod
    def from_env(cls) -> GatewaySettings:
        """Raises SettingRefused."""
        return cls(
            common=Common.from_env(),
            secure_cookies=read(
                "PARVIS_SECURE_COOKIES", "no", "`yes` behind HTTPS: cookies are never sent in clear.", yes_or_no
            ),
            session_seconds=int(
                read("PARVIS_SESSION_MINUTES", "120", "How long a sign-in lasts, in minutes.", between(5, 1440)) * 60
            ),
            deadline_seconds=read(
                "PARVIS_DEADLINE_SECONDS", "2", "How long the gateway waits for a service.", between(0.1, 30)
            ),
            trusted_proxies=read(
                "PARVIS_TRUSTED_PROXIES",
                "0",
                "How many reverse proxies stand in front of the gateway, each adding the address it saw to "
                "`X-Forwarded-For`. Too few: all visitors count as one when wrong sign-in codes are limited. Too many: "
                "a visitor can pretend to be many.",
                whole(0, 10),
            ),
        )
