"""The demo region's polls: what a French town could ask its residents. No place and no person in it exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

TOWN: Final = "Vère-le-Château"


@dataclass(frozen=True, slots=True)
class DemoPoll:
    """`open_for`: seconds from opening to closing. `choices`: weights of oui, non and blank. `ends`: it is counted."""

    name: str
    title: str
    description: str
    question: str
    open_for: int
    ballots: int
    second_thoughts: int
    choices: tuple[int, int, int]
    ends: bool = False
    strata: list[dict[str, str]] = field(
        default_factory=lambda: [{"id": "habitants", "label": "Habitants inscrits", "station": "bureau-1"}]
    )

    def draft(self, opens_at: str, closes_at: str) -> dict[str, Any]:
        """The body of POST /polls. Epochs are short and small, as the poll's page prints, so that a demo moves."""
        options = [{"id": "oui", "label": "Oui"}, {"id": "non", "label": "Non"}]
        question = {"id": "q1", "text": self.question, "method": "yes_no", "options": options}
        return {
            "title": self.title,
            "description": self.description,
            "questions": [{**question, "blank": True, "tie_break": "none"}],
            "strata": self.strata,
            "stations": [{"id": "bureau-1", "label": "Bureau unique en ligne"}],
            "opens_at": opens_at,
            "closes_at": closes_at,
            "epoch_seconds": 3,
            "epoch_min": 3,
        }


POLLS: Final = (
    DemoPoll(
        name="counted",
        title="Un tarif solidaire à la cantine",
        description=(
            "Le conseil municipal propose de calculer le prix du repas selon le quotient familial, de 1 € à 5,20 €. "
            "Le coût pour la commune est estimé à 38 000 € par an. Les comptes de la cantine et les tarifs des "
            "communes voisines sont en mairie."
        ),
        question="Approuvez-vous un prix du repas calculé selon le quotient familial à la cantine scolaire ?",
        open_for=18,
        ballots=240,
        second_thoughts=12,
        choices=(57, 34, 9),
        ends=True,
    ),
    DemoPoll(
        name="closing",
        title="La place de la Halle sans voitures le dimanche",
        description=(
            f"Après six dimanches d'essai, {TOWN} demande aux habitants s'il faut continuer. La place serait fermée "
            "aux voitures le dimanche de 9 h à 19 h, d'avril à octobre ; les riverains, les livraisons avant 10 h et "
            "les personnes à mobilité réduite garderaient l'accès."
        ),
        question="Faut-il réserver la place de la Halle aux piétons le dimanche, d'avril à octobre ?",
        open_for=6 * 60,
        ballots=45,
        second_thoughts=2,
        choices=(48, 45, 7),
    ),
    DemoPoll(
        name="open",
        title="Éteindre l'éclairage public la nuit",
        description=(
            "L'éclairage public serait éteint de 23 h à 5 h, sauf place de la Gare et rue de l'École. L'économie est "
            "estimée à 21 000 € par an et à 62 MWh. Une évaluation serait publiée au bout d'un an."
        ),
        question="Approuvez-vous l'extinction de l'éclairage public de 23 h à 5 h ?",
        open_for=14 * 24 * 3600,
        ballots=60,
        second_thoughts=3,
        choices=(44, 51, 5),
    ),
)
