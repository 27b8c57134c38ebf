"""Every page of the gateway and how it is reached. The gates of this folder walk all of it, so that no page escapes.

A new route needs an entry here: `test_route_map.py` fails without one. An entry is a list of steps: an address, a form
of the page before, something that happens in the stub services' world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Final

import httpx

from services.gateway.voting import print_code
from tests.gateway import ballot_cases, office_cases, results_cases, staff_cases
from tests.gateway.html import Page
from tests.gateway.processes import visitor
from tests.gateway.stub_services import CANCELLED, CLOSED, DONE, OPEN, SOON, World
from tests.journeys import citizen_visits
from tests.journeys.visits import HTML, JSON, Happening, Onward, Send, Step, down
from tests.journeys.visits import Visit as Visit

RESIDENT, OTHER, OFFICER, SECOND = "LILAS-1", "ZOE-5", "AUDE-3", "PAUL-4"
ADMINISTRATOR, AGENT, AUDITOR = "ADA-6", "INES-7", "RENE-8"
TEXT = "text/plain"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
LETTER = "/connexion/courrier/demande"
OWN = {"family_name": "Diallo", "given_name": "Inès"}
PAPER, DESK = f"/scrutins/{OPEN}/voter", "/agent/scrutins"


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
    yield from _codes()
    yield from _provider()
    yield from _papers()
    yield from _vote()
    yield from _officers()
    yield from _office()
    yield from _making()
    yield from _lifting()
    yield from _results()
    yield from _staff()
    yield from citizen_visits.visits()
    yield from _reception()
    yield from _rolls()
    yield from _people()
    yield from _inbox()
    yield from _files()


def _anyone() -> Iterator[Visit]:
    yield Visit("home", ("/",))
    yield Visit("home page 2", ("/?page=2",))
    yield Visit("home, ballot down", (down("ballot"), "/"))
    yield Visit("home, signed in", ("/",), RESIDENT)
    yield Visit("help", ("/aide",))
    yield Visit("accessibility", ("/accessibilite",))
    yield Visit("api", ("/api",))
    yield Visit("offline", ("/hors-ligne",))
    yield Visit("sign in", ("/connexion",))
    yield Visit("signed out", ("/connexion/fin",))
    yield Visit("home in English", ("/langue/en?suite=/",), RESIDENT)
    yield Visit("help in an English frame", ("/langue/en?suite=/aide",), RESIDENT)
    yield Visit("not found in Breton", ("/langue/br?suite=/nulle-part",), RESIDENT, 404)
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


def _codes() -> Iterator[Visit]:
    """Codes that are asked for; who is known and who is not see the same pages."""
    ask, type_, once, letter = "/connexion/code", "/connexion/code/saisie", "/connexion/courrier", LETTER
    mail, nobody = Send(ask, {"contact": "subject-lilas@exemple.fr"}), Send(ask, {"contact": "personne@exemple.fr"})
    who = Send(letter, {"family_name": "Moreau", "given_name": "Lilas", "birth_date": "12/03/1980"})
    yield Visit("code to ask for", (ask,))
    yield Visit("code, nothing typed", (ask, Send(ask)), status=400)
    yield Visit("code, no contact", (ask, Send(ask, {"contact": "01 99 00 12 34"})), status=400)
    yield Visit("code, identity down", (ask, down("identity"), mail), status=503)
    yield Visit("code asked too often", (ask, mail, ask, mail, ask, mail, ask, mail), status=429)
    yield Visit("code sent", (ask, mail))
    yield Visit("code sent to nobody", (ask, nobody))
    yield Visit("code typed without a request", (type_,))
    yield Visit("code typed empty", (ask, mail, Send(type_)), status=400)
    yield Visit("code typed wrong", (ask, mail, Send(type_, {"code": "0000 0000"})), status=403)
    yield Visit("code wrong too often", (ask, mail, *[Send(type_, {"code": "0000 0000"})] * 6), status=429)
    yield Visit("code typed right", (ask, mail, Send(type_, lambda world: {"code": world.code()})))
    yield Visit("code by letter", (once,))
    yield Visit("code by letter empty", (once, Send(once)), status=400)
    yield Visit("code by letter wrong", (once, Send(once, {"code": "AAAA-AAAA-AAAA"})), status=403)
    right = Send(once, lambda world: {"code": world.code()})
    yield Visit("code by letter right", (letter, who, once, right))
    yield Visit("letter", (letter,))
    yield Visit("letter empty", (letter, Send(letter)), status=400)
    yield Visit("letter, identity down", (letter, down("identity"), who), status=503)
    yield Visit("letter asked", (letter, who))
    yield Visit("letter asked twice", (letter, who, letter, who), status=429)
    yield Visit("spool", ("/demonstration/messages",))
    yield Visit("spool, one person", ("/demonstration/messages?a=06+39+98+00+12",))
    yield Visit("spool, nothing found", ("/demonstration/messages?a=personne",))
    yield Visit("spool, notifications down", (down("notifications"), "/demonstration/messages"))


def _reception() -> Iterator[Visit]:
    """The desk where people come."""
    root = "/agent/guichet"
    session, contacts, letter = f"{root}/connexion", f"{root}/coordonnees", f"{root}/courrier"
    person = {"family_name": "Moreau", "given_name": "Lilas", "birth_date": "12/03/1980"}
    seen = person | {"proof": "passport"}
    yield Visit("sign in somebody", (session,), AGENT)
    yield Visit("sign in somebody, empty", (session, Send(session)), AGENT, 400)
    yield Visit("sign in nobody known", (session, Send(session, seen | {"given_name": "Inconnue"})), AGENT, 409)
    yield Visit("sign in oneself", (session, Send(session, seen | OWN)), AGENT, 409)
    yield Visit("sign in somebody, identity down", (session, down("identity"), Send(session, seen)), AGENT, 503)
    yield Visit("somebody's code", (session, Send(session, seen)), AGENT)
    yield Visit("trail of the desk", (_signed_in_at_the_desk, f"{root}/journal"), AUDITOR)
    yield Visit("trail of the desk, empty", (f"{root}/journal",), ADMINISTRATOR)
    who, new = f"{letter}/personne", f"{contacts}/nouvelles"
    yield Visit("order a letter begins", (letter,), AGENT, 303)
    yield Visit("order a letter", (who,), AGENT)
    yield Visit("order a letter, check", (who, Send(who, person), f"{letter}/verifier"), AGENT)
    yield Visit("letter ordered", (who, Send(who, person), Send(f"{letter}/envoyer")), AGENT)
    yield Visit("letter draft dropped", (who, Send(who, person), who, Send(f"{letter}/effacer")), AGENT)
    yield Visit("order a letter on paper", (f"{letter}/papier",), AGENT)
    yield Visit("order a letter described", (f"{letter}/formulaire.json",), AGENT, kind=JSON)
    asked = Send(f"{new}/coordonnees", {"email": "nouvelle@exemple.fr", "phone": "", "proof": "identity_card"})
    begun = (f"{new}/personne", Send(f"{new}/personne", person))
    wrong = Send(f"{new}/coordonnees", {"email": "x", "phone": "", "proof": "passport"})
    yield Visit("change contacts begins", (new,), AGENT, 303)
    yield Visit("change contacts", (f"{new}/personne",), AGENT)
    yield Visit("change contacts, second step", begun, AGENT)
    yield Visit("change contacts, found again", (*begun, asked, f"{new}/coordonnees"), AGENT)
    yield Visit("change contacts, check", (*begun, asked, f"{new}/verifier"), AGENT)
    yield Visit("change asked", (*begun, asked, Send(f"{new}/envoyer")), AGENT)
    yield Visit("change of no contact", (*begun, wrong, Send(f"{new}/envoyer")), AGENT, 409)
    yield Visit("change dropped", (*begun, asked, f"{new}/coordonnees", Send(f"{new}/effacer")), AGENT)
    yield Visit("change contacts on paper", (f"{new}/papier",), AGENT)
    yield Visit("change contacts described", (f"{new}/formulaire.json",), AGENT, kind=JSON)
    yield Visit("changes, none waits", (contacts,), AGENT)
    yield Visit("changes, identity down", (down("identity"), contacts), AGENT)
    confirm, withdraw = f"{contacts}/confirmation", f"{contacts}/retrait"
    waits = (_change_waits, contacts)
    yield Visit("changes", waits, AGENT)
    yield Visit("confirm a change", (*waits, Send(confirm)), AGENT)
    yield Visit("change confirmed", (*waits, Send(confirm), Send(f"{confirm}/confirmer")), AGENT)
    yield Visit("withdraw a change", (*waits, Send(withdraw)), AGENT)
    yield Visit("change withdrawn", (*waits, Send(withdraw), Send(f"{withdraw}/confirmer")), AGENT)
    gone = {"change": "0" * 32}
    yield Visit("change is gone", (*waits, Send(confirm, gone)), AGENT, 404)


def _rolls() -> Iterator[Visit]:
    root, one = "/agent/listes", f"/agent/listes/import/{staff_cases.IMPORT}"
    new, start, drop = f"{root}/import", f"{root}/import/confirmation", f"{root}/import/abandon"
    good, bad = Send(new, file=("file", staff_cases.FAULTY)), Send(new, file=("file", "nom;taille\n"))
    yield Visit("rolls", (root,), AGENT)
    yield Visit("rolls, none of that name", (f"{root}?q=martiens",), ADMINISTRATOR)
    yield Visit("rolls, identity down", (down("identity"), root), AGENT)
    yield Visit("roll", (staff_cases.send, staff_cases.freeze, f"{root}/liste/habitants"), AGENT)
    yield Visit("roll, ballot down", (staff_cases.freeze, down("ballot"), f"{root}/liste/habitants"), AGENT)
    yield Visit("roll of no poll", (f"{root}/liste/habitants",), AGENT)
    yield Visit("roll of nobody", (f"{root}/liste/personne",), AGENT, 404)
    yield Visit("roll template", (f"{root}/modele.csv",), AGENT, kind="text/csv")
    yield Visit("import", (new,), AGENT)
    yield Visit("import nothing", (new, Send(new)), AGENT, 400)
    yield Visit("import, identity down", (new, down("identity"), good), AGENT, 503)
    yield Visit("import sent", (new, good), AGENT)
    yield Visit("import refused", (new, bad), AGENT)
    yield Visit("import being checked", (staff_cases.send_unchecked, one), AGENT)
    yield Visit("import being checked, standing still", (staff_cases.send_unchecked, f"{one}?arret=1"), AGENT)
    checked = (staff_cases.send, one)
    yield Visit("import checked", checked, AGENT)
    yield Visit("import report", (staff_cases.send, f"{one}/rapport"), AGENT)
    yield Visit("import report, nothing of the kind", (staff_cases.send, f"{one}/rapport?kind=note"), AGENT)
    yield Visit("import to confirm", (*checked, Send(start)), AGENT)
    confirm = f"{start}/confirmer"
    yield Visit("import of good lines not asked", (*checked, Send(start), Send(confirm)), AGENT, 409)
    yield Visit("import under way", (*checked, Send(start), Send(confirm, {"keep_good": "oui"})), AGENT)
    yield Visit("import done", (staff_cases.send_all, one), AGENT)
    yield Visit("import to give up", (*checked, Send(drop)), AGENT)
    yield Visit("import given up", (*checked, Send(drop), Send(f"{drop}/confirmer")), AGENT)
    yield Visit("imports", (staff_cases.send_all, f"{root}/imports"), AGENT)
    yield Visit("imports, none", (f"{root}/imports",), AGENT)
    yield Visit("imports, identity down", (down("identity"), f"{root}/imports"), AGENT)


def _people() -> Iterator[Visit]:
    root, twins, appeals = "/agent/personnes", "/agent/doublons", "/agent/recours"
    correct, compare, answer = f"{root}/correction", f"{twins}/examen", f"{appeals}/reponse"
    seen = (staff_cases.much_happened, root, Send(root, staff_cases.PERSON))
    yield Visit("person to find", (root,), AGENT)
    yield Visit("person, nothing typed", (root, Send(root)), AGENT, 400)
    yield Visit("person unknown", (root, Send(root, staff_cases.PERSON | {"given_name": "Lila"})), AGENT, 404)
    yield Visit("person, identity down", (root, down("identity"), Send(root, staff_cases.PERSON)), AGENT, 503)
    yield Visit("person", seen, AGENT)
    yield Visit("person of another page", (staff_cases.appeal, appeals, Send(f"{root}/fiche")), AGENT)
    yield Visit("correct", (*seen, Send(correct)), AGENT)
    yield Visit("correct nothing", (*seen, Send(correct), Send(f"{correct}/confirmer")), AGENT, 400)
    change = {"field": "address", "value": "4 quai de la Vère", "reason": "justificatif vu"}
    yield Visit("corrected", (*seen, Send(correct), Send(f"{correct}/confirmer", change)), AGENT)
    wrong = change | {"field": "email"}
    yield Visit("correct, wrong value", (*seen, Send(correct), Send(f"{correct}/confirmer", wrong)), AGENT, 409)
    compared = (staff_cases.twins, twins, Send(compare))
    two = {"decision": "two", "reason": "jumelles"}
    yield Visit("duplicates, none", (twins,), AGENT)
    yield Visit("duplicates", (staff_cases.twins, twins), AGENT)
    yield Visit("duplicates, identity down", (down("identity"), twins), AGENT)
    yield Visit("compare", compared, AGENT)
    yield Visit("compare, nothing said", (*compared, Send(f"{compare}/confirmer")), AGENT, 400)
    yield Visit("compared", (*compared, Send(f"{compare}/confirmer", two)), AGENT)
    gone = (staff_cases.twins, twins, staff_cases.told_apart, Send(compare))
    yield Visit("compare, decided meanwhile", gone, AGENT, 404)
    read = (staff_cases.appeal_about_a_poll, appeals, Send(answer))
    yield Visit("appeals, none", (appeals,), AGENT)
    yield Visit("appeals", (staff_cases.appeal, appeals), AGENT)
    yield Visit("appeals, none granted", (f"{appeals}?state=granted",), AGENT)
    yield Visit("appeals, identity down", (down("identity"), appeals), AGENT)
    yield Visit("appeal", read, AGENT)
    yield Visit("appeal, nothing said", (*read, Send(f"{answer}/confirmer")), AGENT, 400)
    said = {"decision": "granted", "answer": "Vous êtes sur la liste."}
    answered = (*read, Send(f"{answer}/confirmer", said))
    yield Visit("appeal answered", answered, AGENT)
    yield Visit("appeals granted", (*answered, f"{appeals}?state=granted", Send(answer)), AGENT)


def _inbox() -> Iterator[Visit]:
    root = "/agent/a-valider"
    yield Visit("first page of agents", (staff_cases.all_waits, "/agent"), AGENT)
    yield Visit("first page of agents, identity down", (down("identity"), "/agent"), AGENT)
    yield Visit("inbox, nothing waits", (root,), AGENT)
    yield Visit("inbox", (staff_cases.all_waits, root), AGENT)
    yield Visit("inbox of an administrator", (staff_cases.all_waits, root), ADMINISTRATOR)
    yield Visit("inbox, identity down", (down("identity"), root), AGENT)
    accepted = {"decision": "accept", "reason": "vu", "stratum": "habitants", "until": ""}
    for name in ("correction", "rattachement", "organisation", "effacement"):
        path = f"{root}/{name}"
        asked = (staff_cases.all_waits, root, Send(path))
        yield Visit(f"decide on: {name}", asked, AGENT)
        yield Visit(f"decide on: {name}, nothing said", (*asked, Send(f"{path}/confirmer")), AGENT, 400)
        yield Visit(f"decided on: {name}", (*asked, Send(f"{path}/confirmer", accepted)), AGENT)
    own = (staff_cases.own_correction, root, Send(f"{root}/correction"))
    yield Visit("decide on what one asked oneself", own, AGENT)


def _signed_in_at_the_desk(world: World) -> None:
    world.identity.parts.desk().open("subject-lilas", "passport", "subject-ines")


def _change_waits(world: World) -> None:
    desk = world.identity.parts.desk()
    desk.ask_change("subject-lilas", "nouvelle@exemple.fr", "", "identity_card", "subject-tous")


def _provider() -> Iterator[Visit]:
    leave = Send("/connexion/franceconnect")
    back, out = ("/connexion", leave, Onward()), ("/", Send("/deconnexion"))
    yield Visit("leaving for a provider", ("/connexion", leave))
    yield Visit("signed in by a provider", back)
    yield Visit("provider, gave up", (_provider_says(denies=True), *back), status=403)
    yield Visit("provider, gives no token", (_provider_says(status={"/token": 503}), *back), status=503)
    yield Visit("provider, on no roll", (_provider_says(info_claims={"family_name": "Morel"}), *back), status=403)
    yield Visit("provider, lower level", (_provider_says(id_claims={"acr": "eidas0"}), *back), status=403)
    yield Visit("provider, by address", ("/connexion/franceconnect/retour",), status=400)
    agent, link = _provider_says(info_claims={"birthdate": None}), Send("/connexion/proconnect")
    yield Visit("provider, not linked yet", (agent, "/connexion", link, Onward()), status=403)
    yield Visit("provider, linked", (agent, "/connexion", link, Onward()), RESIDENT)
    yield Visit("provider, linked to another", (agent, "/connexion", link, Onward()), OTHER, 409)
    yield Visit("leaving a provider", (*back, *out))
    yield Visit("signed out of a provider", (*back, *out, Onward()))
    yield Visit("signed out, another's state", ("/connexion/fin?state=x",), status=400)


def _provider_says(**change: object) -> Happening:
    return lambda world: vars(world.provider).update(change)


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


def _office() -> Iterator[Visit]:
    """Publishing a poll, and the figures of polls."""
    figures, one, ask = "/agent/chiffres", f"{DESK}/{OPEN}/chiffres", Send(f"{DESK}/publication")
    draft, confirm = f"{DESK}/{office_cases.DRAFT}", Send(f"{DESK}/publication/confirmer")
    yield Visit("desk, drafts alone", (office_cases.add_draft, f"{DESK}?state=draft"), OFFICER)
    yield Visit("desk, no such state", (f"{DESK}?state=x",), OFFICER, 400)
    yield Visit("desk, none in that state", (f"{DESK}?state=closing",), OFFICER)
    yield Visit("desk draft", (office_cases.add_draft, draft), OFFICER)
    yield Visit("preview", (office_cases.add_draft, f"{draft}/apercu"), OFFICER)
    yield Visit("preview, ballot down", (down("ballot"), f"{draft}/apercu"), OFFICER, 503)
    yield Visit("publish", (office_cases.add_draft, draft, ask), OFFICER)
    yield Visit("publish, roll too small", (office_cases.add_draft, draft, ask, confirm), OFFICER, 409)
    large = (office_cases.add_draft, _sixty_residents, draft, ask)
    yield Visit("published", (*large, confirm), OFFICER)
    yield Visit("publish, identity down", (*large, down("identity"), confirm), OFFICER, 503)
    yield Visit("figures", (figures,), OFFICER)
    yield Visit("figures, ballot down", (down("ballot"), figures), OFFICER)
    yield Visit("figures of none", (f"{figures}?state=closing",), OFFICER)
    yield Visit("figures of no such state", (f"{figures}?state=draft",), OFFICER, 400)
    yield Visit("figures as a spreadsheet", (f"{figures}?format=ods",), OFFICER, kind=ODS)
    yield Visit("figures of a poll", (one,), OFFICER)
    yield Visit("figures of a poll not open", (f"{DESK}/{SOON}/chiffres",), OFFICER)
    yield Visit("figures of a poll, ballot down", (down("ballot"), one), OFFICER, 503)


def _sixty_residents(world: World) -> None:
    world.identity.populate(60)


def _making() -> Iterator[Visit]:
    """A poll made step by step, changed, replaced: the same steps at three addresses. Drafts outlive a visit."""
    new, typed = office_cases.NEW, office_cases.STEPS
    steps = [(f"{new}/{slug}", Send(f"{new}/{slug}", fields)) for slug, fields in typed.items()]
    whole: tuple[Step, ...] = tuple(step for pair in steps for step in pair)
    yield Visit("make a poll begins", (new,), OFFICER, 303)
    for method in ("yes_no", "multiple_choice", "score", "cumulative", "supports", "budget_equal_shares"):
        asked = Send(f"{new}/question-1", {"text": "Quoi ?", "method": method})
        yield Visit(f"make a poll, {method}", (f"{new}/question-1", asked, f"{new}/reponses-1"), OFFICER)
    for method in ("majority_judgment", "budget_greedy"):
        asked = Send(f"{new}/question-1", {"text": "Quoi ?", "method": method})
        empty = Send(f"{new}/reponses-1", {"options": "", "seats": "x", "grades": "", "budget": "x"})
        yield Visit(f"make a poll, {method} wrong", (f"{new}/question-1", asked, empty), OFFICER, 400)
    for (path, _), slug in zip(steps, typed, strict=True):
        nothing = Send(path, {"name": "", "text": "", "options": "", "opens_day": "", "closes_hour": "25 h"})
        yield Visit(f"make a poll, {slug}", (*whole, path), OFFICER)
        yield Visit(f"make a poll, {slug} wrong", (path, nothing), OFFICER, 400)
    yield Visit("make a poll, check", (*whole, f"{new}/verifier"), OFFICER)
    more = Send(f"{new}/reponses-1", office_cases.ANSWERED | {"another": "oui"})
    yield Visit("make a poll, one more question", (*whole, f"{new}/reponses-1", more), OFFICER)
    yield Visit("make a poll, identity down", (f"{new}/sujet", down("identity"), steps[0][1]), OFFICER, 503)
    yield Visit("make a poll, ballot down", (*whole, down("ballot"), Send(f"{new}/envoyer")), OFFICER, 503)
    yield Visit("poll made", (*whole, Send(f"{new}/envoyer")), OFFICER)
    yield Visit("make a poll dropped", (f"{new}/sujet", steps[0][1], f"{new}/sujet", Send(f"{new}/effacer")), OFFICER)
    yield Visit("make a poll on paper", (f"{new}/papier",), OFFICER)
    yield Visit("make a poll described", (f"{new}/formulaire.json",), OFFICER, kind=JSON)
    draft, fresh = f"{DESK}/{office_cases.DRAFT}/modifier", f"{DESK}/{office_cases.FRESH}/remplacer"
    yield from _again("change", draft, office_cases.add_draft)
    yield from _again("replace", fresh, office_cases.add_published)


def _again(name: str, root: str, stands: Happening) -> Iterator[Visit]:
    begun: tuple[Step, ...] = (stands, root)
    for slug in (*office_cases.STEPS, *(["motif"] if name == "replace" else [])):
        yield Visit(f"{name} a poll, {slug}", (*begun, f"{root}/{slug}"), OFFICER)
    subject = Send(f"{root}/sujet", office_cases.SUBJECT)
    for slug in ("question-1", "reponses-1", "dates", "listes"):
        sent = Send(f"{root}/{slug}", office_cases.STEPS[slug])
        yield Visit(f"{name} a poll, {slug} sent", (*begun, f"{root}/{slug}", sent), OFFICER)
    why = Send(f"{root}/motif", {"reason": "La date de clôture était fausse."})
    reason: tuple[Step, ...] = (f"{root}/motif", why) if name == "replace" else ()
    whole = (*begun, f"{root}/sujet", subject, *reason, f"{root}/verifier")
    yield Visit(f"{name} a poll, check", whole, OFFICER)
    yield Visit(f"{name} a poll, dropped", (*whole, Send(f"{root}/effacer")), OFFICER, 303)
    yield Visit(f"{name} a poll, done", (*whole, Send(f"{root}/envoyer")), OFFICER)
    yield Visit(f"{name} a poll begins", begun, OFFICER, 303)
    yield Visit(f"{name} a poll on paper", (*begun, f"{root}/papier"), OFFICER)
    yield Visit(f"{name} a poll described", (*begun, f"{root}/formulaire.json"), OFFICER, kind=JSON)


def _lifting() -> Iterator[Visit]:
    lift = f"{DESK}/{OPEN}/reedition"
    who = {"family_name": "Moreau", "given_name": "Lilas", "birth_date": "12/03/1980"}
    person, agreed = Send(f"{lift}/personne", who), Send(f"{lift}/accord", {"aware": "oui"})
    whole = (_issued, f"{lift}/personne", person, f"{lift}/accord", agreed)
    yield Visit("reissue begins", (lift,), OFFICER, 303)
    yield Visit("reissue", (f"{lift}/personne",), OFFICER)
    yield Visit("reissue empty", (f"{lift}/personne", Send(f"{lift}/personne")), OFFICER, 400)
    yield Visit("reissue, what it does", (f"{lift}/accord",), OFFICER)
    yield Visit("reissue, check", (*whole, f"{lift}/verifier"), OFFICER)
    yield Visit("reissue asked", (*whole, f"{lift}/verifier", Send(f"{lift}/envoyer")), OFFICER)
    yield Visit("reissue dropped", (f"{lift}/personne", person, f"{lift}/personne", Send(f"{lift}/effacer")), OFFICER)
    yield Visit("reissue on paper", (f"{lift}/papier",), OFFICER)
    yield Visit("reissue described", (f"{lift}/formulaire.json",), OFFICER, kind=JSON)


def _issued(world: World) -> None:
    office_cases.add_open_issuance(world, OPEN)


def _staff() -> Iterator[Visit]:
    """What a flow, a list and an action that asks look like, on the pages of roles."""
    roles, give, end = "/agent/roles", "/agent/roles/nouveau", "/agent/roles/fin"
    who = {"family_name": "Diallo", "given_name": "Inès", "birth_date": "12/03/1980"}
    person, role = Send(f"{give}/personne", who), Send(f"{give}/role", {"role": "moderator", "until": "1/7/2031"})
    begin = f"{give}/personne"  # drafts outlive a visit: by its own address, not by where the last one stopped
    yield Visit("first page of staff", ("/agent",), ADMINISTRATOR)
    yield Visit("roles", (roles,), ADMINISTRATOR)
    yield Visit("roles read by an auditor", (roles,), AUDITOR)
    yield Visit("roles, identity down", (down("identity"), roles), ADMINISTRATOR)
    yield Visit("roles as csv", (f"{roles}?format=csv",), ADMINISTRATOR, kind="text/csv")
    yield Visit("give a role begins", (give,), ADMINISTRATOR, 303)
    yield Visit("give a role", (begin,), ADMINISTRATOR)
    yield Visit("give a role empty", (begin, Send(begin)), ADMINISTRATOR, 400)
    yield Visit("give a role, identity down", (begin, down("identity"), person), ADMINISTRATOR, 503)
    yield Visit("give a role, second step", (begin, person), ADMINISTRATOR)
    yield Visit("give a role, draft found again", (begin, person, begin), ADMINISTRATOR)
    yield Visit("give a role, draft dropped", (begin, person, Send(f"{give}/effacer")), ADMINISTRATOR)
    yield Visit("give a role, check", (begin, person, role), ADMINISTRATOR)
    yield Visit("give a role, check again", (begin, person, role, f"{give}/verifier"), ADMINISTRATOR)
    yield Visit("role given", (begin, person, role, Send(f"{give}/envoyer")), ADMINISTRATOR)
    nobody = Send(f"{give}/personne", who | {"given_name": "Inconnue"})
    yield Visit("give a role to nobody", (begin, nobody, role, Send(f"{give}/envoyer")), ADMINISTRATOR, 409)
    yield Visit("give a role on paper", (f"{give}/papier",), ADMINISTRATOR)
    yield Visit("give a role described", (f"{give}/formulaire.json",), ADMINISTRATOR, kind=JSON)
    yield Visit("end a role", (roles, Send(end)), ADMINISTRATOR)
    last = {"subject": "subject-ada", "role": "administrator"}
    alone = (roles, Send(end, {"subject": "subject-tous", "role": "administrator"}), Send(f"{end}/confirmer"))
    yield Visit("role ended", alone, ADMINISTRATOR)
    yield Visit("last role kept", (*alone, Send(end, last), Send(f"{end}/confirmer")), ADMINISTRATOR, 409)
    yield Visit("journal empty", ("/agent/journal",), AUDITOR)
    yield from _keys()
    yield Visit("journal", (*alone, "/agent/journal"), ADMINISTRATOR)
    yield Visit("journal of one action", (*alone, "/agent/journal?action=Comptage+confirmé"), ADMINISTRATOR)
    yield Visit("journal of no action", ("/agent/journal?action=rien",), AUDITOR, 400)
    yield Visit("my space empty", ("/mon-espace",), RESIDENT)
    yield Visit("my space", (begin, person, role, Send(f"{give}/envoyer"), begin, person, "/mon-espace"), ADMINISTRATOR)
    yield Visit("my space on a shared computer", ("/mon-espace", Send("/session/partage")), RESIDENT)
    yield Visit("session prolonged", ("/mon-espace", Send("/session/prolonger")), RESIDENT)
    yield Visit("my space, identity down", (down("identity"), "/mon-espace"), RESIDENT)
    yield Visit("receipt of nobody", ("/recus/0123",), RESIDENT, 404)


def _keys() -> Iterator[Visit]:
    """Of the public API."""
    keys, new, end = "/agent/cles", "/agent/cles/nouvelle", "/agent/cles/fin"
    who = {"family_name": "Moreau", "given_name": "Lilas", "birth_date": "12/03/1980"}
    what = {"label": "Portail de données de la région", "scopes": "polls:read", "quota": "1000"}
    made = (new, Send(new, who | what))
    yield Visit("keys", (keys,), ADMINISTRATOR)
    yield Visit("new key", (new,), ADMINISTRATOR)
    yield Visit("new key empty", (new, Send(new, {"quota": ""})), ADMINISTRATOR, 400)
    yield Visit(
        "new key that ends too soon", (new, Send(new, who | what | {"ends_on": "1/1/2020"})), ADMINISTRATOR, 400
    )
    yield Visit("new key for nobody", (new, Send(new, who | what | {"given_name": "Lila"})), ADMINISTRATOR, 409)
    yield Visit("new key, identity down", (new, down("identity"), Send(new, who | what)), ADMINISTRATOR, 503)
    yield Visit("key made", made, ADMINISTRATOR)
    yield Visit("keys, identity down", (*made, down("identity"), keys), ADMINISTRATOR)
    yield Visit("end a key", (*made, keys, Send(end)), ADMINISTRATOR)
    yield Visit("key ended", (*made, keys, Send(end), Send(f"{end}/confirmer")), ADMINISTRATOR)


def _results() -> Iterator[Visit]:
    """What each method shows; of ten options, and of a tie."""
    for case in results_cases.CASES:
        if case.size == 10 and (case.variant in ("", "tie") or (case.variant, case.method) == ("nobody", "irv")):
            yield Visit(f"results {case.name}", (counted(case), case.path))
    many = next(case for case in results_cases.CASES if (case.method, case.size, case.variant) == ("irv", 60, ""))
    yield Visit("every round", (counted(many), f"{many.path}/tours/q1"))
    yield Visit("every round, the next", (counted(many), f"{many.path}/tours/q1?page=2"))


def counted(case: results_cases.Case) -> Happening:
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
    yield Visit("language", ("/langue/en?suite=/aide",), status=303)
    yield Visit("check by address", (f"{PAPER}/verifier",), status=303)
    yield Visit("cast by address", (f"{PAPER}/deposer",), status=303)
    yield Visit("api polls", ("/api/v1/polls",), kind=JSON)
    yield Visit("api poll", (f"/api/v1/polls/{OPEN}",), kind=JSON)
    for part in ("manifest", "epochs", "results"):
        yield Visit(f"api {part}", (f"/api/v1/polls/{DONE}/{part}",), kind=JSON)
    yield Visit("api checkpoint", (f"/api/v1/polls/{OPEN}/stations/bureau-1/checkpoint",), kind=TEXT)
    yield Visit("api export", (f"/api/v1/polls/{DONE}/export",), kind="application/x-ndjson")
    yield Visit("api catalogue", ("/api/v1/catalogue.jsonld",), kind="application/ld+json")
    yield Visit("api description", ("/api/v1/openapi.json",), kind=JSON)
    yield Visit("api refusal", ("/api/v1/polls/unknown",), status=404, kind=JSON)
    yield Visit("description", ("/openapi.json",), kind=JSON)
    yield Visit("service worker", ("/service-worker.js",), kind="text/javascript")
    yield Visit("livez", ("/livez",), kind=JSON)
    yield Visit("readyz", ("/readyz",), kind=JSON)
    yield Visit("metrics", ("/metrics",), kind=TEXT)


VISITS: Final = tuple(_visits())
PAGES: Final = tuple(v for v in VISITS if v.kind == HTML and v.status != 303)


class Walker:
    """Makes visits over HTTP, each in a fresh browser and a fresh world. `dress` may change what the services say."""

    def __init__(self, url: str, world: World, dress: Happening = lambda world: None) -> None:
        self.url, self._world, self._dress = url, world, dress

    def walk(self, visit: Visit) -> Answer:
        """Raises AssertionError when the last answer is not the one that the map promises."""
        with visitor(self.url) as client:
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
                request = client.build_request("GET", _found(visit, response, step, "a", "href"))
            elif isinstance(step, Onward):
                onward = Page(response).onward if response is not None else None
                assert onward, f"{visit.name}: the page sends nobody on"
                request = client.build_request("GET", onward)
            else:
                assert response is not None, f"{visit.name} begins with a form"
                page, action = Page(response), _found(visit, response, step.action, "form", "action")
                assert page.has_form(action), f"{visit.name}: no form {action}"
                given = step.fields(self._world) if callable(step.fields) else step.fields
                fields = page.form(action) | dict(given)
                files = {step.file[0]: ("liste.csv", step.file[1].encode(), "text/csv")} if step.file else None
                request = client.build_request("POST", action, data=fields, files=files)
            response = client.send(request)
            trail.append(Asked(request.method, request.url.path, response.status_code))
            while response.status_code == 303 and visit.status != 303:
                response = client.get(response.headers["Location"])
                trail.append(Asked("GET", response.request.url.path, response.status_code))
        return response


def _found(visit: Visit, response: httpx.Response | None, wanted: str, tag: str, attribute: str) -> str:
    """The address itself; one with a star is the first of the page before that it fits."""
    if "*" not in wanted:
        return wanted
    assert response is not None, f"{visit.name} begins with a star"
    told = [one.get(attribute, "") for one in Page(response).all(tag)]
    fitting = [address for address in told if fnmatch(address, wanted)]
    assert fitting, f"{visit.name}: no {wanted} among {told}"
    return fitting[0]
