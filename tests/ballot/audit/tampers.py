"""Ways to cheat. Each takes a sound election and returns what an auditor would be given, and what must be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.ballot.audit.anchors import Held
from services.ballot.protocol import bundle
from services.ballot.protocol.leaves import EpochSealed, StationClosed, leaf_hash
from services.shared import strict
from tests.ballot.builder import Election, Log, Voter, election, key, make_manifest

YES = [{"choice": "oui"}, {"choice": "oui"}]
NO = [{"choice": "non"}, {"choice": "non"}]
L = 2**252 + 27742317777372353535851937790883648493


@dataclass
class Given:
    """What the auditor holds: the bundle, and anchors from elsewhere. Without a hash: that of the true poll."""

    bundle: bytes
    manifest_hash: bytes | None = None
    anchored: bool = True
    checkpoints: list[Held] = field(default_factory=list)
    promises: list[Held] = field(default_factory=list)


Tamper = Callable[[Election], Given | Election]
CASES: dict[str, tuple[Tamper, str, str | None]] = {}


def tampering(finding: str, field_: str | None) -> Callable[[Tamper], Tamper]:
    """Registers a way to cheat with the finding and the field that the audit must name first."""

    def register(tamper: Tamper) -> Tamper:
        CASES[tamper.__name__] = (tamper, finding, field_)
        return tamper

    return register


def first_log(made: Election) -> Log:
    return made.logs["bureau-1"]


def ballot_places(log: Log) -> list[int]:
    return [i for i, leaf in enumerate(log.leaves) if leaf.endswith(b'"type":"BallotCast","version":1}')]


def epochs_of(log: Log) -> list[list[bytes]]:
    epochs: list[list[bytes]] = [[]]
    for leaf in log.leaves[1:-1]:
        if b'"type":"EpochSealed"' in leaf:
            epochs.append([])
        else:
            epochs[-1].append(leaf)
    return epochs[:-1]


def rewrite(made: Election, epochs: list[list[bytes]], *, station: str = "bureau-1", issued: int | None = None) -> None:
    """The station's log written anew with these epochs, by the one who holds the keys."""
    log = made.logs[station] = Log(made.manifest, station)
    log.open()
    for epoch in epochs:
        log.epoch(epoch)
    mine = sum(made.manifest.stratum[voter.stratum].station == station for voter in made.voters)
    log.close(mine if issued is None else issued)
    made.publish()


def newcomer(
    made: Election, stratum: str = "habitants", name: str = "newcomer", issuer: str = "parvis/issuer"
) -> Voter:
    voter = Voter(made.manifest, stratum, name, key(issuer))
    made.voters.append(voter)
    return voter


def with_ballot(made: Election, *more: bytes) -> Election:
    """Ballots added to the last epoch of bureau-1, everything after them sealed, signed and counted again."""
    epochs = epochs_of(first_log(made))
    epochs[-1] += more
    rewrite(made, epochs)
    return made


def edited(leaf: bytes, **changes: Any) -> bytes:
    return strict.canonical(strict.parse(leaf) | changes)


def replace_leaf(made: Election, place: int, leaf: bytes) -> Election:
    """A leaf exchanged, and the checkpoint and tally made to fit by the holder of the keys."""
    first_log(made).leaves[place] = leaf
    return made.publish()


# --- the ballots ------------------------------------------------------------------------------------------------------


@tampering("WrongSignature", "signature")
def a_byte_of_a_signature_flipped(made: Election) -> Election:
    log = first_log(made)
    place = ballot_places(log)[3]
    value = strict.parse(log.leaves[place])
    signature = value["signature"]
    log.leaves[place] = edited(log.leaves[place], signature=("0" if signature[0] != "0" else "1") + signature[1:])
    return made


@tampering("WrongSignature", "signature")
def a_choice_changed_in_a_leaf(made: Election) -> Election:
    log = first_log(made)
    place = next(i for i in ballot_places(log) if b'[{"choice":"oui"}' in log.leaves[i])
    log.leaves[place] = log.leaves[place].replace(b'[{"choice":"oui"}', b'[{"choice":"non"}')
    return made


