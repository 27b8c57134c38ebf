"""The data folder: one supervisor at a time, a format it can be asked for, and room on its disk."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
from pathlib import Path
from typing import Final

FORMAT: Final = 1
_NEEDED_TO_START: Final = 100 * 1024 * 1024
_NEEDED_TO_RUN: Final = 30 * 1024 * 1024
_KEEPERS_GRACE: Final = 6.0
_ENDING_GRACE: Final = 1.5


class Unusable(Exception):
    """The sentence (French: it is for the operator) says what is wrong and what to do."""


def full_disk(folder: Path) -> str:
    return (
        f"Le disque qui porte {folder} est plein. Libérez de la place (ou choisissez un autre dossier : "
        "make run DATA=…), puis relancez. Rien de ce qui a été accepté n'est perdu."
    )


class DataFolder:
    """Opened and locked by a `with` block. The lock lives as long as any process that inherits `lock`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self.keys = self.path / "keys"
        self.lock = -1

    def __enter__(self) -> DataFolder:
        try:
            self._open()
        except OSError as e:
            self._close()
            raise self._sentence(e) from e
        except Unusable:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _open(self) -> None:
        for folder in (self.path, self.logs, self.keys):
            # Others may pass (a region's PostgreSQL runs under an account of its own), not look.
            folder.mkdir(parents=True, exist_ok=True, mode=0o711 if folder is self.path else 0o700)
        self.keys.chmod(0o700)
        self._take_lock()
        self._check_format()
        if self.free() < _NEEDED_TO_START:
            raise Unusable(
                f"Il ne reste que {self.free() // 2**20} Mo sur le disque qui porte {self.path} ; il en faut 100 pour "
                "démarrer. Libérez de la place ou choisissez un autre dossier : make run DATA=…"
            )

    def _sentence(self, e: OSError) -> Unusable:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            return Unusable(full_disk(self.path))
        if e.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return Unusable(
                f"Le dossier {self.path} n'est pas accessible en écriture. Donnez-vous-y les droits, "
                "ou choisissez un autre dossier : make run DATA=…"
            )
        return Unusable(f"Le dossier de données {self.path} ne peut pas être ouvert : {e.strerror or e}.")

    def _take_lock(self) -> None:
        self.lock = os.open(self.path / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = supervisor_of(self.path)
                if time.monotonic() - began > (_ENDING_GRACE if holder else _KEEPERS_GRACE):
                    raise Unusable(
                        f"Parvis tourne déjà sur {self.path} (processus {holder or 'inconnu'}). Arrêtez-le d'abord "
                        "(Ctrl-C dans sa fenêtre), ou choisissez un autre dossier : make run DATA=…"
                    ) from None
                time.sleep(0.1)  # its supervisor is ending, or its keeper is still ending the children
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, f"{os.getpid()}\n".encode(), 0)

    def _check_format(self) -> None:
        path = self.path / "format.json"
        try:
            found = int(json.loads(path.read_text())["format"])
        except FileNotFoundError:
            found = 0
        except (ValueError, KeyError, TypeError):
            raise Unusable(f"{path} est illisible : remettez ce dossier depuis une sauvegarde.") from None
        if found > FORMAT:
            raise Unusable(
                f"Le dossier {self.path} a été écrit par une version plus récente de Parvis (format {found}, "
                f"celle-ci connaît {FORMAT}). Reprenez cette version plus récente, ou un autre dossier : "
                "make run DATA=…"
            )
        if found < FORMAT:
            draft = path.with_suffix(".new")
            draft.write_text(json.dumps({"format": FORMAT}) + "\n")
            draft.replace(path)

    def free(self) -> int:
        return shutil.disk_usage(self.path).free

    def low(self) -> str | None:
        """A sentence when the disk is nearly full."""
        if self.free() >= _NEEDED_TO_RUN:
            return None
        return (
            f"Le disque qui porte {self.path} est presque plein ({self.free() // 2**20} Mo) : les bulletins sont "
            "refusés quand il l'est tout à fait, et aucun bulletin accepté n'est perdu. Libérez de la place."
        )

    def _close(self) -> None:
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def supervisor_of(path: Path) -> int | None:
    """The process id of the supervisor that runs on this folder, if it is alive: one that is dead and that nobody has
    waited for is not."""
    try:
        pid = int((path / "supervisor.lock").read_text())
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] in "ZX":
            return None
    except PermissionError:
        return pid
    except (OSError, ValueError):
        return None
    return pid
