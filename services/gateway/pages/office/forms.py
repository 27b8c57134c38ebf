"""The forms that make a poll. What each voting method needs is asked in one step after the method is chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

from flask import g
from wtforms.validators import ValidationError

from services.gateway.pages import method_words
from services.gateway.pages.front import front, token
from services.gateway.pages.kit.fields import Choice, Day, Hour, LongText, Number, Several, Text, Tick, moment
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.steps import Kept
from services.gateway.pages.numbers import count

MOST_QUESTIONS: Final = 10
MOST_OPTIONS: Final = 200
_MOST_WIGM: Final = 8
_LONGEST_OPTION: Final = 300
_SEED: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LEFT_OUT: Final = ("survey",)
BUDGETS: Final = ("budget_greedy", "budget_equal_shares")
GRADES: Final = "Excellent\nTrès bien\nBien\nAssez bien\nPassable\nInsuffisant\nÀ rejeter"
METHODS: Final = [(name, m.name) for name, m in method_words.METHODS.items() if name not in _LEFT_OUT]
_HINTS: Final = {name: f"{m.marking} {m.counting}" for name, m in method_words.METHODS.items()}


class SubjectForm(Form):
    title = "Sur quoi porte le scrutin ?"
    help = (
        "Le titre et la description sont publics, et figés à la publication. Un questionnaire à plusieurs rubriques "
        "se prépare par l’interface de programmation, pas par ces pages."
    )
    name = Text("Titre", ask="Saisissez un titre", longest=300, hint="En quelques mots, comme dans la liste publique")
    description = LongText("Description", optional=True, longest=5000, rows=8, hint="Ce qu’il faut savoir pour choisir")


class QuestionForm(Form):
    title = "Quelle est la question ?"
    text = LongText("Question", ask="Saisissez la question", longest=1000, rows=3)
    method = Choice("Comment vote-t-on ?", METHODS, ask="Choisissez une méthode de vote", hints=_HINTS)


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def split_cost(line: str) -> tuple[str, str]:
    """A project's line: its label and its cost as typed, which is empty where there is none."""
    label, _, cost = line.rpartition(";")
    return (label.strip(), re.sub(r"[\s\u00a0\u202f€]", "", cost)) if label else (line, "")