@tampering("WrongSignature", "signature")
def a_choice_changed_and_everything_signed_again(made: Election) -> Election:
    a_choice_changed_in_a_leaf(made)
    return made.publish()


@tampering("WrongSignature", "signature")
def signatures_swapped_between_two_ballots(made: Election) -> Election:
    log = first_log(made)
    a, b = ballot_places(log)[:2]
    one, other = strict.parse(log.leaves[a]), strict.parse(log.leaves[b])
    log.leaves[a] = edited(log.leaves[a], signature=other["signature"])
    log.leaves[b] = edited(log.leaves[b], signature=one["signature"])
    return made


@tampering("WrongIssuerSignature", "issuer_signatures[0]")
def issuer_signatures_swapped_between_two_ballots(made: Election) -> Election:
    voters = made.voters[:2]
    return with_ballot(made, newcomer(made).cast(YES, issuer_signatures=[voters[0].issued]))


@tampering("WrongIssuerSignature", "issuer_signatures[0]")
def a_voter_issued_by_a_foreign_key(made: Election) -> Election:
    return with_ballot(made, newcomer(made, issuer="someone/else").cast(YES))


@tampering("WrongShape", "issuer_signatures")
def an_issuer_signature_too_many(made: Election) -> Election:
    voter = newcomer(made)
    return with_ballot(made, voter.cast(YES, issuer_signatures=[voter.issued, voter.issued]))


@tampering("SmallOrderKey", "credential")
def a_small_order_key_whose_signature_fits_all(made: Election) -> Election:
    """Key and R are the neutral point and S is 0: the equation S·B = R + h·A holds for every message."""
    neutral = (1).to_bytes(32, "little")
    ballot = newcomer(made).ballot(YES)
    return with_ballot(made, edited(ballot, credential=neutral.hex(), signature=(neutral + bytes(32)).hex()))


@tampering("NonCanonicalSignature", "signature")
def a_signature_with_its_s_not_reduced(made: Election) -> Election:
    ballot = newcomer(made).ballot(YES)
    signature = bytes.fromhex(strict.parse(ballot)["signature"])
    s = int.from_bytes(signature[32:], "little") + L
    return with_ballot(made, edited(ballot, signature=(signature[:32] + s.to_bytes(32, "little")).hex()))


@tampering("WrongAnswer", "body.answers[0].choice")
def an_answer_that_is_no_option_and_signed(made: Election) -> Election:
    return with_ballot(made, newcomer(made).cast([{"choice": "peut-être"}, {"choice": "oui"}]))


@tampering("WrongAnswer", "body.answers[1].blank")
def a_blank_vote_where_none_is_offered(made: Election) -> Election:
    return with_ballot(made, newcomer(made).cast([{"blank": True}, {"blank": True}]))


@tampering("WrongShape", "body.answers")
def an_answer_too_many(made: Election) -> Election:
    return with_ballot(made, newcomer(made).cast([*YES, {"choice": "oui"}]))


@tampering("WrongShape", "body.answers")
def an_answer_too_few(made: Election) -> Election:
    return with_ballot(made, newcomer(made).cast(YES[:1]))


@tampering("NotCanonical", "body")
def a_leaf_with_a_space_too_many(made: Election) -> Election:
    log = first_log(made)
    place = ballot_places(log)[0]
    return replace_leaf(made, place, log.leaves[place].replace(b'"seq":', b'"seq": '))


@tampering("MalformedJson", "seq")
def a_leaf_with_a_key_twice(made: Election) -> Election:
    log = first_log(made)
    place = ballot_places(log)[0]
    return replace_leaf(made, place, log.leaves[place].replace(b'"seq":', b'"seq":7,"seq":'))


@tampering("MalformedJson", "body")
def a_leaf_that_is_not_utf_8(made: Election) -> Election:
    log = first_log(made)
    place = ballot_places(log)[0]
    return replace_leaf(made, place, log.leaves[place].replace(b"habitants", b"habit\xffnts"))


@tampering("WrongShape", "note")
def a_leaf_with_an_unknown_field(made: Election) -> Election:
    log = first_log(made)
    place = ballot_places(log)[0]
    return replace_leaf(made, place, edited(log.leaves[place], note="x"))


