from __future__ import annotations

import contextlib
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.ballot.domain import Poll, State
from services.ballot.domain.refusals import (
    AnotherManifest,
    IssuanceNotReady,
    OpeningNotConfirmed,
    OtherCheckpoints,
    PollNotClosed,
    PollNotDraft,
    PollNotPublished,
    PollOver,
    ReasonNeeded,
    SecondPersonNeeded,
)
from services.ballot.policies import BallotPolicies
from services.ballot.protocol import credentials
from services.ballot.protocol.acceptance import PollNotOpen, PreviousBallotUnknown, SeqTaken
from services.ballot.protocol.manifest import StratumTooSmall
from services.ballot.store import views
from services.ballot.store.export import export_store
from services.ballot.store.sources import PollSource
from services.shared.aggregates import Aggregates
from services.shared.contracts import identity
from services.shared.errors import BadInput
from services.shared.strict import canonical
from tests.ballot.kit import BLANK, NO, NOON, YES, Town, Voter, draft


def events(town: Town, poll: str) -> list[Any]:
    return list(town.aggregates.events.get(UUID(poll)))


def test_a_poll_goes_from_draft_to_a_tally_that_counts_blank_votes_apart(town: Town) -> None:
    manifest = town.open()
    for answer in (YES, YES, YES, NO, BLANK, BLANK):
        town.cast(manifest, town.voter(manifest).ballot(answer))
    town.seal_now(manifest)
    town.close(manifest, issued=6)
    assert town.application.poll(manifest.poll).state is State.CLOSED
    tally = town.count(manifest)
    assert tally["questions"][0]["result"]["counts"] == {"oui": 3, "non": 1}
    assert tally["questions"][0]["result"]["blank"] == 2
    assert (tally["counted"], tally["superseded"], tally["turnout"], tally["issued"]) == (6, 0, 6, 6)


def test_the_gate_stays_shut_until_two_different_people_confirmed(town: Town) -> None:
    says = draft()
    poll = town.application.draft(says, "officer-a")
    town.application.publish(poll, town.roll(says), "officer-a")
    manifest = town.application.manifest(poll)
    town.accept_manifest(poll)
    town.sealer.look()
    with pytest.raises(PollNotOpen):
        town.cast(manifest, town.voter(manifest).ballot())
    seen = manifest.hash.hex()
    town.application.confirm_opening(poll, seen, "officer-a")
    with pytest.raises(SecondPersonNeeded):
        town.application.confirm_opening(poll, seen, "officer-a")
    with pytest.raises(OpeningNotConfirmed):
        town.application.open(poll, manifest.hash.hex())
    town.sealer.look()
    assert town.application.poll(poll).state is State.PUBLISHED
    town.application.confirm_opening(poll, seen, "officer-b")
    town.sealer.look()
    assert town.application.poll(poll).state is State.OPEN
    assert len(town.cast(manifest, town.voter(manifest).ballot())) == 32


def test_the_gate_stays_shut_before_opens_at(town: Town) -> None:
    manifest = town.publish(draft(opens=NOON + timedelta(hours=1)))
    town.sealer.look()
    assert town.application.poll(manifest.poll).state is State.PUBLISHED
    town.clock.now = NOON + timedelta(hours=1)
    town.sealer.look()
    assert town.application.poll(manifest.poll).state is State.OPEN


def test_a_new_manifest_before_the_opening_names_the_old_one_and_asks_for_both_people_again(town: Town) -> None:
    before = town.publish(draft(opens=NOON + timedelta(hours=1)))
    town.sealer.look()
    says = draft(opens=NOON + timedelta(hours=2))
    town.application.replace(before.poll, says, town.roll(says), "La date était un jour férié.", "officer-a")
    poll = town.application.poll(before.poll)
    after = town.application.manifest(before.poll)
    assert after.replaces == before.hash
    assert poll.opening_confirmed_by == []
    town.accept_manifest(before.poll)
    town.confirm_opening(before.poll)
    town.clock.now = NOON + timedelta(hours=2)
    town.sealer.look()
    assert {gate[1] for gate in town.slot.gates(before.poll).values()} == {after.hash.hex()}
    town.cast(after, town.voter(after).ballot())
    with pytest.raises(PollNotPublished):
        town.application.replace(before.poll, says, town.roll(says), "Trop tard pour corriger.", "officer-a")


