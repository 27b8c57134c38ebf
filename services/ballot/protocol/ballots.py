"""A ballot: the body of the cast door, and byte for byte a leaf of its station's log.

What is accepted here counts or is superseded, never dropped later: so everything that can be checked is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from nacl.signing import SigningKey

from services.ballot.protocol import credentials, merkle, sign
from services.ballot.protocol.credentials import WrongIssuerSignature
from services.ballot.protocol.fields import HEX, Fields, WrongShape
from services.ballot.protocol.manifest import Manifest, Stratum
from services.ballot.protocol.sign import NonCanonicalKey, NonCanonicalSignature, SmallOrderKey, WrongSignature
from services.shared import strict
from services.shared.errors import BadInput

__all__ = [
    "Ballot", "NonCanonicalKey", "NonCanonicalSignature", "NotCanonical", "SmallOrderKey", "UnknownStratum",
    "WrongIssuerSignature", "WrongPoll", "WrongPrevious", "WrongShape", "WrongSignature", "parse", "peek",
    "write",
]  # fmt: skip

MAX_BALLOT: Final = 16 * 1024
MAX_SEQ: Final = 999  # a thousand ballots a voter and poll: more is no change of mind, but a load
_CONTEXT: Final = b"parvis/ballot/v1\n"
_NAMES: Final = frozenset(
    ("type", "version", "poll", "credential", "stratum", "issuer_signatures", "seq", "prev", "body", "signature")
)
# The keys of canonical JSON are sorted, so a ballot always starts with its body, followed by its credential.
HEAD: Final = b'{"body":{"answers":'
NEXT: Final = b'},"credential":"'
BALLOT_END: Final = b'"type":"BallotCast","version":1}'
_FORM: Final = re.compile(
    rb'\{"body":\{"answers":(.+?)\},"credential":"([0-9a-f]{64})",'
    rb'"issuer_signatures":\[("[0-9a-f]{128}"(?:,"[0-9a-f]{128}")?)\],"poll":"([0-9a-f-]{36})",'
    rb'"prev":(?:null|"([0-9a-f]{64})"),"seq":(0|[1-9][0-9]{0,9}),"signature":"([0-9a-f]{128})",'
    rb'"stratum":"([a-z0-9_-]{1,40})","type":"BallotCast","version":1\}'
)
_MOST_ANSWERS_SEEN: Final = 4096


class NotCanonical(BadInput):
    reason = "the bytes are not the canonical form (RFC 8785) of their value"


class UnknownStratum(BadInput):
    reason = "the poll has no such stratum"


class WrongPoll(BadInput):
    reason = "the ballot is for another poll"


class WrongPrevious(BadInput):
    reason = "prev must be null for seq 0, and the hash of the ballot before for any other"


@dataclass(frozen=True, slots=True)
class Ballot:
    """A ballot that passed every check that needs no store.

    `leaf` are its exact bytes, `leaf_hash` its tracker; `answers` the canonical bytes of its answers alone, by which
    equal ballots are counted together.
    """

    leaf: bytes
    leaf_hash: bytes
    credential: bytes
    stratum: Stratum
    seq: int
    prev: bytes | None
    answers: bytes

    @property
    def station(self) -> str:
        return self.stratum.station


def parse(data: bytes, manifest: Manifest, *, verify: bool = True) -> Ballot:
    """The ballot that `data` holds, entirely checked against the manifest; or a refusal naming field and reason.

    `verify=False` leaves out the signatures alone, for bytes whose signatures were checked before.
    """
    form = _recognise(data, manifest) or _read(data, manifest)
    credential = bytes.fromhex(form.credential)
    sign.check_key(credential, "credential")
    stratum = form.stratum
    if verify:
        for i, (key, one) in enumerate(zip(stratum.issuer_keys, form.issuer_signatures, strict=True)):
            signature, at = bytes.fromhex(one), f"issuer_signatures[{i}]"
            credentials.verify_issue(key, manifest.poll, stratum.id, credential, signature, at)
        message = _message(manifest, _unsigned(data, form.signature))
        sign.verify(credential, message, bytes.fromhex(form.signature), "signature")
    prev = bytes.fromhex(form.prev) if form.prev else None
    return Ballot(data, merkle.leaf_hash(data), credential, stratum, form.seq, prev, form.answers)


def peek(leaf: bytes) -> tuple[bytes, int, bytes]:
    """Credential (as hex), seq and answers of a leaf already known to be a canonical ballot: only for own logs.

    No JSON is read: quotes within strings are escaped, so the separators below cannot stand inside a value.
    """
    end = leaf.index(NEXT)
    start = end + len(NEXT)
    seq = leaf.rindex(b',"seq":') + 7
    return leaf[start : start + 64], int(leaf[seq : leaf.index(b",", seq)]), leaf[len(HEAD) : end]


def write(
    manifest: Manifest,
    key: SigningKey,
    *,
    stratum: str,
    issuer_signatures: Sequence[bytes],
    answers: Sequence[Any],
    seq: int = 0,
    prev: bytes | None = None,
) -> bytes:
    """The signed canonical bytes of a ballot: what a voter's side sends. Nothing is checked."""
    value: dict[str, Any] = {
        "type": "BallotCast",
        "version": 1,
        "poll": manifest.poll,
        "credential": sign.public_key(key).hex(),
        "stratum": stratum,
        "issuer_signatures": [one.hex() for one in issuer_signatures],
        "seq": seq,
        "prev": prev.hex() if prev is not None else None,
        "body": {"answers": list(answers)},
    }
    value["signature"] = sign.sign(key, _message(manifest, strict.canonical(value))).hex()
    return strict.canonical(value)


