"""The outcome in words: who is chosen, from how many ballots, and what a tie-break decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.pages.results.model import Labels
from services.gateway.pages.words import NBSP, count, number

Json = Mapping[str, Any]
_IN_A_SENTENCE: Final = 4
_ANCHOR: Final = {
    "seat": "une place",
    "elimination": "l’élimination",
    "surplus": "l’ordre des excédents",
    "project": "le financement",
}


def outcome(labels: Labels, winners: Sequence[str], cast: int, chosen: str = "Choisis") -> tuple[str, list[str]]:
    """The heading, and the list of those chosen where they are too many for it."""
    if not cast:
        return "Aucune voix exprimée", []
    if not winners:
        return "Aucune option n’est retenue", []
    if len(winners) == 1:
        return f"{labels.quoted(winners[0])} l’emporte", []
    if len(winners) <= _IN_A_SENTENCE and sum(len(labels[o]) for o in winners) <= 90:
        return f"{chosen}{NBSP}: {labels.listed(winners)}", []
    return f"{chosen}{NBSP}: {number(len(winners))} options sur {number(len(labels.ids))}", [labels[o] for o in winners]


def ballots(result: Json) -> str:
    """« 4 605 bulletins exprimés, et 212 votes blancs à part. »"""
    told = count(expressed(result), "bulletin exprimé", "bulletins exprimés")
    return f"{told}, et {count(result.get('blank', 0), 'vote blanc', 'votes blancs')} à part."


def expressed(result: Json) -> int:
    """How many ballots are not blank; the oldest results of yes or no do not say it, but their votes do."""
    return int(result["expressed"] if "expressed" in result else sum(result["counts"].values()))


def rule(by: str) -> str:
    """How a tie-break decides, in words."""
    if by.startswith("lot:"):
        return f"par le tirage au sort annoncé dans le scrutin (graine «{NBSP}{by[4:]}{NBSP}»), que chacun peut refaire"
    return "par l’ordre des options dans la question, comme le scrutin l’annonçait"


_NAMED: Final = 5  # equals that a sentence names


def tie(labels: Labels, step: Json) -> str:
    """Between whom (of many, how many: the file for spreadsheets names them all), for what, who was chosen, by which
    rule."""
    if step["for"] == "duel":
        return _duels(labels, step)
    chosen, equals = labels.listed(step["chosen"]), step["between"]
    between = labels.listed(equals) if len(equals) <= _NAMED else f"{len(equals)} options"
    if step["for"] == "elimination":
        end = f"{chosen} est éliminé, {rule(step['by'])}."
    elif step["for"] == "surplus":
        end = f"l’excédent de {chosen} est transféré d’abord, {rule(step['by'])}."
    else:
        verb = "passe" if len(step["chosen"]) == 1 else "passent"
        end = f"{chosen} {verb}, {rule(step['by'])}."
    return f"Égalité pour {_ANCHOR.get(step['for'], step['for'])} entre {between}{NBSP}: {end}"


def ties(labels: Labels, result: Json) -> list[str]:
    return [tie(labels, step) for step in result["steps"] if step["step"] == "tie"]


def _duels(labels: Labels, step: Json) -> str:
    duels = step["between"]
    first = f"{labels.quoted(duels[0][0])} contre {labels.quoted(duels[0][1])}"
    return (
        f"{count(len(duels), 'duel', 'duels')} sont aussi nets et se contredisent{NBSP}: "
        f"celui de {first} est examiné le premier, {rule(step['by'])}."
    )
