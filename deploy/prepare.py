"""Before the doors open: every service's keys are made if absent and its store is brought to this release's schema.

Skipped when the same code has already prepared the same folder, since it costs a second or two at each start.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Final

from deploy.child import Command
from deploy.data_folder import DataFolder, Unusable
from deploy.processes import ROOT
from deploy.supervisor import StartFailed, Supervisor

_STAMP: Final = "prepared.json"


def prepare(
    supervisor: Supervisor, data: DataFolder, services: list[str], package: str, environment: dict[str, str]
) -> None:
    """Raises Unusable with a sentence when a store is of a newer release, StartFailed for any other failure."""
    stamp = data.path / _STAMP
    code = code_of(ROOT / package.replace(".", "/"))
    embedded = environment.get("PARVIS_ENGINE", "embedded") != "region"
    if embedded and _prepared(stamp, code, data.path):
        return
    for step in ("keys", "migrate"):
        tasks = [
            Command(f"{service}-{step}", [sys.executable, "-m", f"{package}.{service}", step], environment, task=True)
            for service in services
        ]
        try:
            supervisor.run_to_end(tasks)
        except StartFailed as e:
            raise _explained(e, data.path) from e
        if supervisor.stopping:
            return
    stores = sorted(path.name for path in data.path.glob("*.db"))
    stamp.write_text(json.dumps({"code": code, "stores": stores}) + "\n")


def code_of(folder: Path) -> str:
    """Changes when a module does. Sizes and times suffice: the cost of a wrong guess is one migration for nothing."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if "node_modules" not in path.parts:
            seen = path.stat()
            digest.update(f"{path}\0{seen.st_size}\0{seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _prepared(stamp: Path, code: str, folder: Path) -> bool:
    try:
        found = json.loads(stamp.read_text())
        return found["code"] == code and all((folder / name).exists() for name in found["stores"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _explained(e: StartFailed, folder: Path) -> Exception:
    text = str(e)
    if "use a newer one" in text or "StoreTooNew" in text:
        return Unusable(
            f"Le dossier {folder} a été écrit par une version plus récente de Parvis. Reprenez cette version, "
            f"ou un autre dossier : make run DATA=…\n{text}"
        )
    if "disk is full" in text or "No space left" in text:
        return Unusable(f"Le disque qui porte {folder} est plein. Libérez de la place, puis relancez.\n{text}")
    return e
