"""What an officer types to make a poll, and polls of the real ballot service that stand at known addresses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.ballot.domain import Poll
from services.gateway.pages.words import PARIS, instant
from tests.gateway.stub_services import World

DRAFT: Final = "5a63bf81-a2c4-4e5f-9b76-647383930aff"
FRESH: Final = "6b74c092-b3d5-4f60-8c87-758494041b00"
NEW: Final = "/agent/scrutins/nouveau"
IN_A_DAY: Final = datetime.now(PARIS) + timedelta(days=1)
SUBJECT: Final = {"name": "La couleur des bancs", "description": "Ligne une.\r\n\r\nLigne deux."}
ASKED: Final = {"text": "Quelle couleur ?", "method": "single_choice"}
ANSWERED: Final = {"options": "Vert\r\nBleu nuit\r\nBleu  nuit !", "seats": "1", "blank": "oui", "tie": "order"}
DATES: Final = {
    "opens_day": f"{IN_A_DAY:%d/%m/%Y}",
    "opens_hour": "8 h",
    "closes_day": f"{IN_A_DAY + timedelta(days=7):%d/%m/%Y}",
    "closes_hour": "18 h 30",
}
LISTS: Final = {"strata": "habitants"}
STEPS: Final = {"sujet": SUBJECT, "question-1": ASKED, "reponses-1": ANSWERED, "dates": DATES, "listes": LISTS}


def add_draft(world: World, poll: str = DRAFT) -> None:
    """A draft that these pages could have made."""
    question = {
        "id": "q1",
        "text": "Quelle couleur pour les bancs ?",
        "method": "single_choice",
        "options": [{"id": "vert", "label": "Vert"}, {"id": "bleu", "label": "Bleu nuit"}, {"id": "o", "label": "…"}],
        "blank": True,
        "tie_break": "order",
        "settings": {"seats": 1},
    }
    draft = {
        "title": "La couleur des bancs",
        "description": "Les bancs de la place sont repeints au printemps.",
        "questions": [question],
        "strata": [{"id": "habitants", "label": "Habitants", "station": "habitants"}],
        "stations": [{"id": "habitants", "label": "Bureau de vote : Habitants"}],
        "opens_at": instant(IN_A_DAY.date(), 8),
        "closes_at": instant((IN_A_DAY + timedelta(days=7)).date(), 18),
        "epoch_seconds": 60,
        "epoch_min": 20,
    }
    world.ballot.town.aggregates.save(Poll(id=UUID(poll), draft=draft, by="subject-aude"))


def add_published(world: World, poll: str = FRESH) -> None:
    """The same, published: with the roll that identity prepared."""
    add_draft(world, poll)
    world.identity.populate(60)
    application = world.ballot.town.application
    says = application.poll(poll).draft
    prepared = world.identity.parts.issuance().prepare(
        poll, ["habitants"], says["opens_at"], says["closes_at"], "subject-aude"
    )
    town_roll = world.ballot.roll(prepared.strata, prepared.issuer_key)
    application.publish(poll, town_roll, "subject-aude")


def add_open_issuance(world: World, poll: str) -> None:
    """Identity gives out rights to vote for a poll of the stub; Lilas has taken hers."""
    now = datetime.now(PARIS)
    opens, closes = (instant((now + timedelta(days=days)).date()) for days in (-2, 2))
    issuance = world.identity.parts.issuance()
    facts = issuance.prepare(poll, ["habitants"], opens, closes, "subject-aude")
    strata = [{**stratum, "issuer_keys": [facts.issuer_key]} for stratum in facts.strata]
    issuance.publish(poll, "ab" * 32, strata, opens, closes)
    issuance.mark(poll, "subject-lilas", b"c" * 32, b"s" * 32)
