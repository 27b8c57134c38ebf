"""Accounts that may be one person's: shown side by side, decided by people, two of them for a merge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.clients.persons import Person
from services.gateway.clients.registry import LISTED, Pair
from services.gateway.pages import words
from services.gateway.pages.front import front, is_caller, session, token
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.confirm import Asked, Compared, Confirm
from services.gateway.pages.kit.fields import Choice, LongText
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Action, Column, Listing, Rows
from services.gateway.pages.kit.steps import Said
from services.gateway.pages.staff.entries import FIELDS, value
from services.gateway.pages.staff.rolls import CRUMBS, WHO
from services.gateway.pages.staff.sheets import OWN
from services.shared import web

ROOT: Final = "/agent/doublons"
_WHY: Final = {
    "near_names": "Même date de naissance, noms proches",
    "day_month_swapped": "Mêmes noms, jour et mois de naissance intervertis",
}
_KEEP: Final = {"first": "Une seule personne : garder le compte A", "second": "Une seule personne : garder le compte B"}
_TWO: Final = ("two", "Deux personnes différentes : ne plus les montrer")
_HINTS: Final = {"two": "Un seul agent suffit : rien n’est fusionné."}


class PairForm(Form):
    decision = Choice("Votre décision", [*_KEEP.items(), _TWO], ask="Choisissez une décision", hints=_HINTS)
    reason = LongText(
        "Motif", ask="Indiquez le motif", rows=3, hint="Les deux comptes le gardent, et la personne le lit."
    )


def _narrowed(*choices: tuple[str, str]) -> type[Form]:
    class Narrow(PairForm):
        decision = Choice("Votre décision", list(choices), ask="Choisissez une décision", hints=_HINTS)

    return Narrow


_OF_THE_FIRST: Final = {
    "first": _narrowed(("first", "Confirmer : une seule personne, garder le compte A"), _TWO),
    "second": _narrowed(("second", "Confirmer : une seule personne, garder le compte B"), _TWO),
    "mine": _narrowed(_TWO),
}


def _rows(_filters: Form, number: int) -> Rows:
    found = front().registry.pairs(number, token("identity"))
    return Rows(found, number + (len(found) == LISTED))


def _state(pair: Pair) -> str:
    if pair.state != "asked":
        return "À examiner"
    return "Vous avez demandé la fusion" if is_caller(pair.asked_by) else "Fusion demandée, à confirmer"


def _ask(given: Mapping[str, str]) -> Asked:
    pair = front().registry.pair(given["first"], given["second"], token("identity"))
    rows = [(label, _of(pair.first, name), _of(pair.second, name)) for name, label in FIELDS.items()]
    text = f"{_WHY.get(pair.why, 'Noms proches')}. Rien n’est fusionné sans deux agents qui disent la même chose."
    asked: Any = {"compared": Compared(("Compte A", "Compte B"), rows), "form": PairForm}
    if pair.state == "asked":
        kept = "first" if pair.kept == pair.first.subject else "second"
        by = "Vous avez demandé" if is_caller(pair.asked_by) else "Un collègue demande"
        asked["rows"] = [
            (f"{by} la fusion", f"Garder le compte {'A' if kept == 'first' else 'B'}"),
            ("Motif", pair.reason),
        ]
        asked["form"] = _OF_THE_FIRST["mine" if is_caller(pair.asked_by) else kept]
        if is_caller(pair.asked_by):
            text = "Vous avez demandé cette fusion : un autre agent doit la confirmer. Vous pouvez encore l’écarter."
    person = session()
    if person is not None and person.subject in (pair.first.subject, pair.second.subject):
        asked["closed"] = OWN
    return Asked("Est-ce la même personne ?", text, **asked)


def _of(person: Person, field: str) -> str:
    return value(field, getattr(person, field))


def _decide(given: Mapping[str, str]) -> str:
    one, other, decision = given["first"], given["second"], given["decision"]
    pair = front().registry.pair(one, other, token("identity"))
    kept = {"first": pair.first.subject, "second": pair.second.subject}.get(decision, "")
    trail.about(kept or pair.first.subject)
    said = "one_person" if kept else "two_people"
    state = front().registry.decide_pair(one, other, said, kept, given["reason"], token("identity"))
    return f"{ROOT}?fait={state}"


COMPARE: Final = Confirm(
    key="duplicate",
    path=f"{ROOT}/examen",
    who=WHO,
    fields=("first", "second"),
    ask=_ask,
    do=_decide,
    form=PairForm,
    label="Décider",
    back=ROOT,
    trail="Doublon probable décidé",
    crumbs=(*CRUMBS, (ROOT, "Doublons probables")),
    gone="Ces deux comptes ont été départagés ou fusionnés entre-temps.",
    refusals={
        "OwnCase": OWN,
        "SecondPersonNeeded": "Vous avez demandé cette fusion : un autre agent doit la confirmer.",
        "AnotherKept": Said("Le premier agent a demandé de garder l’autre compte.", field="decision"),
        "BadInput.kept": Said("Gardez le compte qui est sur une liste.", field="decision"),
    },
)
LIST: Final = Listing(
    key="doublons",
    path=ROOT,
    title="Doublons probables",
    who=WHO,
    help="Des comptes qui se ressemblent, trouvés d’eux-mêmes. Aucun n’est fusionné sans que deux agents le décident.",
    crumbs=CRUMBS,
    columns=(
        Column("Compte A", lambda pair: pair.first.display_name),
        Column("Compte B", lambda pair: pair.second.display_name),
        Column("Pourquoi", lambda pair: _WHY.get(pair.why, pair.why)),
        Column("Trouvés le", lambda pair: words.day_and_time(pair.at), value=lambda pair: words.clock_of(pair.at)),
        Column("État", _state),
    ),
    rows=_rows,
    empty="Aucun doublon probable n’attend de décision.",
    actions=(
        Action(
            "Comparer",
            f"{ROOT}/examen",
            lambda pair: {"first": pair.first.subject, "second": pair.second.subject},
            lambda pair: f"{pair.first.display_name} et {pair.second.display_name}",
        ),
    ),
    done={
        "two_people": "C’est noté : ce sont deux personnes. Ces comptes ne seront plus montrés.",
        "asked": "La fusion est demandée. Un autre agent doit dire la même chose.",
        "merged": "Les deux comptes sont fusionnés.",
    },
)


def add_routes(app: web.App) -> None:
    for part in (LIST, COMPARE):
        part.add_routes(app)
