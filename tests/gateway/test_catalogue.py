"""The catalogue of open data, read as a portal would: as RDF."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from rdflib import DCTERMS, RDF, Graph, Literal, Namespace, URIRef

from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.shared import web
from services.shared.store import open_database
from tests.gateway.stub_services import DONE, OPEN, World

DCAT = Namespace("http://www.w3.org/ns/dcat#")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
PATH = "/api/v1/catalogue.jsonld"
ROOT = "http://localhost"


@pytest.fixture
def client(app: web.App) -> FlaskClient:
    return app.test_client()


def graph(client: FlaskClient, path: str = PATH) -> Graph:
    answer = client.get(path)
    assert answer.status_code == 200 and answer.mimetype == "application/ld+json"
    return Graph().parse(data=answer.data, format="json-ld", base=f"{ROOT}{path}")


def test_each_published_poll_is_a_dataset_with_its_files(client: FlaskClient, world: World) -> None:
    said = graph(client)
    [catalogue] = said.subjects(RDF.type, DCAT.Catalog)
    datasets = set(said.objects(catalogue, DCAT.dataset))
    assert len(datasets) == len(world.polls) == len(set(said.subjects(RDF.type, DCAT.Dataset)))
    files = {name: _files(said, f"{ROOT}/scrutins/{poll}#donnees") for name, poll in (("open", OPEN), ("done", DONE))}
    assert files["open"] == {f"{ROOT}/api/v1/polls/{OPEN}/{name}" for name in ("export", "manifest")}
    assert files["done"] == {f"{ROOT}/api/v1/polls/{DONE}/{name}" for name in ("export", "manifest", "results")}
    for address in files["done"]:
        assert client.get(address.removeprefix(ROOT)).status_code == 200


def _files(said: Graph, dataset: str) -> set[str]:
    parts = list(said.objects(URIRef(dataset), DCAT.distribution))
    return {str(address) for part in parts for address in said.objects(part, DCAT.downloadURL)}


def test_what_dcat_ap_asks_for_is_there(client: FlaskClient) -> None:
    """DCAT-AP 3: the mandatory properties of each class, and the recommended ones that portals show."""
    said = graph(client)
    needed = {
        DCAT.Catalog: (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCTERMS.license, DCAT.service),
        DCAT.Dataset: (
            *(DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCTERMS.identifier, DCTERMS.accessRights),
            *(DCAT.theme, DCAT.keyword, DCAT.distribution, DCTERMS.temporal, DCAT.landingPage),
        ),
        DCAT.Distribution: (DCAT.accessURL, DCAT.downloadURL, DCTERMS.license, DCTERMS.format, DCAT.mediaType),
        DCAT.DataService: (DCTERMS.title, DCAT.endpointURL, DCAT.endpointDescription),
    }
    for kind, properties in needed.items():
        things = list(said.subjects(RDF.type, kind))
        assert things, kind
        for thing in things:
            assert [p for p in properties if not list(said.objects(thing, p))] == [], thing
    for text in (*said.objects(None, DCTERMS.title), *said.objects(None, DCTERMS.description)):
        assert isinstance(text, Literal) and text.language == "fr"
    for moment in (*said.objects(None, DCAT.startDate), *said.objects(None, DCTERMS.issued)):
        assert isinstance(moment, Literal) and isinstance(moment.toPython(), datetime)


def test_the_catalogue_is_read_a_page_at_a_time(client: FlaskClient, world: World) -> None:
    world.rewrite["ballot"] = lambda value: value | {"pages": 3}
    view = URIRef(f"{ROOT}{PATH}?page=2")
    said = graph(client, f"{PATH}?page=2")
    assert said.value(view, HYDRA.next) == URIRef(f"{ROOT}{PATH}?page=3")
    assert said.value(view, HYDRA.previous) == said.value(view, HYDRA.first) == URIRef(f"{ROOT}{PATH}?page=1")
    assert said.value(URIRef(f"{ROOT}{PATH}?page=3"), HYDRA.next) is None


def test_settings_name_the_site_its_publisher_and_the_licence(
    environment: World, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_PUBLIC_URL", "https://vote.example.org/")
    monkeypatch.setenv("PARVIS_PUBLISHER", "Vère-le-Château")
    monkeypatch.setenv("PARVIS_LICENCE", "https://opendatacommons.org/licenses/odbl/1-0/")
    settings = GatewaySettings.from_env()
    client = create_app(settings, open_database(settings.common, "gateway"), static=static).test_client()
    said = graph(client)
    assert URIRef(f"https://vote.example.org/scrutins/{OPEN}#donnees") in set(said.subjects(RDF.type, DCAT.Dataset))
    assert set(said.objects(None, DCTERMS.license)) == {URIRef("https://opendatacommons.org/licenses/odbl/1-0/")}
    assert "Vère-le-Château" in {str(name) for name in said.objects(None, URIRef("http://xmlns.com/foaf/0.1/name"))}
