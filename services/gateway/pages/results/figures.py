"""Every figure of a result, one a line: what the CSV file holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from services.gateway.clients.ballot import Poll, Question, Tally
from services.gateway.pages.numbers import THIN
from services.gateway.pages.results.model import Labels
from services.gateway.pages.results.numbers import exact, shown
from services.gateway.pages.results.outcome import Json, expressed

_PLACES: Final = 5
Figures = Iterator["Figure"]


class Figure(NamedTuple):
    """`number`: an integer, or text as "7/3" or "12.34567"."""

    heading: str
    question: str
    title: str
    number: Any

    def row(self) -> tuple[str, str, str, str, str]:
        """Decimals with a comma; a fraction beside its decimals as "7 ÷ 3", which no spreadsheet takes for a date."""
        text = str(self.number)
        decimals = text if isinstance(self.number, int) else shown(text, _PLACES).replace(THIN, "")
        whole = text.replace("/", " ÷ ") if "/" in text else ""
        return self.heading, self.question, self.title, decimals.replace("\N{MINUS SIGN}", "-"), whole


def figures(poll: Poll, tally: Tally) -> Figures:
    yield from _participation(tally)
    results = {q.id: q.result for q in tally.questions}
    for question in poll.manifest.questions:
        if question.id in results:
            yield from _question(question, results[question.id])


def _participation(t: Tally) -> Figures:
    for heading, title, number in (
        ("participation", "inscrits", t.roll),
        ("participation", "votants", t.turnout),
        ("participation", "abstentions", t.roll - t.turnout),
        ("bulletins", "comptés", t.counted),
        ("bulletins", "remplacés", t.superseded),
        ("bulletins", "nuls", sum(t.invalid.values())),
        ("droits de vote", "délivrés", t.issued),
        ("droits de vote", "réédités", t.reissued),
    ):
        yield Figure(heading, "", title, number)


def _question(question: Question, result: Json) -> Figures:
    labels, text = Labels(question), question.text
    yield Figure("bulletins exprimés", text, "", expressed(result))
    yield Figure("voix", text, "votes blancs", result.get("blank", 0))
    for name, heading in (("quota", "quota"), ("budget", "budget"), ("left", "argent qui reste")):
        if name in result:
            yield Figure(heading, text, "", result[name])
    if question.method == "yes_no":
        yield from (Figure("voix", text, labels[o], n) for o, n in result["counts"].items())
        return
    for place, option in enumerate(result["winners"], 1):
        yield Figure("résultat : rang", text, labels[option], place)
    for step in result["steps"]:
        for heading, title, number in STEPS.get(step["step"], _nothing)(labels, step):
            yield Figure(heading, text, title, number)


Lines = Iterator[tuple[str, str, Any]]


def _nothing(labels: Labels, step: Json) -> Lines:
    yield from ()


def _counted(labels: Labels, step: Json) -> Lines:
    if "items" in step:
        yield from _items(labels, step["items"])
        return
    grades = labels.question.settings.get("grades", [])
    for option, number in step["counts"].items():
        if isinstance(number, list):
            for grade, votes in zip(grades, number, strict=True):
                yield f"mention : {grade['label']}", labels[option], votes
        else:
            yield "voix", labels[option], number


def _items(labels: Labels, items: Json) -> Lines:
    for item in labels.question.settings["items"]:
        found, words = items[item["id"]], {o["id"]: o["label"] for o in item.get("options", [])}
        yield f"{item['text']} : posée à", "", found["asked"]
        yield f"{item['text']} : réponses", "", found["answered"]
        for value, times in found["values"].items():
            yield f"{item['text']} : réponse", words.get(value, value), times


def _threshold(labels: Labels, step: Json) -> Lines:
    yield "seuil", "", step["threshold"]


def _grades(labels: Labels, step: Json) -> Lines:
    order = [grade["id"] for grade in labels.question.settings["grades"]]
    for option, grade in step["grades"].items():
        yield "mention majoritaire : place dans l’échelle", labels[option], order.index(grade) + 1


def _matrix(heading: str, field: str, between: str) -> Callable[[Labels, Json], Lines]:
    def lines(labels: Labels, step: Json) -> Lines:
        for option, others in step[field].items():
            for other, number in others.items():
                yield heading, f"{labels[option]} {between} {labels[other]}", number

    return lines


def _duel(labels: Labels, step: Json) -> Lines:
    heading = "duel retenu" if step["locked"] else "duel écarté"
    yield heading, f"{labels[step['winner']]} devant {labels[step['loser']]}", step["votes"]


def _round(labels: Labels, step: Json) -> Lines:
    head = f"tour {step['round']}"
    for option, number in step["votes"].items():
        yield f"{head} : voix", labels[option], number
    yield f"{head} : voix épuisées", "", step["exhausted"]
    for word in ("elected", "eliminated"):
        for option in step[word]:
            yield f"{head} : {'élu' if word == 'elected' else 'éliminé'}", labels[option], step["votes"][option]
    for transfer in step["transfers"]:
        for option, number in transfer["to"].items():
            yield f"{head} : transfert de {labels[transfer['from']]}", labels[option], number
        if exact(transfer["exhausted"]):
            yield f"{head} : transfert de {labels[transfer['from']]}", "voix épuisées", transfer["exhausted"]


def _project(labels: Labels, step: Json) -> Lines:
    funded = step.get("funded", True)
    yield "projet financé : coût" if funded else "projet non financé : coût", labels[step["option"]], step["cost"]
    if "price" in step:
        yield "projet financé : prix par unité", labels[step["option"]], step["price"]
        yield "projet financé : payeurs", labels[step["option"]], step["payers"]
    yield "argent qui reste après", labels[step["option"]], step["left"]


def _share(labels: Labels, step: Json) -> Lines:
    if step["step"] == "raised":
        yield "parts augmentées de", "", step["by"]
    yield "part de chacun", "", step["share"]


def _tie(labels: Labels, step: Json) -> Lines:
    def told(options: Any) -> str:
        return ", ".join(labels[o] if isinstance(o, str) else " devant ".join(labels[x] for x in o) for o in options)

    yield f"égalité ({step['by']}) : entre", told(step["between"]), len(step["between"])
    yield f"égalité ({step['by']}) : choix", told(step["chosen"]), len(step["chosen"])


STEPS: Final[Mapping[str, Callable[[Labels, Json], Lines]]] = {
    "counted": _counted,
    "threshold": _threshold,
    "majority_grades": _grades,
    "duels": _matrix("préférences", "duels", "devant"),
    "paths": _matrix("chemin le plus fort", "paths", "vers"),
    "duel": _duel,
    "round": _round,
    "project": _project,
    "bought": _project,
    "share": _share,
    "raised": _share,
    "tie": _tie,
}