def test_who_read_a_manifest_that_was_replaced_meanwhile_does_not_confirm_the_new_one(town: Town) -> None:
    read = town.publish(draft(opens=NOON + timedelta(hours=1)))
    says = draft(opens=NOON + timedelta(hours=2))
    town.application.replace(read.poll, says, town.roll(says), "La date était un jour férié.", "officer-a")
    for seen in (read.hash.hex(), "", read.hash.hex().upper()):
        with pytest.raises(AnotherManifest) as refused:
            town.application.confirm_opening(read.poll, seen, "officer-b")
        assert refused.value.field == "manifest_hash"
    assert town.application.poll(read.poll).opening_confirmed_by == []
    told = town.application.manifest(read.poll).hash.hex()
    town.application.confirm_opening(read.poll, told, "officer-b")
    [confirmed] = [e for e in events(town, read.poll) if type(e).__name__ == "OpeningConfirmed"][2:]
    assert (confirmed.by, confirmed.manifest_hash) == ("officer-b", told)


def test_a_poll_opens_only_after_identity_accepted_the_manifest_in_force(town: Town) -> None:
    says = draft(opens=NOON + timedelta(hours=1))
    poll = town.application.draft(says, "officer-a")
    first = town.application.publish(poll, town.roll(says), "officer-a")
    town.confirm_opening(poll)
    town.clock.now = NOON + timedelta(hours=2)
    town.sealer.look()
    assert town.application.poll(poll).state is State.PUBLISHED
    with pytest.raises(IssuanceNotReady):
        town.application.open(poll, first)
    policies = BallotPolicies(town.application)
    second = town.application.replace(poll, says, town.roll(says), "Une clé était mal recopiée.", "officer-a")
    town.confirm_opening(poll)
    policies.process("IssuanceReady", 1, identity.encode(identity.IssuanceReady(poll, first)))
    town.sealer.look()
    assert town.application.poll(poll).state is State.PUBLISHED
    for _ in range(2):
        policies.process("IssuanceReady", 1, identity.encode(identity.IssuanceReady(poll, second)))
    town.sealer.look()
    assert town.application.poll(poll).state is State.OPEN
    assert [type(e).__name__ for e in events(town, poll)].count("IssuanceBecameReady") == 1


def test_a_replaced_manifest_needs_identitys_word_anew(town: Town) -> None:
    before = town.publish(draft(opens=NOON + timedelta(hours=1)))
    says = draft(opens=NOON + timedelta(hours=2))
    town.application.replace(before.poll, says, town.roll(says), "La date était un jour férié.", "officer-a")
    town.confirm_opening(before.poll)
    town.clock.now = NOON + timedelta(hours=3)
    town.sealer.look()
    assert town.application.poll(before.poll).state is State.PUBLISHED
    town.accept_manifest(before.poll)
    town.sealer.look()
    assert town.application.poll(before.poll).state is State.OPEN


