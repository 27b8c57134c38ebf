"""Every page: sound HTML, headers, no script, French; and what each public page must say."""

from __future__ import annotations

import csv
import io
import json
import re
from base64 import b64encode
from hashlib import sha256, sha384
from typing import Any

import pytest

from services.gateway.pages import casting, security
from services.shared.web import DeclaredRule
from tests.gateway.conftest import Site
from tests.gateway.stub_services import CANCELLED, CLOSED, DONE, OPEN, SOON, World

POLLS = [f"/scrutins/{poll}" for poll in (OPEN, SOON, DONE, CLOSED, CANCELLED)]
PUBLIC = [
    "/",
    "/connexion",
    "/connexion/fin",
    "/aide",
    "/accessibilite",
    "/nulle-part",
    *POLLS,
    *(f"{poll}/resultats" for poll in POLLS),
    *(f"{poll}/suivi" for poll in POLLS),
    f"/scrutins/{OPEN}/voter",
]
SIGNED_IN = ["/", "/messages", "/connexion", f"/scrutins/{OPEN}/voter", f"/scrutins/{OPEN}/voter/code"]
OFFICER = [
    "/agent/scrutins",
    f"/agent/scrutins/{SOON}",
    f"/agent/scrutins/{CLOSED}",
    f"/agent/scrutins/{OPEN}/annulation",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_each_public_page_is_sound(site: Site, path: str) -> None:
    assert site.get(path).faults() == []


@pytest.mark.parametrize("path", SIGNED_IN)
def test_each_page_of_a_person_is_sound(site: Site, path: str) -> None:
    site.sign_in()
    site.get(f"/scrutins/{OPEN}/voter")
    page = site.get(path)
    assert page.status == 200
    assert page.faults() == []
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", OFFICER)
def test_each_page_of_an_officer_is_sound(site: Site, path: str) -> None:
    site.sign_in("AUDE-3")
    page = site.get(path)
    assert page.status == 200
    assert page.faults() == []


def test_a_resident_does_not_enter_the_officers_pages(site: Site) -> None:
    site.sign_in()
    page = site.get("/agent/scrutins")
    assert (page.status, page.faults()) == (403, [])
    assert "Accès refusé" in page.text


def test_every_page_forbids_scripts_frames_and_foreign_content(site: Site) -> None:
    for path in ("/", "/nulle-part", f"/scrutins/{OPEN}"):
        headers = site.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "nonce" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Frame-Options"] == "DENY"


def test_a_public_page_sets_no_cookie(site: Site) -> None:
    for path in ("/", f"/scrutins/{OPEN}", f"/scrutins/{DONE}/resultats", "/aide"):
        assert "Set-Cookie" not in site.get(path).headers


def test_the_style_sheet_is_served_compressed_for_good_and_matches_its_integrity(site: Site) -> None:
    link = next(link for link in site.get("/").all("link") if link["rel"] == "stylesheet")
    plain = site.client.get(link["href"])
    small = site.client.get(link["href"], headers={"Accept-Encoding": "gzip"})
    assert "immutable" in plain.headers["Cache-Control"]
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) < 15_000
    assert link["integrity"] == "sha384-" + b64encode(sha384(plain.data).digest()).decode()
    assert not re.search(rb"GDS|marianne|dsfr", plain.data, re.IGNORECASE)


def test_the_list_groups_polls_by_what_can_be_done(site: Site) -> None:
    page = site.get("/")
    titles = [h["id"] for h in page.all("h2")]
    assert titles == ["ouverts", "a-venir", "depouillement", "termines"]
    assert "19,0\u00a0%" in page.text


def test_the_empty_list_says_so(site: Site, world: World) -> None:
    world.polls.clear()
    assert "Aucun scrutin pour le moment" in site.get("/").text


def test_a_poll_shows_its_proofs_and_tells_its_limits(site: Site, world: World) -> None:
    page = site.get(f"/scrutins/{OPEN}")
    assert world.polls[OPEN].manifest_hash in page.text
    assert "1\u00a0minute après le précédent" in page.text and "20\u00a0votants au moins" in page.text
    assert "secret repose sur l’opérateur, qui ne doit garder aucune autre trace" in page.text
    assert "délivrés par un seul organisme" in page.text
    links = {a["href"] for a in page.all("a")}
    assert {f"/scrutins/{OPEN}/manifeste.json", f"/scrutins/{OPEN}/bureaux/bureau-1/scelle.txt"} <= links
    manifest = site.get(f"/scrutins/{OPEN}/manifeste.json").data
    assert sha256(manifest).hexdigest() == world.polls[OPEN].manifest_hash
    assert site.get(f"/scrutins/{OPEN}/bureaux/bureau-1/scelle.txt").source == "note\n"
    assert site.get(f"/scrutins/{OPEN}/bureaux/BUREAU..1/scelle.txt").status == 404


def test_the_export_passes_through_as_a_file(site: Site) -> None:
    response = site.get(f"/scrutins/{DONE}/export")
    assert response.data.startswith(b'{"line":"bundle"')
    assert response.headers["Content-Disposition"] == f'attachment; filename="scrutin-{DONE}.ndjson"'


