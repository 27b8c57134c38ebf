"""A vote, in three pages: choose, check, and the receipt, which is shown once and kept nowhere.

Every route here is quiet. The seed is put into its cookie one answer before the signature is asked. Whatever goes
wrong, the form comes back with what was chosen and says what to do; the same form sent again makes the same ballot
and gets the same promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import Response, request

from services.gateway import voting
from services.gateway.clients.ballot import CredentialState, Poll
from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages import ballot_form, marking, method_words, seed_cookie
from services.gateway.pages.ballot_form import Chosen, Place
from services.gateway.pages.front import front, needed, page, see_other, session, speak, together, token, unless_down
from services.gateway.pages.words import answers as in_words
from services.gateway.pages.words import problem
from services.gateway.voting import NotVouched, Voter, WrongVotingCode
from services.shared import logs, web

CHECK_THEMSELVES: Final = frozenset({"check", "cast"})
_PAPER: Final = "pages/choose.html"
_STATUS: Final = {
    "FormExpired": 403,
    "NotSignedIn": 401,
    "SeedMissing": 400,
    "ServiceUnavailable": 503,
    "NotVouched": 502,
    "NotOnRoll": 403,
}


@dataclass(frozen=True, slots=True)
class Posted:
    """A ballot's form that can go on: the poll, the answers, and the voter's seed."""

    poll: Poll
    chosen: Chosen
    seed: bytes


class Stopped(Exception):
    """The form cannot go on: `code` says why, in the words of `words.PROBLEMS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def choose(poll: UUID) -> Response:
    """The ballot paper. Its answer puts a seed into the cookie, if this person has none in this poll yet."""
    ours, seed = token("identity"), seed_cookie.read(str(poll))
    asked, standing = together(lambda: _paper(str(poll), seed), lambda: front().identity.eligibility(str(poll), ours))
    found, last = needed(asked)
    if found.state != "open":
        return _ballot_paper(found, stopped="PollNotOpen")
    if standing is not None and not standing.eligible:
        return _ballot_paper(found, stopped="NotOnRoll")
    return seed_cookie.keep(_ballot_paper(found, last=last, roll_down=standing is None), found)


def _paper(poll: str, seed: bytes | None) -> tuple[Poll, CredentialState | None]:
    """The poll, and the last ballot of whoever has voted before."""
    if seed is None:
        return front().ballot.poll(poll), None
    return front().ballot.paper(poll, Voter(seed, poll).credential)


def check(poll: UUID) -> Response:
    """The ballot in words, before it is cast."""
    speak(_PAPER)
    found = unless_down(lambda: front().ballot.poll(str(poll)))
    if found is None:
        return _retry(poll, "verifier")
    chosen = ballot_form.read(found.manifest, request.form)
    if "modifier" in request.form:
        return _ballot_paper(found, chosen=chosen)
    try:
        posted = _posted(found, chosen)
        if found.state != "open":
            raise Stopped("PollNotOpen")
        if not chosen.complete:
            return _ballot_paper(found, 400, chosen=chosen, unanswered=True)
        return _check_page(posted, _next_place(posted))
    except Stopped as e:
        return _stopped_at_choice(found, chosen, e.code)
    except ServiceUnavailable:
        return _stopped_at_choice(found, chosen, "ServiceUnavailable")


def cast(poll: UUID) -> Response:
    """Casts the ballot and shows its receipt."""
    speak(_PAPER)
    found = unless_down(lambda: front().ballot.poll(str(poll)))
    if found is None:
        return _retry(poll, "deposer")
    chosen = ballot_form.read(found.manifest, request.form)
    place = Place.of_form(request.form)
    if place is None or not chosen.complete:
        return _ballot_paper(found, 400, chosen=chosen, unanswered=True)
    try:
        posted = _posted(found, chosen)
    except Stopped as e:
        return _stopped_at_check(found, chosen, place, e.code)
    return _cast(posted, place)


def code(poll: UUID) -> Response:
    """The code de vote, as a sheet to print."""
    found = front().ballot.poll(str(poll))
    seed = seed_cookie.read(found.poll)
    if seed is None:
        return see_other(f"/scrutins/{found.poll}/voter")
    return page("pages/code.html", poll=found, m=found.manifest, code=voting.print_code(seed))


def use_code(poll: UUID) -> Response:
    """Takes up a code de vote typed on this device, then goes back to the ballot paper."""
    found = front().ballot.poll(str(poll))
    typed = request.form.get("code", "")
    try:
        seed = voting.read_code(typed)
    except WrongVotingCode:
        return _ballot_paper(found, 400, code_error=True)
    return seed_cookie.keep(see_other(f"/scrutins/{found.poll}/voter"), found, seed)


def back_to_choice(poll: UUID) -> Response:
    return see_other(f"/scrutins/{poll}/voter")


def add_routes(app: web.App) -> None:
    root = "/scrutins/<uuid:poll>/voter"
    app.get(root, who=web.SIGNED_IN, quiet=True)(choose)
    app.get(f"{root}/code", who=web.SIGNED_IN, quiet=True)(code)
    app.post(f"{root}/code", who=web.SIGNED_IN, quiet=True)(use_code)
    # Anyone: whoever is no longer signed in gets the form back with the choice in it, not a bare sign-in page.
    app.post(f"{root}/verifier", who=web.ANYONE, quiet=True)(check)
    app.post(f"{root}/deposer", who=web.ANYONE, quiet=True)(cast)
    app.get(f"{root}/verifier", who=web.ANYONE, quiet=True)(back_to_choice)
    app.get(f"{root}/deposer", who=web.ANYONE, quiet=True, endpoint="back_from_cast")(back_to_choice)


def _posted(found: Poll, chosen: Chosen) -> Posted:
    if not front().forms.holds():
        raise Stopped("FormExpired")
    if session() is None:
        raise Stopped("NotSignedIn")
    seed = seed_cookie.read(found.poll)
    if seed is None:
        raise Stopped("SeedMissing")
    return Posted(found, chosen, seed)


def _next_place(posted: Posted) -> Place:
    credential = Voter(posted.seed, posted.poll.poll).credential
    return Place.after(front().ballot.credential(posted.poll.poll, credential))


def _cast(posted: Posted, place: Place) -> Response:
    found = posted.poll
    try:
        promise, tracker = _promised(posted, place)
    except ServiceRefused as e:
        if e.told in ("SeqTaken", "PreviousBallotUnknown"):
            place = unless_down(lambda: _next_place(posted)) or place
        return _stopped_at_check(found, posted.chosen, place, e.told)
    except ServiceUnavailable:
        return _stopped_at_check(found, posted.chosen, place, "ServiceUnavailable")
    except NotVouched:
        return _stopped_at_check(found, posted.chosen, place, "NotVouched")
    return page(
        "pages/receipt.html", poll=found, m=found.manifest, promise=promise, tracker=tracker, again=place.seq > 0
    )


def _promised(posted: Posted, place: Place) -> tuple[voting.Promise, str]:
    """Issuance, the ballot, and the door's promise; each signature is held against the manifest before it is used."""
    poll, manifest = posted.poll.poll, posted.poll.manifest
    if posted.poll.manifest_hash is None or manifest.promise_key is None:
        raise ServiceRefused("PollNotOpen", "not published", None)
    voting.check_manifest(posted.poll.raw_manifest, posted.poll.manifest_hash)
    voter = Voter(posted.seed, poll)
    mark = front().identity.mark(poll, voter.credential, voter.salt, token("identity"))
    stratum = manifest.stratum(mark.stratum)
    voting.check_issuer(stratum.issuer_keys if stratum else [], poll, mark.stratum, voter.credential, mark.signature)
    ballot = voter.ballot(
        posted.poll.manifest_hash,
        mark.stratum,
        mark.signature,
        posted.chosen.answers,
        seq=place.seq,
        prev=place.prev,
    )
    promise = front().ballot.cast(poll, ballot.leaf)
    voting.check_promise(promise, manifest.promise_key, poll, ballot.tracker)
    return promise, ballot.tracker


def _stopped_at_choice(found: Poll, chosen: Chosen, why: str) -> Response:
    logs.failure(why)
    response = _ballot_paper(found, _STATUS.get(why, 409), chosen=chosen, stopped=why)
    return seed_cookie.keep(response, found) if session() is not None and found.state == "open" else response


def _stopped_at_check(found: Poll, chosen: Chosen, place: Place, why: str) -> Response:
    if why == "SeedMissing":
        return _stopped_at_choice(found, chosen, why)
    logs.failure(why)
    return _check_page(Posted(found, chosen, b""), place, _STATUS.get(why, 409), why)


def _ballot_paper(
    found: Poll,
    status: int = 200,
    *,
    chosen: Chosen | None = None,
    stopped: str | None = None,
    **values: Any,
) -> Response:
    return page(
        _PAPER,
        status,
        poll=found,
        m=found.manifest,
        chosen=chosen,
        field=marking.name,
        shape=marking.shape,
        equals_allowed=marking.equals_allowed,
        hint=method_words.hint,
        problem=problem(stopped) if stopped else None,
        stopped=stopped,
        last=values.pop("last", None) or CredentialState(),
        **values,
    )


def _check_page(posted: Posted, place: Place, status: int = 200, stopped: str | None = None) -> Response:
    found, chosen = posted.poll, posted.chosen
    return page(
        "pages/check.html",
        status,
        poll=found,
        m=found.manifest,
        answers=in_words(found.manifest, chosen.answers),
        kept=list(chosen.values.items()),
        place=place,
        problem=problem(stopped) if stopped else None,
        stopped=stopped,
    )


def _retry(poll: UUID, step: str) -> Response:
    """Not even the poll can be read: the page keeps the form's fields and offers to send them again."""
    return page("pages/retry.html", 503, action=f"/scrutins/{poll}/voter/{step}", kept=ballot_form.raw(request.form))