def test_a_count_is_confirmed_by_the_checkpoints_that_were_checked(town: Town) -> None:
    manifest = town.open(draft(("nord", "sud")))
    town.cast(manifest, town.voter(manifest, "strate-nord").ballot())
    assert town.application.poll(manifest.poll).checkpoints_hash is None
    with pytest.raises(PollNotClosed):
        town.application.confirm_count(manifest.poll, "", "officer-a")
    town.close(manifest)
    poll = town.application.poll(manifest.poll)
    notes = {station: town.log.station(manifest.poll, station).checkpoint for station in ("nord", "sud")}  # type: ignore[union-attr]
    assert poll.checkpoints_hash == hashlib.sha256(canonical(notes)).hexdigest()
    with pytest.raises(OtherCheckpoints) as refused:
        town.application.confirm_count(manifest.poll, manifest.hash.hex(), "officer-a")
    assert refused.value.field == "checkpoints_hash"
    tally = town.count(manifest)
    assert {one["station"]: one["checkpoint"] for one in tally["stations"]} == notes
    confirmed = [e for e in events(town, manifest.poll) if type(e).__name__ == "CountConfirmed"]
    assert [(e.by, e.checkpoints_hash) for e in confirmed] == [
        ("officer-a", poll.checkpoints_hash),
        ("officer-b", poll.checkpoints_hash),
    ]


def test_a_published_manifest_is_frozen(town: Town) -> None:
    manifest = town.publish()
    with pytest.raises(PollNotDraft):
        town.application.publish(manifest.poll, town.roll(draft()), "officer-a")


def test_a_stratum_of_fewer_than_fifty_people_is_refused(town: Town) -> None:
    says = draft()
    poll = town.application.draft(says, "officer-a")
    with pytest.raises(StratumTooSmall) as refused:
        town.application.publish(poll, town.roll(says, size=49), "officer-a")
    assert refused.value.field == "strata[0].roll_size"


def test_a_draft_that_cannot_become_a_manifest_is_refused_with_its_field(town: Town) -> None:
    says = draft()
    says["questions"][0]["method"] = "devinette"
    with pytest.raises(BadInput) as refused:
        town.application.draft(says, "officer-a")
    assert refused.value.field == "questions[0].method"


def test_cancelling_needs_a_reason_and_a_second_person_and_seals_what_was_promised(town: Town) -> None:
    manifest = town.open()
    tracker = town.cast(manifest, town.voter(manifest).ballot())
    with pytest.raises(ReasonNeeded):
        town.application.cancel(manifest.poll, "non", "officer-a")
    town.application.cancel(manifest.poll, "Le terrain a été vendu entre-temps.", "officer-a")
    with pytest.raises(SecondPersonNeeded):
        town.application.cancel(manifest.poll, "Le terrain a été vendu entre-temps.", "officer-a")
    assert town.application.poll(manifest.poll).state is State.OPEN
    town.application.cancel(manifest.poll, "", "officer-b")
    town.sealer.look()
    assert town.application.poll(manifest.poll).state is State.CANCELLED
    with pytest.raises(PollNotOpen):
        town.cast(manifest, town.voter(manifest).ballot())
    assert town.log.tracker(manifest.poll, tracker) is not None


def test_the_station_closes_only_once_identity_has_closed_issuance(town: Town) -> None:
    manifest = town.open()
    town.cast(manifest, town.voter(manifest).ballot())
    town.clock.now = NOON + timedelta(days=1)
    town.sealer.look()
    town.sealer.look()
    assert town.application.poll(manifest.poll).state is State.CLOSING
    at = town.log.station(manifest.poll, "bureau-1")
    assert at is not None and not at.closed and at.turnout == 1
    town.application.record_issuance(manifest.poll, manifest.strata[0].id, 1, 0)
    town.sealer.look()
    assert town.application.poll(manifest.poll).state is State.CLOSED


