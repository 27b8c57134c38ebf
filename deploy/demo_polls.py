"""The demo region's polls: what a French town could ask its residents. No place and no person in it exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.demo_opinions import Opinion, grading, market, opinions, options, ranking, some, yes_no

TOWN: Final = "Vère-le-Château"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoPoll:
    """`open_for`: seconds from opening to closing. `opinion` draws a resident's answer. `ends`: it is counted."""

    name: str
    title: str
    description: str
    question: Json
    opinion: Opinion
    open_for: int
    ballots: int
    second_thoughts: int = 2
    ends: bool = False
    strata: list[dict[str, str]] = field(
        default_factory=lambda: [{"id": "habitants", "label": "Habitants inscrits", "station": "bureau-1"}]
    )

    def draft(self, opens_at: str, closes_at: str) -> Json:
        """The body of POST /polls. Epochs are short and small, as the poll's page prints, so that a demo moves."""
        return {
            "title": self.title,
            "description": self.description,
            "questions": [{"id": "q1", "options": [], "blank": True, "tie_break": "order", **self.question}],
            "strata": self.strata,
            "stations": [{"id": "bureau-1", "label": "Bureau unique en ligne"}],
            "opens_at": opens_at,
            "closes_at": closes_at,
            "epoch_seconds": 3,
            "epoch_min": 3,
        }


_MARKET_ITEMS: Final[list[Mapping[str, Any]]] = [
    {
        "id": "venir",
        "text": "Comment venez-vous le plus souvent au marché ?",
        "kind": "choice",
        "required": True,
        "shown_if": None,
        "options": [
            {"id": "pied", "label": "À pied"},
            {"id": "velo", "label": "À vélo"},
            {"id": "bus", "label": "En bus"},
            {"id": "auto", "label": "En voiture"},
        ],
    },
    {
        "id": "garer",
        "text": "Où vous garez-vous ?",
        "kind": "multiple",
        "required": True,
        "shown_if": {"item": "venir", "values": ["auto"]},
        "least": 1,
        "most": 3,
        "options": [
            {"id": "gare", "label": "Parking de la gare"},
            {"id": "halle", "label": "Place de la Halle"},
            {"id": "rue", "label": "Dans les rues voisines"},
        ],
    },
    {
        "id": "horaires",
        "text": "Les horaires du marché vous conviennent-ils ?",
        "kind": "scale",
        "required": True,
        "shown_if": None,
        "least": 0,
        "most": 5,
        "least_label": "pas du tout",
        "most_label": "tout à fait",
    },
    {
        "id": "foyer",
        "text": "Combien de personnes vivent chez vous ?",
        "kind": "number",
        "required": False,
        "shown_if": None,
        "least": 1,
        "most": 20,
    },
]
_PROJECTS: Final = (
    ("Bancs et tilleuls sur le mail", 38_000),
    ("Fontaine à boire place de la Halle", 12_000),
    ("Atelier de réparation de vélos", 24_000),
    ("Jardin partagé des Maraîchers", 31_000),
    ("Cour d’école ombragée, école Jules-Verne", 64_000),
    ("Éclairage du chemin de la gare", 45_000),
    ("Aire de jeux accessible aux enfants handicapés", 58_000),
    ("Boîtes à livres dans cinq quartiers", 6_000),
    ("Terrain de pétanque couvert", 72_000),
    ("Nichoirs et haies champêtres", 9_000),
    ("Composteurs collectifs", 15_000),
    ("Skatepark du stade", 88_000),
)
_MONEY: Final = {
    "budget": 200_000,
    "costs": {f"r{place}": cost for place, (_, cost) in enumerate(_PROJECTS, start=1)},
    "ballot": {"kind": "approval", "least": 1, "most": 4},
}
_GRADES: Final = ("Excellent", "Très bien", "Bien", "Passable", "Insuffisant", "À rejeter")
_ROUTES: Final = options(
    "Itinéraire par les quais",
    "Itinéraire par le centre",
    "Itinéraire par la voie ferrée",
    "Ne pas créer de voie verte",
)