def _message(manifest: Manifest, unsigned: bytes) -> bytes:
    return _CONTEXT + manifest.hash + unsigned


def _unsigned(data: bytes, signature: str) -> bytes:
    """Canonical bytes of the ballot without its signature: the same bytes with that one member cut out."""
    return data.replace(b'"signature":"' + signature.encode() + b'",', b"", 1)


class _Form(NamedTuple):
    """A ballot whose form is right: canonical bytes, every field as the manifest wants it. Hex is still text."""

    answers: bytes
    credential: str
    issuer_signatures: Sequence[str]
    prev: str | None
    seq: int
    signature: str
    stratum: Stratum


def _recognise(data: bytes, manifest: Manifest) -> _Form | None:
    """The form of a ballot whose answers were seen before, without reading JSON; None leaves the verdict to `_read`.

    Three times faster than `_read`, for the usual ballot. It accepts nothing that `_read` refuses: the pattern admits
    canonical bytes alone, and the answers are byte for byte some that `_read` accepted for this manifest.
    """
    match = _FORM.fullmatch(data) if len(data) <= MAX_BALLOT else None
    if match is None or match[1] not in manifest.answers_seen:
        return None
    answers, credential, issued, poll, prev, seq, signature, stratum_id = match.groups()
    stratum = manifest.stratum.get(stratum_id.decode())
    issued_texts = issued.decode()[1:-1].split('","')
    number = int(seq)
    if stratum is None or poll.decode() != manifest.poll or len(issued_texts) != len(stratum.issuer_keys):
        return None
    if number > MAX_SEQ or (number == 0) is not (prev is None):
        return None
    before = prev.decode() if prev else None
    return _Form(answers, credential.decode(), issued_texts, before, number, signature.decode(), stratum)


def _read(data: bytes, manifest: Manifest) -> _Form:
    """The form of any ballot, or the refusal that says what is wrong with it."""
    value = strict.parse(data, limit=MAX_BALLOT)
    if not isinstance(value, dict) or value.keys() != _NAMES:
        Fields(value, _NAMES)
    _check_kind(value, manifest)
    stratum = _stratum(value["stratum"], manifest)
    credential = _hex(value["credential"], 32, "credential")
    issued = _issuer_signatures(value["issuer_signatures"], stratum)
    signature = _hex(value["signature"], 64, "signature")
    seq, prev = _chain(value["seq"], value["prev"])
    _check_answers(value["body"], manifest)
    if strict.canonical(value) != data:
        raise NotCanonical(field="body")
    answers = data[len(HEAD) : data.index(NEXT)]
    if len(manifest.answers_seen) < _MOST_ANSWERS_SEEN:
        manifest.answers_seen.add(answers)
    return _Form(answers, credential, issued, prev, seq, signature, stratum)


def _check_kind(value: dict[str, Any], manifest: Manifest) -> None:
    if value["type"] != "BallotCast":
        raise WrongShape('must be "BallotCast"', field="type")
    if type(value["version"]) is not int or value["version"] != 1:
        raise WrongShape("must be 1", field="version")
    if value["poll"] != manifest.poll:
        raise WrongPoll(field="poll")


def _stratum(value: Any, manifest: Manifest) -> Stratum:
    stratum = manifest.stratum.get(value) if isinstance(value, str) else None
    if stratum is None:
        raise UnknownStratum(field="stratum")
    return stratum


def _hex(value: Any, size: int, field: str) -> str:
    if not isinstance(value, str) or len(value) != 2 * size or not HEX.fullmatch(value):
        raise WrongShape(f"must be {2 * size} lower-case hexadecimal digits", field=field)
    return value


def _issuer_signatures(value: Any, stratum: Stratum) -> list[str]:
    wanted = len(stratum.issuer_keys)
    if not isinstance(value, list) or len(value) != wanted:
        raise WrongShape(f"must hold exactly {wanted}, one per issuer key", field="issuer_signatures")
    return [_hex(one, 64, f"issuer_signatures[{i}]") for i, one in enumerate(value)]


def _chain(seq: Any, prev: Any) -> tuple[int, str | None]:
    if type(seq) is not int or not 0 <= seq <= MAX_SEQ:
        raise WrongShape(f"must be an integer from 0 to {MAX_SEQ}", field="seq")
    before = None if prev is None else _hex(prev, 32, "prev")
    if (seq == 0) is not (before is None):
        raise WrongPrevious(field="prev")
    return seq, before


def _check_answers(body: Any, manifest: Manifest) -> None:
    if not isinstance(body, dict) or body.keys() != {"answers"}:
        Fields(body, ("answers",), path="body")
    answers, questions = body["answers"], manifest.questions
    if not isinstance(answers, list) or len(answers) != len(questions):
        raise WrongShape(f"must hold exactly {len(questions)}, one per question", field="body.answers")
    for i, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        try:
            question.rule.check(question, answer)
        except BadInput as refused:
            refused.field = f"body.answers[{i}]" + (f".{refused.field}" if refused.field else "")
            raise
