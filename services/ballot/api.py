"""The ballot service's JSON API: a poll's life, what is public of it, and the export."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from flask import Response

from services.ballot.application import BallotApplication, PollUnknown, Roll
from services.ballot.domain import Poll
from services.ballot.store.box import BallotBox
from services.ballot.store.export import export_store
from services.ballot.store.log import Log
from services.ballot.store.views import Views
from services.shared import web
from services.shared.errors import BadInput, Busy, NotFound
from services.shared.tokens import TokenVerifier

OFFICER = web.role("returning_officer")
Json = dict[str, Any]


class StationUnknown(NotFound):
    reason = "the poll has no such polling station, or it is not open yet"


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Draft(_Request, frozen=True, forbid_unknown_fields=True):
    title: str
    description: str
    questions: list[Json]
    strata: list[Json]
    stations: list[Json]
    opens_at: str
    closes_at: str
    epoch_seconds: int = 60
    epoch_min: int = 20


class RollPart(_Request, frozen=True, forbid_unknown_fields=True):
    id: str
    roll_size: int
    roll_root: str


class Publication(_Request, frozen=True, forbid_unknown_fields=True):
    strata: list[RollPart]
    issuer_key: str


class Replacement(_Request, frozen=True, forbid_unknown_fields=True):
    draft: Draft
    strata: list[RollPart]
    issuer_key: str
    reason: str


class OpeningConfirmation(_Request, frozen=True, forbid_unknown_fields=True):
    manifest_hash: str


class CountConfirmation(_Request, frozen=True, forbid_unknown_fields=True):
    checkpoints_hash: str


class Reason(_Request, frozen=True, forbid_unknown_fields=True):
    reason: str


class CredentialRequest(_Request, frozen=True, forbid_unknown_fields=True):
    credential: str


class TrackerRequest(_Request, frozen=True, forbid_unknown_fields=True):
    tracker: str


def create_api(
    application: BallotApplication,
    views: Views,
    box: BallotBox,
    log: Log,
    tokens: TokenVerifier | None,
    ready: Callable[[], object],
) -> web.App:
    app = web.create_app("ballot", ready=ready, token_keys=tokens)
    _reading(app, application, views, log)
    _log(app, application, log)
    _running(app, application)
    _voters(app, application, box, log)
    return app


def _reading(app: web.App, application: BallotApplication, views: Views, log: Log) -> None:
    @app.get("/polls", who=web.ANYONE)
    def list_polls() -> Json:
        number = web.page()
        lines, pages = views.page(number)
        told = log.told([line.poll for line in lines])
        polls = [{**line.as_json(), "turnout": told.get(line.poll, 0)} for line in lines]
        return {"polls": polls, "page": number, "pages": pages}

    @app.get("/drafts", who=OFFICER)
    def list_drafts() -> Json:
        number = web.page()
        lines, pages = views.page(number, drafts=True)
        return {"polls": [line.as_json() for line in lines], "page": number, "pages": pages}

    @app.get("/polls/<uuid:poll>", who=web.ANYONE, quiet=True)  # asked for at every step of a vote: leave no line
    def one_poll(poll: UUID) -> Json:
        found = application.poll(str(poll))
        caller = web.caller_or_none()
        if found.manifest is None and (caller is None or not caller.roles & OFFICER.roles):
            raise PollUnknown(field="poll")
        return _as_json(found, log)

    @app.get("/polls/<uuid:poll>/manifest", who=web.ANYONE)
    def one_manifest(poll: UUID) -> Response:
        return Response(application.manifest(str(poll)).canonical, content_type="application/json")


def _log(app: web.App, application: BallotApplication, log: Log) -> None:
    exports = threading.Semaphore(2)  # slow readers must not take all of the service's threads

    @app.get("/polls/<uuid:poll>/stations/<station>/checkpoint", who=web.ANYONE)
    def one_checkpoint(poll: UUID, station: str) -> Response:
        found = log.station(str(poll), station)
        if found is None:
            raise StationUnknown(field="station")
        return Response(found.checkpoint, content_type="text/plain; charset=utf-8")

    @app.get("/polls/<uuid:poll>/epochs", who=web.ANYONE)
    def list_epochs(poll: UUID) -> Json:
        epochs = log.epochs(str(poll))
        return {"epochs": [{"station": s, "epoch": e, "turnout": t, "sums": sums} for s, e, t, sums in epochs]}

    @app.get("/polls/<uuid:poll>/export", who=web.ANYONE)
    def export(poll: UUID) -> Response:
        lines = export_store(log, application.poll(str(poll)), application.manifest(str(poll)))
        headers = {"Content-Disposition": f'attachment; filename="parvis-{poll}.ndjson"'}
        response = Response(lines, content_type="application/x-ndjson", headers=headers)
        if not exports.acquire(blocking=False):
            raise Busy("two exports are under way, try again in a minute")
        response.call_on_close(exports.release)  # whether its lines were read or not
        return response


def _running(app: web.App, application: BallotApplication) -> None:
    @app.post("/polls", who=OFFICER)
    def draft_poll() -> tuple[Json, int]:
        draft = msgspec.to_builtins(web.body(Draft))
        return {"poll": application.draft(draft, web.caller().subject)}, 201

    @app.post("/polls/<uuid:poll>/publication", who=OFFICER)
    def publish(poll: UUID) -> Json:
        body = web.body(Publication)
        return {"manifest_hash": application.publish(str(poll), _roll(body), web.caller().subject)}

    @app.post("/polls/<uuid:poll>/replacement", who=OFFICER)
    def replace(poll: UUID) -> Json:
        body = web.body(Replacement)
        draft = msgspec.to_builtins(body.draft)
        manifest_hash = application.replace(str(poll), draft, _roll(body), body.reason, web.caller().subject)
        return {"manifest_hash": manifest_hash}

    @app.post("/polls/<uuid:poll>/opening-confirmations", who=OFFICER)
    def confirm_opening(poll: UUID) -> Json:
        seen = web.body(OpeningConfirmation).manifest_hash
        return _confirmations(application.confirm_opening(str(poll), seen, web.caller().subject))

    @app.post("/polls/<uuid:poll>/count-confirmations", who=OFFICER)
    def confirm_count(poll: UUID) -> Json:
        seen = web.body(CountConfirmation).checkpoints_hash
        return _confirmations(application.confirm_count(str(poll), seen, web.caller().subject))

    @app.post("/polls/<uuid:poll>/cancellation", who=OFFICER)
    def cancel(poll: UUID) -> Json:
        return _confirmations(application.cancel(str(poll), web.body(Reason).reason, web.caller().subject))


def _voters(app: web.App, application: BallotApplication, box: BallotBox, log: Log) -> None:
    @app.post("/polls/<uuid:poll>/credentials", who=web.ANYONE, quiet=True)
    def last_ballot(poll: UUID) -> Json:
        credential = _hex32(web.body(CredentialRequest).credential, "credential")
        newest = box.last_of(str(poll), credential)
        return {"seq": newest[0], "leaf_hash": newest[1].hex()} if newest else {"seq": None, "leaf_hash": None}

    @app.post("/polls/<uuid:poll>/trackers", who=web.ANYONE, quiet=True)
    def find_tracker(poll: UUID) -> Json:
        tracker = _hex32(web.body(TrackerRequest).tracker, "tracker")
        log_by = application.manifest(str(poll)).log_by
        # The slot first: a ballot that moves to the log between the two looks is then found in the log.
        waiting = box.slot.holds(str(poll), tracker)
        found = log.tracker(str(poll), tracker)
        if found is not None:
            return {"state": "logged", "station": found[0], "index": found[1], "log_by": log_by}
        return {"state": "waiting" if waiting else "unknown", "station": None, "index": None, "log_by": log_by}


def _as_json(poll: Poll, log: Log) -> Json:
    stations = [_station(poll, station, log) for station in (poll.manifest or poll.draft)["stations"]]
    return {
        "poll": str(poll.id),
        "state": poll.state,
        "manifest": poll.manifest or {**poll.draft, "poll": str(poll.id)},
        "manifest_hash": poll.manifest_hash,
        "checkpoints_hash": poll.checkpoints_hash,
        "stations": stations,
        "roll": sum(stratum.get("roll_size", 0) for stratum in (poll.manifest or poll.draft)["strata"]),
        "turnout": sum(station["turnout"] for station in stations),
        "issuance_ready": poll.issuance_ready,
        "opening_confirmed_by": len(poll.opening_confirmed_by),
        "count_confirmed_by": len(poll.count_confirmed_by),
        "cancellation_asked": poll.cancellation_asked_by is not None,
        "issued": sum(one["issued"] for one in poll.issuance.values()),
        "reissued": sum(one["reissued"] for one in poll.issuance.values()),
        "tally": poll.tally,
        "reason": poll.reason,
    }


def _station(poll: Poll, station: Json, log: Log) -> Json:
    """Figures as of the last sealed epoch: what was appended since is not told yet."""
    found = log.station(str(poll.id), station["id"])
    epoch = log.epoch(str(poll.id), station["id"], found.epoch) if found else None
    return {
        "station": station["id"],
        "label": station["label"],
        "size": found.told if found else 0,
        "checkpoint": found.checkpoint if found else None,
        "epochs": found.epoch if found else 0,
        "turnout": epoch[0] if epoch else 0,
        "sums": epoch[1] if epoch else [],
    }


def _confirmations(poll: Poll) -> Json:
    return {
        "state": poll.state,
        "opening_confirmed_by": len(poll.opening_confirmed_by),
        "count_confirmed_by": len(poll.count_confirmed_by),
        "cancellation_asked": poll.cancellation_asked_by is not None,
    }


def _roll(body: Publication | Replacement) -> Roll:
    return Roll({part.id: (part.roll_size, part.roll_root) for part in body.strata}, body.issuer_key)


def _hex32(text: str, field: str) -> bytes:
    compact = text.strip().lower().replace(" ", "")
    try:
        value = bytes.fromhex(compact)
    except ValueError:
        value = b""
    if len(value) != 32 or len(compact) != 64:
        raise BadInput("64 hexadecimal digits", field=field)
    return value
