"""Tokens: from the gateway, for one service, for a minute; anything else is nobody."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from services.shared import keys
from services.shared.errors import NotSignedIn
from services.shared.tokens import Caller, TokenSigner, TokenVerifier


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(tmp_path: Path, clock: Clock) -> TokenSigner:
    keys.make_key_pair(tmp_path / "token.key", tmp_path / "token.pub")
    return TokenSigner(tmp_path / "token.key", clock=clock)


@pytest.fixture
def verifier(tmp_path: Path, signer: TokenSigner, clock: Clock) -> TokenVerifier:
    return TokenVerifier(tmp_path / "token.pub", "identity", clock=clock)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_names_its_subject_and_roles(signer: TokenSigner, verifier: TokenVerifier) -> None:
    token = signer.token("9f3a", ["resident", "auditor"], "identity")
    assert verifier.caller(token) == Caller("9f3a", frozenset({"resident", "auditor"}))


def test_a_token_for_another_service_is_refused(signer: TokenSigner, verifier: TokenVerifier) -> None:
    with pytest.raises(NotSignedIn):
        verifier.caller(signer.token("9f3a", [], "ballot"))


def test_who_asks_again_at_once_gets_the_same_token_and_nobody_else_does(
    signer: TokenSigner, verifier: TokenVerifier, clock: Clock
) -> None:
    first = signer.token("9f3a", ["auditor", "resident"], "identity")
    clock.now += 9
    assert signer.token("9f3a", ["resident", "auditor"], "identity") == first
    others = [("7c21", ["auditor"], "identity"), ("9f3a", ["auditor"], "identity"), ("9f3a", ["resident"], "ballot")]
    assert len({first, *(signer.token(*other) for other in others)}) == 4
    clock.now += 1
    later = signer.token("9f3a", ["resident", "auditor"], "identity")
    clock.now += 59
    assert later != first and verifier.caller(later).subject == "9f3a"


def test_a_token_lives_a_minute_and_a_little_for_the_clocks(
    signer: TokenSigner, verifier: TokenVerifier, clock: Clock
) -> None:
    token = signer.token("9f3a", [], "identity")
    clock.now += 64
    verifier.caller(token)
    clock.now += 2
    with pytest.raises(NotSignedIn):
        verifier.caller(token)


def test_a_token_from_the_future_is_refused(signer: TokenSigner, verifier: TokenVerifier, clock: Clock) -> None:
    token = signer.token("9f3a", [], "identity")
    clock.now -= 60
    with pytest.raises(NotSignedIn):
        verifier.caller(token)


def test_a_token_of_another_key_is_refused(tmp_path: Path, verifier: TokenVerifier, clock: Clock) -> None:
    keys.make_key(tmp_path / "other.key")
    with pytest.raises(NotSignedIn):
        verifier.caller(TokenSigner(tmp_path / "other.key", clock=clock).token("9f3a", [], "identity"))


def test_unsigned_and_symmetric_tokens_are_refused(signer: TokenSigner, verifier: TokenVerifier) -> None:
    _, claims, signature = signer.token("9f3a", ["administrator"], "identity").split(".")
    for algorithm in ("none", "HS256", "EdDSA", "ES256", "", None):
        for end in (signature, ""):
            with pytest.raises(NotSignedIn):
                verifier.caller(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{claims}.{end}")


def test_a_token_whose_roles_were_edited_is_refused(signer: TokenSigner, verifier: TokenVerifier) -> None:
    head, claims, signature = signer.token("9f3a", ["resident"], "identity").split(".")
    edited = json.loads(base64.urlsafe_b64decode(claims + "=="))
    edited["roles"] = ["administrator"]
    with pytest.raises(NotSignedIn):
        verifier.caller(f"{head}.{part(edited)}.{signature}")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "x" * 5000, "\x00", "[]", "a.b.c.d.e"])
def test_what_is_no_token_is_refused_and_never_fails(verifier: TokenVerifier, text: str) -> None:
    with pytest.raises(NotSignedIn):
        verifier.caller(text)


def trusting(folder: Path, signer: TokenSigner, clock: Clock) -> tuple[TokenSigner, TokenVerifier]:
    """Identity's own signer, and a verifier that trusts it beside the gateway."""
    keys.make_key_pair(folder / "own.key", folder / "own.pub")
    services = {"identity": folder / "own.pub"}
    return (
        TokenSigner(folder / "own.key", issuer="identity", clock=clock),
        TokenVerifier(folder / "token.pub", "notifications", services=services, clock=clock),
    )


def test_a_service_speaks_for_itself_and_for_nobody_else(tmp_path: Path, signer: TokenSigner, clock: Clock) -> None:
    own, verifier = trusting(tmp_path, signer, clock)
    itself = Caller("identity", frozenset({"identity"}))
    assert verifier.caller(own.own("notifications")) == itself
    assert verifier.caller(own.token("9f3a", ["administrator"], "notifications")) == itself
    assert verifier.caller(signer.token("9f3a", ["resident"], "notifications")) == Caller(
        "9f3a", frozenset(["resident"])
    )
    assert verifier.caller(signer.own("notifications")) == Caller("gateway", frozenset(["gateway"]))


def test_a_service_that_says_to_be_another_or_is_not_trusted_is_refused(
    tmp_path: Path, signer: TokenSigner, verifier: TokenVerifier, clock: Clock
) -> None:
    own, trusts = trusting(tmp_path, signer, clock)
    as_gateway = TokenSigner(tmp_path / "own.key", clock=clock)
    as_stranger = TokenSigner(tmp_path / "own.key", issuer="ballot", clock=clock)
    for token in (as_gateway.own("notifications"), as_stranger.own("notifications"), own.own("ballot")):
        with pytest.raises(NotSignedIn):
            trusts.caller(token)
    with pytest.raises(NotSignedIn):
        verifier.caller(own.own("identity"))
    relabelled = own.own("notifications").split(".")
    relabelled[0] = part({"alg": "Ed25519", "kid": "gateway"})
    with pytest.raises(NotSignedIn):
        trusts.caller(".".join(relabelled))
    clock.now += 66
    with pytest.raises(NotSignedIn):
        trusts.caller(
            TokenSigner(tmp_path / "own.key", issuer="identity", clock=lambda: clock.now - 66).own("notifications")
        )
