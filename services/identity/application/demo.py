"""A made-up town for demonstrations: residents on one roll, two of whom run the polls. No one in it exists."""

from __future__ import annotations

import csv
import io
import random
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from services.identity.application.people_file import Import
from services.identity.application.roles import Roles
from services.identity.application.sign_in import random_code
from services.identity.domain import DEFAULT_STRATUM

OFFICERS: Final = 2
_GIVEN: Final = """Adèle Aïcha Alain Amina Anne-Laure Antoine Aurore Baptiste Béatrice Bilal Camille Cécile Chloé
Christophe Clémence Damien Denise Driss Élodie Émile Fabien Fatou Françoise Gaël Geneviève Hélène
Hugo Inès Ismaël Jacqueline Jean-Marc Jérôme Kévin Lamine Laurence Léa Loïc Louise Lucien Maëlle
Malik Marie-Thérèse Mathilde Mehdi Mireille Nadia Nathan Nicolas Noémie Océane Olivier Oumar
Pascale Paulette Raphaël Régis Rosa Sabrina Samira Sandrine Sébastien Solène Sylvain Théo Thierry
Valérie Victor Yann Yasmine Zoé"""
_FAMILY: Final = """Abadie Amrani Arnaud Aubert Baptista Barbier Belaïd Benoît Bertin Blanchard Bonnet Bourgeois
Carpentier Caron Chevalier Clément Colin Cordier Coulibaly Da~Costa Delattre Delmas Diallo Dumas
Dupuis Fabre Fernandez Fleury Fontaine Gaillard Garnier Gauthier Giraud Guérin Guillot Haddad
Hamel Huet Jacquet Joly Kaboré Lacroix Lambert Le~Goff Leblanc Lefèvre Legrand Lemoine Leroux
Maillard Marchand Masson Mercier Meunier Michaud Moreau Nguyen Noël Olivier Pereira Perrin Picard
Pichon Poirier Prévost Renard Rivière Roussel Royer Sow Tessier Traoré Vasseur Vidal Weber Zidane"""
_STREETS: Final = """rue du Lavoir;rue des Tanneurs;place de la Halle;avenue de la Gare;chemin des Vignes;rue
Louise-Michel; quai de la Vère;impasse des Tilleuls;rue du 8-Mai-1945;allée des Peupliers;rue de
l’École;boulevard Jean-Moulin"""
_OFFICES: Final = ("Bureau 1 – Mairie", "Bureau 2 – École Jules-Ferry", "Bureau 3 – Salle des fêtes")
_TOWN: Final = "Vère-le-Château"


class People(Protocol):
    def subjects(self, strata: Sequence[str]) -> Mapping[str, Sequence[str]]: ...


def make_region(importing: Import, roles: Roles, people: People, size: int) -> dict[str, Any]:
    """Makes it once. {"made", "officers": [{"subject", "name", "code", "email", "phone"}…], "residents": […]}: the
    codes are told here and never again. When people are there already: made is false, and nothing changes."""
    if people.subjects([DEFAULT_STRATUM])[DEFAULT_STRATUM]:
        return {"made": False, "officers": [], "residents": []}
    rows = list(_rows(size, random.Random(1789)))  # noqa: S311 the same town each time; its codes are not from here
    report = importing.run(_as_csv(rows), by="demonstration")
    told = [
        {
            "subject": subject,
            "name": f"{row['prénom']} {row['nom']}",
            "code": row["code de connexion"],
            "email": row["courriel"],
            "phone": row["téléphone"],
        }
        for subject, row in zip(report.subjects, rows, strict=True)
    ]
    for officer in told[:OFFICERS]:
        for role in ("returning_officer", "agent"):
            roles.grant(officer["subject"], role, "demonstration")
    roles.grant(told[0]["subject"], "administrator", "demonstration")
    return {"made": True, "officers": told[:OFFICERS], "residents": told[OFFICERS:]}


def _rows(size: int, chance: random.Random) -> Iterator[dict[str, str]]:
    streets = [street.strip() for street in _STREETS.replace("\n", " ").split(";")]
    families = [name.replace("~", " ") for name in _FAMILY.split()]
    seen: set[tuple[str, str, str]] = set()
    while len(seen) < size:
        born = f"{chance.randint(1, 28):02}/{chance.randint(1, 12):02}/{chance.randint(1934, 2008)}"
        family, given = chance.choice(families), chance.choice(_GIVEN.split())
        if (family, given, born) in seen:
            continue
        seen.add((family, given, born))
        yield {
            "nom": family,
            "prénom": given,
            "date de naissance": born,
            "adresse": f"{chance.randint(1, 98)} {chance.choice(streets)}, {_TOWN}",
            "bureau": chance.choice(_OFFICES),
            "code de connexion": random_code(),
            **_contacts(family, given, len(seen)),
        }


def _contacts(family: str, given: str, number: int) -> dict[str, str]:
    """Most have an address, some a telephone: a domain for examples, and numbers that the regulator keeps for fiction.
    Those whose codes are shown have both."""
    plain = unicodedata.normalize("NFKD", f"{given}.{family}".lower()).encode("ascii", "ignore").decode()
    address = "".join(c if c.isalnum() or c in ".-" else "-" for c in plain)
    both = number <= OFFICERS + 3
    return {
        "courriel": f"{address}{number}@exemple.fr" if both or number % 7 else "",
        "téléphone": f"06 39 98 {number // 100 % 100:02} {number % 100:02}" if both or number % 3 else "",
    }


def _as_csv(rows: list[dict[str, str]]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()
