"""The doors that are compared: ours, the same without storage, Flask with a commit per request, and a bare "hello".

`python -m tests.bench.doors KIND --port N` serves one of them on the stores that PARVIS_DATA or PARVIS_POSTGRES name.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flask import Flask

from services.ballot.__main__ import Parts
from services.ballot.cast import CastDoor
from services.ballot.methods import METHODS
from services.ballot.protocol import ballots, manifest, promises
from services.ballot.protocol.acceptance import Settled
from services.ballot.store.box import BallotBox
from services.ballot.store.slot import Entry
from services.shared import cli, keys, logs, web
from services.shared.serve import serve_asgi, serve_flask


class NoStorage(BallotBox):
    """Promises everything and keeps nothing: what the door costs without its stores."""

    def accept(self, entries: Sequence[Entry]) -> list[Settled]:
        return [Settled(True)] * len(entries)


def flask_door(parts: Parts) -> web.App:
    """The same checks, the same slot and log, the same promise; one transaction a request."""
    key, box, known = keys.load_signing_key(parts.keys / "promise.key"), parts.box, {}
    app = web.create_app("ballot", ready=parts.ready)

    @app.post("/polls/<uuid:poll>/ballots", who=web.ANYONE, quiet=True)
    def cast(poll: object) -> tuple[bytes, int]:
        name = str(poll)
        if name not in known:
            gates = parts.slot.gates(name)
            known[name] = manifest.parse(parts.slot.manifest(next(iter(gates.values()))[1]), METHODS)
        data = web.request.get_data(cache=False)
        ballot = ballots.parse(data, known[name])
        entry = Entry(
            name, ballot.station, ballot.credential, ballot.seq, ballot.leaf_hash, ballot.prev, data, in_time=True
        )
        [settled] = box.accept([entry])
        if settled.refusal is not None:
            raise settled.refusal
        return promises.make(key, known[name], ballot.leaf_hash).encode(), 201

    return app


def hello() -> Flask:
    app = Flask("hello")
    app.get("/")(lambda: "hello")
    app.get("/readyz", endpoint="readyz")(lambda: "")
    return app


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("ours", "no-storage", "flask", "hello"))
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    logs.configure("bench", args.kind)
    if args.kind == "hello":
        serve_flask(hello, "127.0.0.1", args.port)
    parts = Parts.from_env()
    if args.kind == "flask":
        serve_flask(lambda: flask_door(parts), parts.settings.common.bind, args.port)
    box = parts.box if args.kind == "ours" else NoStorage(parts.slot, parts.log.database)
    key = keys.load_signing_key(parts.keys / "promise.key")
    serve_asgi(lambda: CastDoor(box, key, queue=8192), parts.settings.common.bind, args.port)
    return 0


if __name__ == "__main__":
    cli.finish(main)
