"""A form of one step or several, from its first page to its receipt: one declaration gives the pages, the draft kept on
the server, "check your answers", the printable twin and the JSON description.

    GRANT = Flow("role", "/agent/roles/nouveau", (Who, What), send=_grant, who=ADMINISTRATOR, trail="Rôle donné")
    GRANT.add_routes(app)

For people who are signed in. `…/<step>` shows and takes one step, `…/verifier` all answers, `…/envoyer` sends them with
the draft's id: whoever receives them can tell a repeat. A draft is kept after every step, right or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Response, current_app, jsonify, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages.front import ended_session, front, page, sealing_key, see_other, session
from services.gateway.pages.kit.form import Form, Row, Secret
from services.gateway.pages.kit.steps import Answers as Answers
from services.gateway.pages.kit.steps import Kept, Steps, declared, steps_of
from services.gateway.pages.kit.steps import Repeated as Repeated
from services.gateway.pages.kit.steps import Said as Said
from services.gateway.pages.kit.steps import Sent as Sent
from services.gateway.pages.kit.steps import Step as Step
from services.gateway.store.drafts import Draft
from services.shared import web
from services.shared.errors import NotFound

_DOWN: Final = "Un service ne répond pas. Rien n’est perdu : réessayez dans quelques instants."
_REFUSED: Final = "Cette demande a été refusée. Vérifiez vos réponses."
Crumbs = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Flow:
    key: str
    path: str
    title: str
    steps: Steps
    send: Callable[[Answers], Sent]
    who: web.Who
    label: str = "Envoyer"
    crumbs: Crumbs = (("/", "Scrutins"),)
    refusals: Mapping[str, Said] = field(default_factory=dict)
    help: str = ""
    trail: str = ""
    told: bool = True
    """Whether the receipt repeats the answers."""
    starting: Callable[[Mapping[str, Any]], Mapping[str, Mapping[str, Any]]] | None = None
    """What steps begin with: step → field → value, from the address's names."""
    filled: Callable[[Mapping[str, Any]], Kept] | None = None
    """For changing what stands: what was typed when it was made. The draft begins as that."""

    def __post_init__(self) -> None:
        if any(step.form.secret for step, _ in declared(self.steps)):
            raise Secret(self.key)

    def add_routes(self, app: web.App) -> None:
        key, path, who = self.key, self.path, self.who
        app.get(path, who=who, endpoint=f"{key}_begin")(self.begin)
        app.get(f"{path}/papier", who=who, endpoint=f"{key}_paper")(self.paper)
        app.get(f"{path}/formulaire.json", who=who, endpoint=f"{key}_json")(self.described)
        app.get(f"{path}/verifier", who=who, endpoint=f"{key}_check")(self.check)
        app.post(f"{path}/envoyer", who=who, endpoint=f"{key}_send", trail=self.trail)(self.post)
        app.post(f"{path}/effacer", who=who, endpoint=f"{key}_drop")(self.drop)
        for step, end in declared(self.steps):
            app.get(f"{path}/{end}", who=who, endpoint=f"{key}_{step.slug}")(self._shower(step))
            app.post(f"{path}/{end}", who=who, endpoint=f"{key}_{step.slug}_post")(self._taker(step))
            app.extensions.setdefault("steps", {})[f"{key}_{step.slug}_post"] = (self, step)

    # --- its pages ---

    def begin(self, **place: Any) -> Response:
        """Where the draft stands, or the first step."""
        draft = self._draft(place)
        found = "?repris=1" if draft else ""
        done = self._answers(draft, place) if draft else {}
        if draft is None and self.filled is not None:
            content = {"_title": self.title, **self.filled(place)}
            draft = front().drafts.save(sealing_key(), self._subject(), self.key, self._at(place), content)
        steps = self._steps(draft)
        kept: Kept = draft.content if draft else {}
        missing = [s for s in steps if s.slug not in kept or (s.slug in done and not done[s.slug].validate())]
        slug = missing[0].slug if missing else "verifier"
        return see_other(f"{self._at(place)}/{slug}{found}")

    def paper(self, **place: Any) -> Response:
        """The form as a sheet to fill in by hand."""
        forms = [(step, step.form()) for step, _ in declared(self.steps)]
        return page("kit/paper.html", flow=self, forms=forms, at=self._at(place))

    def described(self, **_place: Any) -> Response:
        return jsonify({step.slug: step.form.described() for step, _ in declared(self.steps)})

    def check(self, **place: Any) -> Response:
        draft = self._draft(place)
        forms = self._answers(draft, place) if draft else {}
        if draft is None or not self._all_valid(forms):
            return self.begin(**place)
        return self._check_page(draft, forms, place)

    def post(self, **place: Any) -> Response:
        draft = self._draft(place)
        forms = self._answers(draft, place) if draft else {}
        if draft is None or not self._all_valid(forms):
            return self.begin(**place)
        try:
            sent = self.send(Answers(draft.id, forms, place))
        except ServiceUnavailable:
            return self._check_page(draft, forms, place, 503, problem=_DOWN)
        except ServiceRefused as e:
            return self._refused(draft, forms, place, self.refusals.get(e.told, Said(_REFUSED)))
        content = {
            "title": sent.title,
            "text": sent.text,
            "links": [list(link) for link in sent.links],
            "rows": [[row.label, row.words] for form in forms.values() for row in form.rows() if self.told],
        }
        receipt = front().drafts.sent(sealing_key(), self._subject(), draft, content)
        return see_other(f"/recus/{receipt.id}?fait=1")

    def drop(self, **place: Any) -> Response:
        front().drafts.drop(self._subject(), self.key, self._at(place))
        return see_other(self._at(place))

    # --- one step ---

    def _shower(self, asked: Step) -> Callable[..., Response]:
        def show(**place: Any) -> Response:
            draft = self._draft(place)
            step = self._now(asked, draft, place)
            if step is None or (draft is None and self.filled is not None):
                return self.begin(**place)
            form = self._answers(draft, place)[step.slug] if draft else self._fresh(step, place)
            return self._step_page(step, form, place, draft=draft)

        return show

    def _taker(self, asked: Step) -> Callable[..., Response]:
        def take(**place: Any) -> Response:
            try:
                draft = self._draft(place)
                step = self._now(asked, draft, place)
                if step is None:
                    return self.begin(**place)
                form = step.form(request.form)
                draft = self._save(self._subject(), sealing_key(), step, form, place)
            except ServiceUnavailable:
                step = asked.at(place.get("round", 0), {})
                return self._step_page(step, step.form(request.form), place, 503, problem=_DOWN)
            if not form.validate():
                return self._step_page(step, form, place, 400, draft=draft)
            return see_other(f"{self._at(place)}/{self._after(step, draft)}")

        return take

    def _save(self, subject: str, key: bytes, step: Step, form: Form, place: Mapping[str, Any]) -> Draft:
        at = self._at(place)
        draft = front().drafts.find(key, subject, self.key, at)
        content = (draft.content if draft else {"_title": self.title}) | {step.slug: form.typed()}
        return front().drafts.save(key, subject, self.key, at, content)

    def keep_for(self, subject: str, key: bytes, asked: Step, place: Mapping[str, Any]) -> str:
        """Saves what was typed in the draft of that person; the address where they find it."""
        step = self._now(asked, front().drafts.find(key, subject, self.key, self._at(place)), place)
        if step is not None:
            self._save(subject, key, step, step.form(request.form), place)
        return f"{self._at(place)}/{step.slug}" if step else self._at(place)

    def _after(self, step: Step, draft: Draft) -> str:
        """The next step; back to checking where that was asked for and nothing is missing on the way."""
        steps = self._steps(draft)
        following = steps[[one.slug for one in steps].index(step.slug) + 1 :]
        if request.form.get("retour") == "verifier":
            following = [one for one in following if one.slug not in draft.content]
        return following[0].slug if following else "verifier"

    # --- what stands ---

    def _draft(self, place: Mapping[str, Any]) -> Draft | None:
        return front().drafts.find(sealing_key(), self._subject(), self.key, self._at(place))

    def _answers(self, draft: Draft, place: Mapping[str, Any]) -> dict[str, Form]:
        kept: Mapping[str, Any] = draft.content
        steps = self._steps(draft)
        return {s.slug: s.form.of(kept[s.slug]) if s.slug in kept else self._fresh(s, place) for s in steps}

    def _steps(self, draft: Draft | None) -> list[Step]:
        return steps_of(self.steps, draft.content if draft else {})

    def _now(self, asked: Step, draft: Draft | None, place: Mapping[str, Any]) -> Step | None:
        """The step of that address; None where the answers so far have none."""
        slug = f"{asked.slug}-{place['round']}" if "round" in place else asked.slug
        return next((step for step in self._steps(draft) if step.slug == slug), None)

    def _fresh(self, step: Step, place: Mapping[str, Any]) -> Form:
        values = self.starting(place).get(step.slug, {}) if self.starting else {}
        return step.form.starting(values)

    def _all_valid(self, forms: Mapping[str, Form]) -> bool:
        return all(form.validate() for form in forms.values())

    def _at(self, place: Mapping[str, Any]) -> str:
        """The address of this form, with its names filled in."""
        at = self.path
        for name, value in place.items():
            at = at.replace(f"<uuid:{name}>", str(value)).replace(f"<{name}>", str(value))
        return at

    @staticmethod
    def _subject() -> str:
        person = session()
        if person is None:
            raise NotFound
        return person.subject

    # --- drawing ---

    def _step_page(
        self,
        step: Step,
        form: Form,
        place: Mapping[str, Any],
        status: int = 200,
        *,
        draft: Draft | None = None,
        problem: str | None = None,
    ) -> Response:
        values = {"flow": self, "step": step, "form": form, "at": self._at(place), "problem": problem, "draft": draft}
        slugs = [one.slug for one in self._steps(draft)]
        number = slugs.index(step.slug) + 1 if step.slug in slugs else 1
        back = request.args.get("retour") or request.form.get("retour") or ""
        before = slugs[number - 2] if number > 1 else ""
        values |= {"number": number, "back": "verifier" if back == "verifier" else "", "before": before}
        return page("kit/step.html", status, total=len(slugs), **values)

    def _check_page(
        self,
        draft: Draft,
        forms: Mapping[str, Form],
        place: Mapping[str, Any],
        status: int = 200,
        *,
        problem: str | None = None,
    ) -> Response:
        parts: list[tuple[Step, list[Row]]] = [(step, forms[step.slug].rows()) for step in self._steps(draft)]
        return page("kit/check.html", status, flow=self, parts=parts, at=self._at(place), problem=problem)

    def _refused(self, draft: Draft, forms: Mapping[str, Form], place: Mapping[str, Any], said: Said) -> Response:
        step = next((s for s in self._steps(draft) if s.slug == said.step), None)
        if step is None:
            return self._check_page(draft, forms, place, 409, problem=said.text)
        form = forms[step.slug]
        form.refuse(said.field, said.text)
        return self._step_page(step, form, place, 409, draft=draft)


def kept_for_author() -> str | None:
    """A step that was sent after its session had ended, kept in the draft of whoever's session it was: the address
    where they find it again. None: nothing is kept, since this is no form of ours, or nobody's."""
    flow, step = current_app.extensions.get("steps", {}).get(request.endpoint, (None, None))
    subject = ended_session() if flow is not None and front().forms.holds() else None
    if subject is None:
        return None
    try:
        key = front().identity.sealing_key(front().signer.token(subject, (), "identity"))
    except (ServiceUnavailable, NotFound):
        return None
    kept: str = flow.keep_for(subject, key, step, request.view_args or {})
    return kept
