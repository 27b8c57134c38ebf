"""The gateway's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.shared.settings import Common, SettingRefused, between, one_of, read, whole, yes_or_no

LEVELS: Final[Mapping[str, tuple[int, bool]]] = {  # (eIDAS level, by more than one factor)
    "eidas0": (0, False),
    "eidas0-mfa": (0, True),
    "eidas1": (1, False),
    "eidas1-mfa": (1, True),
    "eidas2": (2, True),
    "eidas3": (3, True),
}
_SAFE: Final = re.compile(r"https://[^/?#@]+(?:/.*)?|http://(?:127\.0\.0\.1|localhost)(?::\d+)?(?:/.*)?")


def secure_url(text: str) -> str:
    """An address whose answers nobody on the way can change: HTTPS, or this very machine. Raises ValueError."""
    if text and not _SAFE.fullmatch(text):
        raise ValueError("it must begin with https:// (or http://127.0.0.1 or http://localhost)")
    return text


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One OpenID provider, as it knows us."""

    name: str  # in our addresses
    label: str  # what people read
    discovery: str
    client_id: str
    secret_file: Path
    scopes: str
    level: str  # a key of LEVELS: the lowest that is accepted


@dataclass(frozen=True, slots=True)
class OpenData:
    """The public API and its catalogue."""

    per_minute: int
    url: str
    publisher: str
    licence: str


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    common: Common
    secure_cookies: bool
    session_seconds: int
    deadline_seconds: float
    trusted_proxies: int
    open: OpenData
    spool_page: bool
    public_seconds: float
    accessibility: Path | None
    theme: Path | None
    providers: tuple[ProviderSettings, ...]
    desk: str
    desk_mail: str

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
            spool_page=_spool_page(),
            trusted_proxies=read(
                "PARVIS_TRUSTED_PROXIES",
                "0",
                "How many reverse proxies stand in front of the gateway, each adding the address it saw to "
                "`X-Forwarded-For`. Too few: all visitors count as one when wrong sign-in codes are limited. Too many: "
                "a visitor can pretend to be many.",
                whole(0, 10),
            ),
            open=_open_data(),
            public_seconds=_public_seconds(),
            accessibility=_accessibility(),
            theme=_theme(),
            providers=tuple(p for p in (_franceconnect(), _proconnect()) if p.discovery),
            desk=read(
                "PARVIS_DESK",
                "Adressez-vous à l’accueil de votre mairie, avec une pièce d’identité.",
                "What a person reads whom the roll does not know: whom to ask, and how.",
                str,
            ),
            desk_mail=read(
                "PARVIS_DESK_MAIL", "", "E-mail address for people whom the roll does not know; empty: none.", _mail
            ),
        )


def _open_data() -> OpenData:
    return OpenData(
        per_minute=read(
            "PARVIS_API_PER_MINUTE",
            "60",
            "How often a minute an address may ask the public API without a key.",
            whole(1, 1_000_000),
        ),
        url=read(
            "PARVIS_PUBLIC_URL",
            "",
            "The site's address as `https://vote.example.org`: datasets of the catalogue are named by it. Empty: as "
            "the request says.",
            _site,
        ),
        publisher=read(
            "PARVIS_PUBLISHER", "La collectivité", "Who publishes the open data, as the catalogue says.", str
        ),
        licence=read(
            "PARVIS_LICENCE",
            "https://spdx.org/licenses/etalab-2.0",
            "The licence of the open data, as a URI. The default is Licence Ouverte 2.0.",
            _uri,
        ),
    )


def _uri(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"{}|\\^`]+", text):
        raise ValueError("it must begin with https:// or http://")
    return text


def _site(text: str) -> str:
    return _uri(text).rstrip("/") if text else ""