def test_the_highest_seq_wins_wherever_it_stands_in_the_epoch(town: Town) -> None:
    manifest = town.open()
    voters = [town.voter(manifest) for _ in range(12)]
    for voter in voters:
        first = town.cast(manifest, voter.ballot(YES))
        town.cast(manifest, voter.ballot(NO, seq=1, prev=first))
    town.seal_now(manifest)
    at = town.log.station(manifest.poll, "bureau-1")
    assert at is not None
    assert at.sums == [{"counts": {"oui": 0, "non": 12}, "blank": 0}]
    assert at.turnout == 12
    later = town.box.last_of(manifest.poll, voters[0].credential)
    assert later is not None
    town.cast(manifest, voters[0].ballot(BLANK, seq=2, prev=later[1]))
    town.seal_now(manifest)
    at = town.log.station(manifest.poll, "bureau-1")
    assert at is not None and at.sums == [{"counts": {"oui": 0, "non": 11}, "blank": 1}] and at.turnout == 12
    town.close(manifest, issued=12)
    tally = town.count(manifest)
    assert (tally["counted"], tally["superseded"]) == (12, 13)
    assert tally["questions"][0]["result"]["counts"] == {"oui": 0, "non": 11}


def test_stations_add_up_and_their_strata_stay_apart(town: Town) -> None:
    manifest = town.open(draft(("nord", "sud")))
    for stratum, answer in (("strate-nord", YES), ("strate-nord", NO), ("strate-sud", YES)):
        town.cast(manifest, town.voter(manifest, stratum).ballot(answer))
    town.seal_now(manifest)
    assert [s.turnout for s in town.log.stations_of(manifest.poll)] == [2, 1]
    town.close(manifest, issued=2)
    tally = town.count(manifest)
    assert tally["questions"][0]["result"]["counts"] == {"oui": 2, "non": 1}
    assert [one["station"] for one in tally["stations"]] == ["nord", "sud"]


def test_another_ballot_at_a_taken_seq_is_refused_before_and_after_the_epoch(town: Town) -> None:
    manifest = town.open()
    voter = town.voter(manifest)
    first = town.cast(manifest, voter.ballot(YES))
    with pytest.raises(SeqTaken):
        town.cast(manifest, voter.ballot(NO))
    town.seal_now(manifest)
    with pytest.raises(SeqTaken):
        town.cast(manifest, voter.ballot(NO))
    assert town.cast(manifest, voter.ballot(YES)) == first
    with pytest.raises(PreviousBallotUnknown):
        town.cast(manifest, voter.ballot(NO, seq=1, prev=b"\x01" * 32))
    with pytest.raises(PreviousBallotUnknown):
        town.cast(manifest, voter.ballot(NO, seq=2, prev=first))


def test_a_repeat_gets_its_promise_after_the_close_too_and_a_new_ballot_does_not(town: Town) -> None:
    manifest = town.open()
    voter = town.voter(manifest)
    data = voter.ballot(YES)
    first = town.cast(manifest, data)
    town.close(manifest)
    assert town.cast(manifest, data) == first
    with pytest.raises(PollNotOpen):
        town.cast(manifest, voter.ballot(NO, seq=1, prev=first))


def test_replayed_and_repeated_ballots_do_not_fill_an_epoch(town: Town) -> None:
    manifest = town.open(draft(epoch_min=3))
    logged = [town.voter(manifest).ballot() for _ in range(3)]
    for data in logged:
        town.cast(manifest, data)
    town.seal_now(manifest)
    [station] = town.sealer._stations(manifest)
    for data in logged:
        town.cast(manifest, data)
    assert station.waits() == 0
    voter = town.voter(manifest)
    last = town.cast(manifest, voter.ballot())
    for seq in range(1, 5):
        last = town.cast(manifest, voter.ballot(NO, seq=seq, prev=last))
    assert station.waits() == 1


def test_an_epoch_waits_for_its_time_and_its_number(town: Town) -> None:
    manifest = town.open(draft(epoch_min=2, epoch_seconds=1))
    town.cast(manifest, town.voter(manifest).ballot())
    [station] = town.sealer._stations(manifest)
    key = (manifest.poll, "bureau-1")
    town.sealer.look()
    town.sealer._sealed[key] -= 5
    town.sealer.look()
    assert station.at().epoch == 0
    town.cast(manifest, town.voter(manifest).ballot())
    town.sealer.look()
    assert station.at().epoch == 1
    town.cast(manifest, town.voter(manifest).ballot())
    town.cast(manifest, town.voter(manifest).ballot())
    town.sealer.look()
    assert station.at().epoch == 1


