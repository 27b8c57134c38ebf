"""How a service asks notifications to send something to one person, and what it may ask.

A call that ends without an answer is repeated with the same key: one key is one message, however often it is sent.
The acknowledgement means that the message is on disk there.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import httpx
import msgspec

from services.shared.strict import canonical
from services.shared.tokens import TokenSigner
from services.shared.trust import certificates

AUDIENCE: Final = "notifications"
_Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to one person. `key`: 16 to 64 hex digits that nobody can guess, the same at each repeat. `subject`:
    whose message it is, so that it can be deleted with them. A letter's address has a line break between its lines."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16,64}$(?!\n)")]
    kind: Literal["email", "sms", "letter"]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    template: _Word
    values: Annotated[dict[_Word, Annotated[str, msgspec.Meta(max_length=2000)]], msgspec.Meta(max_length=20)] = (
        msgspec.field(default_factory=dict)
    )


class Accepted(msgspec.Struct, frozen=True):
    """`state`: "accepted", or "known" when this key was sent before."""

    state: str


class NotSent(Exception):
    """Nothing is known of the message: it may be repeated with its key. `refused`: repeating cannot help."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


class OutboxClient:
    """Speaks as the service whose `signer` it is given. Safe to share between threads."""

    def __init__(
        self, url: str, signer: TokenSigner, deadline: float = 3.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._signer = signer
        self._client = httpx.Client(
            base_url=url, verify=certificates(), timeout=deadline, transport=transport, trust_env=False
        )

    def send(self, message: Message) -> None:
        """Returns once the message is on disk. Raises NotSent; what it says names neither person nor address."""
        headers = {"Authorization": f"Bearer {self._signer.own(AUDIENCE)}", "Content-Type": "application/json"}
        try:
            answer = self._client.post("/outbox", content=canonical(msgspec.to_builtins(message)), headers=headers)
        except httpx.HTTPError as e:
            raise NotSent(f"notifications did not answer: {type(e).__name__}") from None
        if not answer.is_success:
            raise NotSent(f"notifications answered {answer.status_code}", refused=answer.status_code in (400, 413, 415))

    def close(self) -> None:
        self._client.close()
