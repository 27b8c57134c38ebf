"""Rankings against pref_voting, votekit and pyrankvote."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import pyrankvote
from pref_voting.iterative_methods import instant_runoff_for_truncated_linear_orders, instant_runoff_put
from pref_voting.margin_based_methods import beat_path, ranked_pairs
from pref_voting.profiles import Profile as Linear
from pref_voting.profiles_with_ties import ProfileWithTies
from pref_voting.proportional_methods import stv_scottish
from votekit import RankBallot, RankProfile
from votekit.elections import STV, Borda
from votekit.elections.election_types.ranking.stv.stv import FastIRV

from services.ballot.protocol.questions import Question
from tests.ballot.methods.by_hand import Conventions, by_hand
from tests.ballot.methods.made import Profile
from tests.drills._oracle import EQUAL, UNEXPLAINED, Json, Judge, names

MAX_ORDERS = 3000
TRIES = 60


def weak_orders(question: Question, profile: Profile) -> ProfileWithTies:
    """pref_voting's profile, options by their place; those left out stand below all others."""
    place = {name: at for at, name in enumerate(names(question))}
    ranks = [
        {place[name]: at for at, group in enumerate(answer["ranking"], 1) for name in group} for answer, _ in profile
    ]
    made = ProfileWithTies(ranks, [times for _, times in profile], candidates=list(place.values()))
    made.use_extended_strict_preference()
    return made


def options(question: Question, places: list[int]) -> set[str]:
    return {names(question)[place] for place in places}


