"""The ballot service's JSON API: a poll's life, what is public of it, and the export."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

import msgspec
from flask import Response, request

from services.ballot.api import shapes
from services.ballot.application import BallotApplication, PollUnknown, Roll
from services.ballot.domain import Poll, State
from services.ballot.store.box import BallotBox
from services.ballot.store.export import export_store
from services.ballot.store.log import Log
from services.ballot.store.views import Views
from services.shared import web
from services.shared.errors import BadInput, Busy, NotFound
from services.shared.tokens import TokenVerifier

OFFICER = web.role("returning_officer")
Json = dict[str, Any]
_LISTED = [str(state) for state in State if state is not State.DRAFT]
_FILTER = {"state": Literal[tuple(_LISTED)]}


class StationUnknown(NotFound):
    reason = "the poll has no such polling station, or it is not open yet"


class NotCounted(NotFound):
    reason = "no such poll, or its count is not published yet"


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
    _confirming(app, application)
    _voters(app, application, box, log)
    return app


def _reading(app: web.App, application: BallotApplication, views: Views, log: Log) -> None:
    @app.get("/polls", who=web.ANYONE, gives=shapes.Polls, paged=True, reads=_FILTER, public="polls:read")
    def list_polls() -> shapes.Polls:
        """The published polls, open ones first. `?state=`: those in that state alone."""
        number = web.page()
        lines, pages = views.page(number, state=_wanted_state())
        told = log.told([line.poll for line in lines])
        polls = [shapes.PublicLine(**line.as_json(), turnout=told.get(line.poll, 0)) for line in lines]
        return shapes.Polls(polls, number, pages)

    @app.get("/drafts", who=OFFICER, gives=shapes.Drafts, paged=True)
    def list_drafts() -> shapes.Drafts:
        """The polls that are not published yet."""
        number = web.page()
        lines, pages = views.page(number, drafts=True)
        return shapes.Drafts([shapes.Line(**line.as_json()) for line in lines], number, pages)

    # Asked for at every step of a vote: it leaves no line.
    @app.get("/polls/<uuid:poll>", who=web.ANYONE_OR_KNOWN, quiet=True, gives=shapes.PollState, public="polls:read")
    def one_poll(poll: UUID) -> shapes.PollState:
        """A poll as it stands. Drafts are shown to officers alone."""
        found = application.poll(str(poll))
        caller = web.caller_or_none()
        if found.manifest is None and (caller is None or not caller.roles & OFFICER.roles):
            raise PollUnknown(field="poll")
        return _state(found, log)

    @app.get("/polls/<uuid:poll>/manifest", who=web.ANYONE, gives=shapes.Manifest, public="polls:read")
    def one_manifest(poll: UUID) -> Response:
        """The manifest in force, as the canonical bytes that its hash is of."""
        return Response(application.manifest(str(poll)).canonical, content_type="application/json")

    @app.get("/polls/<uuid:poll>/results", who=web.ANYONE, gives=shapes.Tally, public="polls:read")
    def one_result(poll: UUID) -> shapes.Tally:
        """The published count of a poll."""
        tally = application.poll(str(poll)).tally
        if tally is None:
            raise NotCounted(field="poll")
        return _tally(tally)


def _log(app: web.App, application: BallotApplication, log: Log) -> None:
    exports = threading.Semaphore(2)  # slow readers must not take all of the service's threads
    note = {"content": "text/plain; charset=utf-8", "names": {"station": shapes.Slug}, "public": "polls:read"}

    @app.get("/polls/<uuid:poll>/stations/<station>/checkpoint", who=web.ANYONE, **note)
    def one_checkpoint(poll: UUID, station: str) -> Response:
        """The newest signed checkpoint of a station's log."""
        found = log.station(str(poll), station)
        if found is None:
            raise StationUnknown(field="station")
        return Response(found.checkpoint, content_type="text/plain; charset=utf-8")

    @app.get("/polls/<uuid:poll>/epochs", who=web.ANYONE, gives=shapes.Epochs, public="polls:read")
    def list_epochs(poll: UUID) -> shapes.Epochs:
        """Turnout and sums as they grew: at most 200 points a station, evenly spaced, and the newest."""
        return shapes.Epochs([shapes.Epoch(*epoch) for epoch in log.epochs(str(poll))])

    @app.get("/polls/<uuid:poll>/export", who=web.ANYONE, content="application/x-ndjson", public="exports:read")
    def export(poll: UUID) -> Response:
        """The bundle that an audit reads: manifest, every sealed ballot, checkpoints, the published count."""
        lines = export_store(log, application.poll(str(poll)), application.manifest(str(poll)))
        headers = {"Content-Disposition": f'attachment; filename="parvis-{poll}.ndjson"'}
        response = Response(lines, content_type="application/x-ndjson", headers=headers)
        if not exports.acquire(blocking=False):
            raise Busy("two exports are under way, try again in a minute")
        response.call_on_close(exports.release)  # whether its lines were read or not
        return response


