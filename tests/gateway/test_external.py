"""Signing in and out by a provider: what is asked, what is believed, and what people read when it comes to nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey

from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.shared.keys import KeyRefused
from services.shared.settings import SettingRefused
from services.shared.store import open_database
from tests.gateway.conftest import Site
from tests.gateway.french import french_in
from tests.gateway.html import Page
from tests.gateway.oidc_provider import LILAS, SECRET, Person, oidc_provider
from tests.gateway.stub_provider import BORN, CLIENT, Liar, shared_secret, stub_provider
from tests.gateway.stub_services import World

ACTION = "/connexion/franceconnect"
COOKIE = "connexion-externe"
GATEWAY = "http://127.0.0.1:8080"


def address_of(page: Page) -> str:
    """Where a page of ours sends the browser on."""
    (refresh,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "refresh"]
    assert page.status == 200 and refresh.startswith("0; url=")
    return unescape(refresh.removeprefix("0; url="))


def ours(address: str) -> str:
    assert address.startswith(GATEWAY)
    return address.removeprefix(GATEWAY)


def asked(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def refused(page: Page, status: int, title: str) -> None:
    assert (page.status, page.title) == (status, f"{title} – Parvis")
    assert page.faults() == []
    assert page.headers["Cache-Control"] == "no-store"


UNVERIFIED = "La réponse de FranceConnect n’a pas pu être vérifiée"
AGAIN = "La connexion n’a pas pu être reprise"
TOO_LOW = "Cette identité n’est pas assez sûre pour se connecter ici"
DOWN = "La connexion n’est pas possible pour le moment"
UNKNOWN = "La liste ne vous connaît pas"
CANCELLED = "Vous n’êtes pas connecté"


class Visitor(Site):
    """A person on our site, whom the stub provider vouches for."""

    liar: Liar

    action: str = ACTION

    def begins(self, suite: str = "/connexion") -> dict[str, str]:
        page = self.submit(self.get("/connexion"), self.action, suite=suite)
        told = asked(address_of(page))
        self.liar.nonce = told["nonce"]
        return told

    def comes_back(self, state: str, **query: str) -> Page:
        return Page(self.client.get(f"{self.action}/retour", query_string={"code": "c1", "state": state} | query))

    def signs_in(self) -> Page:
        return self.comes_back(self.begins()["state"])

    @property
    def name(self) -> str | None:
        """Who is signed in, as the page's head says."""
        found = re.search(r'top__person">([^<]+)<', self.get("/").source)
        return found[1] if found else None


@pytest.fixture
def liar(world: World) -> Iterator[Liar]:
    with stub_provider(world.provider):
        yield world.provider


