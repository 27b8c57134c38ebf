"""Works on roll files until it is killed: `python import_process.py PEOPLE VAULT`, each a path or a URL."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from services.identity.application.import_pass import ImportPass
from services.identity.application.people_file import Import
from services.identity.store.imports import ImportStore
from services.identity.store.people import PeopleStore
from services.identity.store.vault import Vault
from services.shared.store import Database


def opened(where: str) -> Database:
    return Database(where if "://" in where else Path(where), secure_delete=True)


def main() -> None:
    key = bytes(range(32))
    people = PeopleStore(opened(sys.argv[1]), Vault(opened(sys.argv[2])), lambda: key)
    working = ImportPass(ImportStore(people), Import(people, key), key)
    print("at work", flush=True)
    while True:
        working.work()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