@tampering("WrongPoll", "poll")
def a_ballot_of_another_poll(made: Election) -> Election:
    other = make_manifest(poll="0192f0c1-7a33-7c1e-9d7a-ffffffffffff")
    return with_ballot(made, Voter(other, "habitants", "elsewhere", key("parvis/issuer")).cast(YES))


@tampering("UnknownStratum", "stratum")
def a_ballot_of_a_stratum_that_is_none(made: Election) -> Election:
    return with_ballot(made, newcomer(made).cast(YES, stratum="touristes"))


@tampering("WrongPlace", "stratum")
def a_stratum_moved_to_another_station(made: Election) -> Election:
    return with_ballot(made, newcomer(made, "quartiers").cast(YES))


# --- seq, prev, credentials -------------------------------------------------------------------------------------------


@tampering("WrongPrevious", "prev")
def a_prev_that_names_another_leaf(made: Election) -> Election:
    voter = newcomer(made)
    return with_ballot(made, voter.cast(YES), voter.cast(NO, prev=b"\x07" * 32))


@tampering("WrongPrevious", "prev")
def a_second_ballot_without_prev(made: Election) -> Election:
    voter = newcomer(made)
    return with_ballot(made, voter.cast(YES), voter.cast(NO, prev=None))


@tampering("SeqGap", "seq")
def a_ballot_in_the_middle_of_a_chain_dropped(made: Election) -> Election:
    voter = newcomer(made)
    first, _, third = (voter.cast(answers) for answers in (YES, NO, YES))
    return with_ballot(made, first, third)


@tampering("SeqGap", "seq")
def the_first_ballot_of_a_chain_dropped(made: Election) -> Election:
    voter = newcomer(made)
    voter.cast(YES)
    return with_ballot(made, voter.cast(NO))


@tampering("SeqTaken", "seq")
def two_ballots_at_one_seq(made: Election) -> Election:
    voter = newcomer(made)
    return with_ballot(made, voter.ballot(YES), voter.ballot(NO))


@tampering("SeqTaken", "seq")
def two_re_votes_at_one_seq_before_the_one_they_follow(made: Election) -> Election:
    voter = newcomer(made)
    voter.cast(YES)
    return with_ballot(made, voter.ballot(YES), voter.ballot(NO))


@tampering("CredentialInTwoStrata", "stratum")
def a_credential_that_votes_in_two_strata(made: Election) -> Election:
    voter = newcomer(made)
    twin = newcomer(made, "quartiers")
    with_ballot(made, voter.cast(YES))
    epochs = epochs_of(made.logs["bureau-2"])
    epochs[-1].append(twin.cast(NO))
    rewrite(made, epochs, station="bureau-2")
    return made


@tampering("CredentialInTwoStrata", "stratum")
def a_re_vote_in_another_stratum(made: Election) -> Election:
    voter, twin = newcomer(made), newcomer(made, "quartiers")
    with_ballot(made, voter.cast(YES))
    twin.ballots = voter.ballots
    epochs = epochs_of(made.logs["bureau-2"])
    epochs[-1].append(twin.cast(NO))
    rewrite(made, epochs, station="bureau-2")
    return made


# --- the log ----------------------------------------------------------------------------------------------------------


@tampering("WrongEpoch", "count")
def a_ballot_dropped(made: Election) -> Election:
    log = first_log(made)
    del log.leaves[ballot_places(log)[5]]
    return made


@tampering("WrongEpoch", "count")
def a_ballot_dropped_and_the_checkpoint_signed_again(made: Election) -> Election:
    log = first_log(made)
    del log.leaves[ballot_places(log)[5]]
    return made.publish()


@tampering("WrongSize", "size")
def a_ballot_dropped_and_the_log_written_anew_under_the_old_checkpoint(made: Election) -> Election:
    notes = made.notes
    single = next(v for v in made.voters if len(v.ballots) == 1 and v.stratum == "habitants").ballots[0]
    rewrite(made, [[leaf for leaf in epoch if leaf != single] for epoch in epochs_of(first_log(made))])
    made.notes = notes
    return made


