"""The ballot's form: what was chosen rides in the page itself, never in a session, a draft or an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.gateway.clients.ballot import CredentialState, Manifest
from services.gateway.pages import marking
from services.gateway.pages.marking import Fault
from services.gateway.voting import Answer

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_MAX_SEQ: Final = 1_000_000
_MOST_FIELDS: Final = 6_200  # thirty questions of two hundred options, and some
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a form holds: every field as posted, the answers that they mean, and what is wrong, by question."""

    values: Mapping[str, str]
    answers: list[Answer] = field(default_factory=list)
    faults: Mapping[str, tuple[Fault, ...]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ballot stands among those of its credential: its number, and the leaf hash of the one before."""

    seq: int
    prev: str | None

    @classmethod
    def after(cls, last: CredentialState) -> Place:
        return cls(0, None) if last.seq is None else cls(last.seq + 1, last.leaf_hash)

    @classmethod
    def of_form(cls, form: Mapping[str, Any]) -> Place | None:
        """The place that the check page wrote into the form; None when it is not one."""
        seq, prev = str(form.get("rang", "")), str(form.get("precedent", ""))
        if not (seq.isascii() and seq.isdigit()) or len(seq) > 7 or int(seq) > _MAX_SEQ:
            return None
        if (seq == "0") != (prev == "") or (prev and not _HASH.fullmatch(prev)):
            return None
        return cls(int(seq), prev or None)


def read(manifest: Manifest, form: Mapping[str, Any]) -> Chosen:
    """The answers of a form, question by question. What was typed is kept as it was, right or wrong."""
    values = dict(raw(form))
    answers: list[Answer] = []
    faults: dict[str, tuple[Fault, ...]] = {}
    for question in manifest.questions:
        try:
            answers.append(marking.answer(question, values))
        except marking.Wrong as wrong:
            faults[question.id] = wrong.faults
    return Chosen({name: value for name, value in values.items() if name.startswith(marking.PREFIX)}, answers, faults)


def raw(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The ballot's fields as they came, for when the poll cannot even be read: the page keeps them."""
    known = (marking.PREFIX, "rang", "precedent")
    kept = [(k, str(v)[:_LONGEST]) for k, v in form.items() if k.startswith(known) and v and len(k) <= _LONGEST]
    return kept[:_MOST_FIELDS]
