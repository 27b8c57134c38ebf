"""The real ballot service behind the gateway's tests, over SQLite: every poll that pages make lives here."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from services.ballot.api import create_api
from services.ballot.application import Roll
from services.shared.tokens import TokenVerifier
from tests.ballot.kit import Town


class RealBallot:
    """One service. `town` is what tests of the ballot service itself work with: its clock, its sealer."""

    def __init__(self, token_pub: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="parvis-ballot-"))
        self.town = town = Town.embedded(self.folder)
        tokens = TokenVerifier(token_pub, "ballot")
        self.app = create_api(town.application, town.views, town.box, town.log, tokens, lambda: None)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        passed = {k: v for k, v in headers.items() if k in ("authorization", "content-type")}
        answer = self.app.test_client().open(path, method=method, headers=passed, data=body)
        kind = answer.content_type or ""
        return answer.status_code, json.loads(answer.data) if kind.startswith("application/json") else answer.data

    @staticmethod
    def roll(strata: Iterable[Mapping[str, Any]], issuer_key: str) -> Roll:
        """What identity prepared, as the ballot service takes it."""
        return Roll({s["id"]: (s["roll_size"], s["roll_root"]) for s in strata}, issuer_key)

    def close(self) -> None:
        self.town.shut()
        shutil.rmtree(self.folder, ignore_errors=True)