@tampering("WrongRoot", "root")
def a_ballot_exchanged_for_another_good_one_under_the_old_checkpoint(made: Election) -> Election:
    notes = made.notes
    out = next(v for v in made.voters if len(v.ballots) == 1 and v.stratum == "habitants")
    ballot = newcomer(made).cast(YES)
    rewrite(made, [[ballot if x == out.ballots[0] else x for x in epoch] for epoch in epochs_of(first_log(made))])
    made.notes = notes
    return made


@tampering("EpochOrder", "leaf")
def two_ballots_swapped(made: Election) -> Election:
    log = first_log(made)
    singles = {v.ballots[0] for v in made.voters if len(v.ballots) == 1}
    a, b = [i for i in ballot_places(log) if log.leaves[i] in singles][:2]
    log.leaves[a], log.leaves[b] = log.leaves[b], log.leaves[a]
    return made.publish()


@tampering("BallotTwice", "leaf")
def a_ballot_duplicated(made: Election) -> Election:
    log = first_log(made)
    singles = {v.ballots[0] for v in made.voters if len(v.ballots) == 1}  # after a re-vote, its seq counts as taken
    place = next(i for i in ballot_places(log) if log.leaves[i] in singles)
    log.leaves.insert(place, log.leaves[place])
    return made.publish()


@tampering("StationNotClosed", "leaves")
def the_log_cut_after_an_epoch(made: Election) -> Election:
    log = first_log(made)
    sealed = [i for i, leaf in enumerate(log.leaves) if b'"EpochSealed"' in leaf]
    del log.leaves[sealed[-2] + 1 :]
    return made.publish()


@tampering("BallotsNotSealed", "leaves")
def the_last_epoch_left_unsealed(made: Election) -> Election:
    log = first_log(made)
    del log.leaves[-2]
    size = len(log.leaves) - 1
    log.leaves[-1] = edited(log.leaves[-1], size=size)
    return made.publish()


@tampering("EpochOrder", "leaf")
def two_epochs_merged(made: Election) -> Election:
    log = first_log(made)
    one, other, *rest = epochs_of(log)
    rewrite(made, [one + other, *rest])
    # as a lazy operator would: the ballots stay where they stood
    first_log(made).leaves[1 : 1 + len(one + other)] = sorted(one, key=leaf_hash) + sorted(other, key=leaf_hash)
    return made.publish()


@tampering("WrongEpoch", "epoch")
def an_epoch_renumbered(made: Election) -> Election:
    log = first_log(made)
    place = next(i for i, leaf in enumerate(log.leaves) if b'"epoch":2' in leaf)
    return replace_leaf(made, place, edited(log.leaves[place], epoch=3))


@tampering("WrongEpoch", "first")
def an_epoch_that_names_another_first_leaf(made: Election) -> Election:
    log = first_log(made)
    place = next(i for i, leaf in enumerate(log.leaves) if b'"epoch":2' in leaf)
    return replace_leaf(made, place, edited(log.leaves[place], first=2))


@tampering("WrongEpoch", "count")
def an_epoch_without_ballots(made: Election) -> Election:
    log = first_log(made)
    place = len(log.leaves) - 1
    log.leaves.insert(place, EpochSealed(made.manifest.poll, log.station, log.epochs + 1, place, 1).encode())
    log.leaves[-1] = edited(log.leaves[-1], size=place + 1)
    return made.publish()


@tampering("EpochTooSmall", "count")
def an_epoch_that_sets_two_voters_apart(made: Election) -> Election:
    epochs = epochs_of(first_log(made))
    pair = [newcomer(made, name=f"pair {i}").cast(YES) for i in range(2)]
    rewrite(made, [pair, *epochs])
    return made


@tampering("WrongPlace", "station")
def an_epoch_of_another_station(made: Election) -> Election:
    log = first_log(made)
    place = next(i for i, leaf in enumerate(log.leaves) if b'"epoch":2' in leaf)
    return replace_leaf(made, place, edited(log.leaves[place], station="bureau-2"))


@tampering("WrongFirstLeaf", "type")
def a_log_without_its_first_leaf(made: Election) -> Election:
    del first_log(made).leaves[0]
    return made.publish()


@tampering("WrongFirstLeaf", "type")
def a_station_opened_twice(made: Election) -> Election:
    log = first_log(made)
    log.leaves.insert(5, log.leaves[0])
    return made.publish()


