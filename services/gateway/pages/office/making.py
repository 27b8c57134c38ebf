"""Making a poll, changing its draft, replacing its manifest before the opening: the same steps each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.gateway.clients.ballot import Poll
from services.gateway.pages.front import OFFICER, front, token
from services.gateway.pages.kit.flow import Answers, Flow, Repeated, Said, Sent, Step
from services.gateway.pages.kit.steps import Kept
from services.gateway.pages.office import forms
from services.gateway.pages.office.drafting import NotFromPages, as_draft, as_typed
from services.shared import web
from services.shared.errors import NotFound

ROOT: Final = "/agent/scrutins"
ONE: Final = f"{ROOT}/<uuid:poll>"
WHO: Final = web.role(OFFICER)
CRUMBS: Final = (("/", "Scrutins"), ("/agent", "Espace agent"), (ROOT, "Scrutins à conduire"))
_STEPS: Final = (
    Step("sujet", forms.SubjectForm),
    Repeated(
        (Step("question", forms.QuestionForm), Step("reponses", forms.AnswersForm, forms.answers_form)),
        forms.MOST_QUESTIONS,
    ),
    Step("dates", forms.DatesForm),
    Step("listes", forms.ListsForm),
)
REFUSALS: Final = {
    "PollNotDraft": Said("Ce scrutin est publié : son manifeste se remplace, avec un motif."),
    "PollNotPublished": Said("Ce scrutin est ouvert, clos ou annulé : son manifeste ne se remplace plus."),
    "PollOver": Said("La date de clôture est passée : préparez un nouveau scrutin.", "dates", "closes_day"),
    "AnotherReplacement": Said("Une autre personne vient de remplacer ce manifeste. Relisez-le avant de continuer."),
    "IssuanceFrozen": Said("Les listes sont figées depuis la publication : gardez les mêmes.", "listes", "strata"),
    "StratumTooSmall": Said(
        "Une des listes compte moins de 50 personnes : le secret du vote n’y serait pas assuré.", "listes", "strata"
    ),
}


def editable(poll: Poll) -> bool:
    """Whether these pages can ask all that it holds."""
    try:
        as_typed(poll.raw_manifest)
    except NotFromPages:
        return False
    return True


def _read(place: Mapping[str, Any]) -> Poll:
    return front().ballot.poll(str(place["poll"]), token("ballot"))


def _filled(place: Mapping[str, Any]) -> Kept:
    try:
        return as_typed(_read(place).raw_manifest)
    except NotFromPages:
        raise NotFound("made over the API, and changed there", field="poll") from None


def _make(answers: Answers) -> Sent:
    poll = front().ballot.draft(as_draft(answers), answers.id, token("ballot"))
    links = [(f"{ROOT}/{poll}", "Continuer avec ce scrutin"), (f"{ROOT}/{poll}/apercu", "Voir le bulletin de vote")]
    return Sent("Le scrutin est préparé", "Personne d’autre que les responsables de scrutin ne le voit encore.", links)


def _change(answers: Answers) -> Sent:
    found = _read(answers.place)
    front().ballot.redraft(found.poll, as_draft(answers, found.raw_manifest), token("ballot"))
    links = [(f"{ROOT}/{found.poll}", "Revenir au scrutin")]
    return Sent("Le scrutin est modifié", "Il n’est pas encore publié.", links)


def _replace(answers: Answers) -> Sent:
    found = _read(answers.place)
    draft, reason = as_draft(answers, found.raw_manifest), answers["motif"].reason.data
    roll = prepared(found.poll, draft)
    new = front().ballot.replace(found.poll, draft, roll.strata, roll.issuer_key, reason, token("ballot"))
    text = f"Sa nouvelle empreinte : {new}. Publiez-la, puis faites confirmer l’ouverture par deux personnes."
    return Sent("Le manifeste est remplacé", text, [(f"{ROOT}/{found.poll}", "Revenir au scrutin")])


def prepared(poll: str, says: Mapping[str, Any]) -> Any:
    """The roll and the key that identity prepares for a manifest that says this."""
    strata = [stratum["id"] for stratum in says["strata"]]
    return front().identity.prepare(poll, strata, says["opens_at"], says["closes_at"], token("identity"))


NEW: Final = Flow(
    key="poll_new",
    path=f"{ROOT}/nouveau",
    title="Préparer un scrutin",
    who=WHO,
    steps=_STEPS,
    send=_make,
    label="Préparer ce scrutin",
    trail="Scrutin préparé",
    crumbs=CRUMBS,
    refusals=REFUSALS,
    help="Rien n’est public avant la publication, que vous demanderez ensuite.",
)
CHANGE: Final = Flow(
    key="poll_change",
    path=f"{ONE}/modifier",
    title="Modifier un scrutin en préparation",
    who=WHO,
    steps=_STEPS,
    send=_change,
    filled=_filled,
    label="Enregistrer les modifications",
    trail="Scrutin modifié",
    crumbs=CRUMBS,
    refusals=REFUSALS,
)
REPLACE: Final = Flow(
    key="poll_replace",
    path=f"{ONE}/remplacer",
    title="Remplacer le manifeste",
    who=WHO,
    steps=(*_STEPS, Step("motif", forms.ReasonForm)),
    send=_replace,
    filled=_filled,
    label="Remplacer le manifeste",
    trail="Manifeste remplacé",
    crumbs=CRUMBS,
    refusals=REFUSALS,
)


def add_routes(app: web.App) -> None:
    for part in (NEW, CHANGE, REPLACE):
        part.add_routes(app)
