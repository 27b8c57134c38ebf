"""Small services on real sockets that speak the ballot's, identity's and notifications' HTTP, for the gateway's tests.

They keep the protocol's promises (signatures, idempotence, refusals) and can be told to fail: `service.fail`.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from services.notifications.domain.rendering import Outgoing
from services.shared.errors import NotSignedIn
from services.shared.outbox import Message
from services.shared.strict import canonical
from services.shared.tokens import Caller, TokenVerifier
from tests.gateway.real_ballot import RealBallot
from tests.gateway.real_identity import RealIdentity
from tests.gateway.stub_provider import BORN, Liar

Answer = tuple[int, Any]
ISSUER: Final = SigningKey(b"i" * 32)
PROMISE: Final = SigningKey(b"p" * 32)
LOG: Final = SigningKey(b"l" * 32)
PEOPLE: Final = {
    "LILAS-1": ("subject-lilas", ["resident"], "Lilas Moreau"),
    "NOE-2": ("subject-noe", ["resident"], "Noé Le Goff"),
    "AUDE-3": ("subject-aude", ["returning_officer"], "Aude Kermarrec"),
    "PAUL-4": ("subject-paul", ["returning_officer"], "Paul Bataille"),
    "ZOE-5": ("subject-zoe", ["resident"], "Zoé Martin"),
    "ADA-6": ("subject-ada", ["administrator"], "Ada Lebrun"),
    "INES-7": ("subject-ines", ["agent"], "Inès Diallo"),
    "TOUS-9": ("subject-tous", ["resident", "returning_officer", "agent", "administrator", "auditor"], "Solène Roux"),
    "RENE-8": ("subject-rene", ["auditor"], "René Guérin"),
}
ROLL: Final = {"subject-lilas", "subject-noe"}


@dataclass
class Poll:
    """A poll of the stub, with what its pages show."""

    poll: str
    title: str
    state: str
    description: str = "Une question posée aux habitants de la métropole."
    questions: list[dict[str, Any]] = field(default_factory=list)
    opens: timedelta = timedelta(days=-3)
    closes: timedelta = timedelta(days=4)
    turnout: int = 0
    roll: int = 12480
    epochs: list[dict[str, Any]] = field(default_factory=list)
    tally: dict[str, Any] | None = None
    reason: str | None = None
    opening: set[str] = field(default_factory=set)
    count: set[str] = field(default_factory=set)
    cancelling: str | None = None
    issuance_ready: bool = True
    station: str = "Bureau de la place Hoche"
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def moment(self, delta: timedelta) -> str:
        return (self.at + delta).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def manifest(self) -> dict[str, Any]:
        return {
            "version": 1,
            "poll": self.poll,
            "title": self.title,
            "description": self.description,
            "mode": "L",
            "questions": self.questions or [question()],
            "strata": [
                {
                    "id": "habitants",
                    "label": "Habitants",
                    "roll_size": self.roll,
                    "roll_root": "ab" * 32,
                    "station": "bureau-1",
                    "issuer_keys": [bytes(ISSUER.verify_key).hex()],
                }
            ],
            "stations": [{"id": "bureau-1", "label": self.station}],
            "opens_at": self.moment(self.opens),
            "closes_at": self.moment(self.closes),
            "log_by": self.moment(self.closes + timedelta(hours=1)),
            "epoch_seconds": 60,
            "epoch_min": 20,
            "origin": "parvis.localhost",
            "log_key": bytes(LOG.verify_key).hex(),
            "promise_key": bytes(PROMISE.verify_key).hex(),
            "replaces": None,
            "reason": None,
        }

    @property
    def manifest_hash(self) -> str:
        return sha256(canonical(self.manifest)).hexdigest()

    @property
    def checkpoints_hash(self) -> str | None:
        return sha256(self.poll.encode()).hexdigest() if self.state in ("closed", "tallied") else None

    def as_json(self) -> dict[str, Any]:
        return {
            "poll": self.poll,
            "state": self.state,
            "manifest": self.manifest,
            "manifest_hash": self.manifest_hash,
            "checkpoints_hash": self.checkpoints_hash,
            "stations": [
                {
                    "station": "bureau-1",
                    "label": self.station,
                    "size": self.turnout + 2,
                    "turnout": self.turnout,
                    "checkpoint": None if self.state == "published" else "parvis.localhost/…\n",
                    "epochs": len(self.epochs),
                    "sums": [{"counts": {"oui": self.turnout // 2, "non": self.turnout // 4}, "blank": 3}]
                    if len(self.questions) < 2
                    else [],
                }
            ],
            "roll": self.roll,
            "turnout": self.turnout,
            "issuance_ready": self.issuance_ready,
            "opening_confirmed_by": len(self.opening),
            "count_confirmed_by": len(self.count),
            "tally": self.tally,
            "reason": self.reason,
        }

    def listed(self) -> dict[str, Any]:
        return {
            "poll": self.poll,
            "title": self.title,
            "state": self.state,
            "opens_at": self.moment(self.opens),
            "closes_at": self.moment(self.closes),
            "roll": self.roll,
            "turnout": self.turnout,
        }


def question(
    id_: str = "q1", text: str = "Faut-il rendre la place Hoche aux piétons le dimanche ?", *, blank: bool = True
) -> dict[str, Any]:
    options = [{"id": "oui", "label": "Oui"}, {"id": "non", "label": "Non"}]
    return {"id": id_, "text": text, "method": "yes_no", "options": options, "blank": blank, "tie_break": "none"}


def tally(poll: Poll, oui: int, non: int, blank: int, superseded: int, reissued: int) -> dict[str, Any]:
    turnout = oui + non + blank
    winner = "oui" if oui > non else "non" if non > oui else None
    return {
        "type": "TallyComputed",
        "version": 1,
        "poll": poll.poll,
        "manifest_hash": poll.manifest_hash,
        "questions": [
            {
                "id": "q1",
                "method": "yes_no",
                "result": {"counts": {"oui": oui, "non": non}, "blank": blank, "winner": winner, "steps": []},
            }
        ],
        "counted": turnout,
        "superseded": superseded,
        "invalid": {},
        "turnout": turnout,
        "roll": poll.roll,
        "issued": turnout + 41,
        "reissued": reissued,
        "stations": [],
        "code_hash": "cd" * 32,
    }


@dataclass
class Catcher:
    """An outbox that keeps what it is given."""

    sent: list[Message]

    def send(self, message: Message) -> None:
        self.sent.append(message)


class World:
    """What the services know together; `identity` is the real service, for all but sign-in, eligibility and marks.
    `fail[service]` is a status that it answers to everything, `slow[service]` is how many seconds it takes over an
    answer, `rewrite[service]` changes what it says."""

    def __init__(self, token_pub: Path) -> None:
        self.polls: dict[str, Poll] = {}
        self.ballots: dict[tuple[str, str, int], bytes] = {}
        self.marks: dict[tuple[str, str], str] = {}
        self.letters: list[dict[str, Any]] = []
        self.fail: dict[str, int] = {}
        self.slow: dict[str, float] = {}
        self.rewrite: dict[str, Callable[[Any], Any]] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.casts = 0
        self.sources: list[str] = []  # as whom the gateway says that codes were typed
        self.vouched: list[dict[str, str]] = []  # what the gateway says that providers vouch for
        self.linked: dict[str, str] = {}  # a provider's account → subject
        self.provider = Liar()
        self.spool: list[dict[str, Any]] = []
        self.outbox: list[dict[str, Any]] = []  # messages to one person
        self.standing = ""  # why nobody can vote; empty: as the roll says
        self.retry_after = ""  # what identity said with its last answer
        self._token_pub = token_pub
        self._identity: RealIdentity | None = None
        self._ballot: RealBallot | None = None
        self._lock = threading.Lock()

    def reset(self) -> None:
        """As new, with the region's polls; the addresses stay."""
        for store in (self.polls, self.ballots, self.marks, self.fail, self.slow, self.rewrite, self.linked):
            store.clear()
        self.seen.clear()
        self.sources.clear()
        self.vouched.clear()
        self.outbox.clear()
        self.standing = ""
        self.provider.reset()
        self.casts = 0
        self.close()
        region(self)

    @property
    def identity(self) -> RealIdentity:
        """The real service, made when something first needs it."""
        with self._lock:
            if self._identity is None:
                self._identity = RealIdentity(self._token_pub, PEOPLE)
            return self._identity

    @property
    def ballot(self) -> RealBallot:
        """The real service, for the polls that pages make: drafts, publications, replacements."""
        with self._lock:
            if self._ballot is None:
                self._ballot = RealBallot(self._token_pub)
            return self._ballot

    def close(self) -> None:
        for real in (self._identity, self._ballot):
            if real is not None:
                real.close()
        self._identity = self._ballot = None

    def add(self, poll: Poll) -> Poll:
        self.polls[poll.poll] = poll
        return poll

    def caller(self, headers: dict[str, str], audience: str) -> Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise NotSignedIn
        return TokenVerifier(self._token_pub, audience).caller(token)

    def last(self, poll: str, credential: str) -> tuple[int, str] | None:
        stored = [(seq, leaf) for (p, c, seq), leaf in self.ballots.items() if (p, c) == (poll, credential)]
        return (lambda s: (s[0], _leaf_hash(s[1])))(max(stored)) if stored else None

    def ballot_api(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == "/polls" and method == "GET":
            state = dict(parse_qsl(headers[":query"])).get("state")
            listed = [p.listed() for p in self.polls.values() if state in (None, p.state)]
            return 200, {"polls": listed, "page": 1, "pages": 1}
        found = re.fullmatch(r"/polls/([^/]+)(/.*)?", path)
        poll = self.polls.get(found[1]) if found else None
        if found is None or poll is None:
            return self.ballot.answer(method, f"{path}?{headers[':query']}", headers, body)
        rest, value = found[2] or "", json.loads(body or b"{}")
        if method == "GET":
            return self._read(poll, rest)
        if rest in ("/credentials", "/credentials/paper"):
            seq, leaf = self.last(poll.poll, value["credential"]) or (None, None)
            last = {"seq": seq, "leaf_hash": leaf}
            return 200, last if rest == "/credentials" else {"poll": poll.as_json(), "last": last}
        if rest == "/trackers":
            known = any(_leaf_hash(leaf) == value["tracker"] for leaf in self.ballots.values())
            log_by = poll.manifest["log_by"]
            return 200, {"state": "waiting" if known else "unknown", "station": None, "index": None, "log_by": log_by}
        return self._run(poll, rest, self.caller(headers, "ballot"), value)

    def _read(self, poll: Poll, rest: str) -> Answer:
        if rest == "":
            return 200, poll.as_json()
        if rest == "/manifest":
            return 200, canonical(poll.manifest)
        if rest == "/results" and poll.tally is not None:
            return 200, poll.tally
        if rest == "/epochs":
            return 200, {"epochs": poll.epochs}
        if rest == "/export":
            return 200, b'{"line":"bundle","version":1}\n' * 3
        return (200, b"note\n") if rest == "/stations/bureau-1/checkpoint" else _refusal(404, "NotFound")

    def _run(self, poll: Poll, rest: str, caller: Caller, value: dict[str, Any]) -> Answer:
        if "returning_officer" not in caller.roles:
            return _refusal(403, "NotAllowed")
        if rest == "/cancellation":
            if poll.cancelling and poll.cancelling != caller.subject:
                poll.state, poll.reason = "cancelled", value["reason"]
            poll.cancelling = caller.subject
            return 200, {"state": poll.state}
        opening = rest == "/opening-confirmations"
        people = poll.opening if opening else poll.count
        if opening and value != {"manifest_hash": poll.manifest_hash}:
            return _refusal(409, "AnotherManifest")
        if not opening and value != {"checkpoints_hash": poll.checkpoints_hash}:
            return _refusal(409, "OtherCheckpoints")
        if caller.subject in people:
            return _refusal(409, "SecondPersonNeeded")
        people.add(caller.subject)
        return 200, {"confirmed_by": len(people)}

    def cast_door(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.casts += 1
        ballot = json.loads(body)
        poll = self.polls[path.split("/")[2]]
        signature = ballot.pop("signature")
        signed = b"parvis/ballot/v1\n" + bytes.fromhex(poll.manifest_hash) + canonical(ballot)
        try:
            VerifyKey(bytes.fromhex(ballot["credential"])).verify(signed, bytes.fromhex(signature))
        except BadSignatureError:
            return _refusal(400, "WrongSignature")
        key, mine = (poll.poll, ballot["credential"], ballot["seq"]), _leaf_hash(body)
        with self._lock:
            there = self.ballots.get(key)
            if there is None and poll.state != "open":
                return _refusal(409, "PollNotOpen")
            if there is not None and there != body:
                return _refusal(409, "SeqTaken")
            before = self.ballots.get((*key[:2], ballot["seq"] - 1))
            if ballot["prev"] != (_leaf_hash(before) if before else None):
                return _refusal(409, "PreviousBallotUnknown")
            self.ballots[key] = body
        content = {"poll": poll.poll, "leaf_hash": mine, "log_by": poll.manifest["log_by"]}
        promise = PROMISE.sign(b"parvis/promise/v1\n" + canonical(content)).signature.hex()
        return 201, content | {"signature": promise}

    def identity_api(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == "/sign-in":
            code = json.loads(body)["code"]
            self.sources.append(json.loads(body)["source"])
            if code not in PEOPLE:
                return _refusal(403, "CodeUnknown")
            subject, roles, name = PEOPLE[code]
            return 200, {"subject": subject, "roles": roles, "name": name}
        if path == "/sign-up":
            return self.identity.answer(method, path, headers, body)[:2]
        caller = self.caller(headers, "identity")
        if path.startswith("/sign-in/external"):
            if caller.roles != {"gateway"}:
                return _refusal(403, "NotAllowed")
            return (self._link if path.endswith("/links") else self._external)(caller.subject, json.loads(body))
        if not path.startswith("/polls/"):
            status, value, self.retry_after = self.identity.answer(method, f"{path}?{headers[':query']}", headers, body)
            return status, value
        if path.endswith(("/issuance", "/reissues")):
            return self.identity.answer(method, path, headers, body)[:2]
        poll = path.split("/")[2]
        on_roll = caller.subject in ROLL
        if path.endswith("/standing"):
            return self._standing(method, path, headers, on_roll)
        if path.endswith("/eligibility"):
            return 200, {"eligible": on_roll, "stratum": "habitants" if on_roll else None}
        return self._mark(poll, caller.subject, json.loads(body)) if on_roll else _refusal(403, "NotOnRoll")

    def _standing(self, method: str, path: str, headers: dict[str, str], on_roll: bool) -> Answer:
        """Of a roll that the real service has; else of the stub's own."""
        status, value = self.identity.answer(method, path, headers, b"")[:2]
        if status != 404:
            return status, value
        dates = {"opens_at": "2026-11-01T08:00:00Z", "closes_at": "2026-12-01T18:00:00Z"}
        reason, strata = self.standing or ("may_vote" if on_roll else "not_on_roll"), ["habitants"]
        return 200, {"reason": reason, "stratum": "", "own_stratum": "habitants", "strata": strata, **dates}

    def _link(self, subject: str, value: dict[str, str]) -> Answer:
        names = {known: name for known, _, name in PEOPLE.values()}
        if names[subject] != f"{value['given_name']} {value['family_name']}":
            return _refusal(409, "NamesDiffer")
        self.linked[value["sub"]] = subject
        return 200, {"state": "linked"}

    def _external(self, _: str, value: dict[str, str]) -> Answer:
        self.vouched.append(value)
        for subject, roles, name in PEOPLE.values():
            same = name == f"{value['given_name']} {value['family_name']}" and value["birth_date"] == BORN
            if same or self.linked.get(value["sub"]) == subject:
                return 200, {"subject": subject, "roles": roles, "name": name}
        return _refusal(403, "NotOnAnyRoll")

    def _mark(self, poll: str, subject: str, value: dict[str, str]) -> Answer:
        commitment = sha256(bytes.fromhex(value["salt"]) + bytes.fromhex(value["credential"])).hexdigest()
        if self.marks.setdefault((poll, subject), commitment) != commitment:
            return _refusal(409, "AnotherCredentialMarked")
        message = canonical({"poll": poll, "stratum": "habitants", "credential": value["credential"]})
        signature = ISSUER.sign(b"parvis/issue/v1\n" + message).signature.hex()
        return 200, {"stratum": "habitants", "signature": signature}

    def notifications_api(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        caller = self.caller(headers, "notifications")
        if path == "/spool":
            return (200, {"messages": self.spool}) if caller.roles == {"gateway"} else _refusal(403, "NotAllowed")
        if path == "/outbox":
            message = json.loads(body)
            Outgoing(message["key"][:32], **_outgoing(message)).rendered("parvis@exemple.fr")  # as the real one would
            known = any(message["key"] == sent["key"] for sent in self.outbox)
            self.outbox += [] if known else [message]
            return 202, {"state": "known" if known else "accepted"}
        return 200, {"messages": self.letters}

    def code(self) -> str:
        """The code that identity's worker would send next."""
        sent: list[Message] = []
        self.identity.parts.codes().send(Catcher(sent))
        return sent[-1].values["code"]


def _outgoing(message: dict[str, Any]) -> dict[str, Any]:
    kept = {name: message[name] for name in ("kind", "subject", "address", "template", "values")}
    return kept | {"at": datetime.now(UTC)}


def _leaf_hash(leaf: bytes) -> str:
    return sha256(b"\0" + leaf).hexdigest()


def _refusal(status: int, code: str) -> Answer:
    return status, {"refusal": code, "field": None, "reason": code}


Handle = Callable[[str, str, dict[str, str], bytes], Answer]


@contextmanager
def serve(world: World, name: str, handle: Handle) -> Iterator[str]:
    """One service on a free port of loopback; yields its address."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k.lower(): v for k, v in self.headers.items()}
            path, _, headers[":query"] = self.path.partition("?")
            world.seen.append((name, path, headers))
            status = world.fail.get(name)
            time.sleep(world.slow.get(name, 0))
            try:
                code, value = _refusal(status, "Busy") if status else handle(self.command, path, headers, body)
            except NotSignedIn:
                code, value = _refusal(401, "NotSignedIn")
            if name in world.rewrite:
                value = world.rewrite[name](value)
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            if code == 429:
                self.send_header("Retry-After", world.retry_after)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815  the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what is printed in these tests is looked at."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def services(world: World) -> Iterator[dict[str, str]]:
    """All services; yields the settings' addresses by name."""
    with (
        serve(world, "ballot", world.ballot_api) as ballot,
        serve(world, "cast", world.cast_door) as cast,
        serve(world, "identity", world.identity_api) as identity,
        serve(world, "notifications", world.notifications_api) as notifications,
    ):
        yield {
            "PARVIS_BALLOT_URL": ballot,
            "PARVIS_CAST_URL": cast,
            "PARVIS_IDENTITY_URL": identity,
            "PARVIS_NOTIFICATIONS_URL": notifications,
            "PARVIS_SPOOL_PAGE": "yes",
        }
    world.close()


OPEN: Final = "0b1e6a3c-5d7f-4f0a-8c21-1f2e3d4c5b6a"
SOON: Final = "1c2f7b4d-6e80-4a1b-9d32-203f4e5d6c7b"
DONE: Final = "2d308c5e-7f91-4b2c-8e43-314050607d8c"
CLOSED: Final = "3e419d6f-80a2-4c3d-9f54-425161718e9d"
CANCELLED: Final = "4f52ae70-91b3-4d4e-8a65-536272829fae"


def region(world: World) -> None:
    """A region with a poll in each state."""
    epochs: list[dict[str, Any]] = [
        {"station": "bureau-1", "epoch": n, "turnout": total, "sums": []}
        for n, total in enumerate(accumulate(20 + (37 * n) % 61 for n in range(48)), 1)
    ]
    world.add(
        Poll(
            OPEN,
            "La place Hoche aux piétons le dimanche",
            "open",
            "Depuis mai, la place est fermée aux voitures un dimanche sur quatre. Faut-il l’étendre à tous les "
            "dimanches, de 10 h à 19 h ? Les bus, les secours et les riverains garderaient leur accès.",
            turnout=epochs[-1]["turnout"],
            epochs=epochs,
        )
    )
    world.add(
        Poll(
            SOON,
            "Un tarif unique pour les cantines des collèges",
            "published",
            questions=[question(text="Faut-il un tarif unique de cantine dans tous les collèges publics ?")],
            opens=timedelta(days=2),
            closes=timedelta(days=16),
        )
    )
    done = world.add(
        Poll(
            DONE,
            "Éteindre l’éclairage public de minuit à cinq heures",
            "tallied",
            questions=[question(text="Faut-il éteindre l’éclairage public de minuit à cinq heures ?")],
            opens=timedelta(days=-30),
            closes=timedelta(days=-10),
            roll=9214,
        )
    )
    done.tally = tally(done, 2871, 1734, 212, 163, 3)
    done.turnout = 4817
    world.add(
        Poll(CLOSED, "Le nom de la future médiathèque", "closed", closes=timedelta(hours=-2), turnout=1204, roll=3120)
    )
    world.add(
        Poll(CANCELLED, "Le plan de circulation du quartier Sud", "cancelled", reason="La liste publiée était erronée.")
    )
    world.spool = [
        {
            "kind": kind,
            "name": f"m{kind}",
            "at": 1_795_000_000,
            "to": to,
            "subject": "Votre code de connexion",
            "text": "Bonjour Lilas,\n\nVotre code de connexion : 4821 7390\n",
        }
        for kind, to in (
            ("email", "lilas.moreau@exemple.fr"),
            ("sms", "+33639980012"),
            ("letter", "Lilas Moreau\n12 rue du Lavoir\nVère-le-Château"),
        )
    ]
    world.letters = [
        {
            "id": "m1",
            "at": "2026-11-13T18:00:00Z",
            "subject": "Le vote est clos : éteindre l’éclairage public de minuit à cinq heures",
            "body": "Le vote est terminé.\nLes résultats seront publiés après le comptage.",
            "poll": DONE,
        }
    ]