def _running(app: web.App, application: BallotApplication) -> None:
    @app.post("/polls", who=OFFICER, takes=shapes.NewPoll, gives=shapes.Drafted, status=201, ruled=True)
    def draft_poll() -> tuple[shapes.Drafted, int]:
        """A new poll, which officers alone see until it is published."""
        draft = msgspec.to_builtins(web.body(shapes.NewPoll))
        key = draft.pop("key")
        return shapes.Drafted(application.draft(draft, web.caller().subject, key)), 201

    @app.post("/polls/<uuid:poll>/draft", who=OFFICER, takes=shapes.Draft, gives=shapes.Drafted, ruled=True)
    def redraft(poll: UUID) -> shapes.Drafted:
        """What a draft says from now on."""
        application.redraft(str(poll), msgspec.to_builtins(web.body(shapes.Draft)), web.caller().subject)
        return shapes.Drafted(str(poll))

    publication = {"takes": shapes.Publication, "gives": shapes.Published, "ruled": True}

    @app.post("/polls/<uuid:poll>/publication", who=OFFICER, **publication)
    def publish(poll: UUID) -> shapes.Published:
        """Freezes the manifest."""
        body = web.body(shapes.Publication)
        return shapes.Published(application.publish(str(poll), _roll(body), web.caller().subject))

    @app.post(
        "/polls/<uuid:poll>/replacement", who=OFFICER, takes=shapes.Replacement, gives=shapes.Published, ruled=True
    )
    def replace(poll: UUID) -> shapes.Published:
        """A corrected manifest, before the opening and with a reason; both confirmations are asked for anew."""
        body = web.body(shapes.Replacement)
        draft = msgspec.to_builtins(body.draft)
        return shapes.Published(application.replace(str(poll), draft, _roll(body), body.reason, web.caller().subject))


def _confirming(app: web.App, application: BallotApplication) -> None:
    confirming = {"who": OFFICER, "gives": shapes.Confirmations}

    @app.post("/polls/<uuid:poll>/opening-confirmations", takes=shapes.OpeningConfirmation, **confirming)
    def confirm_opening(poll: UUID) -> shapes.Confirmations:
        """One of two officers confirms the manifest that they have read."""
        seen = web.body(shapes.OpeningConfirmation).manifest_hash
        return _confirmations(application.confirm_opening(str(poll), seen, web.caller().subject))

    @app.post("/polls/<uuid:poll>/count-confirmations", takes=shapes.CountConfirmation, **confirming)
    def confirm_count(poll: UUID) -> shapes.Confirmations:
        """One of two officers confirms the logs that they have checked; then the poll is counted."""
        seen = web.body(shapes.CountConfirmation).checkpoints_hash
        return _confirmations(application.confirm_count(str(poll), seen, web.caller().subject))

    @app.post("/polls/<uuid:poll>/cancellation", takes=shapes.Reason, ruled=True, **confirming)
    def cancel(poll: UUID) -> shapes.Confirmations:
        """The first officer asks, with a reason that will be public; a second one confirms."""
        reason = web.body(shapes.Reason).reason
        return _confirmations(application.cancel(str(poll), reason, web.caller().subject))