class AnswersForm(Form):
    """Every field that some method needs; `answers_form` leaves out the others."""

    title = "Quelles sont les réponses ?"
    most_seats: ClassVar[int] = MOST_OPTIONS
    options = LongText(
        "Réponses possibles", ask="Saisissez les réponses, une par ligne", longest=62_000, rows=8, hint="Une par ligne"
    )
    budget = Number("Budget total, en euros", least=1, most=10**12, ask="Saisissez le budget total")
    utility = Choice(
        "Ce que vaut un projet pour qui le soutient",
        [("cost", "Autant que son coût"), ("count", "Autant que tout autre projet")],
        default="cost",
    )
    completion = Choice(
        "Ce que devient l’argent qui reste",
        [
            ("none", "Il n’est pas dépensé"),
            ("utilitarian", "Il va aux projets qui ont le plus de voix, tant qu’il suffit"),
            ("add1", "Les parts égales sont augmentées tant que le budget suffit"),
            ("add1_utilitarian", "Les parts sont augmentées, puis le reste va aux projets qui ont le plus de voix"),
        ],
        default="add1_utilitarian",
    )
    seats = Number("Nombre de réponses retenues", least=1, most=MOST_OPTIONS, default="1")
    least = Number("Nombre de cases à cocher au moins", least=1, most=MOST_OPTIONS, default="1")
    most = Number("Nombre de cases à cocher au plus", least=1, most=MOST_OPTIONS)
    lowest = Number("Note la plus basse", most=100, default="0")
    highest = Number("Note la plus haute", least=1, most=100, default="5")
    points = Number("Points à répartir par chaque votant", least=1, most=10_000, default="10")
    each = Number("Points au plus sur une même réponse", least=1, most=10_000, default="10")
    threshold = Number("Soutiens qu’il faut pour être retenue", least=1, most=100_000_000)
    grades = LongText(
        "Mentions, de la meilleure à la moins bonne", longest=1100, rows=7, default=GRADES, hint="Une par ligne, 2 à 10"
    )
    blank = Tick("Proposer le vote blanc", optional=True, default=True, hint="Il est compté à part.")
    tie = Choice(
        "En cas d’égalité complète",
        [("order", "La première de la liste passe devant"), ("lot", "Un tirage au sort vérifiable décide")],
        default="order",
    )
    seed = Text(
        "Graine du tirage au sort",
        optional=True,
        longest=64,
        hint="Pour le tirage seulement : des lettres minuscules, chiffres et tirets, par exemple tirage-2027-05-24",
    )
    another = Tick("Ajouter une autre question après celle-ci", optional=True)

    def labels(self) -> list[str]:
        lines = _lines(self["options"].data)
        return [split_cost(line)[0] for line in lines] if "budget" in self else lines

    def validate_options(self, field: Any) -> None:
        labels, fewest = self.labels(), 1 if "budget" in self or "threshold" in self else 2
        if len(labels) < fewest:
            raise ValidationError(f"Il faut au moins {fewest} réponse{'s' if fewest > 1 else ''}, une par ligne")
        if len(labels) > MOST_OPTIONS:
            raise ValidationError(f"{MOST_OPTIONS} réponses au plus : il y en a {len(labels)}")
        if any(len(label) > _LONGEST_OPTION for label in labels):
            raise ValidationError(f"Une réponse compte {_LONGEST_OPTION} caractères au plus")
        folded = [label.casefold() for label in labels]
        if twice := next((label for label, low in zip(labels, folded, strict=True) if folded.count(low) > 1), None):
            raise ValidationError(f"La réponse « {twice} » figure deux fois")
        if "budget" in self:
            _refuse_costs(_lines(field.data))

    def validate_seats(self, field: Any) -> None:
        if field.value and field.value > self.most_seats:
            raise ValidationError(f"{self.most_seats} au plus avec cette méthode")
        if field.value and (there := len(self.labels())) > 1 and field.value >= there:
            raise ValidationError(f"Il faut retenir moins de réponses qu’il n’y en a : {there - 1} au plus")

    def validate_most(self, field: Any) -> None:
        least, there = cast(Any, self["least"]).value, len(self.labels())
        if field.value and there and field.value > there:
            raise ValidationError(f"Il n’y a que {there} réponses à cocher")
        if field.value and least and field.value < least:
            raise ValidationError("Le plus grand nombre de cases doit valoir au moins le plus petit")

    def validate_highest(self, field: Any) -> None:
        lowest = cast(Any, self["lowest"]).value
        if lowest is not None and field.value is not None and field.value <= lowest:
            raise ValidationError("La note la plus haute doit dépasser la plus basse")

    def validate_each(self, field: Any) -> None:
        points = cast(Any, self["points"]).value
        if points is not None and field.value is not None and field.value > points:
            raise ValidationError(f"Au plus tous les points : {points}")

    def validate_grades(self, field: Any) -> None:
        found = _lines(field.data)
        if not 2 <= len(found) <= 10 or len({one.casefold() for one in found}) < len(found):
            raise ValidationError("De 2 à 10 mentions, toutes différentes, une par ligne")

    def validate_tie(self, field: Any) -> None:
        if field.data == "lot" and not _SEED.fullmatch(self["seed"].data or ""):
            raise ValidationError("Saisissez plus bas la graine du tirage : lettres minuscules, chiffres et tirets")


def _refuse_costs(lines: list[str]) -> None:
    for line in lines:
        cost = split_cost(line)[1]
        if not cost.isascii() or not cost.isdigit() or len(cost) > 12:
            raise ValidationError(f"« {line[:80]} » : écrivez le projet, un point-virgule, puis son coût en euros")


