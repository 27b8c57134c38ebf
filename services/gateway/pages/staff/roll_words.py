"""Roll files in French: their columns, their states, what is wrong with a line and what to do about it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class FileColumn(NamedTuple):
    name: str
    needed: bool
    example: str
    help: str


class Reason(NamedTuple):
    """What is wrong, and what to do."""

    what: str
    todo: str


COLUMNS: Final = (
    FileColumn("nom", True, "Lefèvre", "Le nom de famille, tel qu’il figure sur la liste."),
    FileColumn("prénom", True, "Maëlle", "Le premier prénom, ou tous."),
    FileColumn("date de naissance", True, "24/05/1987", "Jour, mois, année ; 1987-05-24 convient aussi."),
    FileColumn("adresse", False, "12 rue du Lavoir, Vère-le-Château", "Les codes par courrier y partent."),
    FileColumn("bureau", False, "Bureau 1 – Mairie", "Le bureau de vote, en toutes lettres."),
    FileColumn("strate", False, "habitants", "La liste de la personne : minuscules, chiffres et tirets."),
    FileColumn(
        "code de connexion", False, "K7QP-2M4X-9T", "De 8 à 40 lettres et chiffres. Un code connu n’est pas changé."
    ),
    FileColumn("courriel", False, "maelle@exemple.fr", "Pour recevoir un code de connexion."),
    FileColumn("téléphone", False, "06 39 98 00 12", "Un mobile, pour recevoir un code par SMS."),
)
STATES: Final = {
    "receiving": "Envoi incomplet",
    "checking": "Vérification en cours",
    "checked": "Vérifié, à confirmer",
    "importing": "Import en cours",
    "done": "Importé",
    "dropped": "Abandonné",
    "expired": "Expiré",
    "refused": "Fichier refusé",
    "failed": "Interrompu par une erreur",
}
KINDS: Final = {"fault": "Refusée", "change": "Changée", "note": "À savoir"}
FIELDS: Final = {"line": "toute la ligne", "email": "courriel", "phone": "téléphone"}
"""Those that go by another name than their column's."""
REASONS: Final = {
    "it is empty": Reason("Ce champ est vide.", "Remplissez-le."),
    "longer than 200 characters": Reason("Plus de 200 caractères.", "Raccourcissez ce champ."),
    "a control character": Reason("Un caractère invisible s’y trouve.", "Saisissez-le à nouveau."),
    "not a date like 24/05/1987": Reason("Ce n’est pas une date qui existe.", "Écrivez-la comme 24/05/1987."),
    "before 1900 or in the future": Reason("Cette date est avant 1900 ou à venir.", "Vérifiez l’année."),
    "it has more or fewer fields than the first line": Reason(
        "La ligne n’a pas autant de champs que la première.",
        "Cherchez un séparateur en trop ou en moins ; mettez entre guillemets un champ qui en contient un.",
    ),
    "8 to 40 letters and digits": Reason(
        "Un code a de 8 à 40 lettres et chiffres.", "Corrigez le code, ou laissez ce champ vide."
    ),
    "small letters, digits and dashes, at most 40": Reason(
        "Ce n’est pas un nom de liste.", "Écrivez-le en minuscules, chiffres et tirets, comme « jeunes-16-25 »."
    ),
    "not an e-mail address": Reason("Ce n’est pas une adresse électronique.", "Corrigez-la, ou laissez ce champ vide."),
    "not a telephone number": Reason("Ce n’est pas un numéro de téléphone.", "Corrigez-le, ou laissez ce champ vide."),
    "the same person stands on an earlier line": Reason(
        "La même personne figure déjà plus haut.", "Gardez une seule des deux lignes."
    ),
    "the same code stands on an earlier line": Reason(
        "Le même code figure déjà plus haut.", "Donnez un code différent à chaque personne."
    ),
    "someone else has this code": Reason(
        "Une autre personne a déjà ce code.", "Donnez un autre code, ou laissez ce champ vide."
    ),
    "another value than the one that is known": Reason(
        "La valeur n’est pas celle qui est connue.", "Appliquez les changements à la confirmation, ou non."
    ),
    "the code of a known person stays as it is": Reason(
        "La personne a déjà un code : il reste le sien.", "Rien à faire."
    ),
}  # fmt: skip
"""What identity says of a line, word for word."""
_FILE: Final = (
    (r"line (\d+) is not UTF-8.*", "La ligne {0} n’est pas en UTF-8. Enregistrez le fichier au format « CSV UTF-8 »."),
    (r"line 1: unknown column '(.*)'; known.*", "La colonne « {0} » n’est pas connue. Partez du modèle."),
    (r"line 1: no column '(.*)'", "Il manque la colonne « {0} » sur la première ligne. Partez du modèle."),
    (r"line 1: a column stands twice", "Une colonne figure deux fois sur la première ligne."),
    (r"line (\d+): .*", "La ligne {0} ne se lit pas : vérifiez ses guillemets."),
)


def field(name: str) -> str:
    return FIELDS.get(name, name)


def reason(told: str) -> Reason:
    return REASONS.get(told, Reason(told, "Vérifiez cette ligne."))


def refused(told: str) -> str:
    """Why a whole file was refused, and what to do."""
    for pattern, said in _FILE:
        if found := re.fullmatch(pattern, told):
            return said.format(*found.groups())
    return "Ce fichier ne se lit pas comme une liste de personnes. Partez du modèle."
