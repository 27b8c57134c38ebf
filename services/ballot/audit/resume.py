"""Going on after a kill: which first bytes of the bundle had all their signatures checked.

Only signatures are skipped for those bytes, and only if they are still the same (SHA-256); all else is done again. The
state lies in the auditor's own folder, never beside the bundle: a bundle's maker must not be able to bring one along.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from services.ballot.protocol.tally import code_hash

_CHUNK: Final = 1 << 20
_SECONDS: Final = 5.0
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """The bundle's first `bytes` bytes, which hash to `sha256` and hold `ballots` ballots, were found right."""

    bytes: int = 0
    sha256: str = sha256().hexdigest()
    ballots: int = 0


def default_folder() -> Path | None:
    """Where states lie: `$XDG_STATE_HOME/parvis-audit`; None where the user has no home."""
    base = os.environ.get("XDG_STATE_HOME")
    try:
        return Path(base) / "parvis-audit" if base else Path.home() / ".local" / "state" / "parvis-audit"
    except RuntimeError:
        return None


class State:
    """The saved progress of the audit of one bundle file under one manifest, by this very code."""

    def __init__(self, bundle: Path, manifest_hash: bytes, folder: Path) -> None:
        self._bundle = bundle
        self._key = {"version": _VERSION, "manifest_hash": manifest_hash.hex(), "code_hash": code_hash()}
        self._path = folder / f"{sha256(str(bundle.resolve()).encode()).hexdigest()[:32]}.json"
        self._saved_at = time.monotonic()

    def load(self) -> Progress:
        """The progress to go on from; none if nothing was saved or the bundle's first bytes have changed."""
        try:
            value: Any = json.loads(self._path.read_bytes())
            progress = Progress(**value.pop("progress"))
            if value == self._key and _hash_of_first(self._bundle, int(progress.bytes)) == progress.sha256:
                return progress
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass  # no state, or none that we wrote: everything is checked from the start
        return Progress()

    def save(self, progress: Progress, *, at_once: bool = False) -> None:
        """Saves every few seconds. A full or read-only disk costs the resumption, not the audit."""
        if not at_once and time.monotonic() - self._saved_at < _SECONDS:
            return
        self._saved_at = time.monotonic()
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_text(json.dumps({**self._key, "progress": asdict(progress)}))
            fresh.replace(self._path)
        except OSError:
            return

    def delete(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return


def _hash_of_first(path: Path, size: int) -> str:
    digest = sha256()
    with path.open("rb") as stream:
        while size > 0 and (data := stream.read(min(size, _CHUNK))):
            digest.update(data)
            size -= len(data)
    return digest.hexdigest() if size == 0 else ""