def _franceconnect() -> ProviderSettings:
    return _complete(
        "PARVIS_FRANCECONNECT",
        ProviderSettings(
            name="franceconnect",
            label=read("PARVIS_FRANCECONNECT_LABEL", "FranceConnect", "What its button says.", str),
            discovery=read(
                "PARVIS_FRANCECONNECT_DISCOVERY",
                "",
                "Address of FranceConnect's discovery document, ending in `/.well-known/openid-configuration`; "
                "empty: no sign-in by FranceConnect.",
                secure_url,
            ),
            client_id=read("PARVIS_FRANCECONNECT_CLIENT_ID", "", "The id that FranceConnect gave the site.", str),
            secret_file=read(
                "PARVIS_FRANCECONNECT_SECRET_FILE", "", "File (mode 0600) with the secret it gave the site.", Path
            ),
            scopes=read(
                "PARVIS_FRANCECONNECT_SCOPES",
                "openid given_name family_name birthdate",
                "What is asked about a person.",
                _scopes,
            ),
            level=read(
                "PARVIS_FRANCECONNECT_ACR", "eidas1", "Level that is asked; a lower one is refused.", one_of(*LEVELS)
            ),
        ),
    )


def _proconnect() -> ProviderSettings:
    return _complete(
        "PARVIS_PROCONNECT",
        ProviderSettings(
            name="proconnect",
            label=read("PARVIS_PROCONNECT_LABEL", "ProConnect", "What its button says.", str),
            discovery=read(
                "PARVIS_PROCONNECT_DISCOVERY",
                "",
                "Address of ProConnect's discovery document, ending in `/.well-known/openid-configuration`; "
                "empty: no sign-in by ProConnect.",
                secure_url,
            ),
            client_id=read("PARVIS_PROCONNECT_CLIENT_ID", "", "The id that ProConnect gave the site.", str),
            secret_file=read(
                "PARVIS_PROCONNECT_SECRET_FILE", "", "File (mode 0600) with the secret it gave the site.", Path
            ),
            scopes=read(
                "PARVIS_PROCONNECT_SCOPES",
                "openid given_name usual_name email uid siret idp_id",
                "What is asked about an agent.",
                _scopes,
            ),
            level=read(
                "PARVIS_PROCONNECT_ACR", "eidas1", "Level that is asked; a lower one is refused.", one_of(*LEVELS)
            ),
        ),
    )


def _complete(prefix: str, provider: ProviderSettings) -> ProviderSettings:
    """Raises SettingRefused for a provider of which only a part is set."""
    if provider.discovery and not provider.client_id:
        raise SettingRefused(f"{prefix}_CLIENT_ID is empty: {provider.label} gave it with the secret")
    if provider.discovery and provider.secret_file == Path():
        raise SettingRefused(f"{prefix}_SECRET_FILE is empty: it names the file, mode 0600, with the secret")
    if provider.discovery and not provider.discovery.endswith("/.well-known/openid-configuration"):
        raise SettingRefused(f"{prefix}_DISCOVERY must end in /.well-known/openid-configuration")
    return provider


def _scopes(text: str) -> str:
    if "openid" not in text.split():
        raise ValueError("`openid` must be among them")
    return text


def _mail(text: str) -> str:
    if text and not re.fullmatch(r"[^\s@?&<>\"']+@[^\s@?&<>\"']+", text):
        raise ValueError("it must be an e-mail address")
    return text


def _public_seconds() -> float:
    return read(
        "PARVIS_PUBLIC_SECONDS",
        "2",
        "How old a public page may be when it is handed to a visitor who is not signed in; 0: always new.",
        between(0, 2),
    )


def _accessibility() -> Path | None:
    return read(
        "PARVIS_ACCESSIBILITY",
        "",
        "File of the accessibility declaration, JSON or TOML (docs/accessibility/README.md); empty: « non conforme ».",
        lambda text: Path(text) if text else None,
    )


def _theme() -> Path | None:
    return read(
        "PARVIS_THEME",
        "",
        "File of the site's look, JSON or TOML: its name, logo and colours (docs/theme.md); empty: Parvis's own.",
        lambda text: Path(text) if text else None,
    )


def _spool_page() -> bool:
    return read(
        "PARVIS_SPOOL_PAGE",
        "no",
        "`yes`: whoever reaches the gateway reads every message of the spool, sign-in codes too. For the "
        "demonstration alone: `make run` sets it while it makes its made-up town.",
        yes_or_no,
    )
