"""Copies the stores of one machine and puts them back.

    python -m deploy.backup backup  --data DATA --to FOLDER [--keys-to ELSEWHERE]
    python -m deploy.backup restore --data DATA --from FOLDER [--keys-from ELSEWHERE]

A backup may be taken while the platform runs. It leaves out on purpose: the ballot slot, where alone the order of
arrival exists; the event log, which is rebuilt from the stores; the outbox and the spool, whose messages name people
and are sent within seconds. Keys are copied apart, and only if asked;
so is the vault, whose keys open what is known of people: keep its newest copy alone, or an erased person comes back.
A restored store tells other events under numbers already used, so every source begins a new incarnation.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.data_folder import DataFolder, Unusable
from deploy.processes import ROOT, read_doors, services_of

# Copied in this order: a ballot's mark must never be missing where its leaf is there (the audit compares both).
FIRST: Final = ("ballot.db", "ballot-log.db", "identity.db", "identity-people.db")
VAULT: Final = "identity-vault.db"
LEFT_OUT: Final = ("ballot-slot.db", "eventlog.db", "notifications-outbox.db", VAULT)
TELLERS: Final = ("identity", "ballot")
LISTENERS: Final = ("ballot", "identity", "notifications", "gateway")
_LIST: Final = "backup.json"


def backup(data: Path, to: Path, keys_to: Path | None) -> None:
    """Raises Unusable. A backup is whole when its list is there: it is written last."""
    names = [n for n in FIRST if (data / n).exists()]
    names += sorted(p.name for p in data.glob("*.db") if p.name not in (*FIRST, *LEFT_OUT))
    if not names:
        raise Unusable(f"{data} ne contient aucune base : indiquez le dossier de données, DATA=…")
    if to.exists() and any(to.iterdir()):
        raise Unusable(f"{to} n'est pas vide : choisissez un dossier neuf, TO=…")
    if keys_to is not None and (to.resolve() in keys_to.resolve().parents or keys_to.resolve() == to.resolve()):
        raise Unusable(f"{keys_to} est dans la sauvegarde : les clés se gardent dans un autre lieu, KEYS_TO=…")
    os.umask(0o077)
    to.mkdir(parents=True, exist_ok=True)
    for name in names:
        _copy_store(data / name, to / name)
    sums = {name: _sum(to / name) for name in names}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    listed = {"at": at, "stores": sums, "keys": sorted(_key_files(data / "keys") | _vault(data))}
    (to / _LIST).write_text(json.dumps(listed, indent=1) + "\n")
    print(f"{len(names)} bases copiées dans {to}.")
    if keys_to is None:
        print("Les clés ne sont pas copiées : KEYS_TO=… les copie, dans un autre lieu que les données.")
    else:
        shutil.copytree(data / "keys", keys_to, copy_function=_copy_key, dirs_exist_ok=True)
        if (data / VAULT).exists():
            (keys_to / VAULT).unlink(missing_ok=True)  # the newest copy alone
            _copy_store(data / VAULT, keys_to / VAULT)
        print(f"Clés copiées dans {keys_to}.")


def restore(data: Path, origin: Path, keys_from: Path | None) -> None:
    """Into a folder without stores. Raises Unusable."""
    names, keys = _listed(origin)
    if list(data.glob("*.db")):
        raise Unusable(f"{data} contient déjà des bases : choisissez un dossier neuf, DATA=…")
    found = _key_files(data / "keys") | (_key_files(keys_from) if keys_from is not None else set())
    if missing := [name for name in keys if name not in found]:
        raise Unusable(
            f"Il manque des clés ({', '.join(missing)}) : rien n'a été remis. Copiez-les dans {data / 'keys'}, "
            "ou donnez le dossier où elles sont gardées, KEYS_FROM=…, puis relancez."
        )
    os.umask(0o077)
    with DataFolder(data) as folder:
        if keys_from is not None:
            shutil.copytree(keys_from, folder.keys, copy_function=_copy_key, dirs_exist_ok=True)
        try:
            if (folder.keys / VAULT).exists():
                shutil.copyfile(folder.keys / VAULT, folder.path / VAULT)
            _put_back(folder, origin, names)
        except BaseException:
            for path in folder.path.glob("*.db*"):  # none was there before: the next try begins anew
                path.unlink()
            raise
        (folder.keys / VAULT).unlink(missing_ok=True)
    print(f"{len(names)} bases remises dans {data}. Démarrez : make run DATA={data}")
    print("Puis, pour que les services reprennent le fil des événements, avec PARVIS_DATA et PARVIS_KEYS réglés :")
    for service in TELLERS:
        print(f"  .venv/bin/python -m services.{service} relay --again-from 0")
    for service in LISTENERS:
        print(f"  .venv/bin/python -m services.{service} worker accept-restore")


def _listed(origin: Path) -> tuple[list[str], list[str]]:
    """(stores, key files) of a whole and sound copy. Raises Unusable."""
    try:
        listed = json.loads((origin / _LIST).read_text())
        sums: dict[str, str] = listed["stores"]
        keys: list[str] = listed.get("keys", [])  # older copies do not name them
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Unusable(f"{origin} n'est pas une sauvegarde entière : il y manque {_LIST}.") from None
    damaged = [name for name, found in sums.items() if not (origin / name).exists() or _sum(origin / name) != found]
    if damaged:
        raise Unusable(f"Sauvegarde abîmée ({', '.join(damaged)}) : rien n'a été remis.")
    return list(sums), keys


def _put_back(folder: DataFolder, origin: Path, names: list[str]) -> None:
    for name in names:
        shutil.copyfile(origin / name, folder.path / name)
    environment = {**os.environ, "PARVIS_DATA": str(folder.path), "PARVIS_KEYS": str(folder.keys)}
    for service in services_of(read_doors()):
        _run([f"services.{service}", "migrate"], environment)
    _run(["deploy.restored"], environment)


def _copy_store(origin: Path, to: Path) -> None:
    with closing(sqlite3.connect(origin)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _vault(data: Path) -> set[str]:
    return {VAULT} if (data / VAULT).exists() else set()


def _key_files(folder: Path) -> set[str]:
    """Their names alone, as `ballot/log.key`."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _run(words: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Unusable(f"{' '.join(words)} a échoué : {(done.stderr or done.stdout).strip()[-400:]}")


def _copy_key(source: str, target: str) -> str:
    """A key that is there already stays."""
    if not Path(target).exists():
        shutil.copy2(source, target)
    return target


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description="Sauvegarde d'une machine.")
    actions = parser.add_subparsers(dest="action", required=True)
    for action, other, keys in (("backup", "to", "keys-to"), ("restore", "from", "keys-from")):
        one = actions.add_parser(action)
        one.add_argument("--data", type=Path, required=True)
        one.add_argument(f"--{other}", type=Path, required=True, dest="other")
        one.add_argument(f"--{keys}", type=Path, dest="keys")
    given = parser.parse_args()
    if os.environ.get("PARVIS_ENGINE") == "region":
        print("En région, PostgreSQL se sauvegarde par ses propres outils (pg_basebackup et archivage).")
        return 1
    try:
        {"backup": backup, "restore": restore}[given.action](given.data, given.other, given.keys)
    except Unusable as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
