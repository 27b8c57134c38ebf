"""Routes of voter rolls: files, their check and import; what anybody may know of a poll's roll."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import msgspec
from flask import request

from services.identity.api.registry import Registry
from services.identity.application.imports import PART, RollImport
from services.shared import web
from services.shared.errors import BadInput, NotFound

STAFF = web.role("agent", "administrator")
MOST_LINES = 1000
SOME_FILES = 10
PART_LIMIT = PART * 4 // 3 + 1024
ONE = "/rolls/imports/<uuid:roll_import>"
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64)]


class FileRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hash`: SHA-256 of the file. `stratum`: of the lines that name none."""

    hash: Hash
    stratum: Annotated[str, msgspec.Meta(max_length=40)] = ""


class PartRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file in pieces of 524,288 bytes, numbered from 0, each in base64."""

    nth: int
    data: bytes


class ImportAnswer(msgspec.Struct, frozen=True):
    """An import and how far it is; `done` of `total` lines in the pass that `state` names."""

    id: str
    state: str
    hash: str
    stratum: str
    asked_by: str
    started_by: str
    at: str
    changed_at: str
    keep_good: bool
    with_changes: bool
    total: int
    done: int
    fresh: int
    changed: int
    known: int
    faulty: int
    added: int
    altered: int
    reason: str


class ImportsAnswer(msgspec.Struct, frozen=True):
    """`names`: of those who asked for these, by their subjects."""

    imports: list[ImportAnswer]
    names: dict[str, str]


class LineAnswer(msgspec.Struct, frozen=True):
    """What is to be said of a line, never what it holds."""

    line: int
    kind: str
    field: str
    reason: str


class LinesAnswer(msgspec.Struct, frozen=True):
    lines: list[LineAnswer]


class StartRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Imports the file of this hash. `keep_good`: the lines without fault, when some have one. `with_changes`: people
    who are known get the new address, bureau and stratum of their line."""

    hash: Hash
    keep_good: bool = False
    with_changes: bool = False


class NoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The empty object."""


class StratumAnswer(msgspec.Struct, frozen=True):
    stratum: str
    people: int


class StrataAnswer(msgspec.Struct, frozen=True):
    strata: list[StratumAnswer]


class FrozenAnswer(msgspec.Struct, frozen=True):
    """A stratum as it was frozen for one poll: public."""

    poll: str
    roll_size: int
    roll_root: str
    opens_at: str
    closes_at: str


class StratumSheet(msgspec.Struct, frozen=True):
    """`people`: on it today. `frozen`: of the newest published polls. `imports`: the newest that may have touched it;
    `names` of those who asked for them."""

    stratum: str
    people: int
    frozen: list[FrozenAnswer]
    imports: list[ImportAnswer]
    names: dict[str, str]


class RollFact(msgspec.Struct, frozen=True):
    id: str
    roll_size: int
    roll_root: str


class RollAnswer(msgspec.Struct, frozen=True):
    """Public: size and root of a poll's roll, a stratum each. Not published yet: it may still be taken anew."""

    published: bool
    strata: list[RollFact]


def add_routes(app: web.App, registry: Registry) -> None:
    _files(app, registry)
    _imports(app, registry)
    _facts(app, registry)


def _files(app: web.App, registry: Registry) -> None:
    @app.post("/rolls/imports", who=STAFF, takes=FileRequest, gives=ImportAnswer, ruled=True)
    def receive_roll() -> ImportAnswer:
        """Room for a file, whose parts follow; the same file again gives the import that is on its way."""
        body = web.body(FileRequest)
        return _import(registry.imports.take(body.hash, body.stratum, web.caller().subject))

    @app.post(
        f"{ONE}/parts", who=STAFF, quiet=True, limit=PART_LIMIT, takes=PartRequest, gives=ImportAnswer, ruled=True
    )
    def receive_part(roll_import: UUID) -> ImportAnswer:
        """A piece of the file. Again: the same."""
        body = web.body(PartRequest)
        return _import(registry.imports.put_part(str(roll_import), body.nth, body.data))

    @app.post(f"{ONE}/check", who=STAFF, takes=NoBody, gives=ImportAnswer, ruled=True)
    def check_roll(roll_import: UUID) -> ImportAnswer:
        """All parts are there. State `checking`, then `checked`: ask for the import until then."""
        web.body(NoBody)
        return _import(registry.imports.check(str(roll_import)))

    @app.get("/rolls/imports", who=STAFF, gives=ImportsAnswer, paged=True)
    def roll_imports() -> ImportsAnswer:
        """The newest first."""
        found = registry.imports.listed(web.page(), 50)
        return ImportsAnswer([_import(one) for one in found], registry.personal.names({one.asked_by for one in found}))


