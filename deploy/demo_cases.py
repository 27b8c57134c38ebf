"""What waits for agents in the demo town: a list that came, one to confirm, corrections, a likely duplicate, an appeal.

All of it goes over identity's HTTP API, as agents and residents would do it. No one in it exists.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from deploy.demo_client import Client
from deploy.demo_polls import TOWN

Json = dict[str, Any]
_PATIENCE: Final = 60
_HEAD: Final = "nom;prénom;date de naissance;adresse;strate"
_YOUNG: Final = "jeunes-16-25"
_GIVEN: Final = ("Ambre", "Basile", "Capucine", "Djibril", "Élise", "Faustine", "Gabin", "Hana", "Ilyès", "Jade")
_FAMILY: Final = ("Arnoux", "Bouvier", "Chauvet", "Dembélé", "Estève", "Ferrand")
_AGENT: Final = ("agent",)
_RESIDENT: Final = ("resident",)
_APPEAL: Final = (
    "Je viens d’avoir dix-huit ans et j’habite Vère-le-Château depuis toujours. Le site me dit que je suis sur une "
    "autre liste que celle de ce scrutin.\n\nPouvez-vous me dire pourquoi je ne peux pas voter\u00a0?"
)


def make_cases(client: Client, people: Json, poll: str) -> None:
    """`poll`: one that is open. Raises Refused, or TimeoutError when no worker reads the files."""
    cases = _Cases(client, people)
    cases.young_people()
    cases.appeal(poll)
    cases.corrections()
    cases.requests()
    cases.list_to_confirm()


class _Cases:
    def __init__(self, client: Client, people: Json) -> None:
        self._client = client
        self._officers = [one["subject"] for one in people["officers"]]
        self._residents = [one["subject"] for one in people["residents"][-9:]]

    def young_people(self) -> None:
        """A second list, and in it a married name beside the birth name of somebody who is known."""
        near = self._sheet(self._residents[0])
        born = near["birth_date"].split("-")
        twin = (
            f"{near['family_name']}-Martin;{near['given_name']};{'/'.join(reversed(born))};{near['address']};{_YOUNG}"
        )
        lines = [
            f"{family};{given};{1 + nth * 3:02}/{1 + row:02}/2008;{2 + nth} rue des Tanneurs, {TOWN};{_YOUNG}"
            for row, family in enumerate(_FAMILY)
            for nth, given in enumerate(_GIVEN)
        ]
        made = self._send([*lines, twin])
        start = {"hash": made["hash"], "keep_good": True, "with_changes": True}
        self._client.act(self._officers[1], _AGENT, f"/rolls/imports/{made['id']}/start", start)
        self._until(made["id"], "done")

    def list_to_confirm(self) -> None:
        """An address that changed, and two lines that need mending: it waits for the word of an agent."""
        one = self._sheet(self._residents[1])
        self._send(
            [
                f"{one['family_name']};{one['given_name']};{_born(one)};7 quai de la Vère, {TOWN};",
                f"Guichard;Solveig;31/02/1991;3 allée des Peupliers, {TOWN};habitants",
                f"Hébrard;;12/09/1975;18 rue Louise-Michel, {TOWN};habitants",
                f"Imbert;Maxence;04/11/1968;5 place de la Halle, {TOWN};habitants",
            ]
        )

    def appeal(self, poll: str) -> None:
        wanted = {"family_name": _FAMILY[0], "given_name": _GIVEN[0], "birth_date": "2008-01-01"}
        found = self._client.act(self._officers[1], _AGENT, "/people/search", wanted)["people"]
        self._client.act(found[0]["subject"], _RESIDENT, "/me/appeals", {"text": _APPEAL, "poll": poll})

    def corrections(self) -> None:
        """Asked for by each of the two officers, so that each has one of their own and one to decide on."""
        first, second = self._officers[:2]
        asked = (
            (second, self._residents[2], "birth_date", "1971-06-18", "Livret de famille présenté au guichet."),
            (first, self._residents[3], "given_name", "Maud-Hélène", "Carte d’identité présentée au guichet."),
        )
        for agent, subject, field, value, reason in asked:
            told = {"subject": subject, "field": field, "value": value, "reason": reason}
            self._client.act(agent, _AGENT, "/people/corrections", told)
        moved = {"subject": self._residents[4], "field": "address", "value": f"22 boulevard Jean-Moulin, {TOWN}"}
        told = moved | {"reason": "Déménagement, justificatif vu."}
        self._client.act(self._officers[1], _AGENT, "/people/corrections", told)

    def requests(self) -> None:
        contacts = {"subject": self._residents[5], "proof": "identity_card", "email": "nouvelle.adresse@exemple.fr"}
        self._client.act(self._officers[1], _AGENT, "/desk/contacts", contacts | {"phone": ""})
        garden = {"name": "Les Jardins partagés de la Vère", "kind": "rna", "number": "W123456789"}
        self._client.act(
            self._residents[6], _RESIDENT, "/me/organisations", garden | {"address": f"Salle des fêtes, {TOWN}"}
        )
        newcomer = {"family_name": "Okafor", "given_name": "Grâce", "birth_date": "1994-03-27"}
        self._client.act("", (), "/sign-up", newcomer | {"address": f"14 avenue de la Gare, {TOWN}"})

    def _sheet(self, subject: str) -> dict[str, str]:
        told = self._client.act(self._officers[1], _AGENT, "/people/sheet", {"subject": subject})
        person: dict[str, str] = told["person"]
        return person

    def _send(self, lines: Sequence[str]) -> Json:
        """A file, sent and checked."""
        data = "\n".join((_HEAD, *lines, "")).encode()
        agent, asked = self._officers[1], {"hash": hashlib.sha256(data).hexdigest()}
        made = self._client.act(agent, _AGENT, "/rolls/imports", asked)
        path = f"/rolls/imports/{made['id']}"
        self._client.act(agent, _AGENT, f"{path}/parts", {"nth": 0, "data": base64.b64encode(data).decode()})
        self._client.act(agent, _AGENT, f"{path}/check", {})
        self._until(made["id"], "checked")
        return made

    def _until(self, roll_import: str, state: str) -> None:
        until, path = time.monotonic() + _PATIENCE, f"/rolls/imports/{roll_import}"
        while (found := self._client.seen(self._officers[1], _AGENT, path))["state"] != state:
            if time.monotonic() > until:
                raise TimeoutError(f"liste {roll_import} : {found['state']} depuis {_PATIENCE} s")
            time.sleep(0.2)


def _born(person: Mapping[str, str]) -> str:
    """As 24/05/1987."""
    return "/".join(reversed(person["birth_date"].split("-")))
