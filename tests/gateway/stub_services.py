"""Small services on real sockets that speak the ballot's, identity's and notifications' HTTP, for the gateway's tests.

They keep the protocol's promises (signatures, idempotence, refusals) and can be told to fail: `service.fail`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from services.shared.errors import NotSignedIn
from services.shared.strict import canonical
from services.shared.tokens import Caller, TokenVerifier

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


class World:
    """What the services know together. `fail[service]` is a status that it answers to everything,
    `rewrite[service]` changes what it says."""

    def __init__(self, token_pub: Path) -> None:
        self.polls: dict[str, Poll] = {}
        self.ballots: dict[tuple[str, str, int], bytes] = {}
        self.marks: dict[tuple[str, str], str] = {}
        self.letters: list[dict[str, Any]] = []
        self.fail: dict[str, int] = {}
        self.rewrite: dict[str, Callable[[Any], Any]] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.casts = 0
        self.sources: list[str] = []  # as whom the gateway says that codes were typed
        self._token_pub = token_pub
        self._lock = threading.Lock()

    def reset(self) -> None:
        """As new, with the region's polls; the addresses stay."""
        for store in (self.polls, self.ballots, self.marks, self.fail, self.rewrite):
            store.clear()
        self.seen.clear()
        self.sources.clear()
        self.casts = 0
        region(self)

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
        if path == "/polls":
            return 200, {"polls": [p.listed() for p in self.polls.values()], "page": 1, "pages": 1}
        if path == "/drafts":
            self.caller(headers, "ballot")
            return 200, {"polls": [], "page": 1, "pages": 1}
        found = re.fullmatch(r"/polls/([^/]+)(/.*)?", path)
        poll = self.polls.get(found[1]) if found else None
        if found is None or poll is None:
            return _refusal(404, "PollUnknown")
        rest, value = found[2] or "", json.loads(body or b"{}")
        if method == "GET":
            return self._read(poll, rest)
        if rest == "/credentials":
            seq, leaf = self.last(poll.poll, value["credential"]) or (None, None)
            return 200, {"seq": seq, "leaf_hash": leaf}
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
        poll, caller = path.split("/")[2], self.caller(headers, "identity")
        on_roll = caller.subject in ROLL
        if path.endswith("/eligibility"):
            return 200, {"eligible": on_roll, "stratum": "habitants" if on_roll else None}
        return self._mark(poll, caller.subject, json.loads(body)) if on_roll else _refusal(403, "NotOnRoll")

    def _mark(self, poll: str, subject: str, value: dict[str, str]) -> Answer:
        commitment = sha256(bytes.fromhex(value["salt"]) + bytes.fromhex(value["credential"])).hexdigest()
        if self.marks.setdefault((poll, subject), commitment) != commitment:
            return _refusal(409, "AnotherCredentialMarked")
        message = canonical({"poll": poll, "stratum": "habitants", "credential": value["credential"]})
        signature = ISSUER.sign(b"parvis/issue/v1\n" + message).signature.hex()
        return 200, {"stratum": "habitants", "signature": signature}

    def notifications_api(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.caller(headers, "notifications")
        return 200, {"messages": self.letters}


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
            path = self.path.split("?")[0]
            world.seen.append((name, path, headers))
            status = world.fail.get(name)
            try:
                code, value = _refusal(status, "Busy") if status else handle(self.command, path, headers, body)
            except NotSignedIn:
                code, value = _refusal(401, "NotSignedIn")
            if name in world.rewrite:
                value = world.rewrite[name](value)
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815  the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what is printed in these tests is looked at."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
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
        }


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
    world.letters = [
        {
            "id": "m1",
            "at": "2026-11-13T18:00:00Z",
            "subject": "Le vote est clos : éteindre l’éclairage public de minuit à cinq heures",
            "body": "Le vote est terminé.\nLes résultats seront publiés après le comptage.",
            "poll": DONE,
        }
    ]
