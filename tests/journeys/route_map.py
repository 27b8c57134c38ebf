"""Every page of the gateway and how it is reached. The gates of this folder walk all of it, so that no page escapes.

A new route needs an entry here: `test_route_map.py` fails without one. An entry is a list of steps: an address, a form
of the page before, something that happens in the stub services' world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from services.gateway.voting import print_code
from tests.gateway import ballot_cases, results_cases
from tests.gateway.html import Page
from tests.gateway.stub_services import CANCELLED, CLOSED, DONE, OPEN, SOON, World

RESIDENT, OTHER, OFFICER, SECOND = "LILAS-1", "ZOE-5", "AUDE-3", "PAUL-4"
HTML, JSON, TEXT = "text/html", "application/json", "text/plain"
PAPER, DESK = f"/scrutins/{OPEN}/voter", "/agent/scrutins"


@dataclass(frozen=True)
class Send:
    """The form of the page before that has this address, with its hidden fields and these. Redirects are followed."""

    action: str
    fields: Mapping[str, str] = field(default_factory=dict)


Happening = Callable[[World], object]
Step = str | Send | Happening


@dataclass(frozen=True)
class Visit:
    """One page: who comes to it, by which steps, and what the last answer is."""

    name: str
    steps: tuple[Step, ...]
    who: str | None = None
    status: int = 200
    kind: str = HTML

    @property
    def public(self) -> bool:
        """Whether anyone comes to it by its address alone."""
        return self.who is None and self.kind == HTML and self.status == 200 and isinstance(self.steps[-1], str)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    status: int


@dataclass(frozen=True)
class Answer:
    """What a visit ended with, and every request on the way."""

    visit: Visit
    response: httpx.Response
    trail: tuple[Asked, ...]

    @property
    def path(self) -> str:
        return self.trail[-1].path


def down(*names: str) -> Happening:
    return lambda world: world.fail.update(dict.fromkeys(names, 503))


def asks(method: str, options: int = 10, **other: bool) -> Happening:
    def change(world: World) -> None:
        world.polls[OPEN].questions = [ballot_cases.question(method, options, **other)]

    return change


def _two_questions(world: World) -> None:
    world.polls[OPEN].questions = [ballot_cases.question(m, 4) | {"id": m} for m in ("single_choice", "irv")]


def _no_letters(world: World) -> None:
    world.letters = []


def _opened_by(*people: str) -> Happening:
    return lambda world: world.polls[SOON].opening.update(people)


def _not_ready(world: World) -> None:
    world.polls[SOON].issuance_ready = False


def _visits() -> Iterator[Visit]:
    yield from _anyone()
    yield from _tracker()
    yield from _sign_in()
    yield from _papers()
    yield from _vote()
    yield from _officers()
    yield from _results()
    yield from _files()


def _anyone() -> Iterator[Visit]:
    yield Visit("home", ("/",))
    yield Visit("home page 2", ("/?page=2",))
    yield Visit("home, ballot down", (down("ballot"), "/"))
    yield Visit("home, signed in", ("/",), RESIDENT)
    yield Visit("help", ("/aide",))
    yield Visit("accessibility", ("/accessibilite",))
    yield Visit("sign in", ("/connexion",))
    yield Visit("signed out", ("/connexion/fin",))
    yield Visit("not found", ("/nulle-part",), status=404)
    yield Visit("wrong page number", ("/?page=x",), status=400)
    yield Visit("poll, ballot down", (down("ballot"), f"/scrutins/{OPEN}"), status=503)
    for name, poll in (("open", OPEN), ("soon", SOON), ("done", DONE), ("closed", CLOSED), ("cancelled", CANCELLED)):
        yield Visit(f"poll {name}", (f"/scrutins/{poll}",))
        yield Visit(f"results {name}", (f"/scrutins/{poll}/resultats",))


def _tracker() -> Iterator[Visit]:
    path = f"/scrutins/{OPEN}/suivi"
    yield Visit("tracker", (path,))
    yield Visit("tracker empty", (path, Send(path)), status=400)
    yield Visit("tracker wrong", (path, Send(path, {"suivi": "abc"})), status=400)
    yield Visit("tracker unknown", (path, Send(path, {"suivi": "ab" * 32})))
    yield Visit("tracker, ballot down", (path, down("ballot"), Send(path, {"suivi": "ab" * 32})), status=503)


def _sign_in() -> Iterator[Visit]:
    path = "/connexion"
    yield Visit("sign in needed", ("/messages",), status=401)
    yield Visit("sign in empty", (path, Send(path)), status=400)
    yield Visit("sign in wrong", (path, Send(path, {"code": "faux"})), status=403)
    yield Visit("sign in, identity down", (path, down("identity"), Send(path, {"code": "faux"})), status=503)
    yield Visit("sign in again", (path,), RESIDENT)
    yield Visit("form expired", (path, Send(path, {"jeton": "vieux"})), status=403)
    yield Visit("sign out", ("/", Send("/deconnexion")), RESIDENT)
    yield Visit("messages", ("/messages",), RESIDENT)
    yield Visit("no message", (_no_letters, "/messages"), RESIDENT)
    yield Visit("messages, notifications down", (down("notifications"), "/messages"), RESIDENT)


def _papers() -> Iterator[Visit]:
    """The ballot paper of each shape, as it comes and with everything wrong."""
    shapes = ["yes_no", "single_choice", "multiple_choice", "score", "cumulative", "majority_judgment", "schulze"]
    for method in [*shapes, "budget_greedy", "survey"]:
        options = 2 if method == "yes_no" else 10
        yield Visit(f"paper {method}", (asks(method, options), PAPER), RESIDENT)
        wrong = Send(f"{PAPER}/verifier", {"reponse-q1.o0": "beaucoup", "reponse-q1.foyer": "beaucoup"})
        yield Visit(f"paper {method} wrong", (asks(method, options), PAPER, wrong), RESIDENT, 400)
    long = Send(f"{PAPER}/verifier", {"reponse-q1.o0": "99", "reponse-q1.o1": "1"})
    yield Visit("paper typed ranks wrong", (asks("irv", 16), PAPER, long), RESIDENT, 400)
    yield Visit("paper without blank", (asks("approval", 5, blank=False), PAPER), RESIDENT)
    yield Visit("paper two questions", (_two_questions, PAPER), RESIDENT)
    yield Visit("paper two questions empty", (_two_questions, PAPER, Send(f"{PAPER}/verifier")), RESIDENT, 400)


def _vote() -> Iterator[Visit]:
    check, cast, code = f"{PAPER}/verifier", f"{PAPER}/deposer", f"{PAPER}/code"
    yes = {"reponse-q1": "choix:oui"}
    marked = Send(check, yes)
    voted: tuple[Step, ...] = (PAPER, marked, Send(cast))
    ranks = Send(check, {"reponse-q1.o2": "1", "reponse-q1.o0": "2"})
    yield Visit("paper sign in needed", (PAPER,), status=401)
    yield Visit("paper not on roll", (PAPER,), OTHER)
    yield Visit("paper not open", (f"/scrutins/{SOON}/voter",), RESIDENT)
    yield Visit("paper, identity down", (down("identity"), PAPER), RESIDENT)
    yield Visit("check", (PAPER, marked), RESIDENT)
    yield Visit("check ranks", (asks("irv"), PAPER, ranks), RESIDENT)
    yield Visit("check, back to paper", (PAPER, Send(check, yes | {"modifier": "1"})), RESIDENT)
    yield Visit("check, cast down", (PAPER, marked, down("cast"), Send(cast)), RESIDENT, 503)
    yield Visit("check, ballot down", (PAPER, down("ballot"), marked), RESIDENT, 503)
    yield Visit("cast, ballot down", (PAPER, marked, down("ballot"), Send(cast)), RESIDENT, 503)
    yield Visit("check, expired", (PAPER, Send(check, {"reponse-q1": "blanc", "jeton": "vieux"})), RESIDENT, 403)
    yield Visit("receipt", voted, RESIDENT)
    yield Visit("receipt again", (*voted, *voted), RESIDENT)
    yield Visit("paper again", (*voted, PAPER), RESIDENT)
    yield Visit("code", (PAPER, code), RESIDENT)
    yield Visit("code taken up", (PAPER, Send(code, {"code": print_code(bytes(range(32)))})), RESIDENT)
    yield Visit("code wrong", (PAPER, Send(code, {"code": "ABC"})), RESIDENT, 400)


def _officers() -> Iterator[Visit]:
    yield Visit("desk", (DESK,), OFFICER)
    yield Visit("desk, ballot down", (down("ballot"), DESK), OFFICER)
    yield Visit("desk refused", (DESK,), RESIDENT, 403)
    for name, poll in (("open", OPEN), ("soon", SOON), ("done", DONE), ("closed", CLOSED), ("cancelled", CANCELLED)):
        yield Visit(f"desk {name}", (f"{DESK}/{poll}",), OFFICER)
    soon, closed, cancel = f"{DESK}/{SOON}", f"{DESK}/{CLOSED}", f"{DESK}/{OPEN}/annulation"
    opening, why = Send(f"{soon}/ouverture"), {"motif": "La liste publiée est erronée."}
    yield Visit("desk not ready", (_not_ready, soon), OFFICER)
    yield Visit("opening confirmed", (soon, opening), OFFICER)
    yield Visit("opening confirmed by two", (_opened_by("a", "b"), soon), OFFICER)
    yield Visit("opening refused", (soon, opening, soon, opening), OFFICER, 409)
    yield Visit("opening, ballot down", (soon, down("ballot"), opening), OFFICER, 503)
    yield Visit("count confirmed", (closed, Send(f"{closed}/comptage")), OFFICER)
    yield Visit("count refused", (closed, Send(f"{closed}/comptage", {"scelles": "00" * 32})), OFFICER, 409)
    yield Visit("cancel", (cancel,), OFFICER)
    yield Visit("cancel empty", (cancel, Send(cancel)), OFFICER, 400)
    yield Visit("cancel check", (cancel, Send(cancel, why)), OFFICER)
    yield Visit("cancel asked", (cancel, Send(cancel, why), Send(cancel, {"etape": "confirmer"})), OFFICER)


def _results() -> Iterator[Visit]:
    """What each method shows; of ten options, and of a tie."""
    for case in results_cases.CASES:
        if case.size == 10 and (case.variant in ("", "tie") or (case.variant, case.method) == ("nobody", "irv")):
            yield Visit(f"results {case.name}", (_case(case), case.path))


def _case(case: results_cases.Case) -> Happening:
    return lambda world: results_cases.add(world, case)


def _files() -> Iterator[Visit]:
    """What is no page: files, redirects, health."""
    receipt = f"/scrutins/{OPEN}/recu"
    voted: tuple[Step, ...] = (
        *(PAPER, Send(f"{PAPER}/verifier", {"reponse-q1": "choix:oui"})),
        *(Send(f"{PAPER}/deposer"), Send(receipt)),
    )
    yield Visit("receipt as a file", voted, RESIDENT, kind=JSON)
    yield Visit("manifest", (f"/scrutins/{OPEN}/manifeste.json",), kind=JSON)
    yield Visit("checkpoint", (f"/scrutins/{OPEN}/bureaux/bureau-1/scelle.txt",), kind=TEXT)
    yield Visit("export", (f"/scrutins/{DONE}/export",), kind="application/x-ndjson")
    yield Visit("results as csv", (f"/scrutins/{DONE}/resultats.csv",), kind="text/csv")
    yield Visit("results as json", (f"/scrutins/{DONE}/resultats.json",), kind=JSON)
    yield Visit("list of polls", ("/scrutins",), status=303)
    yield Visit("desk's short address", ("/agent",), OFFICER, 303)
    yield Visit("check by address", (f"{PAPER}/verifier",), status=303)
    yield Visit("cast by address", (f"{PAPER}/deposer",), status=303)
    yield Visit("livez", ("/livez",), kind=JSON)
    yield Visit("readyz", ("/readyz",), kind=JSON)
    yield Visit("metrics", ("/metrics",), kind=TEXT)


VISITS: Final = tuple(_visits())
PAGES: Final = tuple(v for v in VISITS if v.kind == HTML and v.status != 303)


class Walker:
    """Makes visits over HTTP, each in a fresh browser and a fresh world. `dress` may change what the services say."""

    def __init__(self, url: str, world: World, dress: Happening = lambda world: None) -> None:
        self._url, self._world, self._dress = url, world, dress

    def walk(self, visit: Visit) -> Answer:
        """Raises AssertionError when the last answer is not the one that the map promises."""
        with httpx.Client(base_url=self._url) as client:
            return self.walk_in(client, visit)

    def walk_in(self, client: httpx.Client, visit: Visit) -> Answer:
        """The same in this browser, which stays open for more."""
        self._world.reset()
        self._dress(self._world)
        trail: list[Asked] = []
        steps = visit.steps if visit.who is None else ("/connexion", Send("/connexion", {"code": visit.who}))
        response = self._take(client, steps, visit, trail)
        if visit.who is not None:
            response = self._take(client, visit.steps, visit, trail)
        assert response is not None, f"{visit.name} asks nothing"
        kind = response.headers.get("Content-Type", "")
        assert response.status_code == visit.status, f"{visit.name}: {response.status_code} {response.text[:2000]}"
        assert visit.status == 303 or kind.startswith(visit.kind), f"{visit.name}: {kind}"
        return Answer(visit, response, tuple(trail))

    def _take(
        self, client: httpx.Client, steps: tuple[Step, ...], visit: Visit, trail: list[Asked]
    ) -> httpx.Response | None:
        response = None
        for step in steps:
            if callable(step):
                step(self._world)
                self._dress(self._world)
                continue
            if isinstance(step, str):
                request = client.build_request("GET", step)
            else:
                assert response is not None, f"{visit.name} begins with a form"
                page = Page(response)
                assert page.has_form(step.action), f"{visit.name}: no form {step.action}"
                fields = page.form(step.action) | dict(step.fields)
                request = client.build_request("POST", step.action, data=fields)
            response = client.send(request)
            trail.append(Asked(request.method, request.url.path, response.status_code))
            while response.status_code == 303 and visit.status != 303:
                response = client.get(response.headers["Location"])
                trail.append(Asked("GET", response.request.url.path, response.status_code))
        return response
