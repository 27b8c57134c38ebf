"""A person full of markers is erased on the real platform, and looked for in all that is left.

Their file was imported; they voted, appealed, had receipts and codes sent, asked for an association, were corrected at
the desk. All files are copied but the vault, the outbox and the spool; then the person asks to be erased and an agent
confirms. Searched, in plain, UTF-16, hex and base64, row by row and unpacked: the data folder with its logs, that copy,
the backup, the exports. The backup restored with today's keys tells nothing through the services. Tally and audit stay
as they were. Markers planted on purpose are found.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from deploy.demo_client import Client
from services.shared.tokens import TokenSigner
from tests import doors
from tests.drills import _erased, _markers, _platform
from tests.drills._erased import Person
from tests.drills._platform import Platform
from tests.drills._voters import ANSWERS, Device

APART: Final = ("identity-vault.db*", "notifications-outbox.db*", "spool")
"""What no copy has: the keys store, and what stands beside it."""


def main(smoke: bool, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="parvis-erasure-") as name:
        folder = Path(name)
        person = Person.made(chance)
        planted = _markers.plant(folder / "planted", person.family_name)
        found = {place.partition(":")[0] for place in _markers.search(folder / "planted", [person.family_name])}
        assert found == set(planted), f"planted and not found: {set(planted) - found}"
        with Platform(folder / "data", "embedded") as platform:
            figures = _first_life(platform, folder, person, 20 if smoke else 60)
        _backup(folder / "data", folder / "afterwards", folder / "keys-today")
        words = ["deploy.backup", "restore", "--data", str(folder / "second"), "--from", str(folder / "backup")]
        doors.run([*words, "--keys-from", str(folder / "keys-today")], {})
        with Platform(folder / "second", "embedded") as platform:
            figures["restored with today's keys"] = _second_life(platform, person, figures.pop("_tally"))
        left = _markers.search(folder / "second", person.markers())
        assert not left, f"left in the restored platform: {left}"
    return {"markers": len(person.markers()), "planted in forms": f"{len(planted)}, all found", **figures}


def _first_life(platform: Platform, folder: Path, person: Person, voters: int) -> dict[str, object]:
    common = platform.settings()
    with Client(common) as client:
        subjects = _platform.residents(common, 3 * voters)
        _erased.come_in(common, person)
        poll = _platform.publish(client, lasts=25)
        _platform.wait_for(client, poll, "open")
        signer = TokenSigner(common.keys / "gateway" / "token.key")
        manifest = client.manifest(poll)
        devices = [Device(common, signer, manifest, s) for s in (person.subject, *subjects[:voters])]
        asyncio.run(_vote(devices))
        browsers = _erased.live(common, person, poll)
        _platform.wait_for(client, poll, "closed", seconds=240)
        tally = _platform.count(client, poll)
        copied = _copy(folder / "data", folder / "copy")
        _backup(folder / "data", folder / "backup", None)
        ended = _erased.erase(common, person, browsers)
        _erased.emptied(common, person)
        assert client.poll(poll)["tally"] == tally, "the tally has changed"
        bundle = _platform.export(common, poll, folder / "exports.ndjson")
        said = _platform.audit(bundle, manifest)
        _erased.nothing_told(common, person)
        time.sleep(2)  # whoever still writes
    for part in ("data", "copy", "backup"):
        left = _markers.search(folder / part, person.markers())
        assert not left, f"left in {part}: {left}"
    loose = [path for path in folder.glob("*") if path.is_file()]
    for path in loose:
        left = _markers.told(path.read_text(errors="replace"), person.markers())
        assert not left, f"left in {path.name}: {left}"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "_tally": (poll, tally),
        "files copied before": copied,
        "searched afterwards": f"{size / 1e6:.0f} MB, {len(loose)} exports and outputs",
        "markers left": 0,
        "sessions ended within": f"{ended:.2f} s, on {len(browsers)} browsers",
        "tally": f"unchanged, {tally['counted']} counted of {tally['roll']}",
        "audit": next(line for line in said.splitlines() if "checked of" in line),
    }


def _second_life(platform: Platform, person: Person, before: object) -> str:
    common = platform.settings()
    poll, tally = before  # type: ignore[misc]
    with Client(common) as client:
        answers = _erased.nothing_told(common, person)
        assert client.poll(poll)["tally"] == tally, "the restored tally is another"
    return f"{answers} answers of the services tell nothing; the tally is the same"


async def _vote(devices: list[Device]) -> None:
    await asyncio.gather(*(device.vote(ANSWERS[n % len(ANSWERS)]) for n, device in enumerate(devices)))


def _copy(data: Path, to: Path) -> int:
    """Of a running platform: a file that goes meanwhile was no store."""
    try:
        shutil.copytree(data, to, ignore=shutil.ignore_patterns(*APART))
    except shutil.Error as failed:
        if not all("No such file" in reason for _, _, reason in failed.args[0]):
            raise
    return sum(path.is_file() for path in to.rglob("*"))


def _backup(data: Path, to: Path, keys_to: Path | None) -> None:
    words = ["deploy.backup", "backup", "--data", str(data), "--to", str(to)]
    doors.run([*words, *(["--keys-to", str(keys_to)] if keys_to else [])], {})
