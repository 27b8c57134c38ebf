"""What people do for themselves, for the map of routes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from services.gateway.pages.kit.pdf import can_print
from tests.gateway.stub_services import CANCELLED, OPEN, SOON, World
from tests.journeys.visits import HTML, JSON, Happening, Send, Step, Visit, down

RESIDENT, OTHER = "LILAS-1", "ZOE-5"
PDF: Final = "application/pdf" if can_print() or os.environ.get("CI") else HTML  # without Pango, a page to print
WHY, APPEAL = f"/scrutins/{OPEN}/pourquoi", f"/scrutins/{OPEN}/recours"
SPACE, DATA, ASSOCIATIONS = "/mon-espace", "/mes-donnees", "/mon-espace/associations"
REASONS: Final = ("may_vote", "took_credential", "not_open_yet", "closed", "another_stratum", "not_on_roll")


def visits() -> Iterator[Visit]:
    yield from _why()
    yield from _appeal()
    yield from _sign_up()
    yield from _associations()
    yield from _data()


def standing(reason: str) -> Happening:
    def change(world: World) -> None:
        world.standing = reason

    return change


def speaks(world: World) -> None:
    """Lilas and Noé speak for an association."""
    registered = world.identity.parts.organisations()
    made = registered.register("Les Amis du lavoir", "rna", "W751000001", "12 rue du Lavoir", "subject-lilas")
    registered.decide(made.subject, True, "seen in the register", "subject-ines")
    registered.delegate(made.subject, "subject-noe", "subject-ines")


def _why() -> Iterator[Visit]:
    for reason in (*REASONS, "not_attached"):
        yield Visit(f"why, {reason}", (standing(reason), WHY), OTHER)
    yield Visit("why, poll cancelled", (f"/scrutins/{CANCELLED}/pourquoi",), OTHER)
    yield Visit("why, poll to come", (f"/scrutins/{SOON}/pourquoi",), RESIDENT)
    yield Visit("why, identity down", (down("identity"), WHY), OTHER)
    yield Visit("why, ballot down", (down("ballot"), WHY), OTHER, 503)


def _appeal() -> Iterator[Visit]:
    step = f"{APPEAL}/motif"
    text = Send(step, {"text": "J’habite ici depuis mars."})
    sent: tuple[Step, ...] = (step, text, Send(f"{APPEAL}/envoyer"))
    yield Visit("appeal begins", (APPEAL,), OTHER, 303)
    yield Visit("own appeal", (step,), OTHER)
    yield Visit("appeal empty", (step, Send(step, {"text": ""})), OTHER, 400)
    yield Visit("appeal, check", (step, text, f"{APPEAL}/verifier"), OTHER)
    yield Visit("appeal sent", sent, OTHER)
    yield Visit("appeal dropped", (step, text, step, Send(f"{APPEAL}/effacer")), OTHER)
    yield Visit("appeal on paper", (f"{APPEAL}/papier",), OTHER)
    yield Visit("appeal described", (f"{APPEAL}/formulaire.json",), OTHER, kind=JSON)
    yield Visit("my space with an appeal", (*sent, SPACE), OTHER)
    yield Visit("sent receipt as a file", (*sent, "/recus/*.pdf"), OTHER, kind=PDF)
    yield Visit("sent receipt by mail", (*sent, Send("/recus/*/courriel")), OTHER)
    yield Visit("sent receipt by mail, down", (*sent, down("notifications"), Send("/recus/*/courriel")), OTHER, 503)


def _sign_up() -> Iterator[Visit]:
    root, person = "/inscription", "/inscription/personne"
    who = {"family_name": "Lefèvre", "given_name": "Maëlle", "birth_date": "24/05/1987", "address": "12 rue du Lavoir"}
    checked: tuple[Step, ...] = (person, Send(person, who))
    send = Send(f"{person}/envoyer")
    yield Visit("sign up", (root,))
    yield Visit("sign up empty", (root, Send(root)), status=400)
    yield Visit("sign up, a person", (root, Send(root, {"kind": "person"})))
    yield Visit("sign up, an association", (root, Send(root, {"kind": "association"})), status=401)
    yield Visit("sign up, who", (person,), RESIDENT)
    yield Visit("sign up, who, empty", (person, Send(person)), status=400)
    yield Visit("sign up, check", checked)
    yield Visit("sign up, changed", (person, Send(person, who | {"modifier": "1"})))
    yield Visit("sign up, identity down", (*checked, down("identity"), send), status=503)
    yield Visit("signed up", (*checked, send))


def _associations() -> Iterator[Visit]:
    new, add, end = f"{ASSOCIATIONS}/nouvelle", f"{ASSOCIATIONS}/delegue", f"{ASSOCIATIONS}/delegue/fin"
    step, other = f"{new}/association", f"{add}/delegue"
    what = {"name": "Les Amis du lavoir", "kind": "rna", "number": "W751000001", "address": "12 rue du Lavoir"}
    filled: tuple[Step, ...] = (step, Send(step, what))
    yield Visit("associations, none", (ASSOCIATIONS,), RESIDENT)
    yield Visit("associations", (speaks, ASSOCIATIONS), RESIDENT)
    yield Visit("associations, identity down", (down("identity"), ASSOCIATIONS), RESIDENT)
    yield Visit("new association begins", (new,), RESIDENT, 303)
    yield Visit("new association", (step,), RESIDENT)
    yield Visit("new association, wrong", (step, Send(step, what | {"number": "W1"})), RESIDENT, 400)
    yield Visit("new association, check", (*filled, f"{new}/verifier"), RESIDENT)
    yield Visit("new association asked", (*filled, Send(f"{new}/envoyer")), RESIDENT)
    yield Visit("new association, known", (speaks, *filled, Send(f"{new}/envoyer")), RESIDENT, 409)
    yield Visit("new association dropped", (*filled, step, Send(f"{new}/effacer")), RESIDENT)
    yield Visit("new association on paper", (f"{new}/papier",), RESIDENT)
    yield Visit("new association described", (f"{new}/formulaire.json",), RESIDENT, kind=JSON)
    named = Send(other, lambda world: {"organisation": _association(world), "number": "subject-zoe"})
    begun: tuple[Step, ...] = (speaks, other, named)
    yield Visit("add a delegate begins", (speaks, add), RESIDENT, 303)
    yield Visit("add a delegate", (speaks, other), RESIDENT)
    yield Visit("add a delegate, empty", (speaks, other, Send(other)), RESIDENT, 400)
    yield Visit("add a delegate, check", (*begun, f"{add}/verifier"), RESIDENT)
    yield Visit("delegate added", (*begun, Send(f"{add}/envoyer")), RESIDENT)
    nobody = Send(other, lambda world: {"organisation": _association(world), "number": "personne"})
    yield Visit("add nobody", (speaks, other, nobody, Send(f"{add}/envoyer")), RESIDENT, 409)
    yield Visit("add a delegate dropped", (*begun, other, Send(f"{add}/effacer")), RESIDENT)
    yield Visit("add a delegate on paper", (speaks, f"{add}/papier"), RESIDENT)
    yield Visit("add a delegate described", (speaks, f"{add}/formulaire.json"), RESIDENT, kind=JSON)
    yield Visit("end a delegate", (speaks, ASSOCIATIONS, Send(end)), RESIDENT)
    yield Visit("delegate ended", (speaks, ASSOCIATIONS, Send(end), Send(f"{end}/confirmer")), RESIDENT)


def _association(world: World) -> str:
    [(made, _)] = world.identity.parts.organisations().own("subject-lilas")
    return made.subject


def _data() -> Iterator[Visit]:
    erase = f"{DATA}/effacement"
    asked: tuple[Step, ...] = (DATA, Send(erase), Send(f"{erase}/confirmer", {"accord": "oui"}))
    yield Visit("my data", (DATA,), RESIDENT)
    yield Visit("my data, identity down", (down("identity"), DATA), RESIDENT)
    yield Visit("my data as json", (f"{DATA}.json",), RESIDENT, kind=JSON)
    yield Visit("my data as pdf", (f"{DATA}.pdf",), RESIDENT, kind=PDF)
    yield Visit("erase me", (DATA, Send(erase)), RESIDENT)
    yield Visit("erase me, not ticked", (DATA, Send(erase), Send(f"{erase}/confirmer")), RESIDENT, 400)
    yield Visit("erasure asked", asked, RESIDENT)
    yield Visit("erasure withdrawn", (*asked, Send(f"{DATA}/garder")), RESIDENT)
