"""The values that docs/voting-protocol.md gives to the writer of a second verifier are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.signing import SigningKey

from services.ballot import audit
from services.ballot.protocol import credentials, sign
from services.ballot.protocol.checkpoints import Checkpoint, sign_checkpoint
from services.ballot.protocol.leaves import StationOpened
from services.ballot.protocol.merkle import leaf_hash
from tests.ballot.audit.tampers import CASES
from tests.ballot.builder import POLL

TEXT = (Path(audit.__file__).parents[3] / "docs" / "voting-protocol.md").read_text()
SEED = bytes(range(32))
CREDENTIAL = sign.public_key(credentials.credential_key(SEED, POLL))
SALT = credentials.salt(SEED, POLL)
OPENED = StationOpened(POLL, "bureau-1", b"\xab" * 32).encode()
NOTE = sign_checkpoint(Checkpoint(f"parvis.localhost/{POLL}/bureau-1", 1, leaf_hash(OPENED)), SigningKey(SEED))


@pytest.mark.parametrize(
    "value",
    [
        CREDENTIAL.hex(),
        SALT.hex(),
        credentials.commitment(SALT, CREDENTIAL).hex(),
        credentials.print_code(SEED),
        OPENED.decode(),
        leaf_hash(OPENED).hex(),
        NOTE,
    ],
)
def test_a_value_of_the_page_is_that_of_the_code(value: str) -> None:
    assert value in TEXT


def test_the_page_names_every_finding_that_the_audit_can_make() -> None:
    found = {finding for _, finding, _ in CASES.values()}
    assert [name for name in sorted(found) if f"`{name}`" not in TEXT] == []
