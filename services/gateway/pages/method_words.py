"""French for voting methods: what each is called, how one votes and how it is counted, how ties are decided."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from services.gateway.clients.ballot import Question
from services.gateway.pages.language import plural, said, theirs
from services.gateway.pages.numbers import euros, number


class Method(NamedTuple):
    """`marking`: what the voter does; `counting`: how the result comes about. Each a sentence."""

    name: str
    marking: str
    counting: str


METHODS: Final = {
    "yes_no": Method("Oui ou non", "Choisissez une réponse.", "La réponse qui a le plus de voix l’emporte."),
    "single_choice": Method(
        "Choix unique", "Choisissez une réponse.", "Les réponses qui ont le plus de voix l’emportent."
    ),
    "multiple_choice": Method(
        "Choix multiple", "Cochez plusieurs réponses.", "Les réponses qui ont le plus de voix l’emportent."
    ),
    "approval": Method(
        "Vote par approbation",
        "Cochez toutes les réponses qui vous conviennent.",
        "Les réponses approuvées par le plus de personnes l’emportent.",
    ),
    "supports": Method(
        "Soutien à des propositions",
        "Cochez les propositions que vous soutenez.",
        "Toutes les propositions qui atteignent le seuil sont retenues.",
    ),
    "score": Method(
        "Vote par note", "Donnez une note à chaque réponse.", "Les plus hauts totaux de notes l’emportent."
    ),
    "cumulative": Method(
        "Répartition de points", "Répartissez vos points.", "Les réponses qui ont le plus de points l’emportent."
    ),
    "majority_judgment": Method(
        "Jugement majoritaire",
        "Donnez une mention à chaque réponse.",
        "La réponse dont la mention majoritaire est la meilleure l’emporte : une majorité de votants lui donne cette "
        "mention ou une meilleure.",
    ),
    "borda": Method(
        "Méthode de Borda",
        "Classez les réponses par ordre de préférence.",
        "Chaque rang donne des points : le premier en donne le plus. Le plus grand total l’emporte.",
    ),
    "schulze": Method(
        "Méthode de Condorcet (Schulze)",
        "Classez les réponses par ordre de préférence.",
        "Les réponses sont comparées deux à deux : celle qui gagne tous ses duels l’emporte. S’il n’y en a pas, la "
        "chaîne de duels la plus forte décide.",
    ),
    "ranked_pairs": Method(
        "Méthode de Condorcet (paires classées)",
        "Classez les réponses par ordre de préférence.",
        "Les réponses sont comparées deux à deux : celle qui gagne tous ses duels l’emporte. S’il n’y en a pas, les "
        "duels les plus nets décident d’abord.",
    ),
    "irv": Method(
        "Vote par élimination",
        "Classez les réponses par ordre de préférence.",
        "Tour après tour, la dernière réponse est éliminée et ses voix vont au choix suivant de chaque bulletin, "
        "jusqu’à ce qu’une réponse ait plus de la moitié des voix.",
    ),
    "stv_scottish": Method(
        "Vote unique transférable (règles écossaises)",
        "Classez les réponses par ordre de préférence.",
        "Qui atteint le quota est élu. Ses voix en trop, puis celles des derniers éliminés, vont au choix suivant de "
        "chaque bulletin.",
    ),
    "stv_wigm": Method(
        "Vote unique transférable",
        "Classez les réponses par ordre de préférence.",
        "Qui atteint le quota est élu. Ses voix en trop, puis celles des derniers éliminés, vont au choix suivant de "
        "chaque bulletin.",
    ),
    "budget_greedy": Method(
        "Budget participatif",
        "Choisissez des projets.",
        "Les projets sont financés dans l’ordre des voix, tant que le budget suffit.",
    ),
    "budget_equal_shares": Method(
        "Budget participatif à parts égales",
        "Choisissez des projets.",
        "Chaque votant a la même part du budget. Un projet est financé quand ceux qui le soutiennent peuvent le payer "
        "ensemble, du moins cher par voix au plus cher.",
    ),
    "survey": Method("Questionnaire", "Répondez aux questions.", "Les réponses sont comptées question par question."),
}
_UNKNOWN: Final = Method("Vote", "Donnez votre réponse.", "Le résultat suit la règle du manifeste.")


def method(question: Question) -> Method:
    return METHODS.get(question.method, _UNKNOWN)


def tie_rule(question: Question) -> str:
    """How what remains equal is decided; empty where nothing is."""
    if question.tie_break == "order":
        return said("En cas d’égalité complète, la réponse qui vient la première dans la liste passe devant.")
    if question.tie_break.startswith("lot:"):
        seed = question.tie_break[4:]
        return said("En cas d’égalité complète, un tirage au sort vérifiable décide (graine « %(seed)s »).", seed=seed)
    return said("En cas d’égalité, aucune réponse ne l’emporte.") if question.method == "yes_no" else ""


def explain(question: Question) -> list[str]:
    """How one votes and how it is counted, in sentences for the poll's page."""
    known, says = method(question), question.settings
    sentences = [f"{said(known.name)}. {said(known.marking)} {said(known.counting)}"]
    if says.get("seats", 1) > 1:
        sentences.append(
            plural(
                "%(n)s réponse est retenue.", "%(n)s réponses sont retenues.", says["seats"], n=number(says["seats"])
            )
        )
    if "threshold" in says:
        least = says["threshold"]
        sentences.append(
            plural("Le seuil est de %(n)s soutien.", "Le seuil est de %(n)s soutiens.", least, n=number(least))
        )
    if "budget" in says:
        sentences.append(said("Le budget est de %(budget)s.", budget=euros(says["budget"])))
    if tie := tie_rule(question):
        sentences.append(tie)
    return sentences


