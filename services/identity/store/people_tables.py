"""What the people store keeps beside accounts and roles: files on their way, each person's entries, likely duplicates,
organisations. Whatever is personal in it is sealed under a key of the vault."""

from __future__ import annotations

from typing import Final

PLAIN_STEP: Final = """CREATE TABLE person (subject TEXT PRIMARY KEY, likeness {blob} NOT NULL UNIQUE,
           stratum TEXT NOT NULL, family_name TEXT NOT NULL, given_name TEXT NOT NULL, birth_date TEXT NOT NULL,
           address TEXT NOT NULL, office TEXT NOT NULL);
       CREATE INDEX person_stratum ON person (stratum);
       CREATE TABLE role (subject TEXT NOT NULL, role TEXT NOT NULL, granted_by TEXT NOT NULL,
           PRIMARY KEY (subject, role));
       CREATE TABLE sign_in_code (subject TEXT PRIMARY KEY, code {blob} NOT NULL UNIQUE);
       CREATE TABLE sign_in_try (source {blob} NOT NULL, minute {bigint} NOT NULL, wrong INTEGER NOT NULL,
           PRIMARY KEY (source, minute)) {without_rowid}"""
SEALED_STEP: Final = """CREATE TABLE account (subject TEXT PRIMARY KEY, likeness {blob} UNIQUE, stratum TEXT NOT NULL,
           sealed {blob});
       CREATE INDEX account_stratum ON account (stratum);
       CREATE TABLE erasure (subject TEXT PRIMARY KEY, asked_by TEXT NOT NULL, confirmed_by TEXT NOT NULL);
       CREATE TABLE grant_of_role (subject TEXT NOT NULL, role TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL,
           granted_by TEXT NOT NULL, ended_by TEXT NOT NULL, PRIMARY KEY (subject, role, since));
       CREATE INDEX grant_by_role ON grant_of_role (role, until)"""
DROP_STEP: Final = "DROP TABLE person; DROP TABLE role"
IMPORT_STEP: Final = """CREATE TABLE roll_import (id TEXT PRIMARY KEY, hash TEXT NOT NULL, stratum TEXT NOT NULL,
           state TEXT NOT NULL, asked_by TEXT NOT NULL, started_by TEXT NOT NULL, at TEXT NOT NULL,
           changed_at TEXT NOT NULL, keep_good INTEGER NOT NULL, with_changes INTEGER NOT NULL,
           total INTEGER NOT NULL, done INTEGER NOT NULL, fresh INTEGER NOT NULL, changed INTEGER NOT NULL,
           known INTEGER NOT NULL, faulty INTEGER NOT NULL, added INTEGER NOT NULL, altered INTEGER NOT NULL,
           reason TEXT NOT NULL);
       CREATE INDEX roll_import_state ON roll_import (state, at);
       CREATE INDEX roll_import_at ON roll_import (at);
       CREATE TABLE roll_import_part (import TEXT NOT NULL, nth INTEGER NOT NULL, sealed {blob} NOT NULL,
           PRIMARY KEY (import, nth));
       CREATE TABLE roll_import_line (import TEXT NOT NULL, line INTEGER NOT NULL, kind TEXT NOT NULL,
           field TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (import, line, field));
       CREATE INDEX roll_import_line_kind ON roll_import_line (import, kind, line)"""
ENTRY_STEP: Final = """CREATE TABLE entry (id TEXT PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL,
           state TEXT NOT NULL, poll TEXT NOT NULL, at TEXT NOT NULL, by_whom TEXT NOT NULL, decided_at TEXT NOT NULL,
           decided_by TEXT NOT NULL, sealed {blob} NOT NULL);
       CREATE INDEX entry_of ON entry (subject, at);
       CREATE INDEX entry_waiting ON entry (kind, state, at, id)"""
DUPLICATE_STEP: Final = """ALTER TABLE account ADD COLUMN looked INTEGER NOT NULL DEFAULT 0;
       CREATE INDEX account_unlooked ON account (subject) WHERE looked = 0 AND sealed IS NOT NULL;
       CREATE TABLE name_block (block {blob} NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (block, subject))
           {without_rowid};
       CREATE INDEX name_block_of ON name_block (subject);
       CREATE TABLE duplicate (first TEXT NOT NULL, second TEXT NOT NULL, why TEXT NOT NULL, state TEXT NOT NULL,
           at TEXT NOT NULL, kept TEXT NOT NULL, asked_by TEXT NOT NULL, decided_by TEXT NOT NULL,
           note TEXT NOT NULL, PRIMARY KEY (first, second));
       CREATE INDEX duplicate_second ON duplicate (second);
       CREATE INDEX duplicate_state ON duplicate (state, at, first);
       CREATE TABLE merged (subject TEXT PRIMARY KEY, kept TEXT NOT NULL);
       CREATE INDEX merged_kept ON merged (kept)"""
ORGANISATION_STEP: Final = """CREATE TABLE organisation (subject TEXT PRIMARY KEY, number {blob} UNIQUE,
           state TEXT NOT NULL, asked_by TEXT NOT NULL, at TEXT NOT NULL, decided_by TEXT NOT NULL, sealed {blob});
       CREATE INDEX organisation_state ON organisation (state, at);
       CREATE INDEX organisation_asked ON organisation (asked_by);
       CREATE TABLE delegation (organisation TEXT NOT NULL, subject TEXT NOT NULL, since TEXT NOT NULL,
           until TEXT NOT NULL, granted_by TEXT NOT NULL, ended_by TEXT NOT NULL,
           PRIMARY KEY (organisation, subject, since));
       CREATE INDEX delegation_of ON delegation (subject, until);
       CREATE INDEX delegation_until ON delegation (until);
       CREATE VIEW role_held AS
           SELECT subject, role, since, until, granted_by, ended_by FROM grant_of_role UNION ALL
           SELECT subject, 'association_delegate', since, until, granted_by, ended_by FROM delegation"""
RESIDENT_STEP: Final = """DROP INDEX grant_by_role;
       CREATE INDEX grant_by_role ON grant_of_role (role, until, subject)"""
ADMIN_STEPS: Final = (IMPORT_STEP, ENTRY_STEP, DUPLICATE_STEP, ORGANISATION_STEP, RESIDENT_STEP)
OF_A_PERSON: Final = (
    *("sign_in_code", "external_account", "grant_of_role", "erasure"),
    *("entry", "name_block", "delegation"),
)
"""Tables whose rows of a subject go when the person is erased; pairs and aliases go with them."""
