"""A person's life on the platform, every word of it a marker; and asking all services what they still know."""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx

from services.shared.settings import Common
from services.shared.tokens import TokenSigner
from tests.drills import _markers
from tests.gateway.html import Page

HEAD: Final = "nom;prénom;date de naissance;adresse;courriel;téléphone;code de connexion\n"
AGENTS: Final = ("agent-1", "agent-2")
_WITHIN: Final = 30.0


@dataclass
class Person:
    family_name: str
    given_name: str
    street: str
    mailbox: str
    number: str
    code: str
    said: dict[str, str]
    born: str = "1911-02-03"
    subject: str = field(default="")

    @classmethod
    def made(cls, chance: random.Random) -> Self:
        def word(length: int = 11) -> str:
            return "".join(chance.choice("bcdfghjklmnpqrstvwxz" if n % 2 else "aeiouy") for n in range(length))

        digits = f"{chance.randrange(10_000):04}"
        code = "-".join("".join(chance.choices("23456789ABCDEFGHJKMNPQRSTVWXYZ", k=4)) for _ in range(3))
        about = ("draft", "appeal", "reason", "moved", "association", "seat", "mailbox")
        said = {name: word(14) for name in about}
        return cls(word().capitalize(), word().capitalize(), word(), word(), f"063998{digits}", code, said)

    @property
    def address(self) -> str:
        return f"{self.mailbox}@exemple.fr"

    def markers(self) -> list[str]:
        numbers = (self.number, f"+33{self.number[1:]}", f"33{self.number[1:]}")
        born = (self.born, "03/02/1911")
        return [self.family_name, self.given_name, self.street, self.mailbox, *numbers, *born, *self.said.values()]


class Services:
    """Calls as the gateway does, in anybody's name."""

    def __init__(self, common: Common) -> None:
        self.common = common
        self._signer = TokenSigner(common.keys / "gateway" / "token.key")

    def ask(self, method: str, path: str, body: Any = None, *, by: str, role: str = "agent") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._signer.token(by, [role], 'identity')}"}
        url = self.common.identity_url + path
        answer = httpx.request(method, url, json=body, headers=headers, timeout=20, trust_env=False)
        assert answer.status_code < 500, (path, answer.text)
        return answer

    def done(self, path: str, body: Any, *, by: str = AGENTS[0], role: str = "agent") -> dict[str, Any]:
        answer = self.ask("POST", path, body, by=by, role=role)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json()  # type: ignore[no-any-return]


class Browser:
    """One person's browser, which follows forms."""

    def __init__(self, common: Common) -> None:
        self._client = httpx.Client(base_url=common.gateway_url, follow_redirects=True, timeout=20, trust_env=False)

    def get(self, path: str) -> Page:
        return Page(self._client.get(path))

    def send(self, page: str, action: str, **fields: str) -> Page:
        """The form of that page; it must be taken."""
        sent = Page(self._client.post(action, data=self.get(page).form(action) | fields))
        assert sent.status == 200, (action, sent.status, sent.text[:500])
        return sent

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        return Page(self._client.post(action, data=page.form(action) | fields))


def come_in(common: Common, person: Person) -> None:
    """By a file of the roll, sent and imported by two requests of an agent; the file is gone then."""
    services, street = Services(common), f"17 rue {person.street}, Vère-le-Château"
    row = (person.family_name, person.given_name, "03/02/1911", street, person.address, person.number, person.code)
    data = (HEAD + ";".join(row) + "\n").encode()
    made = services.done("/rolls/imports", {"hash": hashlib.sha256(data).hexdigest(), "stratum": "habitants"})
    path = f"/rolls/imports/{made['id']}"
    services.done(f"{path}/parts", {"nth": 0, "data": base64.b64encode(data).decode()})
    services.done(f"{path}/check", {})
    _until(lambda: _state(services, path) == "checked", "the file is checked")
    services.done(f"{path}/start", {"hash": made["hash"]})
    _until(lambda: _state(services, path) == "done", "the file is imported")
    who = {"family_name": person.family_name, "given_name": person.given_name, "birth_date": person.born}
    person.subject = services.done("/people/search", who)["people"][0]["subject"]