def test_the_slot_is_empty_after_the_epoch_and_its_rows_are_gone_from_its_files(town: Town) -> None:
    manifest = town.open()
    data = town.voter(manifest).ballot()
    town.cast(manifest, data)
    file = town.slot.database.where
    if town.slot.database.engine == "postgres":
        with town.slot.database.transaction() as tx:
            assert tx.execute("SELECT count(*) FROM slot") == [(1,)]
        town.seal_now(manifest)
        with town.slot.database.transaction() as tx:
            assert tx.execute("SELECT count(*) FROM slot") == [(0,)]
        return
    files = [Path(file), Path(f"{file}-wal")]
    assert any(data[:60] in one.read_bytes() for one in files)
    town.seal_now(manifest)
    assert not any(data[:60] in one.read_bytes() for one in files)


def test_an_export_of_an_open_poll_stops_at_its_last_sealed_epoch(town: Town) -> None:
    manifest = town.open()
    town.cast(manifest, town.voter(manifest).ballot())
    town.seal_now(manifest)
    town.cast(manifest, town.voter(manifest).ballot())
    lines = list(export_store(town.log, town.application.poll(manifest.poll), manifest))
    assert sum(b'"type":"BallotCast"' in line for line in lines) == 1
    assert lines[-1] == b'{"line":"end","lines":%d}\n' % (len(lines) - 1)


def test_a_credential_signed_in_two_strata_cannot_go_on_in_the_second_one(town: Town) -> None:
    manifest = town.open(draft(("nord", "sud")))
    north = town.voter(manifest, "strate-nord")
    signature = credentials.issue(town.issuer_key, manifest.poll, "strate-sud", north.credential)
    south = Voter(manifest, "strate-sud", north.key, signature)
    first = town.cast(manifest, north.ballot(YES))
    with pytest.raises(PreviousBallotUnknown):
        town.cast(manifest, south.ballot(NO, seq=1, prev=first))
    with pytest.raises(SeqTaken):
        town.cast(manifest, south.ballot(NO))
    town.seal_now(manifest)
    with pytest.raises(PreviousBallotUnknown):
        town.cast(manifest, south.ballot(NO, seq=1, prev=first))
    assert town.cast(manifest, north.ballot(NO, seq=1, prev=first)) != first


def test_a_replacement_that_renames_a_station_leaves_no_gate_behind(town: Town) -> None:
    before = town.publish(draft(("ancien",), opens=NOON + timedelta(hours=1)))
    town.sealer.look()
    says = draft(("nouveau",), opens=NOON + timedelta(hours=1))
    town.application.replace(before.poll, says, town.roll(says), "Le bureau a changé de nom.", "officer-a")
    town.accept_manifest(before.poll)
    town.confirm_opening(before.poll)
    town.clock.now = NOON + timedelta(hours=1)
    town.sealer.look()
    after = town.application.manifest(before.poll)
    assert town.slot.gates(before.poll) == {"nouveau": ("open", after.hash.hex())}
    assert len(town.cast(after, town.voter(after).ballot())) == 32


def test_gates_that_a_dead_sealer_left_shut_are_opened_by_the_next_one(town: Town) -> None:
    manifest = town.publish(draft(("nord", "sud")))
    town.sealer._prepare(manifest)
    town.application.open(manifest.poll, manifest.hash.hex())
    town.sealer._stations(manifest)[0].open()
    town.sealer.look()
    assert {state for state, _ in town.slot.gates(manifest.poll).values()} == {"open"}
    assert len(town.log.stations_of(manifest.poll)) == 2


