"""The ballot's form: what was chosen rides in the page itself, never in a session, a draft or an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.clients.ballot import CredentialState, Manifest
from services.gateway.voting import Answer

BLANK: Final = "blanc"
_CHOICE: Final = "choix:"
_PREFIX: Final = "reponse-"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_MAX_SEQ: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a form holds: the value of each question's field as posted, and the answers that they mean."""

    values: Mapping[str, str]
    answers: list[Answer]
    missing: list[str]

    @property
    def complete(self) -> bool:
        return not self.missing


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


def field(question: str) -> str:
    return _PREFIX + question


def read(manifest: Manifest, form: Mapping[str, Any]) -> Chosen:
    """The answers of a form; a value that is none of the question's own counts as missing."""
    values: dict[str, str] = {}
    answers: list[Answer] = []
    missing: list[str] = []
    for question in manifest.questions:
        value = str(form.get(field(question.id), ""))
        options = {_CHOICE + o.id: o.id for o in question.options}
        if value in options:
            answers.append({"choice": options[value]})
        elif value == BLANK and question.blank:
            answers.append({"blank": True})
        else:
            missing.append(question.id)
            continue
        values[question.id] = value
    return Chosen(values, answers, missing)


def raw(form: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The ballot's fields as they came, for when the poll cannot even be read: the page keeps them."""
    kept = [(k, str(v)[:200]) for k, v in form.items() if k.startswith(_PREFIX) or k in ("rang", "precedent")]
    return kept[:100]