def test_results_give_every_figure_and_what_reissues_mean(site: Site) -> None:
    page = site.get(f"/scrutins/{DONE}/resultats")
    for figure in ("2\u202f871", "1\u202f734", "212", "62,3\u00a0%", "52,3\u00a0%", "4\u202f397", "163"):
        assert figure in page.text
    assert "plus grand nombre de votes qui pourraient avoir été comptés deux fois" in page.text
    assert "«\u00a0Oui\u00a0» l’emporte" in page.text
    assert len(page.all("table")) == 1 and len([s for s in page.all("svg") if s.get("class") == "bar"]) == 2


def test_results_can_be_taken_away_as_csv_and_json(site: Site, world: World) -> None:
    text = site.get(f"/scrutins/{DONE}/resultats.csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0] == ["rubrique", "question", "intitule", "nombre", "valeur_exacte"]
    assert {(r[0], r[2]): r[3] for r in rows[1:]}[("participation", "abstentions")] == "4397"
    whole = json.loads(site.get(f"/scrutins/{DONE}/resultats.json").data)
    assert whole["tally"] == world.polls[DONE].tally
    assert site.get(f"/scrutins/{OPEN}/resultats.csv").status == 404


def test_a_label_that_a_spreadsheet_would_run_is_made_harmless(site: Site, world: World) -> None:
    poll = world.polls[DONE]
    poll.questions[0]["options"][0]["label"] = '=HYPERLINK("http://mal.example")'
    text = site.get(f"/scrutins/{DONE}/resultats.csv").data.decode("utf-8-sig")
    assert all(not cell.startswith("=") for row in csv.reader(io.StringIO(text), delimiter=";") for cell in row)


def test_what_officers_write_is_never_read_as_html(site: Site, world: World) -> None:
    world.polls[OPEN].title = world.polls[OPEN].description = "<script>alert(1)</script>\"'>"
    for path in ("/", f"/scrutins/{OPEN}", f"/scrutins/{OPEN}/suivi", f"/scrutins/{OPEN}/resultats"):
        page = site.get(path)
        assert page.faults() == []


def test_turnout_is_told_epoch_by_epoch_before_the_count(site: Site) -> None:
    page = site.get(f"/scrutins/{OPEN}/resultats")
    assert "2\u202f375" in page.text
    assert len(page.all("polyline")) == 1


@pytest.mark.parametrize("service", ["ballot", "identity", "notifications"])
def test_a_service_that_is_down_costs_its_block_and_never_a_500(site: Site, world: World, service: str) -> None:
    site.sign_in()
    site.get(f"/scrutins/{OPEN}/voter")
    world.fail[service] = 500
    for path in (*PUBLIC, *SIGNED_IN):
        page = site.get(path)
        assert page.status in (200, 404, 503, 303), path
        assert page.status == 303 or page.faults() == []
    world.fail = {"ballot": 500}
    assert site.get("/").status == 200
    assert "n’est pas disponible pour le moment" in site.get("/").text


def test_each_form_is_refused_without_its_token(site: Site, app: Any) -> None:
    site.sign_in("TOUS-9")
    posts = [
        r
        for r in app.url_map.iter_rules()
        if "POST" in (r.methods or ()) and r.endpoint not in casting.CHECK_THEMSELVES
    ]
    assert len(posts) >= 8
    for rule in posts:
        path = rule.rule.replace("<uuid:poll>", OPEN).replace("<int:round>", "1")
        page = site.post(path)
        assert (page.status, page.faults()) == (403, []), path
        assert "n’est plus valable" in page.text


def test_a_form_sent_by_another_site_is_refused(site: Site) -> None:
    token = site.get("/connexion").form("/connexion")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://mal.example"}):
        response = site.client.post("/connexion", data=token | {"code": "LILAS-1"}, headers=headers)
        assert response.status_code == 403
        assert "autre site" in response.text
    kind = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert site.client.post("/connexion", data=token | {"code": "LILAS-1"}, headers=kind).status_code == 303


def test_each_route_that_can_tell_a_vote_is_quiet(app: Any) -> None:
    rules = [r for r in app.url_map.iter_rules() if isinstance(r, DeclaredRule)]
    told = [r for r in rules if re.search(r"/(voter|recu|suivi)\b", r.rule)]
    assert len(told) >= 9
    assert all(r.quiet for r in told)


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    given = site.sign_in().cookies() + site.get(f"/scrutins/{OPEN}/voter").cookies()
    assert len(given) == 2
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in given)
    assert f"Path=/scrutins/{OPEN}" in given[1]


def test_an_unknown_poll_is_a_french_page(site: Site) -> None:
    page = site.get("/scrutins/00000000-0000-4000-8000-000000000000")
    assert (page.status, page.faults()) == (404, [])


def test_a_failure_of_ours_is_a_french_page_without_a_trace(site: Site, app: Any) -> None:
    app.jinja_env.globals.pop("when")
    app.jinja_env.cache.clear()
    page = site.get(f"/scrutins/{OPEN}")
    assert (page.status, page.faults()) == (500, [])
    assert "Traceback" not in page.source and security.FIELD not in page.source
