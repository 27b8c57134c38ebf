"""What every form, list and receipt of the kit promises, on the pages of roles."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from services.gateway.pages.kit.exports import harmless
from services.gateway.pages.kit.fields import Choice, Day, Hour, Number, Text, Tick
from services.gateway.pages.kit.flow import Flow, Repeated, Sent, Step
from services.gateway.pages.kit.form import Form, Secret
from services.gateway.pages.kit.steps import Kept, steps_of
from services.shared import web
from services.shared.store import StoreFailed
from tests.gateway.conftest import Site
from tests.gateway.html import Page
from tests.gateway.stub_services import World

GIVE = "/agent/roles/nouveau"
INES = {"family_name": "Diallo", "given_name": "ines", "birth_date": "12/03/1980"}
MODERATOR = {"role": "moderator", "until": "1/7/2031"}


def to_check(site: Site, who: dict[str, str] | None = None) -> Page:
    """Signed in as an administrator, at the page that shows all answers."""
    site.sign_in("ADA-6")
    site.submit(site.get(f"{GIVE}/personne"), f"{GIVE}/personne", **(who or INES))
    site.submit(site.get(f"{GIVE}/role"), f"{GIVE}/role", **MODERATOR)
    return site.get(f"{GIVE}/verifier")


def store(site: Site) -> bytes:
    """All bytes of the gateway's store, its write-ahead log too."""
    return b"".join(path.read_bytes() for path in sorted(site.data.glob("gateway*")) if path.is_file())


def test_a_role_goes_from_the_first_page_to_the_receipt_and_the_journal(site: Site, world: World) -> None:
    check = to_check(site)
    assert "Diallo" in check.text and "1er\u00a0juillet 2031" in check.text
    sent = site.submit(check, f"{GIVE}/envoyer")
    assert sent.status == 303
    receipt = site.get(sent.headers["Location"])
    assert (receipt.status, receipt.faults()) == (200, [])
    assert "Rôle donné : Modérateur" in receipt.text
    held = world.identity.parts.roles().of("subject-ines")
    assert ("moderator", "2031-06-30T22:00:00Z", "subject-ada") in {(g.role, g.until, g.granted_by) for g in held}
    journal = site.get("/agent/journal").text
    assert "Rôle donné Sur qui Inès Diallo" in journal and "Issue Faite" in journal
    assert "Rôle donné : Modérateur" in site.get("/mon-espace").text


def test_what_was_typed_wrong_comes_back_with_the_page_and_in_the_draft(site: Site) -> None:
    site.sign_in("ADA-6")
    wrong = {"family_name": "Le Goff", "given_name": "", "birth_date": "31/02/1990"}
    page = site.submit(site.get(f"{GIVE}/personne"), f"{GIVE}/personne", **wrong)
    assert (page.status, page.faults()) == (400, [])
    links = {a["href"] for a in page.all("a") if a.get("href", "").startswith("#")}
    assert {"#given_name", "#birth_date"} <= links and "#family_name" not in links
    assert "Saisissez le prénom" in page.text and "une date qui existe" in page.text
    for again in (page, site.get(f"{GIVE}/personne")):
        assert {i.get("value") for i in again.all("input")} >= {"Le Goff", "31/02/1990"}


def test_an_outage_keeps_what_was_typed_on_the_page(site: Site, world: World) -> None:
    site.sign_in("ADA-6")
    page = site.get(f"{GIVE}/personne")
    world.fail["identity"] = 503
    page = site.submit(page, f"{GIVE}/personne", **INES)
    assert page.status == 503 and "Rien n’est perdu" in page.text
    assert "Diallo" in {i.get("value") for i in page.all("input")}


def test_a_person_has_one_draft_of_a_form_which_nobody_else_sees(site: Site, other_browser: Site) -> None:
    to_check(site)
    to_check(site)
    assert site.get("/mon-espace").text.count("Donner un rôle") == 1
    other_browser.sign_in("TOUS-9")
    assert "Diallo" not in other_browser.get(f"{GIVE}/personne").source
    assert other_browser.get(f"{GIVE}/verifier").status == 303, "nothing to check"


def test_a_receipt_is_its_owners_alone(site: Site, other_browser: Site) -> None:
    address = site.submit(to_check(site), f"{GIVE}/envoyer").headers["Location"].partition("?")[0]
    assert site.get(address).status == 200
    other_browser.sign_in("TOUS-9")
    assert other_browser.get(address).status == 404


def test_a_form_sent_twice_is_one_receipt(site: Site, world: World) -> None:
    check = to_check(site)
    first, second = (site.submit(check, f"{GIVE}/envoyer") for _ in range(2))
    assert first.headers["Location"].startswith("/recus/") and second.status == 303
    assert site.get("/mon-espace").text.count("Rôle donné : Modérateur") == 1


def test_nobody_found_leads_back_to_the_field(site: Site) -> None:
    page = site.submit(to_check(site, INES | {"given_name": "Personne"}), f"{GIVE}/envoyer")
    assert (page.status, page.faults()) == (409, [])
    assert "Personne n’est connu sous ces nom" in page.text
    assert "Diallo" in {i.get("value") for i in page.all("input")}


def test_drafts_and_receipts_lie_sealed_and_an_erased_persons_cannot_be_read(site: Site, world: World) -> None:
    check = to_check(site)
    assert b"Diallo" not in store(site) and b"moderator" not in store(site)
    site.submit(check, f"{GIVE}/envoyer")
    assert b"Diallo" not in store(site)
    world.identity.parts.people.vault.destroy("subject-ada")
    assert site.get("/mon-espace").status == 401


