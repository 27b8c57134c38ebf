"""What identity's files hold: no credential, no salt, no code anywhere; personal fields in the people store alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from services.identity.domain import CodeUnknown
from tests.identity.conftest import POLL, World


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """Files can be searched as they are: SQLite alone."""
    from services.shared.store import Database

    return lambda name, tables=False: Database(tmp_path / f"{name}.db", secure_delete=True)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def forms(secret: bytes) -> tuple[bytes, ...]:
    return (secret, secret.hex().encode(), secret.hex().upper().encode())


def test_after_a_poll_no_file_holds_a_credential_a_salt_or_a_code(world: World) -> None:
    people = world.settle(20)
    code = world.sign_in.new_code(people[0])
    world.publish()
    secrets = [(os.urandom(32), os.urandom(32)) for _ in people]
    for person, (credential, salt) in zip(people, secrets, strict=True):
        world.issuance.mark(POLL, person, credential, salt)
    with pytest.raises(CodeUnknown):
        world.sign_in.sign_in("ZZZZ-ZZZZ-ZZZZ", "192.0.2.7")
    world.clock.go(days=1)
    world.issuance.close_due()
    for name, content in files(world.folder).items():
        for credential, salt in secrets:
            assert not any(form in content for form in (*forms(credential), *forms(salt))), name
        assert code.encode() not in content and code.replace("-", "").encode() not in content, name
        assert b"192.0.2.7" not in content and b"ZZZZ" not in content, name


def test_roll_and_events_name_nobody(world: World) -> None:
    data = "nom;prénom;date de naissance;adresse\nZidouni;Apolline;24/05/1987;99 rue Planted\n".encode()
    (person,) = world.importing.run(data, by="test").subjects
    world.publish()
    world.issuance.mark(POLL, person, b"c" * 32, b"s" * 32)
    world.issuance.reissue(POLL, person, "officer-1")
    world.clock.go(days=1)
    world.issuance.close_due()
    found = files(world.folder)
    personal = ("Zidouni", "Apolline", "1987-05-24", "99 rue Planted")
    assert any(person.encode() in content for content in found.values()), "the search works"
    for name, content in found.items():
        assert not any(word.encode() in content for word in personal), name
        if not name.startswith(("people.db", "vault.db")):
            assert person.encode() not in content, name


def test_no_column_of_the_roll_is_a_time_or_an_order(world: World) -> None:
    world.settle(1)
    world.publish()
    connection = sqlite3.connect(world.folder / "rolls.db")
    columns = {row[1] for row in connection.execute("PRAGMA table_info(roll)")}
    assert columns == {"poll", "roll_ref", "stratum", "commitment", "reissued"}
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT rowid FROM roll")
    connection.close()


def test_two_stores_whose_people_marked_in_another_order_have_the_same_roll_pages(world: World) -> None:
    """The bytes of the roll's pages depend on who marked, not on when: marks are written in place."""
    people = world.settle(40)
    world.publish()
    before = files(world.folder)
    world.rolls.forget_order()
    start = (world.folder / "rolls.db").read_bytes()

    def after(order: list[str]) -> bytes:
        world.rolls.database.close()
        for leftover in world.folder.glob("rolls.db*"):
            leftover.unlink()
        (world.folder / "rolls.db").write_bytes(start)
        for person in order:
            world.issuance.mark(POLL, person, person.encode().ljust(32)[:32], b"s" * 32)
        world.rolls.forget_order()
        return _without_counters((world.folder / "rolls.db").read_bytes())

    assert before
    assert after(people) == after(list(reversed(people)))


def test_two_polls_rolls_cannot_be_joined(world: World) -> None:
    world.settle(5)
    other = "11111111-1111-4111-8111-111111111111"
    world.publish()
    world.publish(other)
    with world.rolls.database.transaction(write=False) as tx:
        refs = [bytes(ref) for (ref,) in tx.execute("SELECT roll_ref FROM roll")]
    assert len(set(refs)) == 10


def test_key_files_are_private(world: World) -> None:
    world.publish()
    made = sorted(path.name for path in (world.folder / "keys" / "identity").iterdir())
    assert made == [f"issuer-{POLL}.key", f"roll-{POLL}.key"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (world.folder / "keys" / "identity").iterdir())


def _without_counters(content: bytes) -> bytes:
    """SQLite's header counts transactions (bytes 24–27, 92–95): how many, not whose."""
    return content[:24] + bytes(4) + content[28:92] + bytes(4) + content[96:]
