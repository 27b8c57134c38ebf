"""What is wrong with a ballot's form and what to do, in the words of its page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from services.gateway.pages.language import plural, said, theirs
from services.gateway.pages.numbers import number as shown

_SHOWN_BACK: Final = 20  # characters of what was typed


def too_many_boxes(ticked: int, most: int) -> str:
    return plural(
        "Vous avez coché %(n)s case : il en faut %(most)s au plus. Décochez-en %(over)s.",
        "Vous avez coché %(n)s cases : il en faut %(most)s au plus. Décochez-en %(over)s.",
        ticked,
        n=shown(ticked),
        most=most,
        over=ticked - most,
    )


def too_few_boxes(least: int) -> str:
    return plural("Cochez %(n)s case au moins", "Cochez %(n)s cases au moins", least, n=shown(least))


def too_many_points(given: int, points: int) -> str:
    return plural(
        "Vous avez réparti %(n)s point : il y en a %(all)s. Retirez-en %(over)s.",
        "Vous avez réparti %(n)s points : il y en a %(all)s. Retirez-en %(over)s.",
        given,
        n=shown(given),
        all=points,
        over=given - points,
    )


def number(option: str, what: str, least: int, most: int, typed: str) -> str:
    """`what`: what is asked for, in French."""
    return said(
        "Pour « %(option)s », écrivez %(what)s de %(least)s à %(most)s, au lieu de « %(typed)s ».",
        option=theirs(option),
        what=said(what),
        least=least,
        most=most,
        typed=typed[:_SHOWN_BACK],
    )


def rank(option: str, most: int, typed: str) -> str:
    return said(
        "Pour « %(option)s », écrivez un rang de 1 à %(most)s, ou rien, au lieu de « %(typed)s ».",
        option=theirs(option),
        most=most,
        typed=typed[:_SHOWN_BACK],
    )


def same_rank(rank: int, options: Sequence[str]) -> str:
    quoted = [said("« %(answer)s »", answer=theirs(option)) for option in options]
    answers = reduce(lambda one, other: said("%(one)s et à %(other)s", one=one, other=other), quoted)
    return said(
        "Le rang %(rank)s est donné à %(answers)s : donnez à chacune un rang différent.", rank=rank, answers=answers
    )


def unanswered(item: str) -> str:
    return said("Répondez à la question « %(item)s ».", item=theirs(item))


def item_boxes(item: str, least: int, most: int) -> str:
    return plural(
        "« %(item)s » : cochez %(least)s à %(n)s case.",
        "« %(item)s » : cochez %(least)s à %(n)s cases.",
        most,
        n=shown(most),
        item=theirs(item),
        least=least,
    )


def item_number(item: str, least: int, most: int, typed: str) -> str:
    return said(
        "« %(item)s » : écrivez un nombre entier de %(least)s à %(most)s, au lieu de « %(typed)s ».",
        item=theirs(item),
        least=least,
        most=most,
        typed=typed[:_SHOWN_BACK],
    )
