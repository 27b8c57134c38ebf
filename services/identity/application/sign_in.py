"""Signing in by code, and the roles that go with it."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from services.identity.domain import CodeUnknown, Person, PersonUnknown, written

WINDOW_SECONDS: Final = 60
SHORTEST_CODE: Final = 8
LONGEST_CODE: Final = 40
CIVIC: Final = frozenset({"resident", "association_delegate", "landlord", "helper"})
"""What a session opened at the desk may hold: an agent could else open a colleague's, and hold their roles."""
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: nothing to misread
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\u00a0": None, "\u202f": None})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and how. `level`: how sure it is that it is them, in the words of eIDAS; `shared`: the session is
    on a computer that others use after."""

    subject: str
    roles: tuple[str, ...]
    name: str
    method: str = "sign_in_code"
    level: str = "low"
    shared: bool = False


def at_the_desk(subject: str, roles: tuple[str, ...], name: str) -> SignedIn:
    """An agent saw who it is; the computer is everybody's."""
    civic = tuple(role for role in roles if role in CIVIC)
    return SignedIn(subject, civic, name, method="desk", level="substantial", shared=True)


class People(Protocol):
    def try_code(self, code: bytes, source: bytes, window: int, tries: int) -> Person | None:
        """The person of this code's hash; None when nobody has it. Counts a wrong try of the source, commits that,
        and raises TooManyTries, whatever the code, once `tries` of the window are used up."""

    def person(self, subject: str) -> Person | None: ...

    def roles(self, subject: str, now: str) -> tuple[str, ...]:
        """Those that hold at that moment."""

    def set_code(self, subject: str, code: bytes) -> bool:
        """False: another person has this code, nothing was changed."""

    def forget_tries(self, before: int) -> None: ...


class SignIn:
    def __init__(
        self, people: People, code_key: bytes, tries: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._people = people
        self._key = code_key
        self._tries = tries
        self._clock = clock

    def sign_in(self, code: str, source: str) -> SignedIn:
        """Who has this code. Raises CodeUnknown, or TooManyTries: both say the same of a code near to a right one."""
        clean = normal_code(code) or ""
        window = int(self._clock().timestamp()) // WINDOW_SECONDS
        person = self._people.try_code(code_hash(self._key, clean), self._keyed("source", source), window, self._tries)
        if person is None:
            raise CodeUnknown(field="code")
        return SignedIn(person.subject, self._people.roles(person.subject, self._now()), person.display_name)

    def new_code(self, subject: str) -> str:
        """A code to be shown once: the store keeps only its keyed hash. The former one opens nothing any more."""
        if self._people.person(subject) is None:
            raise PersonUnknown(field="subject")
        while True:
            code = random_code()
            if self._people.set_code(subject, code_hash(self._key, normal_code(code) or "")):
                return code

    def forget_old_tries(self) -> None:
        self._people.forget_tries(int(self._clock().timestamp()) // WINDOW_SECONDS)

    def _now(self) -> str:
        return written(self._clock())

    def _keyed(self, use: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{use}\n{value}".encode(), "sha256")


def random_code(groups: int = 3) -> str:
    """20 bits a group of four."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(groups))


def normal_code(code: str) -> str | None:
    """How a code is compared: case, spaces, dashes and look-alikes do not matter. None: no code looks like this."""
    clean = unicodedata.normalize("NFKC", code).upper().translate(_MISREAD)
    if not SHORTEST_CODE <= len(clean) <= LONGEST_CODE or not clean.isascii() or not clean.isalnum():
        return None
    return clean


def code_hash(key: bytes, clean: str) -> bytes:
    """Keyed: a stolen store alone does not let anyone try codes."""
    return hmac.digest(key, f"code\n{clean}".encode(), "sha256")


def likeness(key: bytes, person: Person) -> bytes:
    """Equal for people with the same names and birth date, so a second import finds them without reading names."""
    names = f"{person.family_name}\n{person.given_name}".casefold()
    plain = "".join(c for c in unicodedata.normalize("NFKD", names) if not unicodedata.combining(c))
    return hmac.digest(key, f"person\n{plain}\n{person.birth_date}".encode(), "sha256")
