"""What people do for themselves: why they cannot vote, appeals, accounts, associations, their data and its erasure."""

from __future__ import annotations

import json
import os
import re
import zlib
from typing import Any

import msgspec
import pytest

from services.gateway.pages.kit import pdf
from services.gateway.worker import Forgetting
from services.identity.application.dossier import Dossier
from services.identity.store.entries import EntryStore
from tests.gateway import office_cases
from tests.gateway.conftest import Site
from tests.gateway.html import Page
from tests.gateway.stub_services import OPEN, SOON, World

ZOE, ROOT = "ZOE-5", f"/scrutins/{OPEN}"
APPEAL, SPACE, DATA = f"{ROOT}/recours", "/mon-espace", "/mes-donnees"
NEW = {"family_name": "Lefèvre", "given_name": "Maëlle", "birth_date": "24/05/1987", "address": "12 rue du Lavoir"}


needs_pango = pytest.mark.skipif(
    not pdf.can_print() and not os.environ.get("CI"), reason="the system has no Pango; where CI=true it must be there"
)


def plain(page: Page) -> str:
    return page.text.replace("\u00a0", " ")


def appeal(site: Site, text: str = "J’habite ici depuis mars.") -> Page:
    site.submit(site.get(f"{APPEAL}/motif"), f"{APPEAL}/motif", text=text)
    return site.submit(site.get(f"{APPEAL}/verifier"), f"{APPEAL}/envoyer")


def receipt_of(site: Site) -> str:
    return appeal(site).headers["Location"].partition("?")[0]


def unpacked(data: bytes) -> bytes:
    """A PDF with its compressed parts beside it in plain."""
    parts = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    plain = [zlib.decompressobj().decompress(part) for part in parts if part[:1] == b"\x78"]
    return b"\n".join([data, *plain])


# --- why, and appeals ---


def test_whoever_cannot_vote_is_told_why_and_led_to_an_appeal(site: Site) -> None:
    site.sign_in(ZOE)
    refused = site.get(f"{ROOT}/voter")
    assert f"{ROOT}/pourquoi" in {a["href"] for a in refused.all("a")}
    why = site.get(f"{ROOT}/pourquoi")
    assert (why.status, why.faults()) == (200, [])
    assert "après la préparation de ce scrutin" in why.text
    assert APPEAL in {a["href"] for a in why.all("a")}


def test_the_real_rolls_answer_is_told(site: Site, world: World) -> None:
    """Zoé is a resident: a roll that is frozen now has her; one of another list has not."""
    world.identity.populate(60)
    issuance = world.identity.parts.issuance()
    issuance.prepare(SOON, ["Bureau 1 – Mairie"], "2099-01-01T00:00:00Z", "2099-02-01T00:00:00Z", "subject-aude")
    site.sign_in(ZOE)
    page = plain(site.get(f"/scrutins/{SOON}/pourquoi"))
    assert "Le vote n’est pas ouvert" in page or "Ce scrutin concerne une autre liste" in page, page
    office_cases.add_open_issuance(world, OPEN)
    assert "Vous pouvez voter" in plain(site.get(f"{ROOT}/pourquoi"))


def test_an_appeal_is_kept_once_and_its_answer_stands_in_my_space(site: Site, world: World) -> None:
    site.sign_in(ZOE)
    sent = appeal(site)
    assert "Recours envoyé" in site.get(sent.headers["Location"]).text
    assert "en attente de réponse" in site.get(SPACE).text
    parts = world.identity.parts
    [entry] = [e for e in EntryStore(parts.people).of("subject-zoe") if e.kind == "appeal"]
    assert (entry.poll, entry.words["text"]) == (OPEN, "J’habite ici depuis mars.")
    Dossier(EntryStore(parts.people), parts.people).answer(entry.id, True, "Venez au guichet.", "subject-ines")
    space = plain(site.get(SPACE))
    assert "Recours accepté" in space and "Réponse : Venez au guichet." in space


def test_six_appeals_that_wait_are_one_too_many(site: Site) -> None:
    site.sign_in(ZOE)
    for number in range(5):
        assert appeal(site, f"Recours numéro {number}").status == 303
    page = appeal(site, "Le sixième")
    assert page.status == 409 and "Cinq de vos recours" in page.text and "Le sixième" in page.text


# --- receipts ---