def hint(question: Question) -> str:
    """What the ballot asks for, with its numbers."""
    says: dict[str, Any] = question.settings
    match question.method:
        case "multiple_choice":
            return _between(says["least"], says["most"])
        case "approval":
            return said("Cochez toutes les réponses qui vous conviennent.")
        case "supports":
            return said("Cochez une proposition ou plusieurs.")
        case "score":
            return said(
                "Donnez une note de %(least)s à %(most)s. Une réponse sans note reçoit la plus basse.",
                least=says["least"],
                most=says["most"],
            )
        case "cumulative":
            return _points(says["points"], says["most"])
        case "majority_judgment":
            worst = theirs(says["grades"][-1]["label"])
            return said(
                "Donnez une mention à chaque réponse. Sans mention, une réponse reçoit « %(worst)s ».", worst=worst
            )
        case "borda" | "schulze" | "ranked_pairs":
            return said(
                "1 est votre préférée. Deux réponses peuvent avoir le même rang. Celles que vous ne classez pas "
                "viennent après toutes les autres."
            )
        case "irv" | "stv_scottish" | "stv_wigm":
            return said(
                "1 est votre préférée. Donnez un rang différent à chacune ; vous pouvez vous arrêter quand vous voulez."
            )
        case "budget_greedy" | "budget_equal_shares":
            return _shared_out(says)
        case _:
            return ""


def _shared_out(says: dict[str, Any]) -> str:
    ballot = says["ballot"]
    most = ballot["most"]
    asked = _projects(ballot["least"], most) if ballot["kind"] == "approval" else _points(ballot["points"], most)
    return f"{asked} {said('Le budget total est de %(budget)s.', budget=euros(says['budget']))}"


def _between(least: int, most: int) -> str:
    if least == most:
        return plural("Cochez exactement %(n)s réponse.", "Cochez exactement %(n)s réponses.", most, n=number(most))
    return plural(
        "Cochez %(least)s à %(n)s réponse.", "Cochez %(least)s à %(n)s réponses.", most, n=number(most), least=least
    )


def _projects(least: int, most: int) -> str:
    if least == most:
        return plural("Cochez exactement %(n)s projet.", "Cochez exactement %(n)s projets.", most, n=number(most))
    return plural(
        "Cochez %(least)s à %(n)s projet.", "Cochez %(least)s à %(n)s projets.", most, n=number(most), least=least
    )


def _points(points: int, most: int) -> str:
    if most < points:
        return plural(
            "Vous avez %(n)s point à répartir, %(most)s au plus sur une même réponse.",
            "Vous avez %(n)s points à répartir, %(most)s au plus sur une même réponse.",
            points,
            n=number(points),
            most=most,
        )
    return plural("Vous avez %(n)s point à répartir.", "Vous avez %(n)s points à répartir.", points, n=number(points))