def test_past_its_closing_time_a_poll_is_not_replaced(town: Town) -> None:
    manifest = town.publish(draft(opens=NOON + timedelta(hours=1)))
    town.clock.now = NOON + timedelta(hours=9)
    says = draft(opens=NOON + timedelta(days=1), closes=NOON + timedelta(days=2))
    with pytest.raises(PollOver):
        town.application.replace(manifest.poll, says, town.roll(says), "Personne n'avait confirmé.", "officer-a")


def test_a_sealer_that_lost_its_lock_deletes_only_what_it_sealed(town: Town) -> None:
    manifest = town.open()
    town.cast(manifest, town.voter(manifest).ballot())
    [slow] = town.sealer._stations(manifest)
    town.slot.mark(manifest.poll, "bureau-1")
    steps = slow.steps()
    next(steps), next(steps)  # appended and sealed; stalls before it deletes
    [successor] = town.sealer._stations(manifest)
    assert successor.finish()
    tracker = town.cast(manifest, town.voter(manifest).ballot())
    town.slot.mark(manifest.poll, "bureau-1")
    next(steps)
    assert town.slot.holds(manifest.poll, tracker)
    assert successor.finish()
    assert town.log.tracker(manifest.poll, tracker) is not None


def test_one_poll_that_fails_does_not_hold_up_the_others(town: Town) -> None:
    manifests = [town.open() for _ in range(3)]
    town.clock.now = NOON + timedelta(days=1)
    with town.slot.database.transaction() as tx:
        tx.execute("DELETE FROM gate WHERE poll = ?", (manifests[1].poll,))
    with town.log.database.transaction() as tx:
        tx.execute("DELETE FROM station WHERE poll = ?", (manifests[1].poll,))
    for manifest in manifests:
        town.application.record_issuance(manifest.poll, manifest.strata[0].id, 0, 0)
    town.sealer.look()
    states = [town.application.poll(manifest.poll).state for manifest in manifests]
    assert (states[0], states[2]) == (State.CLOSED, State.CLOSED)
    assert states[1] is not State.CLOSED


def test_a_draft_that_was_given_up_stays_hidden_and_untold(town: Town) -> None:
    poll = town.application.draft(draft(), "officer-a")
    for officer in ("officer-a", "officer-b"):
        town.application.cancel(poll, "Le projet est abandonné.", officer)
    assert town.views.page(1)[0] == []
    assert all(row.topic is None for row in PollSource(town.aggregates).read(0, 100))


