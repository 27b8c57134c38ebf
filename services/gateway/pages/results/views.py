"""Which view shows which method's result. A method that is not here is told by its winners alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.gateway.clients.ballot import Poll, Question
from services.gateway.pages.language import said
from services.gateway.pages.results import bars, budget, duels, grades, rounds, survey
from services.gateway.pages.results.model import Block, Heading, Labels, Shown
from services.gateway.pages.results.outcome import Json, expressed, outcome

View = Callable[[Labels, str, Json], Shown]
_SUMS: Final = ("single_choice", "multiple_choice", "approval", "supports", "score", "cumulative", "borda")
VIEWS: Final[Mapping[str, View]] = {
    "yes_no": bars.yes_no,
    **dict.fromkeys(_SUMS, bars.view),
    "majority_judgment": grades.view,
    **dict.fromkeys(("schulze", "ranked_pairs"), duels.view),
    **dict.fromkeys(("irv", "stv_scottish", "stv_wigm"), rounds.view),
    **dict.fromkeys(("budget_greedy", "budget_equal_shares"), budget.view),
    "survey": survey.view,
}
_TOGETHER: Final = (
    "Cette question se dépouille sur tous les bulletins à la fois : on ne peut pas additionner des décomptes partiels. "
    "Jusqu’à la clôture, seule la participation est connue."
)


def final(poll: Poll) -> list[tuple[Question, Shown]]:
    """Each question with its result, in the manifest's order."""
    by_id = {q.id: q for q in poll.tally.questions} if poll.tally else {}
    return [
        (question, VIEWS.get(question.method, _plain)(Labels(question), question.method, by_id[question.id].result))
        for question in poll.manifest.questions
        if question.id in by_id
    ]


def provisional(poll: Poll) -> list[tuple[Question, list[Block]]]:
    """The sums of the sealed epochs, all stations together; where a result is no sum, why there is none to tell."""
    told = [s.sums for s in poll.stations if len(s.sums) == len(poll.manifest.questions)]
    if not told:
        return []
    shown: list[tuple[Question, list[Block]]] = []
    for question, parts in zip(poll.manifest.questions, zip(*told, strict=True), strict=True):
        sums = [part for part in parts if part is not None]
        if len(sums) < len(parts):
            shown.append((question, [Heading("", said(_TOGETHER))]))
        elif any_told(whole := added(sums)):
            shown.append((question, _blocks(question, whole)))
    return shown


def any_told(sums: Json) -> bool:
    return bool(sums["blank"] or expressed(sums))


def added(parts: list[Any]) -> Any:
    """Sums of one shape together: numbers add up, lists place by place, objects name by name."""
    first = parts[0]
    if isinstance(first, dict):
        names = dict.fromkeys(name for part in parts for name in part)
        return {name: added([part[name] for part in parts if name in part]) for name in names}
    if isinstance(first, list):
        return [added(list(place)) for place in zip(*parts, strict=True)]
    return sum(parts)


def _blocks(question: Question, sums: Json) -> list[Block]:
    labels = Labels(question)
    if question.method == "survey":
        return survey.items(labels, sums)
    if question.method == "majority_judgment":
        return grades.tables(labels, sums, [])
    return [bars.table(labels, question.method, sums, [], ordered=False)]


def _plain(labels: Labels, method: str, result: Json) -> Shown:
    winners = list(result.get("winners", []))
    heading, more = outcome(labels, winners, len(winners))
    return Shown(heading, said("Les étapes de ce dépouillement sont dans le fichier JSON."), [], more)