@needs_pango
def test_a_receipt_is_a_tagged_pdf_whose_reader_is_told_its_language_and_title(site: Site, other_browser: Site) -> None:
    site.sign_in(ZOE)
    address = receipt_of(site)
    answer = site.client.get(f"{address}.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    data = unpacked(answer.data)
    for part in (b"/StructTreeRoot", b"/Marked true", b"/Lang (fr", b"/DisplayDocTitle true", b"pdfuaid:part"):
        assert part in data, part
    assert b"/FontFile" in data, "fonts travel with the file"
    assert site.client.get(f"{address}.pdf").headers["Cache-Control"] == "no-store"
    other_browser.sign_in()
    assert other_browser.get(f"{address}.pdf").status == 404


def test_without_pango_the_page_to_print_is_given(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.sign_in(ZOE)
    address = receipt_of(site)
    monkeypatch.setattr(pdf, "can_print", lambda: False)
    page = site.get(f"{address}.pdf")
    assert (page.status, page.faults()) == (200, []) and "imprimez cette page" in page.text
    assert "J’habite ici depuis mars." in page.text


@needs_pango
@pytest.mark.parametrize("source", ["https://exemple.fr/a.png", "file:///etc/hostname", "/assets/../settings.py"])
def test_a_sheet_fetches_nothing_but_our_own_assets(app: Any, source: str) -> None:
    html = f'<html lang="fr"><title>T</title><p><img src="{source}" alt="x"></html>'
    with pytest.raises(pdf.NotOurs):
        pdf.printed(html, app.extensions["static"])


def test_a_receipt_is_mailed_once_with_what_it_says_and_no_more(site: Site, world: World) -> None:
    site.sign_in(ZOE)
    address = receipt_of(site)
    for _ in range(2):
        sent = site.submit(site.get(address), f"{address}/courriel")
        assert sent.status == 303
    [message] = world.outbox
    assert (message["kind"], message["subject"], message["address"]) == (
        "email",
        "subject-zoe",
        "subject-zoe@exemple.fr",
    )
    assert "J’habite ici depuis mars." in message["values"]["rows_1"]
    assert message["values"]["number"] == address.rpartition("/")[2]
    assert "part à l’adresse" in site.get(sent.headers["Location"]).text


def test_a_ballots_receipt_is_none_of_these(site: Site, world: World) -> None:
    """It is shown once: no file of ours, no mail, nothing in my space or my data."""
    site.sign_in()
    receipt = site.vote()
    tracker = receipt.form(f"{ROOT}/recu")["leaf_hash"]
    assert not [f for f in receipt.all("form") if "/recus" in f.get("action", "") or "courriel" in f.get("action", "")]
    assert not [a for a in receipt.all("a") if "/recus" in a.get("href", "")]
    for path in (SPACE, DATA, f"{DATA}.json"):
        assert tracker not in site.get(path).source and tracker[:12] not in site.get(path).source
    assert world.outbox == []


# --- accounts ---


def test_a_person_signs_up_once_and_signs_in_with_the_code(site: Site, world: World) -> None:
    person = "/inscription/personne"
    check = site.submit(site.get(person), person, **NEW)
    assert "24" in check.text and "Lefèvre" in check.text
    first, second = (site.submit(check, f"{person}/envoyer") for _ in range(2))
    assert (second.status, second.faults()) == (200, [])
    assert len(EntryStore(world.identity.parts.people).waiting("attach", "open", 1, 9)) == 1
    code = second.form("/connexion")["code"]
    assert code in second.text and first.form("/connexion")["code"] != code
    assert world.identity.parts.sign_in().sign_in(code, "here").name == "Maëlle Lefèvre"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("birth_date", "24/05/1887", "1900"),
        ("birth_date", "31/02/1990", "une date qui existe"),
        ("family_name", "", "Saisissez votre nom"),
        ("address", "", "Saisissez votre adresse"),
    ],
)
def test_a_wrong_field_comes_back_with_what_was_typed(site: Site, field: str, typed: str, said: str) -> None:
    person = "/inscription/personne"
    page = site.submit(site.get(person), person, **(NEW | {field: typed}))
    assert (page.status, page.faults()) == (400, []) and said in page.text
    assert {i.get("value") for i in page.all("input")} >= set((NEW | {field: typed}).values()) - {""}


def test_an_associations_number_is_checked_before_it_is_sent(site: Site) -> None:
    site.sign_in()
    step = "/mon-espace/associations/nouvelle/association"
    typed = {"name": "Les Amis du lavoir", "address": "12 rue du Lavoir"}
    for kind, number in (("rna", "W75100000"), ("siren", "732829321"), ("siret", "73282932000075")):
        page = site.submit(site.get(step), step, kind=kind, number=number, **typed)
        assert page.status == 400 and "n’en est pas un" in page.text
        assert number in {i.get("value") for i in page.all("input")}
    assert site.submit(site.get(step), step, kind="siret", number="732 829 320 00074", **typed).status == 303


