"""How people are found by an address or a number, as keyed hashes; and the tables of what is asked for through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from services.identity.application.contacts import contact_hash, contacts
from services.identity.domain import Person
from services.shared.store import Tx

CODES_STEP: Final = """CREATE TABLE contact (hash {blob} NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
           PRIMARY KEY (hash, subject));
       CREATE INDEX contact_subject ON contact (subject);
       CREATE TABLE code_ask (id {blob} PRIMARY KEY, kind TEXT NOT NULL, hash {blob} NOT NULL, at {bigint} NOT NULL,
           tries INTEGER NOT NULL, sent INTEGER NOT NULL);
       CREATE INDEX code_ask_waiting ON code_ask (sent, at);
       CREATE TABLE code_for (id {blob} NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (id, subject));
       CREATE INDEX code_for_subject ON code_for (subject);
       CREATE TABLE one_time_code (code {blob} PRIMARY KEY, subject TEXT NOT NULL, method TEXT NOT NULL,
           until {bigint} NOT NULL);
       CREATE INDEX one_time_code_subject ON one_time_code (subject);
       CREATE TABLE counted (what {blob} NOT NULL, slot {bigint} NOT NULL, ends {bigint} NOT NULL, n INTEGER NOT NULL,
           PRIMARY KEY (what, slot));
       CREATE TABLE contact_change (id TEXT PRIMARY KEY, subject TEXT NOT NULL UNIQUE, asked_by TEXT NOT NULL,
           proof TEXT NOT NULL, at TEXT NOT NULL, sealed {blob} NOT NULL);
       CREATE TABLE notice (id TEXT PRIMARY KEY, subject TEXT NOT NULL, sealed {blob} NOT NULL);
       CREATE INDEX notice_subject ON notice (subject);
       CREATE TABLE desk_act (number {autoid}, at TEXT NOT NULL, by_whom TEXT NOT NULL, act TEXT NOT NULL,
           subject TEXT NOT NULL, proof TEXT NOT NULL)"""
CODES_OF_A_PERSON: Final = ("contact", "code_for", "one_time_code", "contact_change", "notice")
"""Tables whose rows of a subject go when the person is erased. What agents did stays, under opaque subjects."""


def keep_contacts(tx: Tx, people: Sequence[Person], key: Callable[[], bytes], *, fresh: bool = False) -> None:
    """What a person is found by follows what is known of them; a code on its way to a former address opens nothing.
    `fresh`: nothing was known of any of them."""
    for person in () if fresh else people:
        asked = "(SELECT id FROM code_ask WHERE kind <> 'letter')"
        tx.execute("DELETE FROM contact WHERE subject = ?", (person.subject,))
        tx.execute(f"DELETE FROM code_for WHERE subject = ? AND id IN {asked}", (person.subject,))
    found = [(person, contact) for person in people for contact in contacts(person)]
    if found:
        rows = [(contact_hash(key(), contact), contact.way, person.subject) for person, contact in found]
        tx.executemany("INSERT INTO contact VALUES (?, ?, ?)", rows)
