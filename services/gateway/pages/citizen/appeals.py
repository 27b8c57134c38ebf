"""An appeal of somebody who cannot vote: an agent reads and answers it; the answer stands in my space."""

from __future__ import annotations

from typing import Final

from services.gateway.pages.front import front, token
from services.gateway.pages.kit.fields import LongText
from services.gateway.pages.kit.flow import Answers, Flow, Said, Sent, Step
from services.gateway.pages.kit.form import Form
from services.shared import web

LONGEST: Final = 3500


class AppealForm(Form):
    title = "Que demandez-vous, et pourquoi ?"
    help = (
        "Un agent lira votre recours et y répondra. Ne dites rien de votre vote : ni votre choix, ni votre code de "
        "vote, ni votre numéro de suivi. Personne n’en a besoin."
    )
    text = LongText(
        "Votre recours",
        ask="Écrivez votre recours",
        hint="Par exemple : depuis quand vous habitez ici, et quel document le montre. Vous l’apporterez au guichet si "
        "un agent le demande.",
        longest=LONGEST,
        rows=8,
    )


def _send(answers: Answers) -> Sent:
    front().own.appeal(str(answers.place["poll"]), answers["motif"].text.data, answers.id, token("identity"))
    text = "Un agent va le lire. Sa réponse paraîtra dans votre espace, sous « Mes recours »."
    return Sent("Recours envoyé", text, [("/mon-espace#recours", "Voir mes recours")])


APPEAL: Final = Flow(
    key="appeal",
    path="/scrutins/<uuid:poll>/recours",
    title="Faire un recours",
    who=web.SIGNED_IN,
    steps=(Step("motif", AppealForm),),
    send=_send,
    label="Envoyer ce recours",
    refusals={
        "TooManyAppeals": Said(
            "Cinq de vos recours attendent déjà une réponse : laissez à un agent le temps de les lire.", "motif", "text"
        ),
    },
)


def add_routes(app: web.App) -> None:
    APPEAL.add_routes(app)