def test_a_deed_that_cannot_be_written_down_is_not_done(site: Site, app: Any, world: World) -> None:
    check = to_check(site)
    with sqlite3.connect(next(Path(site.data).rglob("gateway.db"))) as file:
        file.execute("ALTER TABLE trail RENAME TO gone")
    assert site.submit(check, f"{GIVE}/envoyer").status == 503
    assert "moderator" not in {grant.role for grant in world.identity.parts.roles().of("subject-ines")}
    with pytest.raises(StoreFailed):
        app.extensions["front"].trail.page(1)


def test_a_refused_deed_says_so_in_the_journal(site: Site) -> None:
    site.submit(to_check(site, INES | {"given_name": "Personne"}), f"{GIVE}/envoyer")
    assert "Issue Refusée (409)" in site.get("/agent/journal").text


def test_the_printable_twin_asks_all_that_the_form_asks(site: Site) -> None:
    site.sign_in("ADA-6")
    twin = site.get(f"{GIVE}/papier")
    described = site.client.get(f"{GIVE}/formulaire.json").json
    titles = [p["title"] for step in described.values() for p in step["properties"].values()]
    assert len(titles) == 6 and all(title in twin.text for title in titles)
    assert described["personne"]["required"] == ["family_name", "given_name", "birth_date"]


def test_a_list_is_a_file_too_which_runs_nothing_in_a_spreadsheet(site: Site) -> None:
    site.sign_in("ADA-6")
    rows = list(csv.reader(io.StringIO(site.get("/agent/roles?format=csv").source.lstrip("\ufeff")), delimiter=";"))
    assert rows[0] == ["Personne", "Rôle", "Depuis", "Jusqu’au"]
    assert ["Ada Lebrun", "Administrateur"] in [row[:2] for row in rows]
    assert harmless("=1+1") == "'=1+1" and harmless("@x") == "'@x" and harmless("-12") == "-12"


def test_a_secret_form_is_kept_nowhere() -> None:
    class Ballot(Form):
        secret = True
        answer = Text("Réponse")

    with pytest.raises(Secret):
        Ballot.of({"answer": ["oui"]}).typed()
    with pytest.raises(Secret):
        Flow(key="b", path="/b", title="B", steps=[Step("s", Ballot)], send=lambda _: Sent(""), who=web.SIGNED_IN)


class Everything(Form):
    how_many = Number("Combien", least=1, most=12)
    day = Day("Jour")
    hour = Hour("Heure")
    size = Choice("Taille", [("s", "Petite"), ("l", "Grande")])
    sure = Tick("J’ai lu")


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("how_many", "13", "de 1 à 12"),
        ("how_many", "1e3", "de 1 à 12"),
        ("how_many", "", "Combien"),
        ("day", "2027-02-30", "une date qui existe"),
        ("hour", "25:00", "une heure"),
        ("hour", "7 h 5", "une heure"),
        ("size", "xl", "une des réponses"),
        ("size", "", "Choisissez"),
        ("sure", "", "Cochez"),
    ],
)
def test_a_wrong_field_says_what_to_do(field: str, typed: str, said: str) -> None:
    right = {"how_many": ["1 2"], "day": ["24.05.2027"], "hour": ["7h"], "size": ["s"], "sure": ["oui"]}
    good = Everything.of(right)
    assert good.validate(), good.errors
    wrong = Everything.of(right | {field: [typed] if typed else []})
    assert not wrong.validate()
    assert list(wrong.errors) == [field] and said in wrong.errors[field][0]


class _Thing(Form):
    title = "Une chose"
    kind = Choice("Sorte", [("a", "A"), ("b", "B")])


class _More(Form):
    note = Text("Note", optional=True)
    another = Tick("Encore", optional=True)


class _MoreOfB(_More):
    note = Text("Note de B")


def _of_kind(kept: Kept, round: int) -> type[Form]:
    return _MoreOfB if kept.get(f"chose-{round}", {}).get("kind") == ["b"] else _More


_AGAIN = (Repeated((Step("chose", _Thing), Step("suite", _More, _of_kind)), most=3), Step("fin", _Thing))


def test_steps_come_again_as_long_as_another_is_asked_for_and_no_longer() -> None:
    yes = {"another": ["oui"]}

    def slugs(**kept: Any) -> list[str]:
        return [step.slug for step in steps_of(_AGAIN, {name.replace("_", "-"): typed for name, typed in kept.items()})]

    assert slugs() == ["chose-1", "suite-1", "fin"]
    assert slugs(suite_1=yes) == ["chose-1", "suite-1", "chose-2", "suite-2", "fin"]
    assert slugs(suite_2=yes) == slugs(), "a round that nobody asks for any more is gone, with those after it"
    assert slugs(suite_1=yes, suite_2=yes, suite_3=yes)[-3:] == ["chose-3", "suite-3", "fin"]


def test_a_step_has_the_form_that_the_answers_of_its_own_round_ask_for() -> None:
    kept: Kept = {"chose-1": {"kind": ["a"]}, "suite-1": {"another": ["oui"]}, "chose-2": {"kind": ["b"]}}
    forms = {step.slug: step.form for step in steps_of(_AGAIN, kept)}
    assert (forms["suite-1"], forms["suite-2"]) == (_More, _MoreOfB)


def test_a_secret_form_can_be_no_step_that_comes_again() -> None:
    class Secretly(Form):
        secret = True

    with pytest.raises(Secret):
        Flow(
            key="s",
            path="/s",
            title="S",
            who=web.ANYONE,
            steps=(Repeated((Step("s", Secretly),), 2),),
            send=lambda _: Sent(""),
        )