def live(common: Common, person: Person, poll: str) -> list[Browser]:
    """What they do and what is done about them; their browsers, signed in. Each marker can be read back then."""
    one, two = Browser(common), Browser(common)
    for browser in (one, two):
        browser.send("/connexion", "/connexion", code=person.code)
    appeal, new = f"/scrutins/{poll}/recours", "/mon-espace/associations/nouvelle/association"
    one.send(f"{appeal}/motif", f"{appeal}/motif", text=f"Je conteste {person.said['appeal']}.")
    receipt = one.send(f"{appeal}/verifier", f"{appeal}/envoyer")
    mailing = next(f["action"] for f in receipt.all("form") if f.get("action", "").endswith("/courriel"))
    assert one.submit(receipt, mailing).status == 200
    one.send(new, new, name=person.said["draft"], kind="rna", number="W751000009", address="Mairie")
    Browser(common).send("/connexion/code", "/connexion/code", contact=person.address)
    services = Services(common)
    own = {"name": person.said["association"], "kind": "rna", "number": "W751000001", "address": person.said["seat"]}
    services.done("/me/organisations", own, by=person.subject, role="resident")
    moved = {"subject": person.subject, "field": "address", "reason": person.said["reason"]}
    services.done("/people/corrections", moved | {"value": f"3 quai {person.said['moved']}, Vère"})
    services.done("/desk/letters", {"subject": person.subject})
    reached = {"email": f"{person.said['mailbox']}@exemple.fr", "phone": "", "proof": "passport"}
    services.done("/desk/contacts", {"subject": person.subject, **reached})
    _until(lambda: len(_spooled(common, person)) >= 3, "receipt, code and letter are in the spool")
    told = one.get("/mes-donnees.json").source
    for marker in (person.family_name, person.born, person.mailbox, *list(person.said.values())[:6]):
        assert marker in told, f"{marker} cannot be read before the erasure"
    assert person.family_name in two.get("/").text
    return [one, two]


def erase(common: Common, person: Person, browsers: list[Browser]) -> float:
    """Asked on the page, confirmed by an agent: seconds from there until no browser is signed in any more."""
    asked = browsers[0].send("/mes-donnees", "/mes-donnees/effacement")
    assert browsers[0].submit(asked, "/mes-donnees/effacement/confirmer", accord="oui").status == 200
    assert all(person.family_name in browser.get("/").text for browser in browsers)
    began = time.monotonic()
    told = Services(common).done("/erasures", {"subject": person.subject})
    assert told == {"state": "erased"}, told
    _until(lambda: not any(person.family_name in b.get("/").text for b in browsers), "every session has ended")
    return time.monotonic() - began


def emptied(common: Common, person: Person) -> None:
    _until(lambda: not _spooled(common, person), "the spool is emptied of them")


def nothing_told(common: Common, person: Person) -> int:
    """Asks all that staff, the person and their codes could ask; how many answers were read."""
    services = Services(common)
    answers = list(_answers(services, person))
    for path, answer in answers:
        assert not _markers.told(answer.text, person.markers()), (path, answer.text)
    for path, answer in answers:
        if path.startswith("/me") or path == "/sign-in":
            assert answer.status_code in (403, 404) or answer.json() in _EMPTY, (path, answer.text)
    page = Page(httpx.get(f"{common.gateway_url}/demonstration/messages", trust_env=False))
    assert page.status == 404
    return len(answers)


_EMPTY: Final = ({"entries": []}, {"organisations": []}, {"delegates": []}, {"roles": []})


def _answers(services: Services, person: Person) -> Iterator[tuple[str, httpx.Response]]:
    own = {"subject": person.subject}
    staff = ("/people/requests", "/people/corrections", "/people/duplicates", "/erasures", "/desk/contacts")
    lists = [f"/appeals?state={s}" for s in ("open", "granted", "dismissed")]
    lists += [f"/organisations?state={s}" for s in ("asked", "active", "refused")]
    for path in (*staff, *lists, "/rolls/imports"):
        yield path, services.ask("GET", path, by=AGENTS[0])
    for path in ("/roles", "/desk/acts"):
        yield path, services.ask("GET", path, by="admin", role="administrator")
    who = {"family_name": person.family_name, "given_name": person.given_name, "birth_date": person.born}
    for path, body in (
        ("/people/search", who),
        ("/people/names", {"subjects": [person.subject]}),
        ("/people/sheet", own),
    ):
        yield path, services.ask("POST", path, body, by=AGENTS[0])
    for path in ("/me", "/me/appeals", "/me/organisations", "/me/organisations/delegates", "/me/roles"):
        yield path, services.ask("GET", path, by=person.subject, role="resident")
    yield "/me/seals", services.ask("POST", "/me/seals", {"use": "gateway"}, by=person.subject, role="resident")
    yield "/sign-in", services.ask("POST", "/sign-in", {"code": person.code}, by="gateway", role="gateway")


def _spooled(common: Common, person: Person) -> set[str]:
    """Files of the spool that hold something of them."""
    found = _markers.search(common.data / "spool", person.markers())
    return {place.partition(":")[0] for place in found}


def _state(services: Services, path: str) -> str:
    return str(services.ask("GET", path, by=AGENTS[0]).json()["state"])


def _until(done: Any, what: str) -> None:
    end = time.monotonic() + _WITHIN
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"not within {_WITHIN:.0f} s: {what}")
        time.sleep(0.2)