@tampering("WrongManifestHash", "manifest_hash")
def a_station_opened_under_another_manifest(made: Election) -> Election:
    log = first_log(made)
    return replace_leaf(made, 0, edited(log.leaves[0], manifest_hash="cd" * 32))


@tampering("UnknownLeaf", "type")
def a_leaf_of_an_unknown_type(made: Election) -> Election:
    log = first_log(made)
    return replace_leaf(made, 3, edited(log.leaves[0], type="PaperBatchSealed"))


@tampering("LeafAfterClosing", None)
def a_ballot_after_the_station_closed(made: Election) -> Election:
    first_log(made).leaves.append(newcomer(made).cast(YES))
    return made.publish()


@tampering("WrongClosing", "size")
def a_closing_leaf_with_another_size(made: Election) -> Election:
    log = first_log(made)
    return replace_leaf(made, -1, edited(log.leaves[-1], size=3))


@tampering("WrongShape", "paper")
def a_closing_leaf_with_paper_ballots_that_are_none(made: Election) -> Election:
    log = first_log(made)
    return replace_leaf(made, -1, edited(log.leaves[-1], paper=12))


@tampering("IssuedBeyondRoll", "issued")
def more_credentials_issued_than_people_on_the_roll(made: Election) -> Election:
    log = first_log(made)
    place, roll = len(log.leaves) - 1, made.manifest.roll_of(log.station)
    return replace_leaf(made, place, StationClosed(made.manifest.poll, log.station, place, roll + 1, 0).encode())


@tampering("MoreVotersThanIssued", "issued")
def more_credentials_voted_than_were_issued(made: Election) -> Election:
    log = first_log(made)
    place = len(log.leaves) - 1
    return replace_leaf(made, place, StationClosed(made.manifest.poll, log.station, place, 5, 0).encode())


@tampering("WrongTally", "issued")
def an_issued_count_raised_in_the_closing_leaf(made: Election) -> Election:
    log = first_log(made)
    tally = made.tally
    replace_leaf(made, -1, edited(log.leaves[-1], issued=4000))
    made.events[1] = tally | {"stations": made.tally["stations"]}
    return made


# --- checkpoints ------------------------------------------------------------------------------------------------------


@tampering("WrongOrigin", "origin")
def a_checkpoint_of_another_log(made: Election) -> Election:
    made.notes["bureau-1"] = made.notes["bureau-2"]
    return made


@tampering("CheckpointNotSigned", "signature")
def a_checkpoint_by_another_key(made: Election) -> Election:
    made.notes["bureau-1"] = first_log(made).note(signer=key("someone/log"))
    return made


@tampering("WrongSize", "size")
def an_older_checkpoint_under_the_log(made: Election) -> Election:
    made.notes["bureau-1"] = first_log(made).note(20)
    return made


@tampering("MalformedCheckpoint", "size")
def a_checkpoint_whose_size_has_a_leading_zero(made: Election) -> Election:
    origin, size, rest = made.notes["bureau-1"].split("\n", 2)
    made.notes["bureau-1"] = f"{origin}\n0{size}\n{rest}"
    return made


@tampering("WrongSignature", "signature")
def a_checkpoint_with_another_root(made: Election) -> Election:
    lines, other = made.notes["bureau-1"].split("\n"), made.notes["bureau-2"].split("\n")
    made.notes["bureau-1"] = "\n".join([*lines[:2], other[2], *lines[3:]])
    return made


def _log_written_anew(made: Election) -> None:
    """The holder of every key leaves out one voter and publishes a whole new history."""
    out = next(v for v in made.voters if len(v.ballots) == 1 and v.stratum == "habitants").ballots[0]
    rewrite(made, [[leaf for leaf in epoch if leaf != out] for epoch in epochs_of(first_log(made))])


@tampering("CheckpointInconsistent", "root")
def a_log_written_anew_against_an_older_checkpoint(made: Election) -> Given:
    out = next(v for v in made.voters if len(v.ballots) == 1 and v.stratum == "habitants").ballots[0]
    seen = Held("seen.txt", first_log(made).note(first_log(made).leaves.index(out) + 2).encode())
    _log_written_anew(made)
    return Given(made.bundle(), checkpoints=[seen])


