"""The catalogue of open data, as DCAT-AP 3 in JSON-LD: what portals of open data harvest.

A service that publishes data adds a source to `SOURCES`: a page number gives datasets and how many pages there are.
Page n of the catalogue holds page n of every source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from flask import Response, request

from services.gateway.pages import words
from services.gateway.pages.api.access import REFUSES, admit, cached
from services.gateway.pages.api.description import ROOT
from services.gateway.pages.front import front
from services.shared import web

Json = dict[str, Any]
SCOPE: Final = "catalogue:read"
KIND: Final = "application/ld+json"
PATH: Final = f"{ROOT}/catalogue.jsonld"
_FRESH: Final = 60
_AUTHORITY: Final = "http://publications.europa.eu/resource/authority"
CONTEXT: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_OPEN: Final = {"@id": f"{_AUTHORITY}/access-right/PUBLIC"}
_FRENCH: Final = {"@id": f"{_AUTHORITY}/language/FRA"}


@dataclass(frozen=True, slots=True)
class Distribution:
    """One form in which a dataset can be had. `path`: from the site's root. `format`: of the EU's file types."""

    path: str
    title: str
    media_type: str
    format: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a portal shows. `page`: where people read of it. Moments are RFC 3339 texts."""

    id: str
    title: str
    description: str
    page: str
    starts: str
    ends: str
    distributions: Sequence[Distribution]
    theme: str = "GOVE"
    keywords: Sequence[str] = ()


Source = Callable[[int], tuple[list[Dataset], int]]


def polls(number: int) -> tuple[list[Dataset], int]:
    """Every published poll, with its log, its manifest and, once it is counted, its result."""
    found = front().ballot.polls(number)
    return [_poll(one.poll, one.title, one.state, one.opens_at, one.closes_at) for one in found.polls], found.pages


def _poll(poll: str, title: str, state: str, opens_at: str, closes_at: str) -> Dataset:
    api, said = f"{ROOT}/polls/{poll}", "application/json"
    counted = [Distribution(f"{api}/results", "Résultat publié", said, "JSON")] if state == "tallied" else []
    return Dataset(
        id=f"/scrutins/{poll}",
        title=title,
        description=(
            f"Scrutin « {title} », ouvert du {words.date_time(opens_at)} au {words.date_time(closes_at)} : "
            "manifeste, registre public des bulletins, scellés et résultat. "
            "Avec ces fichiers, chacun peut recompter."
        ),
        page=f"/scrutins/{poll}",
        starts=opens_at,
        ends=closes_at,
        keywords=("scrutin", "vote", "participation citoyenne"),
        distributions=(
            Distribution(f"{api}/export", "Registre public complet, à recompter", "application/x-ndjson", "JSON"),
            Distribution(f"{api}/manifest", "Manifeste du scrutin", said, "JSON"),
            *counted,
        ),
    )


SOURCES: Final[tuple[Source, ...]] = (polls,)


def add_routes(app: web.App) -> None:
    @app.get(
        PATH,
        who=web.ANYONE,
        content=KIND,
        paged=True,
        refuses=(*REFUSES, 404),
        public=SCOPE,
        endpoint="api_catalogue",
    )
    def catalogue() -> Response:
        """The catalogue of open data (DCAT-AP 3), a page at a time."""
        admit(SCOPE)
        number = web.page()
        given = [source(number) for source in SOURCES]
        found = [dataset for datasets, _ in given for dataset in datasets]
        value = _catalogue(found, number, max(pages for _, pages in given))
        return cached(Response(msgspec.json.encode(value), content_type=KIND), _FRESH)


def _catalogue(datasets: Sequence[Dataset], number: int, pages: int) -> Json:
    site = root()
    publisher = {"@id": f"{site}/#publisher", "@type": "foaf:Agent", "foaf:name": front().settings.open.publisher}
    licence = {"@id": front().settings.open.licence}
    return {
        "@context": CONTEXT,
        "@graph": [
            {
                "@id": f"{site}{PATH}#catalogue",
                "@type": "dcat:Catalog",
                "dct:title": _fr(f"Données ouvertes – {front().settings.open.publisher}"),
                "dct:description": _fr("Scrutins et consultations : ce que chacun peut lire, réutiliser et recompter."),
                "dct:publisher": publisher,
                "dct:language": _FRENCH,
                "dct:license": licence,
                "foaf:homepage": {"@id": f"{site}/"},
                "dcat:dataset": [_dataset(one, site, licence, publisher) for one in datasets],
                "dcat:service": _service(site, licence),
            },
            _view(site, number, pages),
        ],
    }


def _service(site: str, licence: Json) -> Json:
    return {
        "@id": f"{site}{ROOT}/#service",
        "@type": "dcat:DataService",
        "dct:title": _fr("Interface de programmation publique"),
        "dct:license": licence,
        "dcat:endpointURL": {"@id": f"{site}{ROOT}"},
        "dcat:endpointDescription": {"@id": f"{site}{ROOT}/openapi.json"},
    }


def _dataset(one: Dataset, site: str, licence: Json, publisher: Json) -> Json:
    return {
        "@id": f"{site}{one.id}#donnees",
        "@type": "dcat:Dataset",
        "dct:identifier": f"{site}{one.id}",
        "dct:title": _fr(one.title),
        "dct:description": _fr(one.description),
        "dct:publisher": {"@id": publisher["@id"]},
        "dct:language": _FRENCH,
        "dct:accessRights": _OPEN,
        "dct:issued": _moment(one.starts),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _moment(one.starts),
            "dcat:endDate": _moment(one.ends),
        },
        "dcat:theme": {"@id": f"{_AUTHORITY}/data-theme/{one.theme}"},
        "dcat:keyword": [_fr(word) for word in one.keywords],
        "dcat:landingPage": {"@id": site + one.page},
        "dcat:distribution": [_distribution(part, site, licence) for part in one.distributions],
    }


def _distribution(one: Distribution, site: str, licence: Json) -> Json:
    address = {"@id": site + one.path}
    return {
        "@id": f"{site}{one.path}#fichier",
        "@type": "dcat:Distribution",
        "dct:title": _fr(one.title),
        "dcat:accessURL": address,
        "dcat:downloadURL": address,
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{one.media_type}"},
        "dct:format": {"@id": f"{_AUTHORITY}/file-type/{one.format}"},
        "dct:license": licence,
    }


def _view(site: str, number: int, pages: int) -> Json:
    def page(wanted: int) -> Json:
        return {"@id": f"{site}{PATH}?page={wanted}"}

    view = {**page(number), "@type": "hydra:PartialCollectionView", "hydra:first": page(1), "hydra:last": page(pages)}
    if number > 1:
        view["hydra:previous"] = page(number - 1)
    if number < pages:
        view["hydra:next"] = page(number + 1)
    return view


def root() -> str:
    """The site's address, as the setting says or as it was asked for; without a slash at its end."""
    return front().settings.open.url or request.url_root.rstrip("/")


def _fr(text: str) -> Json:
    return {"@value": text, "@language": "fr"}


def _moment(text: str) -> Json:
    return {"@value": text, "@type": "xsd:dateTime"}