def test_only_who_speaks_for_an_association_sees_and_names_its_delegates(
    site: Site, other_browser: Site, world: World
) -> None:
    organisations = world.identity.parts.organisations()
    made = organisations.register("Les Amis du lavoir", "rna", "W751000001", "12 rue du Lavoir", "subject-lilas")
    organisations.decide(made.subject, True, "seen", "subject-ines")
    root = "/mon-espace/associations"
    add, end = f"{root}/delegue", f"{root}/delegue/fin"
    other_browser.sign_in(ZOE)
    assert "Lavoir" not in other_browser.get(root).text.title()
    forged = other_browser.get(SPACE).form("/session/partage") | {
        "organisation": made.subject,
        "subject": "subject-lilas",
    }
    assert Page(other_browser.client.post(f"{end}/confirmer", data=forged)).status == 404
    site.sign_in()
    typed = {"organisation": made.subject, "number": " Subject-Zoe "}
    site.submit(site.get(f"{add}/delegue"), f"{add}/delegue", **typed)
    assert site.submit(site.get(f"{add}/verifier"), f"{add}/envoyer").status == 303
    assert "Zoé Martin" in site.get(root).text and "Lilas Moreau" in other_browser.get(root).text
    asked = site.submit(site.get(root), end, organisation=made.subject, subject="subject-zoe")
    assert "Retirer Zoé Martin" in asked.text
    assert site.submit(asked, f"{end}/confirmer").status == 303
    assert "Zoé Martin" not in site.get(root).text and "Lilas Moreau" not in other_browser.get(root).text


# --- data and erasure ---


@needs_pango
def test_my_data_are_whole_on_the_page_as_json_and_as_pdf(site: Site) -> None:
    site.sign_in(ZOE)
    appeal(site)
    page = plain(site.get(DATA))
    for part in ("Martin", "12 mars 1980", "12 rue du Lavoir", "subject-zoe@exemple.fr", "J’habite ici", "Recours"):
        assert part in page, part
    told = json.loads(site.client.get(f"{DATA}.json").data)
    assert told["identity"]["person"]["email"] == "subject-zoe@exemple.fr"
    assert told["identity"]["entries"][0]["words"]["text"] == "J’habite ici depuis mars."
    assert [r["title"] for r in told["gateway"]["receipts"]] == ["Recours envoyé"] and told["gateway"]["sessions"]
    answer = site.client.get(f"{DATA}.pdf")
    assert answer.content_type == "application/pdf" and b"pdfuaid:part" in unpacked(answer.data)


def test_erasure_asks_for_a_tick_then_waits_for_an_agent(site: Site, world: World) -> None:
    site.sign_in(ZOE)
    asked = site.submit(site.get(DATA), f"{DATA}/effacement")
    unticked = site.submit(asked, f"{DATA}/effacement/confirmer")
    assert (unticked.status, unticked.faults()) == (400, [])
    personal = world.identity.parts.personal()
    assert personal.waiting() == []
    assert site.submit(unticked, f"{DATA}/effacement/confirmer", accord="oui").status == 303
    assert personal.waiting() == [("subject-zoe", "subject-zoe")]
    site.submit(site.get(DATA), f"{DATA}/garder")
    assert personal.waiting() == []


def test_every_session_of_an_erased_person_ends_on_every_browser(
    site: Site, other_browser: Site, world: World, app: Any
) -> None:
    site.sign_in(ZOE)
    other_browser.sign_in(ZOE)
    receipt_of(site)
    identity = app.extensions["front"].identity
    signer = app.extensions["front"].signer
    for agent in ("subject-ines", "subject-tous"):
        state = identity.erase("subject-zoe", signer.token(agent, frozenset(["agent"]), "identity"))
    assert state == "erased"
    for browser in (site, other_browser):
        assert "Zoé" not in browser.get("/").text
        assert browser.get(SPACE).status == 401
    assert app.extensions["front"].sessions.of("subject-zoe") == []


def test_a_person_erased_elsewhere_is_signed_out_everywhere_by_the_next_page_about_them(
    site: Site, other_browser: Site, world: World
) -> None:
    site.sign_in(ZOE)
    other_browser.sign_in(ZOE)
    personal = world.identity.parts.personal()
    personal.erase("subject-zoe", "agent-1")
    personal.erase("subject-zoe", "agent-2")
    assert site.get(SPACE).status == 401
    assert "Zoé" not in other_browser.get("/").text


def test_what_identity_tells_of_an_erasure_empties_this_store(site: Site, app: Any) -> None:
    site.sign_in(ZOE)
    receipt_of(site)
    parts = app.extensions["front"]
    keys = app.extensions["api"].keys
    made, _ = keys.make("subject-zoe", "Portail", ["polls:read"], 10, "subject-ada")
    forgetting = Forgetting(parts.drafts, keys)
    told = msgspec.json.encode({"subject": "subject-zoe"})
    for _ in range(2):
        forgetting.process("PersonErased", 1, told)
    assert parts.sessions.of("subject-zoe") == [] and site.get(SPACE).status == 401
    assert not keys.get(made.id).good_on(keys.today())
    with parts.drafts._database.transaction(write=False) as tx:
        assert tx.execute("SELECT count(*) FROM receipts WHERE subject = 'subject-zoe'")[0][0] == 0