def schulze_by_beat_path(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    oracle = weak_orders(question, profile)
    found = options(question, beat_path(oracle, strength_function=oracle.support))
    return EQUAL if found == set(ours["ranking"][0]) else UNEXPLAINED


def ranked_pairs_of_all_orders(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """The oracle tries every order of equal duels and yields each winner; it also locks duels without a winner, which
    the strength given to it here puts last, where they only order who would else be equals."""
    oracle = weak_orders(question, profile)

    def strength(one: int, other: int) -> int:
        if not oracle.majority_prefers(one, other):
            return -1
        return int(oracle.support(one, other)) * 10**6 - int(oracle.support(other, one))

    places = range(len(question.options))
    equals = Counter(strength(a, b) for a in places for b in places
                     if a != b and (oracle.majority_prefers(a, b) or oracle.is_tied(a, b)))  # fmt: skip
    if math.prod(map(math.factorial, equals.values())) > MAX_ORDERS:
        return "not tried by the oracle: too many orders of equal duels"
    found = options(question, ranked_pairs(oracle, strength_function=strength))
    if ours["winners"][0] not in found:
        return UNEXPLAINED
    return EQUAL if len(found) == 1 else "equal duels, by our tie-break"


def borda_by_margins(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """pref_voting counts options below minus options above: twice our points, less (n − 1) × ballots."""
    scores = weak_orders(question, profile).borda_scores()
    shift = (len(question.options) - 1) * ours["expressed"]
    theirs = {name: Fraction(scores[at] + shift, 2) for at, name in enumerate(names(question))}
    same = theirs == {name: Fraction(points) for name, points in ours["counts"].items()}
    return EQUAL if same else UNEXPLAINED


def borda_by_votekit(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """votekit gives n points to the first and 1 to the last, shared among equals, and none to those left out: here they
    are written down as equals after the last."""
    known = names(question)
    written = []
    for answer, times in profile:
        rest = [name for name in known if not any(name in group for group in answer["ranking"])]
        written.append(({"ranking": answer["ranking"] + [rest] * bool(rest)}, times))
    made = votekit_profile(question, written)
    scores = Borda(made, n_seats=1, tiebreak="random", scoring_tie_convention="average").election_states[0].scores
    points = {name: Fraction(value) + ours["expressed"] for name, value in ours["counts"].items()}
    return (
        EQUAL if all(abs(Fraction(scores[name]) - points[name]) < Fraction(1, 10**6) for name in known) else UNEXPLAINED
    )


def votekit_profile(question: Question, profile: Profile) -> RankProfile:
    ballots = tuple(RankBallot(ranking=[set(g) for g in answer["ranking"]], weight=times) for answer, times in profile)
    return RankProfile(ballots=ballots, candidates=tuple(names(question)), max_ranking_length=len(question.options))


def universes(question: Question, profile: Profile) -> set[str]:
    """Everybody who can win by instant run-off, whoever of equals is eliminated."""

    @cache
    def winners(going: frozenset[str]) -> frozenset[str]:
        votes = dict.fromkeys(going, 0)
        for answer, times in profile:
            first = next((group[0] for group in answer["ranking"] if group[0] in going), None)
            if first is not None:
                votes[first] += times
        major = [name for name in going if 2 * votes[name] > sum(votes.values())]
        if major:
            return frozenset(major)
        fewest = min(votes.values())
        return frozenset().union(*(winners(going - {name}) for name in going if votes[name] == fewest))

    return set(winners(frozenset(names(question))))


def irv_in_all_universes(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """Complete rankings only: pref_voting reads no short ones here. Others are completed in the question's order."""
    complete = [(_completed(question, answer), times) for answer, times in profile]
    ours = question.rule.count(question, complete)
    place = {name: at for at, name in enumerate(names(question))}
    oracle = Linear([[place[group[0]] for group in answer["ranking"]] for answer, _ in complete],
                    rcounts=[times for _, times in complete])  # fmt: skip
    found = options(question, instant_runoff_put(oracle))
    if found != universes(question, complete):
        return UNEXPLAINED
    return _among(ours["winners"], found, "tie for elimination, by our rules")


def irv_of_short_rankings(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """pref_voting eliminates all who are last at once; who is last and alone is eliminated as with us."""
    oracle = weak_orders(question, profile)
    found = options(question, instant_runoff_for_truncated_linear_orders(oracle))
    possible = universes(question, profile)
    if found == set(ours["winners"]):
        return EQUAL
    return "oracle eliminates equals together" if _eliminating_together(question, profile) == found else (
        "tie for elimination, by our rules" if len(possible) > 1 and found <= possible else UNEXPLAINED
    )  # fmt: skip


def _eliminating_together(question: Question, profile: Profile) -> set[str]:
    going = set(names(question))
    while True:
        firsts = Counter(dict.fromkeys(going, 0))
        for answer, times in profile:
            first = next((group[0] for group in answer["ranking"] if group[0] in going), None)
            if first is not None:
                firsts[first] += times
        last = {name for name in going if firsts[name] == min(firsts.values())}
        most = {name for name in going if firsts[name] == max(firsts.values())}
        if 2 * max(firsts.values()) > firsts.total() or last == going:
            return most
        going -= last


def irv_by_votekit(question: Question, profile: Profile, ours: Json, chance: random.Random) -> str:
    made = votekit_profile(question, profile)
    found = FastIRV(made, tiebreak="random", rng_seed=chance.randrange(2**31)).get_elected()
    winners = {name for group in found for name in group}
    return _tied(ours["winners"], winners, universes(question, profile))


def irv_by_pyrankvote(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """pyrankvote tells equals apart by second choices, then at random."""
    winners = pyrankvote_winners(pyrankvote.instant_runoff_voting, question, profile)
    return _tied(ours["winners"], winners, universes(question, profile))


def stv_by_votekit(question: Question, profile: Profile, ours: Json, chance: random.Random) -> str:
    """votekit in exact fractions, all who reach the quota elected and passed on at once: see `Conventions`."""
    cast = {group[0] for answer, _ in profile for group in answer["ranking"]}
    seats = question.settings["seats"]
    if len(cast) < seats:
        return "oracle counts only options that ballots name: too few for the seats"
    try:
        oracle = STV(votekit_profile(question, profile), n_seats=seats, exact=True, simultaneous=True,
                     tiebreak="random", rng_seed=chance.randrange(2**31))  # fmt: skip
    except IndexError:
        return "oracle fails where no ballot names who continues" if _runs_dry(ours) else UNEXPLAINED
    found = {name for group in oracle.get_elected() for name in group}
    return _by_convention(question, profile, ours, found, chance, together=True)


def _runs_dry(ours: Json) -> bool:
    """votekit looks for the last among options that ballots still name. By hand: one ballot a > b > c, two seats, quota
    1; a takes it whole, with no surplus, so nobody is named and its list of the last is empty."""
    elected: set[str] = set()
    for step in ours["steps"]:
        if step["step"] == "round":
            if all(votes == 0 for name, votes in step["votes"].items() if name not in elected):
                return True
            elected |= set(step["elected"])
    return False


def stv_by_pyrankvote(question: Question, profile: Profile, ours: Json, chance: random.Random) -> str:
    """pyrankvote elects who has more than n / (seats + 1). It shares what is passed on, also by who leaves, equally
    among papers: of a pile of one whole vote and one worth 0.1 each becomes 0.55. All surpluses go at once."""
    found = pyrankvote_winners(pyrankvote.single_transferable_vote, question, profile, question.settings["seats"])
    return _by_convention(question, profile, ours, found, chance, together=True, by_papers=True, droop=False)


def stv_by_pref_voting(question: Question, profile: Profile, ours: Json, chance: random.Random) -> str:
    """pref_voting counts by the same Scottish rules, in floats cut to five decimals, and draws lots where we go by the
    tie-break."""
    oracle = weak_orders(question, profile)
    found = options(question, stv_scottish(oracle, num_seats=question.settings["seats"], rng=chance))
    return _by_convention(question, profile, ours, found, chance)


def _by_convention(
    question: Question, profile: Profile, ours: Json, found: set[str], chance: random.Random, **theirs: bool
) -> str:
    """Equal; or what counting by hand yields with other choices among equals, the oracle's conventions, or both."""
    if set(ours["winners"]) == found:
        return EQUAL
    cut = question.method == "stv_scottish"
    if found in _outcomes(question, profile, chance, cut=cut):
        return "tie, by our rules"
    for cuts in {cut, False}:
        for name, rules in _fewest_first(theirs):
            if found in _outcomes(question, profile, chance, cut=cuts, **rules):
                return f"{name}{', without cutting decimals' if cut and not cuts else ''}"
    return UNEXPLAINED


NAMES = {
    "together": "surpluses passed on together",
    "by_papers": "votes shared by papers",
    "droop": "quota n/(seats+1)",
}


def _fewest_first(theirs: dict[str, bool]) -> Iterator[tuple[str, dict[str, bool]]]:
    items = list(theirs.items())
    subsets = [dict(item for bit, item in enumerate(items) if mask >> bit & 1) for mask in range(2 ** len(items))]
    for rules in sorted(subsets, key=len):
        yield "oracle: " + (" and ".join(NAMES[name] for name in rules) or "another tie"), rules


def _outcomes(question: Question, profile: Profile, chance: random.Random, **rules: bool) -> list[set[str]]:
    found = [set(by_hand(question, profile, Conventions(**rules)))]
    return found + [set(by_hand(question, profile, Conventions(choose=chance.choice, **rules))) for _ in range(TRIES)]


def pyrankvote_winners(rule: Any, question: Question, profile: Profile, *seats: int) -> set[str]:
    people = {name: pyrankvote.Candidate(name) for name in names(question)}
    ballots = [pyrankvote.Ballot([people[group[0]] for group in answer["ranking"]])
               for answer, times in profile for _ in range(times)]  # fmt: skip
    return {winner.name for winner in rule(list(people.values()), ballots, *seats).get_winners()}


def _completed(question: Question, answer: Json) -> Json:
    named = [group[0] for group in answer["ranking"]]
    return {"ranking": [[name] for name in [*named, *(name for name in names(question) if name not in named)]]}


def _among(winners: list[str], found: set[str], why: str) -> str:
    if not set(winners) <= found:
        return UNEXPLAINED
    return EQUAL if len(found) == 1 else why


def _tied(ours: list[str], found: set[str], possible: set[str]) -> str:
    if set(ours) == found:
        return EQUAL
    return "tie for elimination, by our rules" if found <= possible and set(ours) <= possible else UNEXPLAINED


JUDGES: dict[tuple[str, str], Judge] = {
    ("schulze", "pref_voting beat_path, winning votes"): schulze_by_beat_path,
    ("ranked_pairs", "pref_voting ranked_pairs, winning votes"): ranked_pairs_of_all_orders,
    ("borda", "pref_voting symmetric Borda"): borda_by_margins,
    ("borda", "votekit Borda"): borda_by_votekit,
    ("irv", "pref_voting instant run-off, all universes"): irv_in_all_universes,
    ("irv", "pref_voting instant run-off, short rankings"): irv_of_short_rankings,
    ("irv", "votekit IRV"): irv_by_votekit,
    ("irv", "pyrankvote instant run-off"): irv_by_pyrankvote,
    ("stv_wigm", "votekit STV, exact"): stv_by_votekit,
    ("stv_scottish", "votekit STV, exact"): stv_by_votekit,
    ("stv_scottish", "pref_voting STV-Scottish"): stv_by_pref_voting,
    ("stv_wigm", "pyrankvote STV"): stv_by_pyrankvote,
}