def _imports(app: web.App, registry: Registry) -> None:
    @app.get(ONE, who=STAFF, gives=ImportAnswer)
    def roll_import(roll_import: UUID) -> ImportAnswer:
        """How far it is."""
        return _import(registry.imports.of(str(roll_import)))

    @app.get(f"{ONE}/lines", who=STAFF, gives=LinesAnswer, paged=True)
    def roll_lines(roll_import: UUID) -> LinesAnswer:
        """The report, by line. `?kind=` fault, change or note; `?size=` of a page."""
        kind = request.args.get("kind", "")
        if kind not in ("", "fault", "change", "note"):
            raise BadInput("fault, change or note", field="kind")
        found = registry.imports.lines(str(roll_import), kind, web.page(), _size())
        return LinesAnswer([LineAnswer(**asdict(one)) for one in found])

    @app.post(f"{ONE}/start", who=STAFF, takes=StartRequest, gives=ImportAnswer)
    def import_roll(roll_import: UUID) -> ImportAnswer:
        """Imports exactly what was checked, in the background. Again: as it stands."""
        body = web.body(StartRequest)
        by, options = web.caller().subject, {"keep_good": body.keep_good, "with_changes": body.with_changes}
        return _import(registry.imports.start(str(roll_import), body.hash, by, **options))

    @app.post(f"{ONE}/drop", who=STAFF, takes=NoBody, gives=ImportAnswer)
    def drop_roll(roll_import: UUID) -> ImportAnswer:
        """The file is destroyed at once; nothing is imported."""
        web.body(NoBody)
        return _import(registry.imports.drop(str(roll_import)))


def _facts(app: web.App, registry: Registry) -> None:
    @app.get("/rolls", who=web.role("agent", "administrator", "returning_officer"), gives=StrataAnswer)
    def strata() -> StrataAnswer:
        """How many people each stratum has now, who would be on a roll that is frozen now."""
        return StrataAnswer([StratumAnswer(*one) for one in registry.imports.strata()])

    @app.get("/rolls/strata/<stratum>", who=STAFF, gives=StratumSheet)
    def stratum_sheet(stratum: str) -> StratumSheet:
        """One stratum: its size today, the rolls that hold it, the files that may have changed it."""
        people = dict(registry.imports.strata()).get(stratum)
        if people is None:
            raise NotFound("nobody is on this stratum", field="stratum")
        frozen = [FrozenAnswer(**asdict(one)) for one in registry.standings.frozen(stratum)]
        files = registry.imports.listed(1, SOME_FILES, stratum)
        names = registry.personal.names({one.asked_by for one in files})
        return StratumSheet(stratum, people, frozen, [_import(one) for one in files], names)

    @app.get("/polls/<uuid:poll>/roll", who=web.ANYONE, gives=RollAnswer)
    def poll_roll(poll: UUID) -> RollAnswer:
        """Size and root of a poll's roll."""
        found = registry.standings.roll(str(poll))
        facts = [RollFact(str(s["id"]), int(s["roll_size"]), str(s["roll_root"])) for s in found.strata]
        return RollAnswer(found.published, facts)


def _import(found: RollImport) -> ImportAnswer:
    return ImportAnswer(**asdict(found))


def _size() -> int:
    text = request.args.get("size", "100")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_LINES:
        raise BadInput(f"a number from 1 to {MOST_LINES}", field="size")
    return int(text[:9])
