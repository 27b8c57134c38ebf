"""Finding a person: by names and birth date together, so that nobody can be listed."""

from __future__ import annotations

from typing import Any, Final

from services.gateway.clients.http import ServiceRefused
from services.gateway.clients.identity import Found
from services.gateway.pages.front import front
from services.gateway.pages.kit.fields import Day, Text
from services.gateway.pages.kit.flow import Said
from services.gateway.pages.kit.form import Form


class PersonForm(Form):
    title = "De qui s’agit-il ?"
    help = (
        "Par ses nom, prénom et date de naissance, tels qu’ils figurent sur la liste. "
        "Accents et majuscules ne comptent pas."
    )
    family_name = Text("Nom de famille", ask="Saisissez le nom de famille", autocomplete="off")
    given_name = Text("Prénom", ask="Saisissez le prénom", autocomplete="off")
    birth_date = Day("Date de naissance", ask="Saisissez la date de naissance", hint="Par exemple : 24/05/1987")


NOT_FOUND: Final = Said(
    "Personne n’est connu sous ces nom, prénom et date de naissance. Vérifiez-les.", "personne", "family_name"
)
"""For flows whose step `personne` is a PersonForm: what the code PersonNotFound means."""


def found_person(form: Any, token: str) -> Found:
    """The one person. Raises ServiceRefused with the code PersonNotFound."""
    born = form.birth_date.value.isoformat()
    people = front().identity.find(form.family_name.data, form.given_name.data, born, token)
    if not people:
        raise ServiceRefused("PersonNotFound", "nobody of these names and this birth date", "family_name")
    return people[0]