@tampering("CheckpointAhead", "size")
def a_log_written_anew_and_shorter_than_a_checkpoint_seen(made: Election) -> Given:
    seen = Held("seen.txt", made.notes["bureau-1"].encode())
    _log_written_anew(made)
    return Given(made.bundle(), checkpoints=[seen])


@tampering("CheckpointNotSigned", "signature")
def a_checkpoint_that_the_log_never_signed(made: Election) -> Given:
    return Given(made.bundle(), checkpoints=[Held("seen.txt", first_log(made).note(signer=key("x")).encode())])


@tampering("WrongOrigin", "origin")
def a_seen_checkpoint_of_another_poll(made: Election) -> Given:
    other = make_manifest(poll="0192f0c1-7a33-7c1e-9d7a-ffffffffffff")
    log = Log(other, "bureau-1")
    log.open()
    return Given(made.bundle(), checkpoints=[Held("seen.txt", log.note().encode())])


# --- promises ---------------------------------------------------------------------------------------------------------


@tampering("PromiseBroken", "leaf_hash")
def a_promised_ballot_left_out(made: Election) -> Given:
    out = next(v for v in made.voters if len(v.ballots) == 1 and v.stratum == "habitants").ballots[0]
    promise = Held("promise.json", made.promise(out))
    _log_written_anew(made)
    return Given(made.bundle(), promises=[promise])


@tampering("WrongSignature", "signature")
def a_promise_signed_by_another_key(made: Election) -> Given:
    made.owner, owner = "someone", made.owner
    promise = Held("promise.json", made.promise(made.voters[0].ballots[0]))
    made.owner = owner
    return Given(made.bundle(), promises=[promise])


@tampering("WrongShape", "log_by")
def a_promise_for_a_later_moment(made: Election) -> Given:
    promise = edited(made.promise(made.voters[0].ballots[0]), log_by="2031-01-01T00:00:00Z")
    return Given(made.bundle(), promises=[Held("promise.json", promise)])


@tampering("TooLarge", "body")
def a_promise_that_is_a_book(made: Election) -> Given:
    return Given(made.bundle(), promises=[Held("promise.json", b" " * 9000)])


@tampering("MalformedCheckpoint", "checkpoint")
def a_seen_checkpoint_that_is_none(made: Election) -> Given:
    return Given(made.bundle(), checkpoints=[Held("seen.txt", b"\xff\x00\n\n\n")])


# --- manifest and whole bundles ---------------------------------------------------------------------------------------


@tampering("WrongManifestHash", "manifest")
def a_forged_bundle_with_keys_of_its_own(made: Election) -> Given:
    return Given(election(30, owner="forger").bundle(), made.manifest.hash)


@tampering("WrongManifestHash", "manifest")
def another_manifest_hash_from_the_press(made: Election) -> Given:
    return Given(made.bundle(), b"\x00" * 32)


@tampering("WrongManifestHash", "manifest")
def a_manifest_edited(made: Election) -> Given:
    return Given(made.bundle().replace("la place du Marché".encode(), b"la place du Marche", 1))


@tampering("WrongManifestHash", "manifest_hash")
def a_manifest_edited_and_no_anchor(made: Election) -> Given:
    data = made.bundle().replace("la place du Marché".encode(), b"la place du Marche", 1)
    return Given(data, anchored=False)


@tampering("StratumTooSmall", "strata[0].roll_size")
def a_manifest_with_a_stratum_of_ten(made: Election) -> Given:
    return Given(made.bundle().replace(b'"roll_size":5000000', b'"roll_size":10', 1), anchored=False)


@tampering("TooLarge", "body")
def a_manifest_of_more_than_a_megabyte(made: Election) -> Given:
    return Given(made.bundle().replace(b'"description":"', b'"description":"' + b"x" * (1 << 20), 1), anchored=False)


@tampering("WrongPoll", "poll")
def a_bundle_that_announces_another_poll(made: Election) -> Given:
    return Given(made.bundle().replace(made.manifest.poll.encode(), b"0192f0c1-7a33-7c1e-9d7a-ffffffffffff", 1))


