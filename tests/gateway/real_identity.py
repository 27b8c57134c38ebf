"""The real identity service behind the gateway's tests, over SQLite: whatever the stub does not speak goes here.

It knows the stub's people under the same subjects, with the same roles.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from services.identity import __main__ as identity
from services.identity.api.registry import Registry
from services.identity.application.duplicates import Duplicates
from services.identity.application.import_pass import ImportPass
from services.identity.application.sign_in import likeness
from services.identity.domain import FOR_GOOD, Grant, Person
from services.identity.worker import roll_work
from tests.run_end import RUN_END

BORN: Final = "1980-03-12"
SINCE: Final = "2026-01-01T00:00:00Z"
Known = Mapping[str, tuple[str, list[str], str]]
_TEMPLATE: list[Path] = []


class RealIdentity:
    """One service; `parts` are what its commands would work with."""

    def __init__(self, token_pub: Path, people: Known) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="parvis-identity-"))
        shutil.copytree(_template(people), self.folder, dirs_exist_ok=True)
        (self.folder / "keys/gateway").mkdir(parents=True, exist_ok=True)
        shutil.copy(token_pub, self.folder / "keys/gateway/token.pub")
        with _environment(self.folder):
            self.parts = identity.Parts.from_env()
        self.app = identity.wired(self.parts)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, str]:
        """(status, JSON or bytes, Retry-After)."""
        passed = {k: v for k, v in headers.items() if k in ("authorization", "content-type")}
        answer = self.app.test_client().open(path, method=method, headers=passed, data=body)
        kind = answer.content_type or ""
        told = json.loads(answer.data) if kind.startswith("application/json") else answer.data
        return answer.status_code, told, answer.headers.get("Retry-After", "")

    def populate(self, number: int) -> None:
        """That many more residents, so that a roll is large enough to vote on."""
        more = {f"R{n}": (f"subject-resident-{n}", ["resident"], f"Camille Durand{n}") for n in range(number)}
        _settle(self.parts, more)

    def work(self) -> None:
        """What the worker does with roll files and likely duplicates, until nothing is left to do."""
        parts = self.parts
        doing = roll_work(parts.people, parts.rolls, parts.importing(), parts.code_key())
        reading, looking = doing[ImportPass], doing[Duplicates]
        assert isinstance(reading, ImportPass) and isinstance(looking, Duplicates)
        while reading.work() or looking.look():
            continue

    def registry(self) -> Registry:
        """What agents and people ask for, without its routes."""
        p = self.parts
        return Registry.over(p.people, p.rolls, p.issuance(), p.sign_in(), p.personal(), p.code_key())

    def close(self) -> None:
        for database in (self.parts.people.database, self.parts.people.vault.database, self.parts.rolls.database):
            database.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _template(people: Known) -> Path:
    """A data folder with everyone in it, made once a process and copied."""
    if not _TEMPLATE:
        folder = Path(tempfile.mkdtemp(prefix="parvis-identity-template-"))
        RUN_END.callback(shutil.rmtree, folder, ignore_errors=True)
        with _environment(folder):
            identity.make_keys()
            identity.migrate()
            parts = identity.Parts.from_env()
        _settle(parts, people)
        for database in (parts.people.database, parts.people.vault.database, parts.rolls.database):
            database.truncate_log()
            database.close()
        _TEMPLATE.append(folder)
    return _TEMPLATE[0]


def _settle(parts: identity.Parts, people: Known) -> None:
    for number, (subject, roles, name) in enumerate(people.values()):
        given, _, family = name.partition(" ")
        reached = {"email": f"{subject}@exemple.fr", "phone": f"+3363998{number:04}"}
        person = Person(
            subject, family, given, BORN, "12 rue du Lavoir, Vère-le-Château", "Bureau 1 – Mairie", **reached
        )
        parts.people.add([(person, likeness(parts.code_key(), person), None)], "test", SINCE)
        for role in roles:
            parts.people.grant(Grant(subject, role, SINCE, FOR_GOOD, "test"))


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    before = {name: os.environ[name] for name in os.environ if name.startswith("PARVIS_")}
    for name in before:
        del os.environ[name]
    os.environ["PARVIS_DATA"] = str(folder)
    try:
        yield
    finally:
        del os.environ["PARVIS_DATA"]
        os.environ.update(before)
