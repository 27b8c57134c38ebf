"""Choices, notes, points and grades against pref_voting, abcvoting and votekit."""

from __future__ import annotations

import random
from fractions import Fraction

import abcvoting.preferences
from abcvoting import abcrules
from pref_voting.grade_methods import approval, majority_judgement, score_voting
from pref_voting.grade_profiles import GradeProfile
from pref_voting.scoring_methods import plurality
from votekit import ScoreBallot, ScoreProfile
from votekit.elections import GeneralRating

from services.ballot.protocol.questions import Question
from tests.ballot.methods.made import Profile
from tests.drills._oracle import EQUAL, UNEXPLAINED, Json, Judge, among_tied, names
from tests.drills._oracle_rankings import options, weak_orders


def single_by_plurality(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    rankings = [({"ranking": [[answer["choice"]]]}, times) for answer, times in profile]
    oracle = weak_orders(question, rankings)
    scores = oracle.plurality_scores()
    theirs = {name: int(scores.get(at, 0)) for at, name in enumerate(names(question))}
    if theirs != ours["counts"] or options(question, plurality(oracle)) != _leaders(ours["counts"]):
        return UNEXPLAINED
    if question.method == "yes_no":
        return EQUAL if _leaders(theirs) == ({ours["winner"]} if ours["winner"] else set(theirs)) else UNEXPLAINED
    return among_tied(ours["winners"], theirs, question.settings["seats"])


def _leaders(counts: dict[str, int]) -> set[str]:
    return {name for name, value in counts.items() if value == max(counts.values())}


def committee_by_approvals(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """abcvoting yields every committee that is tied for first. It fills seats with options that nobody approves."""
    seats = question.settings["seats"]
    place = {name: at for at, name in enumerate(names(question))}
    oracle = abcvoting.preferences.Profile(len(place))
    for answer, times in profile:
        oracle.add_voter(abcvoting.preferences.Voter([place[name] for name in answer["choices"]], weight=times))
    found = [options(question, list(committee)) for committee in abcrules.compute("av", oracle, committeesize=seats)]
    supported = {name for name, value in ours["counts"].items() if value}
    if any(set(ours["winners"]) == committee for committee in found):
        return EQUAL if len(found) == 1 else "tie for the last seat, by our tie-break"
    filled = any(set(ours["winners"]) == committee & supported for committee in found)
    return "oracle fills seats with options that nobody marks" if filled else UNEXPLAINED


def graded(question: Question, profile: Profile, field: str, left_out: int, least: int, most: int) -> GradeProfile:
    """Every option has a grade: an option left out has the lowest."""
    grades = [{name: int(answer[field].get(name, left_out)) for name in names(question)} for answer, _ in profile]
    times = [times for _, times in profile]
    return GradeProfile(grades, list(range(least, most + 1)), gcounts=times, candidates=names(question))


def approval_of_grades(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    grades = [({"g": dict.fromkeys(answer["choices"], 1)}, times) for answer, times in profile]
    oracle = graded(question, grades, "g", 0, 0, 1)
    return EQUAL if set(approval(oracle)) == _leaders(ours["counts"]) else UNEXPLAINED


def score_of_grades(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    least, most = question.settings["least"], question.settings["most"]
    oracle = graded(question, profile, "scores", least, least, most)
    theirs = {name: int(oracle.sum(name)) - least * ours["expressed"] for name in names(question)}
    if theirs != ours["counts"] or set(score_voting(oracle)) != _leaders(theirs):
        return UNEXPLAINED
    return among_tied(ours["winners"], theirs, question.settings["seats"])


def cumulative_by_votekit(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    ballots = tuple(ScoreBallot(scores=answer["points"], weight=times) for answer, times in profile)
    made = ScoreProfile(ballots=ballots, candidates=tuple(names(question)))
    oracle = GeneralRating(made, n_seats=1, per_candidate_limit=7, budget=7, tiebreak="random")
    scores = oracle.election_states[0].scores
    theirs = {name: int(scores.get(name, 0)) for name in names(question)}
    if theirs != ours["counts"]:
        return UNEXPLAINED
    return among_tied(ours["winners"], theirs, question.settings["seats"])


def judgment_of_medians(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    """pref_voting tells equal medians apart by the majority gauge: how many grade above, or below if those are more.
    Balinski and Laraki's majority value, which we use, tells more apart, and is the same where both do: of grades
    [4 above, 4 at, 2 below] and [4 above, 5 at, 1 below] the gauge sees 4 above twice, the value sees the second."""
    known = [grade["id"] for grade in question.settings["grades"]]
    worst = len(known) - 1
    marks = [
        ({"g": {name: worst - known.index(g) for name, g in answer["grades"].items()}}, n) for answer, n in profile
    ]
    oracle = graded(question, marks, "g", 0, 0, worst)
    medians = {name: known[worst - int(oracle.median(name))] for name in names(question)}
    if medians != ours["majority_grades"]:
        return UNEXPLAINED
    found = set(majority_judgement(oracle))
    if found == set(ours["ranking"][0]):
        return EQUAL
    best = _by_gauge(ours["counts"], [known.index(medians[name]) for name in names(question)], names(question))
    return "oracle compares by the majority gauge" if found == best else UNEXPLAINED


def _by_gauge(counts: dict[str, list[int]], medians: list[int], options_: list[str]) -> set[str]:
    gauges: dict[str, Fraction] = {}
    for name, at in zip(options_, medians, strict=True):
        if at == min(medians):
            above, below, people = sum(counts[name][:at]), sum(counts[name][at + 1 :]), sum(counts[name])
            gauges[name] = Fraction(above if above > below else -below, people)
    return {name for name, gauge in gauges.items() if gauge == max(gauges.values())}


JUDGES: dict[tuple[str, str], Judge] = {
    ("yes_no", "pref_voting plurality"): single_by_plurality,
    ("single_choice", "pref_voting plurality"): single_by_plurality,
    ("multiple_choice", "abcvoting AV"): committee_by_approvals,
    ("approval", "abcvoting AV"): committee_by_approvals,
    ("approval", "pref_voting approval"): approval_of_grades,
    ("score", "pref_voting score voting"): score_of_grades,
    ("cumulative", "votekit GeneralRating"): cumulative_by_votekit,
    ("majority_judgment", "pref_voting majority judgement"): judgment_of_medians,
}