@pytest.fixture
def client(
    environment: World, liar: Liar, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    for name, value in liar.settings(tmp_path).items():
        monkeypatch.setenv(name, value)
    return new_client(static)


def new_client(static: Path) -> FlaskClient:
    settings = GatewaySettings.from_env()
    return create_app(settings, open_database(settings.common, "gateway"), static=static).test_client()


@pytest.fixture
def visitor(client: FlaskClient, liar: Liar) -> Visitor:
    found = Visitor(client, GatewaySettings.from_env().common.data)
    found.liar = liar
    return found


def test_without_a_provider_the_sign_in_page_is_as_it_was(site: Site) -> None:
    page = site.get("/connexion")
    assert [f["action"] for f in page.all("form")] == ["/connexion"]
    assert "Avec le code de connexion que vous avez reçu." in page.text
    assert site.submit(page, "/connexion", code="LILAS-1").status == 303
    token = page.form("/connexion")
    assert Page(site.client.post(ACTION, data=token)).status == 404


def test_each_provider_is_a_plain_form_above_the_code(visitor: Visitor) -> None:
    page = visitor.get("/connexion")
    assert [f["action"] for f in page.all("form")] == [ACTION, "/connexion"]
    assert "Se connecter avec FranceConnect" in page.text and page.faults() == []
    assert not page.all("img")
    assert visitor.post(ACTION).status == 403, "a form of another site begins nothing"


def test_what_the_provider_is_asked(visitor: Visitor, liar: Liar) -> None:
    told = visitor.begins()
    assert re.fullmatch("[0-9a-f]{64}", told["state"]) and re.fullmatch("[0-9a-f]{64}", told["nonce"])
    assert told["state"] != told["nonce"]
    assert set(told) == {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values"} | {
        "code_challenge",
        "code_challenge_method",
    }
    assert (told["response_type"], told["acr_values"], told["code_challenge_method"]) == ("code", "eidas1", "S256")
    assert told["redirect_uri"] == f"{GATEWAY}{ACTION}/retour"
    assert told["scope"] == "openid given_name family_name birthdate"
    assert visitor.comes_back(told["state"]).status == 303
    (sent,) = [body for path, body in liar.asked if path == "/token"]
    assert sent["client_secret"] == ["s3cret"] and sent["redirect_uri"] == [told["redirect_uri"]]
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    assert create_s256_code_challenge(sent["code_verifier"][0]) == told["code_challenge"]


def test_without_pkce_at_the_provider_none_is_sent(visitor: Visitor, liar: Liar) -> None:
    liar.metadata = {"code_challenge_methods_supported": None}
    told = visitor.begins()
    assert "code_challenge" not in told
    assert visitor.comes_back(told["state"]).status == 303
    assert not [body for path, body in liar.asked if "code_verifier" in body]


def test_a_person_whom_the_roll_knows_is_signed_in_and_led_back(visitor: Visitor, world: World, liar: Liar) -> None:
    told = visitor.begins("/messages")
    page = visitor.comes_back(told["state"], iss=liar.issuer)
    assert (page.status, page.headers["Location"]) == (303, "/messages")
    assert visitor.name == "Lilas Moreau"
    (sent,) = world.vouched
    assert sent == {
        "issuer": liar.issuer,
        "sub": "pairwise-lilas",
        "given_name": "Lilas",
        "family_name": "Moreau",
        "birth_date": BORN,
    }


@pytest.mark.parametrize("suite", ["//evil.test", "https://evil.test", "/x\r\nSet-Cookie: a=b", "javascript:1"])
def test_nobody_is_led_elsewhere(visitor: Visitor, suite: str) -> None:
    assert visitor.comes_back(visitor.begins(suite)["state"]).headers["Location"] == "/"


def test_the_cookie_on_the_way_is_sealed_short_lived_and_leaves_no_row(visitor: Visitor) -> None:
    page = visitor.submit(visitor.get("/connexion"), ACTION)
    told = asked(address_of(page))
    cookie = next(c for c in page.headers.getlist("Set-Cookie") if c.startswith(f"{COOKIE}="))  # type: ignore[attr-defined]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"))
    assert told["state"] not in cookie and told["nonce"] not in cookie
    database = open_database(GatewaySettings.from_env().common, "gateway")
    with database.transaction(write=False) as tx:
        assert tx.execute("SELECT * FROM sessions") == tx.execute("SELECT * FROM spent_states") == []


def test_the_cookie_is_good_for_ten_minutes(visitor: Visitor, client: FlaskClient) -> None:
    box = client.application.extensions["front"].leaving
    now = box._clock()
    box._clock = lambda: now
    told = visitor.begins()
    box._clock = lambda: now + 599
    assert visitor.comes_back(told["state"]).status == 303
    box._clock = lambda: now
    told = visitor.begins()
    box._clock = lambda: now + 601
    refused(visitor.comes_back(told["state"]), 400, AGAIN)


def test_an_answer_is_good_once_even_with_the_cookie_kept(visitor: Visitor, liar: Liar) -> None:
    told = visitor.begins()
    kept = visitor.client.get_cookie(COOKIE)
    assert kept is not None
    assert visitor.comes_back(told["state"]).status == 303
    assert visitor.client.get_cookie(COOKIE) is None
    refused(visitor.comes_back(told["state"]), 400, AGAIN)
    visitor.client.set_cookie(COOKIE, kept.value)
    refused(visitor.comes_back(told["state"]), 400, AGAIN)
    assert len([path for path, _ in liar.asked if path == "/token"]) == 1, "the provider is not even asked"


def test_an_answer_opens_nothing_in_another_browser(visitor: Visitor) -> None:
    told = visitor.begins()
    stranger = Visitor(visitor.client.application.test_client(), visitor.data)
    refused(stranger.comes_back(told["state"]), 400, AGAIN)
    assert visitor.comes_back(told["state"]).status == 303


@pytest.mark.parametrize("state", ["", "0" * 64, "é", "x" * 5000])
def test_another_state_is_refused_before_the_provider_is_asked(visitor: Visitor, liar: Liar, state: str) -> None:
    visitor.begins()
    refused(visitor.comes_back(state), 400, AGAIN)
    assert "/token" not in [path for path, _ in liar.asked]


def test_a_state_of_one_provider_is_no_use_at_another(
    visitor: Visitor, liar: Liar, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in liar.settings(visitor.data, "PROCONNECT").items():
        monkeypatch.setenv(name, value)
    both = Visitor(new_client(static), visitor.data)
    both.liar = liar
    told = both.begins()
    crossed = both.client.get("/connexion/proconnect/retour", query_string={"code": "c1", "state": told["state"]})
    assert crossed.status_code == 400


def other_key(kid: str = "k1") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def by_public_key(liar: Liar, what: str) -> None:
    setattr(liar, f"{what}_alg", "HS256")
    setattr(liar, f"{what}_key", shared_secret(liar.key))


def by_secret(liar: Liar) -> None:
    liar.id_alg, liar.id_key = "HS256", b"s3cret"


LIES: dict[str, tuple[Callable[[Liar], Any], int, str]] = {
    "another nonce": (lambda p: p.id_claims.update(nonce="0" * 64), 403, UNVERIFIED),
    "no nonce": (lambda p: p.id_claims.update(nonce=None), 403, UNVERIFIED),
    "another issuer": (lambda p: p.id_claims.update(iss="https://evil.test"), 403, UNVERIFIED),
    "for another site": (lambda p: p.id_claims.update(aud="another"), 403, UNVERIFIED),
    "for another site too": (lambda p: p.id_claims.update(aud=[CLIENT, "another"], azp=CLIENT), 403, UNVERIFIED),
    "for nobody": (lambda p: p.id_claims.update(aud=None), 403, UNVERIFIED),
    "expired": (lambda p: p.id_claims.update(exp=1), 403, UNVERIFIED),
    "never expires": (lambda p: p.id_claims.update(exp=None), 403, UNVERIFIED),
    "no subject": (lambda p: p.id_claims.update(sub=None), 403, UNVERIFIED),
    "a lower level": (lambda p: p.id_claims.update(acr="eidas0"), 403, TOO_LOW),
    "a lower level with two factors": (lambda p: p.id_claims.update(acr="eidas0-mfa"), 403, TOO_LOW),
    "an unknown level": (lambda p: p.id_claims.update(acr="eidas9"), 403, TOO_LOW),
    "a level that is no text": (lambda p: p.id_claims.update(acr=["eidas3"]), 403, TOO_LOW),
    "no level": (lambda p: p.id_claims.update(acr=None), 403, TOO_LOW),
    "ID token by another key": (lambda p: setattr(p, "id_key", other_key()), 403, UNVERIFIED),
    "ID token by another key id": (lambda p: setattr(p, "key", other_key("k2")), 403, UNVERIFIED),
    "ID token by no key": (lambda p: setattr(p, "id_alg", "none"), 403, UNVERIFIED),
    "ID token by the public key": (lambda p: by_public_key(p, "id"), 403, UNVERIFIED),
    "ID token by the client's secret": (by_secret, 403, UNVERIFIED),
    "information by another key": (lambda p: setattr(p, "info_key", other_key()), 403, UNVERIFIED),
    "information by no key": (lambda p: setattr(p, "info_alg", "none"), 403, UNVERIFIED),
    "information by the public key": (lambda p: by_public_key(p, "info"), 403, UNVERIFIED),
    "information not signed": (lambda p: setattr(p, "plain_info", True), 403, UNVERIFIED),
    "information about another": (lambda p: p.info_claims.update(sub="pairwise-noe"), 403, UNVERIFIED),
    "information about several": (lambda p: p.info_claims.update(sub=["pairwise-lilas"]), 403, UNVERIFIED),
    "information about nobody": (lambda p: p.info_claims.update(sub=None), 403, UNVERIFIED),
    "information for another site": (lambda p: p.info_claims.update(aud="another"), 403, UNVERIFIED),
    "information for nobody": (lambda p: p.info_claims.update(aud=None), 403, UNVERIFIED),
    "information by another issuer": (lambda p: p.info_claims.update(iss="https://evil.test"), 403, UNVERIFIED),
    "information that expired": (lambda p: p.info_claims.update(exp=1), 403, UNVERIFIED),
    "the code is refused": (lambda p: p.status.update({"/token": 400}), 400, AGAIN),
    "no token": (lambda p: p.status.update({"/token": 503}), 503, DOWN),
    "no information": (lambda p: p.status.update({"/userinfo": 500}), 503, DOWN),
    "no keys": (lambda p: p.status.update({"/jwks": 404}), 503, DOWN),
    "not on the roll": (lambda p: p.info_claims.update(family_name="Morel"), 403, UNKNOWN),
    "no birth date": (lambda p: p.info_claims.update(birthdate=None), 403, UNKNOWN),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_does_not_hold_signs_nobody_in_and_is_told_in_words(
    visitor: Visitor, liar: Liar, world: World, lie: str
) -> None:
    tell, status, title = LIES[lie]
    told = visitor.begins()
    tell(liar)
    page = visitor.comes_back(told["state"])
    refused(page, status, title)
    assert visitor.client.get_cookie("session") is None and visitor.name is None
    assert bool(world.vouched) == (title == UNKNOWN), "identity hears of verified people alone"
    assert "Revenir à la page de connexion" in page.text


def test_a_higher_level_is_welcome(visitor: Visitor, liar: Liar) -> None:
    for acr in ("eidas1-mfa", "eidas2", "eidas3"):
        liar.id_claims = {"acr": acr}
        assert visitor.signs_in().status == 303


def test_who_is_on_no_roll_reads_whom_to_ask_and_how_to_appeal(visitor: Visitor, liar: Liar) -> None:
    liar.info_claims = {"family_name": "Morel"}
    page = visitor.signs_in()
    assert "Adressez-vous à l’accueil de votre mairie" in page.text
    assert "mailto:listes@ville.test" in [a["href"] for a in page.all("a")]
    assert "Morel" not in page.source and "Lilas" not in page.source


def test_keys_that_the_provider_changed_are_fetched_anew(visitor: Visitor, liar: Liar, client: FlaskClient) -> None:
    assert visitor.signs_in().status == 303
    provider = client.application.extensions["front"].providers["franceconnect"]
    at, keys = provider._keys
    liar.key = liar.id_key = liar.info_key = other_key("k2")
    liar.kid = "k2"
    refused(visitor.signs_in(), 403, UNVERIFIED)
    provider._keys = (at - 31, keys)
    assert visitor.signs_in().status == 303


@pytest.mark.parametrize("error, title", [("access_denied", CANCELLED), ("invalid_scope", "FranceConnect n’a pas")])
def test_an_error_on_the_way_back_is_a_page_that_says_what_to_do(visitor: Visitor, error: str, title: str) -> None:
    told = visitor.begins()
    described = "<script>alert(1)</script>"
    page = visitor.comes_back(told["state"], error=error, error_description=described)
    assert page.status == 403 and page.title.startswith(title) and page.faults() == []
    assert described not in page.source and "alert" not in page.source
    refused(visitor.comes_back(told["state"]), 400, AGAIN)


def test_signing_in_by_a_provider_speaks_english(visitor: Visitor, liar: Liar, world: World) -> None:
    visitor.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    pages = [visitor.submit(visitor.get("/connexion"), ACTION)]
    pages += [visitor.comes_back(visitor.begins()["state"], error=e) for e in ("access_denied", "invalid_scope")]
    pages.append(visitor.comes_back("0" * 64))
    liar.info_claims = {"family_name": "Morel"}
    pages.append(visitor.signs_in())
    liar.info_claims = {}
    assert visitor.signs_in().status == 303
    pages.append(visitor.submit(visitor.get("/"), "/deconnexion"))
    assert [french_in(page) for page in pages] == [[]] * len(pages)
    titles = ["You are going to FranceConnect", "You are not signed in", "FranceConnect did not let you sign in"]
    titles += ["Signing in could not be resumed", "The list does not know you", "You are signed out of Parvis"]
    assert [page.title.removesuffix(" – Parvis") for page in pages] == titles


def test_an_error_with_another_state_is_not_believed(visitor: Visitor) -> None:
    told = visitor.begins()
    refused(visitor.comes_back("0" * 64, error="access_denied"), 400, AGAIN)
    assert told["state"]


def test_the_answer_of_another_issuer_is_refused(visitor: Visitor, liar: Liar) -> None:
    page = visitor.comes_back(visitor.begins()["state"], iss="https://evil.test")
    assert page.status == 403
    assert "/token" not in [path for path, _ in liar.asked]


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.test"},
        {"token_endpoint": "http://evil.test/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
def test_a_discovery_that_does_not_hold_is_not_followed(visitor: Visitor, liar: Liar, metadata: dict[str, Any]) -> None:
    liar.metadata = metadata
    refused(visitor.submit(visitor.get("/connexion"), ACTION), 503, DOWN)


def test_a_provider_that_is_down_leaves_the_code(visitor: Visitor, liar: Liar) -> None:
    liar.status["/.well-known/openid-configuration"] = 500
    refused(visitor.submit(visitor.get("/connexion"), ACTION), 503, DOWN)
    assert visitor.sign_in().status == 303 and visitor.name == "Lilas Moreau"


def test_identity_that_is_down_is_told_too(visitor: Visitor, world: World) -> None:
    world.fail = {"identity": 503}
    refused(visitor.signs_in(), 503, DOWN)


def test_signing_out_ends_both_sessions(visitor: Visitor, liar: Liar) -> None:
    visitor.signs_in()
    token = visitor.client.get_cookie("session")
    page = visitor.submit(visitor.get("/"), "/deconnexion")
    told = asked(address_of(page))
    assert address_of(page).startswith(f"{liar.issuer}/end?") and "Lilas" not in page.text
    assert told["id_token_hint"].count(".") == 2 and told["post_logout_redirect_uri"] == f"{GATEWAY}/connexion/fin"
    assert re.fullmatch("[0-9a-f]{64}", told["state"])
    assert token is not None and visitor.client.get_cookie("session") is None
    visitor.client.set_cookie("session", token.value)
    assert visitor.name is None, "ended here before the browser leaves"
    assert visitor.get(f"/connexion/fin?state={'0' * 64}").status == 400
    assert visitor.get(f"/connexion/fin?state={told['state']}").status == 200
    assert visitor.get(f"/connexion/fin?state={told['state']}").status == 400


def test_signing_out_when_the_provider_is_down_ends_the_session_here(
    visitor: Visitor, liar: Liar, client: FlaskClient
) -> None:
    visitor.signs_in()
    client.application.extensions["front"].providers["franceconnect"]._metadata = None
    liar.status["/.well-known/openid-configuration"] = 500
    page = visitor.submit(visitor.get("/"), "/deconnexion")
    assert page.status == 200 and page.faults() == []
    assert "FranceConnect ne répond pas" in page.text
    assert visitor.name is None and visitor.client.get_cookie("session") is None


def test_a_session_by_code_ends_here_alone(visitor: Visitor) -> None:
    visitor.sign_in()
    page = visitor.submit(visitor.get("/"), "/deconnexion")
    assert (page.status, page.headers["Location"]) == (303, "/connexion/fin")


def test_the_store_keeps_the_id_token_sealed_and_the_state_hashed(visitor: Visitor) -> None:
    told = visitor.begins()
    visitor.comes_back(told["state"])
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    database = open_database(GatewaySettings.from_env().common, "gateway")
    with database.transaction(write=False) as tx:
        ((hashed, sealed),) = tx.execute("SELECT token_hash, told FROM sessions")
        ((spent, _),) = tx.execute("SELECT * FROM spent_states")
    assert hashed == sha256(cookie.value.encode()).digest() and spent == sha256(told["state"].encode()).digest()
    assert sealed and b"eyJ" not in sealed and b"franceconnect" not in sealed


@pytest.mark.parametrize(
    "name, value",
    [
        ("DISCOVERY", "http://provider.test/.well-known/openid-configuration"),
        ("DISCOVERY", "https://provider.test/"),
        ("CLIENT_ID", ""),
        ("SECRET_FILE", ""),
        ("SCOPES", "email"),
        ("ACR", "eidas9"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_the_start(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"PARVIS_FRANCECONNECT_{name}", value)
    with pytest.raises(SettingRefused, match=f"PARVIS_FRANCECONNECT_{name}"):
        GatewaySettings.from_env()


def test_a_secret_that_others_can_read_stops_the_start(client: FlaskClient, static: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(KeyRefused, match="chmod 600"):
        new_client(static)
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "secret").write_text("two words")
    with pytest.raises(KeyRefused, match="one line"):
        new_client(static)
    (tmp_path / "secret").unlink()
    with pytest.raises(KeyRefused, match="missing"):
        new_client(static)


def real(environment: World, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: Any) -> Visitor:
    for name, value in provider.settings(tmp_path).items():
        monkeypatch.setenv(name, value)
    return Visitor(new_client(static), tmp_path)


def test_the_real_provider_signs_a_person_in_and_out(
    environment: World, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with oidc_provider(GATEWAY) as provider:
        site, person = real(environment, static, tmp_path, monkeypatch, provider), Person(provider)
        back = person.signs_in_and_consents(address_of(site.submit(site.get("/connexion"), ACTION)))
        assert site.get(ours(back)).status == 303
        assert site.name == "Lilas Moreau"
        (sent,) = environment.vouched
        assert re.fullmatch("[0-9a-f]{64}", sent["sub"]) and sent["birth_date"] == LILAS["birthdate"]
        refused(site.get(ours(back)), 400, AGAIN)
        out = person.signs_out(address_of(site.submit(site.get("/"), "/deconnexion")))
        assert ours(out).startswith("/connexion/fin?state=") and site.get(ours(out)).status == 200
        assert site.name is None and SECRET not in back + out


def test_the_real_provider_hears_a_no(
    environment: World, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with oidc_provider(GATEWAY) as provider:
        site, person = real(environment, static, tmp_path, monkeypatch, provider), Person(provider)
        back = person.gives_up(address_of(site.submit(site.get("/connexion"), ACTION)))
        assert "error=access_denied" in back
        refused(site.get(ours(back)), 403, CANCELLED)
