"""Every OpenAPI description against the running platform, by schemathesis with all of its checks, in the name of each
role, and the public API with a key and without: 0 answers 5xx, 0 drift between what is described and what is done.

A service with a fault planted in it (a 500, an answer of another shape, a body taken or refused against its shape) must
be found, by the same means.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from deploy.demo_client import Client, Voter
from deploy.docs import DOCS
from services.gateway.pages.api.description import ROOT
from services.gateway.store.api_keys import SCOPES, ApiKeys
from services.shared import web
from services.shared.settings import Common
from services.shared.store import open_database
from services.shared.tokens import TokenSigner
from tests import planted
from tests.ballot import kit
from tests.contract_checks import Checked, check, served
from tests.drills import _platform

ROLES = ("returning_officer", "resident", "administrator", "agent", "auditor", "gateway")
EACH = tuple((role,) for role in ROLES)
Token = Callable[[], str]


def main(smoke: bool, seed: int) -> dict[str, object]:
    logging.disable(logging.CRITICAL)
    found: dict[str, object] = {"planted faults found": _planted(seed)}
    for engine in ("embedded",) if smoke else ("embedded", "region"):
        with tempfile.TemporaryDirectory(prefix="parvis-contracts-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            with _platform.environment({"PARVIS_API_PER_MINUTE": "1000000"}):
                with _platform.Platform(folder / "data", engine) as platform:
                    found[engine] = _asked(platform, *((2, seed, [ROLES]) if smoke else (8, seed, EACH)))
    return found


def _planted(seed: int) -> str:
    for view, name in planted.FAULTS:
        app = planted.app(view)
        with served(app) as url:
            found = check(web.described(app), url, examples=30, seed=seed).findings
        assert any(f": {name}: " in told for told in found), f"{name} did not find {view.__name__}: {found}"
    return f"{len(planted.FAULTS)} of {len(planted.FAULTS)}"


def _asked(platform: _platform.Platform, examples: int, seed: int, roles: Sequence[Sequence[str]]) -> dict[str, object]:
    settings = platform.settings()
    with Client(settings) as client:
        known, bodies, residents = _people_and_polls(client, settings)
    total = Checked()
    for service, url in _doors(settings):
        said = _described(url, service)
        for token in _callers(settings, service, residents, roles):
            total += check(said, url, examples=examples, seed=seed, token=token, known=known, bodies=bodies)
    total += _public(platform, settings, examples, seed, known)
    logged = "".join(path.read_text(errors="replace") for path in (platform.data / "logs").glob("*"))
    assert total.findings == {}, json.dumps(total.findings, indent=1, ensure_ascii=False)
    assert not [status for status in total.statuses if status >= 500], total.statuses
    assert "Traceback" not in logged
    return {
        "requests": total.requests, "operations": len(total.operations), "drift": 0, "5xx": 0,
        "answers by status": dict(sorted(total.statuses.items())),
    }  # fmt: skip


def _doors(settings: Common) -> Iterator[tuple[str, str]]:
    for service in ("ballot", "cast", "identity", "notifications"):
        yield service, getattr(settings, f"{service}_url")


def _described(url: str, service: str) -> dict[str, Any]:
    """What the door says of itself, which is what `make docs` wrote."""
    said: dict[str, Any] = httpx.get(f"{url}/openapi.json", trust_env=False).json()
    assert said == json.loads((DOCS / "api" / f"{service}.json").read_text("utf-8")), service
    return said


def _callers(
    settings: Common, service: str, residents: list[str], roles: Sequence[Sequence[str]]
) -> Iterator[Token | None]:
    """Nobody, then who has these roles; the cast door knows no tokens. A resident is one, so that things are found."""
    yield None
    signer = TokenSigner(settings.keys / "gateway" / "token.key")
    for place, held in enumerate(roles if service != "cast" else ()):
        subject = residents[place]
        yield lambda s=subject, r=held: signer.token(s, r, service)  # type: ignore[misc]


def _people_and_polls(client: Client, settings: Common) -> tuple[dict[str, list[str]], dict[str, Any], list[str]]:
    """An open poll with ballots, one that is counted, and bodies that are right."""
    residents = _platform.residents(settings, 60)
    short, lasting = _platform.publish(client, lasts=20), _platform.publish(client, lasts=7200)
    for poll in (short, lasting):
        _platform.wait_for(client, poll, "open")
        for subject in residents[:30]:
            Voter(client, client.manifest(poll), subject).vote([kit.YES])
    _platform.wait_for(client, short, "closed")
    _platform.count(client, short)
    other = {"subject": residents[-1]}
    bodies = {
        "draft_poll": kit.draft(),
        "of": other,
        "grant": other | {"role": "agent"},
        "end": other | {"role": "agent"},
        "reissue": other,
        "names": {"subjects": residents[:3]},
        "seal": {"use": "drafts"},
        "mark": {"credential": secrets.token_hex(32), "salt": secrets.token_hex(32)},
    }
    return {"poll": [short, lasting], "station": ["bureau-1"]}, bodies, residents


def _public(
    platform: _platform.Platform, settings: Common, examples: int, seed: int, known: Mapping[str, list[str]]
) -> Checked:
    """The gateway's, as anyone and with a key."""
    found = re.search(r"Parvis est prêt : (http://127\.0\.0\.1:\d+)", platform.said())
    assert found is not None
    url = found[1] + ROOT
    said = httpx.get(f"{url}/openapi.json", trust_env=False).json()
    keys = ApiKeys(open_database(settings, "gateway"))
    _, secret = keys.make("drill", "drill", SCOPES, 1_000_000, "drill")
    total = Checked()
    for token in (None, lambda: secret):
        total += check(said, url, examples=examples, seed=seed, token=token, known=known)
    return total