def test_epochs_tell_turnout_so_far_and_no_more_than_about_200_points_a_station(town: Town) -> None:
    manifest = town.open()
    for number in (1, 2, 3):
        town.cast(manifest, town.voter(manifest).ballot())
        town.seal_now(manifest)
        assert town.log.epochs(manifest.poll)[-1][1:3] == (number, number)
    with town.log.database.transaction() as tx:
        for epoch in range(4, 1001):
            row = (manifest.poll, "bureau-1", epoch, epoch, epoch, "[]", "")
            tx.execute("INSERT INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        tx.execute("UPDATE station SET epoch = 1000")
    told = town.log.epochs(manifest.poll)
    assert 150 < len(told) <= 201
    assert told[-1][1] == 1000


def test_a_draft_sent_again_under_its_key_is_one_poll_that_says_what_was_sent_last(town: Town) -> None:
    says = draft()
    poll = town.application.draft(says, "officer-a", "k1")
    assert town.application.draft(says, "officer-a", "k1") == poll
    assert len(events(town, poll)) == 1, "a repeat is no event"
    assert town.application.draft(says | {"title": "Un autre titre"}, "officer-a", "k1") == poll
    assert town.application.poll(poll).draft["title"] == "Un autre titre"
    assert [line.title for line in town.views.page(1, drafts=True)[0]] == ["Un autre titre"]
    assert town.application.draft(says, "officer-b", "k1") != poll
    assert town.application.draft(says, "officer-a") != town.application.draft(says, "officer-a")


def test_a_draft_changes_until_it_is_published(town: Town) -> None:
    poll = town.application.draft(draft(), "officer-a", "k1")
    changed = draft(questions=2)
    town.application.redraft(poll, changed, "officer-b")
    with pytest.raises(BadInput):
        town.application.redraft(poll, changed | {"title": ""}, "officer-b")
    town.application.publish(poll, town.roll(changed), "officer-a")
    assert len(town.application.manifest(poll).questions) == 2
    with pytest.raises(PollNotDraft):
        town.application.redraft(poll, draft(), "officer-a")
    assert town.application.draft(changed, "officer-a", "k1") == poll, "a late repeat changes nothing"
    with pytest.raises(PollNotDraft):
        town.application.draft(draft(), "officer-a", "k1")


def test_pages_are_told_from_how_many_polls_there_are_of_each_kind(town: Town) -> None:
    drafts = [town.application.draft(draft(), "officer-a") for _ in range(views.PAGE + 1)]
    assert (town.views.page(1)[1], town.views.page(1, drafts=True)[1]) == (1, 2)
    town.publish()
    for officer in ("officer-a", "officer-b"):
        town.application.cancel(drafts[0], "Le projet est abandonné.", officer)
    with town.aggregates.database.transaction() as tx:
        counted = tx.execute("SELECT rank, polls FROM poll_count WHERE polls <> 0 ORDER BY rank")
        assert counted == tx.execute("SELECT rank, count(*) FROM poll_view GROUP BY rank ORDER BY rank")
        tx.execute("UPDATE poll_count SET polls = 0")  # as a release that knows no counts would leave them behind
    town.views.recount()
    with town.aggregates.database.transaction(write=False) as tx:
        assert counted == tx.execute("SELECT rank, polls FROM poll_count ORDER BY rank")


def test_a_poll_that_was_read_is_read_again_once_it_has_another_event(town: Town) -> None:
    poll = UUID(town.application.draft(draft(), "officer-a"))
    seen = town.aggregates.see(Poll, poll)
    assert town.aggregates.see(Poll, poll) is seen
    elsewhere = Aggregates(town.aggregates.database, (town.views.put,))
    elsewhere.change(Poll, poll, lambda found: found.redraft(draft(questions=2), "officer-b"))
    assert len(town.aggregates.see(Poll, poll).draft["questions"]) == 2


def test_what_a_transaction_may_still_undo_is_not_kept(town: Town) -> None:
    poll = UUID(town.application.draft(draft(), "officer-a"))
    with contextlib.suppress(ZeroDivisionError), town.aggregates.database.transaction():
        town.application.redraft(str(poll), draft(questions=2), "officer-a")
        assert len(town.aggregates.see(Poll, poll).draft["questions"]) == 2
        1 / 0  # noqa: B018
    town.application.redraft(str(poll), draft(questions=3), "officer-a")
    assert len(town.aggregates.see(Poll, poll).draft["questions"]) == 3


def test_polls_are_listed_by_state_from_the_index(town: Town) -> None:
    opened, waiting = (
        town.open(),
        town.publish(draft(opens=NOON + timedelta(days=60), closes=NOON + timedelta(days=61))),
    )
    town.application.draft(draft(), "officer-a")

    def polls(state: State) -> list[str]:
        return [line.poll for line in town.views.page(1, state=state)[0]]

    assert polls(State.OPEN) == [opened.poll]
    assert polls(State.PUBLISHED) == [waiting.poll]
    assert polls(State.TALLIED) == polls(State.CANCELLED) == []
    if town.aggregates.database.engine == "sqlite":
        sql = (
            "EXPLAIN QUERY PLAN SELECT poll FROM poll_view WHERE rank = 0 ORDER BY rank, closes_at DESC, poll LIMIT 20"
        )
        with town.aggregates.database.transaction(write=False) as tx:
            assert "poll_list" in str(tx.execute(sql)), tx.execute(sql)
