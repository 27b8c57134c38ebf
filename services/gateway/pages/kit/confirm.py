"""An action that asks before it acts: a button posts what it is about, a page says what will happen, its button acts.

END = Confirm("role_end", "/agent/roles/fin", who=…, trail="Rôle retiré", fields=("subject", "role"), ask=…, do=…)

With a `form` the page asks for more, as a decision and its reason: `do` gets those answers beside what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages.front import page, see_other
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.steps import Said
from services.shared import web
from services.shared.errors import NotFound

_DOWN: Final = "Un service ne répond pas : rien n’a changé. Réessayez dans quelques instants."
_REFUSED: Final = "Cette action a été refusée : rien n’a changé."
_TICK: Final = "accord"
_GONE: Final = "Cela n’attend plus"
_LONGEST: Final = 200
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two things side by side: what each is, then (label, of the first, of the second). What differs is marked."""

    heads: tuple[str, str]
    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page says: a question as its h1, what follows from it, and what it is about."""

    question: str
    text: str
    rows: Sequence[tuple[str, str]] = ()
    compared: Compared | None = None
    form: type[Form] | None = None
    """In place of the action's own form, where fewer answers are possible; its fields have the same names."""
    starting: Mapping[str, str] = field(default_factory=dict)
    """What the form's fields begin with."""
    closed: str = ""
    """Why whoever asks cannot act: then there is no button."""


@dataclass(frozen=True, kw_only=True)
class Confirm:
    key: str
    path: str
    who: web.Who
    fields: Sequence[str]
    ask: Callable[[Fields], Asked]
    do: Callable[[Fields], str]
    """Does it, and gives the address to go on to."""
    label: str
    back: str
    """Where "no" leads."""
    trail: str = ""
    asked_trail: str = ""
    """Where reading what the page shows is an action of its own."""
    crumbs: Sequence[tuple[str, str]] = (("/", "Scrutins"),)
    form: type[Form] | None = None
    tick: str = ""
    """For what cannot be undone: a box that must be ticked first, and what it says."""
    refusals: Mapping[str, str | Said] = field(default_factory=dict)
    """What a service's refusal means, by its code, or code and field as `BadInput.value`."""
    gone: str = ""
    """What is said when what it is about is not there any more."""

    def add_routes(self, app: web.App) -> None:
        app.post(self.path, who=self.who, endpoint=self.key, trail=self.asked_trail)(self.asked)
        app.post(f"{self.path}/confirmer", who=self.who, endpoint=f"{self.key}_do", trail=self.trail)(self.done)

    def asked(self) -> Response:
        return self._unless_gone(lambda: self._page(self._given()))

    def done(self) -> Response:
        return self._unless_gone(self._done)

    def _done(self) -> Response:
        given, form = self._given(), self.form(request.form) if self.form else None
        if form is not None and not form.validate():
            return self._page(given, 400, form=form)
        if self.tick and request.form.get(_TICK) != "oui":
            return self._page(given, 400, f"Cochez la case : {self.tick}", form=form, unticked=True)
        answers = {f.name: str(f.data or "") for f in form} if form is not None else {}
        try:
            return see_other(self.do({**given, **answers}))
        except ServiceUnavailable:
            return self._page(given, 503, _DOWN, form=form)
        except ServiceRefused as e:
            return self._refused(given, form, e)

    def _refused(self, given: Fields, form: Form | None, refusal: ServiceRefused) -> Response:
        told = refusal.told
        said = self.refusals.get(f"{told}.{refusal.field}") or self.refusals.get(told, _REFUSED)
        if isinstance(said, Said) and form is not None:
            form.refuse(said.field, said.text)
            return self._page(given, 409, form=form)
        return self._page(given, 409, said.text if isinstance(said, Said) else said, form=form)

    def _unless_gone(self, answer: Callable[[], Response]) -> Response:
        try:
            return answer()
        except NotFound:
            if not self.gone:
                raise
            return page("kit/gone.html", 404, confirm=self, title=_GONE)

    def _given(self) -> Fields:
        return {name: request.form.get(name, "")[:_LONGEST] for name in self.fields}

    def _page(
        self,
        given: Fields,
        status: int = 200,
        problem: str | None = None,
        *,
        form: Form | None = None,
        unticked: bool = False,
    ) -> Response:
        try:
            asked = self.ask(given)
        except ServiceUnavailable:
            if form is None:
                raise
            asked = Asked(self.label, "Ce dont il s’agit ne peut pas être montré pour le moment.")  # the answers stay
        kind = asked.form or self.form
        if kind is not None:
            form = _again(kind, form) if form is not None else kind.starting(asked.starting)
        values = {"confirm": self, "asked": asked, "given": given, "problem": problem, "form": form}
        return page("kit/confirm.html", status, unticked=unticked, **values)


def _again(kind: type[Form], form: Form) -> Form:
    """The same answers and faults in the form of this page."""
    again = kind(request.form)
    for made in again:
        made.errors = list(form[made.name].errors)
    return again