def _voters(app: web.App, application: BallotApplication, box: BallotBox, log: Log) -> None:
    quiet = {"who": web.ANYONE, "quiet": True}

    @app.post("/polls/<uuid:poll>/credentials", takes=shapes.CredentialRequest, gives=shapes.LastBallot, **quiet)
    def last_ballot(poll: UUID) -> shapes.LastBallot:
        """The last ballot of a credential, so that its voter can follow it with another."""
        return _last(box, str(poll), web.body(shapes.CredentialRequest))

    @app.post("/polls/<uuid:poll>/credentials/paper", takes=shapes.CredentialRequest, gives=shapes.Paper, **quiet)
    def paper(poll: UUID) -> shapes.Paper:
        """A published poll and the last ballot of a credential, at once."""
        asked, found = web.body(shapes.CredentialRequest), application.poll(str(poll))
        if found.manifest is None:
            raise PollUnknown(field="poll")
        return shapes.Paper(_state(found, log), _last(box, str(poll), asked))

    @app.post("/polls/<uuid:poll>/trackers", takes=shapes.TrackerRequest, gives=shapes.TrackerState, **quiet)
    def find_tracker(poll: UUID) -> shapes.TrackerState:
        """Whether a ballot is in the log, or waits for it."""
        tracker = bytes.fromhex(web.body(shapes.TrackerRequest).tracker)
        log_by = application.manifest(str(poll)).log_by
        # The slot first: a ballot that moves to the log between the two looks is then found in the log.
        waiting = box.slot.holds(str(poll), tracker)
        found = log.tracker(str(poll), tracker)
        if found is not None:
            return shapes.TrackerState("logged", found[0], found[1], log_by)
        return shapes.TrackerState("waiting" if waiting else "unknown", None, None, log_by)


def _wanted_state() -> State | None:
    """Drafts are not among the states that the public list knows."""
    text = request.args.get("state", "")
    if text and text not in _LISTED:
        raise BadInput(f"one of {', '.join(_LISTED)}", field="state")
    return State(text) if text else None


def _last(box: BallotBox, poll: str, asked: shapes.CredentialRequest) -> shapes.LastBallot:
    newest = box.last_of(poll, bytes.fromhex(asked.credential))
    return shapes.LastBallot(newest[0], newest[1].hex()) if newest else shapes.LastBallot(None, None)


def _state(poll: Poll, log: Log) -> shapes.PollState:
    says = poll.manifest or poll.draft
    stations = [_station(poll, station, log) for station in says["stations"]]
    return shapes.PollState(
        poll=str(poll.id),
        state=poll.state,
        manifest=poll.manifest or {**poll.draft, "poll": str(poll.id)},
        manifest_hash=poll.manifest_hash,
        checkpoints_hash=poll.checkpoints_hash,
        stations=stations,
        roll=sum(stratum.get("roll_size", 0) for stratum in says["strata"]),
        turnout=sum(station.turnout for station in stations),
        issuance_ready=poll.issuance_ready,
        opening_confirmed_by=len(poll.opening_confirmed_by),
        count_confirmed_by=len(poll.count_confirmed_by),
        cancellation_asked=poll.cancellation_asked_by is not None,
        issued=sum(one["issued"] for one in poll.issuance.values()),
        reissued=sum(one["reissued"] for one in poll.issuance.values()),
        tally=_tally(poll.tally) if poll.tally else None,
        reason=poll.reason,
    )


def _tally(value: Json) -> shapes.Tally:
    """The event's value as it stands; it was checked when it was counted."""
    return msgspec.convert(value, shapes.Tally)


def _station(poll: Poll, station: Json, log: Log) -> shapes.StationFigures:
    """Figures as of the last sealed epoch: what was appended since is not told yet."""
    found = log.station(str(poll.id), station["id"])
    epoch = log.epoch(str(poll.id), station["id"], found.epoch) if found else None
    return shapes.StationFigures(
        station=station["id"],
        label=station["label"],
        size=found.told if found else 0,
        checkpoint=found.checkpoint if found else None,
        epochs=found.epoch if found else 0,
        turnout=epoch[0] if epoch else 0,
        sums=epoch[1] if epoch else [],
    )


def _confirmations(poll: Poll) -> shapes.Confirmations:
    return shapes.Confirmations(
        state=poll.state,
        opening_confirmed_by=len(poll.opening_confirmed_by),
        count_confirmed_by=len(poll.count_confirmed_by),
        cancellation_asked=poll.cancellation_asked_by is not None,
    )


def _roll(body: shapes.Publication | shapes.Replacement) -> Roll:
    return Roll({part.id: (part.roll_size, part.roll_root) for part in body.strata}, body.issuer_key)