POLLS: Final = (
    DemoPoll(
        name="counted",
        title="Un tarif solidaire à la cantine",
        description=(
            "Le conseil municipal propose de calculer le prix du repas selon le quotient familial, de 1 € à 5,20 €. "
            "Le coût pour la commune est estimé à 38 000 € par an. Les comptes de la cantine et les tarifs des "
            "communes voisines sont en mairie."
        ),
        question=yes_no("Approuvez-vous un prix du repas calculé selon le quotient familial à la cantine scolaire ?"),
        opinion=opinions(57, 34, 9),
        open_for=18,
        ballots=240,
        second_thoughts=12,
        ends=True,
    ),
    DemoPoll(
        name="council",
        title="Trois habitants au conseil du quartier de la gare",
        description="Huit personnes sont candidates pour porter la parole du quartier pendant deux ans.",
        question={
            "text": "Classez les candidatures par ordre de préférence",
            "method": "stv_scottish",
            "settings": {"seats": 3},
            "options": options(
                *("Amina Belkacem", "Bruno Castel", "Chantal Delorme", "Driss Essaïdi"),
                *("Éléonore Fabre", "Frédéric Guérin", "Gaëlle Hervé", "Hugo Imbert"),
            ),
        },
        opinion=ranking((9, 7, 8, 5, 6, 4, 5, 3)),
        open_for=24,
        ballots=90,
        ends=True,
    ),
    DemoPoll(
        name="budget-2025",
        title="Budget participatif 2025",
        description="Douze projets d’habitants, étudiés par les services, et 200 000 € à répartir.",
        question={
            "text": "Quels projets faut-il financer ?",
            "method": "budget_greedy",
            "settings": _MONEY,
            "options": options(*(name for name, _ in _PROJECTS)),
        },
        opinion=some((9, 8, 6, 7, 9, 4, 7, 5, 3, 6, 4, 5), 4),
        open_for=24,
        ballots=90,
        ends=True,
    ),
    DemoPoll(
        name="square",
        title="Le nouveau nom du square",
        description="Quatre noms ont été proposés par les habitants pour le square de l’ancienne filature.",
        question={
            "text": "Quelle mention donnez-vous à chaque nom ?",
            "method": "majority_judgment",
            "settings": {
                "grades": [{"id": f"m{place}", "label": label} for place, label in enumerate(_GRADES, start=1)],
                "seats": 1,
            },
            "options": options(
                "Square des Fileuses", "Square Simone-Veil", "Square du Moulin", "Square de la Filature"
            ),
        },
        opinion=grading((0.9, 0.95, 0.6, 0.7), len(_GRADES)),
        open_for=24,
        ballots=80,
        ends=True,
    ),
    DemoPoll(
        name="route",
        title="La voie verte vers le lac",
        description="Trois itinéraires ont été étudiés. Les comptes rendus des réunions publiques sont en mairie.",
        question={
            "text": "Classez les possibilités par ordre de préférence",
            "method": "schulze",
            "settings": {"seats": 1},
            "options": _ROUTES,
        },
        opinion=ranking((8, 7, 6, 4)),
        open_for=24,
        ballots=80,
        ends=True,
    ),
    DemoPoll(
        name="closing",
        title="La place de la Halle sans voitures le dimanche",
        description=(
            f"Après six dimanches d’essai, {TOWN} demande aux habitants s’il faut continuer. La place serait fermée "
            "aux voitures le dimanche de 9 h à 19 h, d’avril à octobre ; les riverains, les livraisons avant 10 h et "
            "les personnes à mobilité réduite garderaient l’accès."
        ),
        question=yes_no("Faut-il réserver la place de la Halle aux piétons le dimanche, d’avril à octobre ?"),
        opinion=opinions(48, 45, 7),
        open_for=6 * 60,
        ballots=45,
    ),
    DemoPoll(
        name="open",
        title="Éteindre l’éclairage public la nuit",
        description=(
            "L’éclairage public serait éteint de 23 h à 5 h, sauf place de la Gare et rue de l’École. L’économie est "
            "estimée à 21 000 € par an et à 62 MWh. Une évaluation serait publiée au bout d’un an."
        ),
        question=yes_no("Approuvez-vous l’extinction de l’éclairage public de 23 h à 5 h ?"),
        opinion=opinions(44, 51, 5),
        open_for=14 * 24 * 3600,
        ballots=60,
        second_thoughts=3,
    ),
    DemoPoll(
        name="budget-2026",
        title="Budget participatif 2026",
        description=(
            "Douze projets d’habitants, étudiés par les services, et 200 000 € à répartir. Chacun dispose de la même "
            "part : un projet est financé quand ceux qui le soutiennent peuvent le payer ensemble."
        ),
        question={
            "text": "Quels projets faut-il financer ?",
            "method": "budget_equal_shares",
            "settings": {**_MONEY, "completion": "utilitarian", "utility": "cost"},
            "options": options(*(name for name, _ in _PROJECTS)),
        },
        opinion=some((6, 5, 7, 8, 6, 5, 8, 6, 4, 7, 5, 4), 4),
        open_for=21 * 24 * 3600,
        ballots=40,
    ),
    DemoPoll(
        name="library",
        title="Un nom pour la médiathèque",
        description="La médiathèque ouvre au printemps. Cinq noms ont été retenus par le comité d’habitants.",
        question={
            "text": "Classez les noms par ordre de préférence",
            "method": "irv",
            "options": options(
                *("Médiathèque Annie-Ernaux", "Médiathèque de la Vère", "La Fabrique", "Médiathèque Aimé-Césaire"),
                "Le Grand Large",
            ),
        },
        opinion=ranking((8, 6, 5, 7, 4)),
        open_for=10 * 24 * 3600,
        ballots=40,
    ),
    DemoPoll(
        name="market",
        title="Le marché du samedi et vous",
        description="Quatre questions pour préparer le nouveau plan du marché. Deux minutes suffisent.",
        question={
            "text": "Vos habitudes au marché",
            "method": "survey",
            "settings": {"items": _MARKET_ITEMS},
            "tie_break": "none",
        },
        opinion=market,
        open_for=12 * 24 * 3600,
        ballots=40,
    ),
)