_COMMON: Final = ("options", "blank", "tie", "seed", "another")
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "yes_no": (),
    "multiple_choice": ("seats", "least", "most"),
    "score": ("seats", "lowest", "highest"),
    "cumulative": ("seats", "points", "each"),
    "majority_judgment": ("seats", "grades"),
    "supports": ("threshold",),
    "irv": (),
    "budget_greedy": ("budget", "least", "most"),
    "budget_equal_shares": ("budget", "least", "most", "utility", "completion"),
}
_ALL: Final = [name for name in vars(AnswersForm) if hasattr(getattr(AnswersForm, name), "field_class")]


def _made(method: str) -> type[Form]:
    wanted = {*_COMMON, *_FIELDS.get(method, ("seats",))}
    changes: dict[str, Any] = {name: None for name in _ALL if name not in wanted}
    if method == "yes_no":
        options: Any = LongText("Les deux réponses", longest=700, rows=2, default="Oui\nNon", hint="Une par ligne")
        changes |= {"tie": None, "seed": None, "options": _in_place(options), "validate_options": _two}
    if method == "stv_wigm":
        changes["most_seats"] = _MOST_WIGM
    if method in BUDGETS:
        hint = "Un projet par ligne, puis un point-virgule et son coût en euros : Un préau pour l’école ; 40 000"
        options = LongText("Projets", ask="Saisissez les projets", longest=64_000, rows=10, hint=hint)
        changes["options"] = _in_place(options)
    return type(f"Answers_{method}", (AnswersForm,), changes)


def _in_place(field: Any) -> Any:
    """Where the field that it takes the place of stands."""
    field.creation_counter = cast(Any, AnswersForm.options).creation_counter
    return field


def _two(form: AnswersForm, field: Any) -> None:
    AnswersForm.validate_options(form, field)
    if len(form.labels()) != 2:
        raise ValidationError("Exactement deux réponses, une par ligne")


ANSWERS: Final = {method: _made(method) for method, _ in METHODS}


def answers_form(kept: Kept, round: int) -> type[Form]:
    """After the method of the same round's question."""
    return ANSWERS.get(next(iter(kept.get(f"question-{round}", {}).get("method", [])), ""), AnswersForm)


class DatesForm(Form):
    title = "Quand vote-t-on ?"
    help = "À l’heure de Paris. Un scrutin n’est jamais prolongé ni clos plus tôt."
    opens_day = Day("Jour d’ouverture", ask="Saisissez le jour d’ouverture")
    opens_hour = Hour("Heure d’ouverture", ask="Saisissez l’heure d’ouverture")
    closes_day = Day("Jour de clôture", ask="Saisissez le jour de clôture")
    closes_hour = Hour("Heure de clôture", ask="Saisissez l’heure de clôture")

    def moments(self) -> tuple[str, str]:
        """Opening and closing, as services write them."""
        opens, closes = (moment(self[f"{name}_day"], self[f"{name}_hour"]) for name in ("opens", "closes"))
        return opens, closes

    def validate_closes_hour(self, field: Any) -> None:
        fields: list[Any] = list(self)
        if all(f.data and f.value is not None for f in fields):
            opens, closes = self.moments()
            if closes <= opens:
                raise ValidationError("La clôture doit venir après l’ouverture")


def known_strata() -> list[tuple[str, str]]:
    """Every list of voters that identity has, with how many people are on it."""
    if "strata" not in g:
        g.strata = front().identity.strata(token("identity"))
    return [(s.stratum, f"{s.stratum} ({count(s.people, 'personne', 'personnes')})") for s in g.strata]


class ListsForm(Form):
    title = "Qui vote ?"
    help = "Chaque liste choisie vote dans son propre bureau : sa participation et ses scellés sont publiés à part."
    strata = Several("Listes de votants", known_strata, ask="Choisissez au moins une liste")


class ReasonForm(Form):
    title = "Pourquoi remplacer le manifeste ?"
    help = "Le motif est publié. Les deux confirmations de l’ouverture seront demandées à nouveau."
    reason = LongText("Motif", ask="Saisissez le motif", longest=2000, rows=4)

    def validate_reason(self, field: Any) -> None:
        if len(field.data or "") < 10:
            raise ValidationError("Le motif compte 10 caractères au moins")
