"""The outcome in words: who is chosen, from how many ballots, and what a tie-break decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.pages.language import mark, plural, said
from services.gateway.pages.results.model import Labels
from services.gateway.pages.words import number

Json = Mapping[str, Any]
_IN_A_SENTENCE: Final = 4
_ANCHOR: Final = {
    "seat": mark("une place"),
    "elimination": mark("l’élimination"),
    "surplus": mark("l’ordre des excédents"),
    "project": mark("le financement"),
}


def outcome(labels: Labels, winners: Sequence[str], cast: int, chosen: str = mark("Choisis")) -> tuple[str, list[str]]:
    """The heading, and the list of those chosen where they are too many for it."""
    if not cast:
        return said("Aucune voix exprimée"), []
    if not winners:
        return said("Aucune option n’est retenue"), []
    if len(winners) == 1:
        return said("%(option)s l’emporte", option=labels.quoted(winners[0])), []
    if len(winners) <= _IN_A_SENTENCE and sum(len(labels.plain(o)) for o in winners) <= 90:
        return said("%(chosen)s : %(options)s", chosen=said(chosen), options=labels.listed(winners)), []
    some, many = number(len(winners)), number(len(labels.ids))
    told = said("%(chosen)s : %(n)s options sur %(all)s", chosen=said(chosen), n=some, all=many)
    return told, [labels[o] for o in winners]


def ballots(result: Json) -> str:
    """« 4 605 bulletins exprimés, et 212 votes blancs à part. »"""
    cast, blank = expressed(result), result.get("blank", 0)
    return said(
        "%(ballots)s, et %(blank)s à part.",
        ballots=plural("%(n)s bulletin exprimé", "%(n)s bulletins exprimés", cast, n=number(cast)),
        blank=plural("%(n)s vote blanc", "%(n)s votes blancs", blank, n=number(blank)),
    )


def expressed(result: Json) -> int:
    """How many ballots are not blank; the oldest results of yes or no do not say it, but their votes do."""
    return int(result["expressed"] if "expressed" in result else sum(result["counts"].values()))


def rule(by: str) -> str:
    """How a tie-break decides, in words."""
    if by.startswith("lot:"):
        return said(
            "par le tirage au sort annoncé dans le scrutin (graine « %(seed)s »), que chacun peut refaire", seed=by[4:]
        )
    return said("par l’ordre des options dans la question, comme le scrutin l’annonçait")


_NAMED: Final = 5  # equals that a sentence names


def tie(labels: Labels, step: Json) -> str:
    """Between whom (of many, how many: the file for spreadsheets names them all), for what, who was chosen, by which
    rule."""
    if step["for"] == "duel":
        return _duels(labels, step)
    chosen, equals, by = labels.listed(step["chosen"]), step["between"], rule(step["by"])
    between = labels.listed(equals) if len(equals) <= _NAMED else said("%(n)s options", n=len(equals))
    if step["for"] == "elimination":
        end = said("%(chosen)s est éliminé, %(rule)s.", chosen=chosen, rule=by)
    elif step["for"] == "surplus":
        end = said("l’excédent de %(chosen)s est transféré d’abord, %(rule)s.", chosen=chosen, rule=by)
    else:
        many = len(step["chosen"])
        end = plural("%(chosen)s passe, %(rule)s.", "%(chosen)s passent, %(rule)s.", many, chosen=chosen, rule=by)
    what = said(_ANCHOR.get(step["for"]) or str(step["for"]))
    return said("Égalité pour %(what)s entre %(between)s : %(end)s", what=what, between=between, end=end)


def ties(labels: Labels, result: Json) -> list[str]:
    return [tie(labels, step) for step in result["steps"] if step["step"] == "tie"]


def _duels(labels: Labels, step: Json) -> str:
    duels = step["between"]
    return said(
        "%(n)s duels sont aussi nets et se contredisent : celui de %(one)s contre %(other)s est examiné le premier, "
        "%(rule)s.",
        n=number(len(duels)),
        one=labels.quoted(duels[0][0]),
        other=labels.quoted(duels[0][1]),
        rule=rule(step["by"]),
    )
