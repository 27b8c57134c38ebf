"""The words of what is sent to one person, by key. A template says which values it needs and by which ways it goes.

Words for telephones keep to the GSM alphabet; a test counts their parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.shared.errors import BadInput


class TemplateUnknown(BadInput):
    reason = "no template of this name goes by this way"


class ValuesDiffer(BadInput):
    """The values are not those that the template needs."""


@dataclass(frozen=True, slots=True)
class Template:
    """`text` serves e-mail and letter, a blank line between paragraphs; empty `sms`: it is never an SMS."""

    values: frozenset[str]
    subject: str
    text: str
    sms: str = ""
    ways: frozenset[str] = frozenset({"email"})

    def filled(self, kind: str, values: Mapping[str, str]) -> tuple[str, str]:
        """(subject, text). Raises TemplateUnknown or ValuesDiffer."""
        if kind not in self.ways:
            raise TemplateUnknown(field="template")
        if set(values) != self.values:
            raise ValuesDiffer(f"it needs {', '.join(sorted(self.values))}", field="values")
        words = self.sms if kind == "sms" else self.text
        return self.subject.format_map(values), words.format_map(values)


_SECRET: Final = (
    "Aucun agent ne vous demandera ce code par téléphone ou par message : ne le donnez à personne. "
    "Si vous n’avez rien demandé, ignorez ce courrier : sans ce code, personne ne peut se connecter à votre place."
)
TEMPLATES: Final = {
    "sign_in_code": Template(
        values=frozenset({"name", "code", "minutes"}),
        ways=frozenset({"email", "sms"}),
        subject="Votre code de connexion",
        text=(
            "Bonjour {name},\n\nVotre code de connexion : {code}\n\nIl est valable {minutes} minutes et ne sert "
            "qu’une fois. Saisissez-le sur la page où vous l’avez demandé.\n\n" + _SECRET
        ),
        sms="Parvis : {code} est le code de connexion de {name}, valable {minutes} minutes. Ne le donnez à personne.",
    ),
    "letter_code": Template(
        values=frozenset({"name", "code", "days", "site"}),
        ways=frozenset({"letter"}),
        subject="Votre code de connexion",
        text=(
            "Bonjour {name},\n\nVoici le code qui vous permet de vous connecter à la plateforme de consultation "
            "citoyenne de votre collectivité :\n\n{code}\n\nRendez-vous sur {site}, choisissez « Se connecter » puis "
            "« Code reçu par courrier ou au guichet », et saisissez-le. Les tirets et les majuscules ne comptent "
            "pas.\n\nCe code est valable {days} jours et ne sert qu’une fois.\n\n" + _SECRET
        ),
    ),
    "receipt": Template(
        values=frozenset({"name", "title", "at", "number", "text", *(f"rows_{n}" for n in range(1, 6))}),
        subject="Reçu : {title}",
        text=(
            "Bonjour {name},\n\n{title}\n{text}\n\nEnvoyé le {at}\nNuméro de reçu : {number}\n\n"
            "{rows_1}{rows_2}{rows_3}{rows_4}{rows_5}\n\nVous avez demandé ce reçu depuis votre espace. Il n’y a rien "
            "à faire de plus."
        ),
    ),
    "contacts_changed": Template(
        values=frozenset({"name"}),
        ways=frozenset({"email", "sms"}),
        subject="Vos coordonnées ont changé",
        text=(
            "Bonjour {name},\n\nVotre adresse électronique ou votre numéro de téléphone ont été changés au guichet, "
            "par deux agents. Les codes de connexion ne seront plus envoyés ici.\n\nSi vous ne l’avez pas demandé, "
            "prévenez l’accueil de votre collectivité."
        ),
        sms=(
            "Parvis : les coordonnées de {name} ont été changées au guichet. "
            "Si ce n'est pas votre demande, prévenez l'accueil."
        ),
    ),
}


def filled(key: str, kind: str, values: Mapping[str, str]) -> tuple[str, str]:
    """(subject, text) of a message. Raises TemplateUnknown or ValuesDiffer."""
    if key not in TEMPLATES:
        raise TemplateUnknown(field="template")
    return TEMPLATES[key].filled(kind, values)