@tampering("StationMissing", "station")
def a_station_left_out(made: Election) -> Election:
    del made.logs["bureau-2"]
    return made


@tampering("UnknownStation", "station")
def a_station_that_the_manifest_does_not_know(made: Election) -> Election:
    made.logs["bureau-9"], made.notes["bureau-9"] = made.logs["bureau-2"], made.notes["bureau-2"]
    return made


@tampering("StationTwice", "station")
def a_station_told_twice(made: Election) -> Given:
    return Given(made.bundle().replace(b'"station":"bureau-2"}\n', b'"station":"bureau-1"}\n'))


@tampering("BundleTruncated", "line")
def a_bundle_cut_in_the_middle_of_a_line(made: Election) -> Given:
    data = made.bundle()
    return Given(data[: len(data) // 2])


@tampering("BundleTruncated", "line")
def a_bundle_without_its_last_line(made: Election) -> Given:
    return Given(made.bundle().rsplit(b"\n", 2)[0] + b"\n")


@tampering("BundleTruncated", "line")
def an_empty_bundle(made: Election) -> Given:
    return Given(b"")


@tampering("BundleTruncated", "lines")
def a_bundle_that_announces_another_number_of_lines(made: Election) -> Given:
    lines = list(made.lines())
    return Given(b"".join([*lines[:-1], bundle.end(len(lines))]))


@tampering("LineUnexpected", "leaves")
def a_station_that_announces_more_leaves_than_stand(made: Election) -> Given:
    leaves = len(first_log(made).leaves)
    return Given(made.bundle().replace(b'{"leaves":%d,' % leaves, b'{"leaves":%d,' % (leaves + 1), 1))


@tampering("LineUnexpected", "line")
def a_line_after_the_end(made: Election) -> Given:
    return Given(made.bundle() + b'{"line":"end","lines":1}\n')


@tampering("LineTooLong", "line")
def a_line_without_end(made: Election) -> Given:
    return Given(made.bundle() + b"x" * (3 << 20))


@tampering("MalformedJson", "body")
def a_bundle_that_is_something_else(made: Election) -> Given:
    return Given(b"<!doctype html>\n" * 10)


@tampering("NotCanonical", "event")
def an_event_line_with_spaces(made: Election) -> Given:
    return Given(made.bundle().replace(b'{"event":{', b'{"event": {', 1))


# --- events -----------------------------------------------------------------------------------------------------------


@tampering("EventMissing", "type")
def the_tally_left_out(made: Election) -> Election:
    del made.events[1]
    return made


@tampering("EventMissing", "type")
def the_closing_of_the_poll_left_out(made: Election) -> Election:
    del made.events[0]
    return made


@tampering("EventTwice", "type")
def a_second_tally(made: Election) -> Election:
    made.events.append(made.tally | {"counted": 1})
    return made


@tampering("EventOrder", "type")
def the_tally_before_the_closing(made: Election) -> Election:
    made.events.reverse()
    return made


@tampering("UnknownEvent", "type")
def an_event_that_no_export_holds(made: Election) -> Election:
    made.events.insert(0, {"type": "PollExtended", "version": 1})
    return made


@tampering("WrongEvent", "closes_at")
def a_poll_closed_at_another_time(made: Election) -> Election:
    made.events[0]["closes_at"] = "2026-12-24T19:00:00Z"
    return made


@tampering("CheckpointNotSigned", "signature")
def a_tally_with_a_checkpoint_by_another_key(made: Election) -> Election:
    made.tally["stations"][0]["checkpoint"] = first_log(made).note(signer=key("x"))
    return made


@tampering("WrongSize", "size")
def a_tally_of_an_earlier_log(made: Election) -> Election:
    made.tally["stations"][0]["checkpoint"] = first_log(made).note(30)
    return made


@tampering("WrongTally", "stations")
def a_tally_that_names_no_stations(made: Election) -> Election:
    made.tally["stations"] = []
    return made


@tampering("WrongTally", "questions[0].result.counts.oui")
def a_vote_written_into_the_tally(made: Election) -> Election:
    made.tally["questions"][0]["result"]["counts"]["oui"] += 1
    return made
