"""A roll that comes as a file: checked first, imported as it was checked, whatever dies meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from services.identity.application import import_pass
from services.identity.application.imports import (
    PART,
    FaultsRemain,
    FileDiffers,
    ImportNotReady,
    ImportUnknown,
    Line,
    RollImport,
)
from services.identity.application.people_file import FileRefused
from services.identity.store.imports import ImportStore
from services.shared.errors import BadInput
from services.shared.store import Database, StoreFailed
from tests.identity.conftest import World

HEAD = "nom;prénom;date de naissance;adresse;bureau;strate;code de connexion\n"
FIRST = f"""{HEAD}Lefèvre;Maëlle;24/05/1987;12 rue du Lavoir;Bureau 1;;K7QP-2MXD-9F3T
Da Costa;João;31/01/1990;3 place de la Halle;Bureau 2;associations;
""".encode()


def checked(world: World, data: bytes, stratum: str = "") -> RollImport:
    made = world.upload(data, stratum)
    world.work()
    return world.imports.of(made.id)


def imported(world: World, data: bytes, *, keep_good: bool = False, with_changes: bool = False) -> RollImport:
    made = checked(world, data)
    world.imports.start(made.id, made.hash, "agent-1", keep_good=keep_good, with_changes=with_changes)
    world.work()
    return world.imports.of(made.id)


def count(database: Database, table: str) -> int:
    with database.transaction(write=False) as tx:
        return int(tx.execute(f"SELECT COUNT(*) FROM {table}")[0][0])


def faults(world: World, made: RollImport) -> list[Line]:
    return world.imports.lines(made.id, "", 1, 100)


def many(lines: int, start: int = 0) -> bytes:
    rows = (f"Martin{n:06};Camille;12/03/1980;{n} rue de la Gare;;;" for n in range(start, start + lines))
    return (HEAD + "\n".join(rows) + "\n").encode()


def test_a_check_says_what_an_import_would_do_and_does_nothing(world: World) -> None:
    made = checked(world, FIRST)
    assert (made.state, made.fresh, made.changed, made.known, made.faulty) == ("checked", 2, 0, 0, 0)
    assert (made.done, made.total) == (3, 3)
    assert count(world.people.database, "account") == 0


def test_what_was_checked_is_imported(world: World) -> None:
    made = imported(world, FIRST)
    assert (made.state, made.added, made.altered, made.done) == ("done", 2, 0, 3)
    found = world.roles.find("Lefevre", "Maelle", "1987-05-24")
    assert found is not None and (found.address, found.stratum) == ("12 rue du Lavoir", "habitants")
    assert world.sign_in.sign_in("K7QP-2MXD-9F3T", "here").subject == found.subject
    assert len(world.people.subjects(["associations"])["associations"]) == 1
    assert world.imports.strata() == [("associations", 1), ("habitants", 1)]


def test_lines_of_known_people_are_address_changes_and_applied_when_asked(world: World) -> None:
    imported(world, FIRST)
    moved = FIRST.replace(b"12 rue du Lavoir;Bureau 1;;K7QP-2MXD-9F3T", b"4 quai de la Source;Bureau 3;;")
    made = imported(world, moved)
    assert (made.fresh, made.changed, made.known, made.added, made.altered) == (0, 1, 1, 0, 0)
    assert [(line.line, line.kind, line.field) for line in faults(world, made)] == [
        (2, "change", "adresse"),
        (2, "change", "bureau"),
    ]
    assert all("quai" not in line.reason for line in faults(world, made))
    made = imported(world, moved, with_changes=True)
    assert (made.altered, made.added) == (1, 0)
    found = world.roles.find("Lefèvre", "Maëlle", "1987-05-24")
    assert found is not None and (found.address, found.office) == ("4 quai de la Source", "Bureau 3")
    (entry,) = world.personal.access(found.subject)["entries"]
    assert (entry["kind"], entry["state"], entry["by"]) == ("change", "applied", "agent-1")
    assert entry["words"]["before_address"] == "12 rue du Lavoir"


def test_an_empty_field_or_a_stratum_nobody_chose_changes_nothing(world: World) -> None:
    imported(world, FIRST)
    bare = HEAD + "Da Costa;João;31/01/1990;;;;\n"
    assert checked(world, bare.encode()).known == 1
    chosen = checked(world, bare.encode(), "jeunes")
    assert (chosen.changed, [line.field for line in faults(world, chosen)]) == (1, ["strate"])


def test_the_report_tells_faults_by_line_and_never_what_a_field_holds(world: World) -> None:
    imported(world, FIRST)
    made = checked(
        world,
        f"{HEAD}Secretname;Zoé;someday;;;;\nHuet;Zoé;01/02/2003;;;;K7QP-2MXD-9F3T\nHuet;Zoé;01/02/2003\n"
        "Huet;Léa;01/02/2003;;;;AAAA-BBBB\nHUET;Lea;2003-02-01;;;;\nHuet;Zoé;01/02/2004;;;;AAAA-BBBB\n".encode(),
    )
    assert (made.faulty, made.fresh) == (5, 1)
    assert [(line.line, line.kind, line.field) for line in faults(world, made)] == [
        (2, "fault", "date de naissance"),
        (3, "fault", "code de connexion"),
        (4, "fault", "line"),
        (6, "fault", "nom"),
        (7, "fault", "code de connexion"),
    ]
    assert "Secretname" not in repr(faults(world, made)) and "someday" not in repr(faults(world, made))
    with pytest.raises(FaultsRemain):
        world.imports.start(made.id, made.hash, "agent-1", keep_good=False, with_changes=False)
    world.imports.start(made.id, made.hash, "agent-1", keep_good=True, with_changes=False)
    world.work()
    assert world.imports.of(made.id).added == 1


def test_only_the_file_that_was_checked_is_imported_and_only_once(world: World) -> None:
    made = checked(world, FIRST)
    for wrong, refusal in ((("0" * 64, made.id), FileDiffers), ((made.hash, "0" * 32), ImportUnknown)):
        with pytest.raises(refusal):
            world.imports.start(wrong[1], wrong[0], "agent-1", keep_good=False, with_changes=False)
    for _ in range(2):
        world.imports.start(made.id, made.hash, "agent-1", keep_good=False, with_changes=False)
        world.work()
    assert world.imports.of(made.id).added == 2 and count(world.people.database, "account") == 2
    with pytest.raises(ImportNotReady):
        world.imports.drop(made.id)


def test_a_file_is_destroyed_with_its_key_once_it_is_not_needed(world: World) -> None:
    for end in ("imported", "dropped", "expired"):
        made = checked(world, many(3))
        assert count(world.people.database, "roll_import_part") == 1
        keys = count(world.people.vault.database, "person_key")
        if end == "imported":
            world.imports.start(made.id, made.hash, "agent-1", keep_good=False, with_changes=False)
            world.work()
        elif end == "dropped":
            world.imports.drop(made.id)
        world.clock.go(hours=25)
        world.imports.tidy()
        assert count(world.people.database, "roll_import_part") == 0
        added = world.imports.of(made.id).added
        assert count(world.people.vault.database, "person_key") == keys - 1 + added
        assert world.imports.of(made.id).state == {"imported": "done"}.get(end, end)


def test_a_file_waits_sealed(world: World) -> None:
    made = checked(world, FIRST)
    with world.people.database.transaction(write=False) as tx:
        [(sealed,)] = tx.execute("SELECT sealed FROM roll_import_part WHERE import = ?", (made.id,))
    assert "Lefèvre".encode() not in bytes(sealed) and len(sealed) >= len(FIRST)


def test_parts_may_come_twice_and_in_any_order_and_the_whole_must_have_the_hash(world: World) -> None:
    data = many(12_000)
    parts = [data[i : i + PART] for i in range(0, len(data), PART)]
    assert len(parts) > 1
    made = world.imports.take(hashlib.sha256(data).hexdigest(), "", "agent-1")
    for nth in (1, 0, 1):
        world.imports.put_part(made.id, nth, parts[nth])
    assert world.imports.take(made.hash, "", "agent-2").id == made.id
    assert world.imports.check(made.id).total == 12_001
    with pytest.raises(ImportNotReady):
        world.imports.put_part(made.id, 0, parts[0])
    other = world.imports.take("1" * 64, "", "agent-1")
    world.imports.put_part(other.id, 0, b"nom")
    with pytest.raises(FileDiffers):
        world.imports.check(other.id)
    for nth, part in ((-1, b"x"), (128, b"x"), (0, b""), (0, bytes(PART + 1))):
        with pytest.raises(BadInput):
            world.imports.put_part(other.id, nth, part)


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"nom;prenom\nHuet;Zo\n", "date de naissance"),
        (b"nom;prenom;date de naissance\nHuet;Zo\xe9;01/02/2003\n", "not UTF-8"),
        (b"\n\n", "no column"),
    ],
)
def test_a_file_that_is_no_list_of_people_is_refused_at_once_and_destroyed(
    world: World, data: bytes, reason: str
) -> None:
    with pytest.raises(FileRefused, match=reason):
        world.upload(data)
    assert count(world.people.database, "roll_import_part") == 0


def test_a_fault_of_the_whole_file_far_down_ends_the_check_with_its_line(world: World) -> None:
    made = checked(world, many(700) + b'"Huet;Zoe;01/02/2003\n')
    assert made.state == "refused" and "line" in made.reason
    with pytest.raises(ImportNotReady):
        world.imports.start(made.id, made.hash, "agent-1", keep_good=True, with_changes=False)


@pytest.mark.parametrize("dies_in", ["the check", "the import"])
@pytest.mark.parametrize("step", ["seal", "add", "move_on"])
def test_a_process_that_dies_in_a_piece_goes_on_and_takes_no_line_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, dies_in: str, step: str
) -> None:
    """The machine dies in the second piece, before or after each write; another process goes on."""
    made = world.upload(many(1200)) if dies_in == "the check" else checked(world, many(1200))
    if dies_in == "the import":
        world.imports.start(made.id, made.hash, "agent-1", keep_good=False, with_changes=False)
    with monkeypatch.context() as broken:
        _dies_the_second_time(broken, step, world)
        try:
            world.work()
        except StoreFailed:
            assert 0 < world.imports.of(made.id).done < 1201
    world.work()
    made = world.imports.of(made.id)
    if dies_in == "the check":
        world.imports.start(made.id, made.hash, "agent-1", keep_good=False, with_changes=False)
        world.work()
        made = world.imports.of(made.id)
    assert (made.state, made.fresh, made.added, made.faulty) == ("done", 1200, 1200, 0)
    assert count(world.people.database, "account") == 1200
    world.imports.tidy()
    assert count(world.people.vault.database, "person_key") == 1200, "no key is left without a person"


def _dies_the_second_time(broken: pytest.MonkeyPatch, step: str, world: World) -> None:
    kind: Any = type(world.people.vault) if step == "seal" else ImportStore
    real: Callable[..., Any] = getattr(kind, step)
    times = iter(range(100))

    def dying(*args: Any, **more: Any) -> Any:
        if next(times) == 1:
            if step != "move_on":
                real(*args, **more)
            raise StoreFailed("the machine died here")
        return real(*args, **more)

    broken.setattr(kind, step, dying)


def test_a_line_that_only_this_program_cannot_take_ends_one_file_and_not_the_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world.upload(FIRST)
    with monkeypatch.context() as broken:
        broken.setattr(import_pass.Import, "entry", lambda *_: 1 / 0)
        world.work()
    assert (world.imports.of(made.id).state, world.imports.of(made.id).reason) == ("failed", "ZeroDivisionError")


def test_two_workers_at_once_do_the_work_once(world: World) -> None:
    made = world.upload(many(1500))
    one, other = world.import_pass, world.import_pass
    while one.work(0) + other.work(0):
        continue
    assert world.imports.of(made.id).fresh == 1500


def test_a_piece_touches_its_own_rows_however_many_people_there_are(world: World) -> None:
    """Every look-up of a piece goes through an index."""
    seen: list[str] = []
    imported(world, many(600))
    made = checked(world, many(600, 600))
    world.imports.start(made.id, made.hash, "agent-1", keep_good=False, with_changes=False)
    with recorded(world, seen):
        world.work()
    assert scans(world, seen) == []


class recorded:  # noqa: N801 reads as a word of the sentence
    """Keeps every look-up that the people store is asked meanwhile."""

    def __init__(self, world: World, seen: list[str]) -> None:
        self.seen = seen
        self.patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        from services.shared.store import Tx

        real = Tx.execute

        def noting(tx: Tx, sql: str, params: Any = ()) -> Any:
            if sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
                self.seen.append(sql)
            return real(tx, sql, params)

        self.patch.setattr(Tx, "execute", noting)

    def __exit__(self, *_: object) -> None:
        self.patch.undo()


def scans(world: World, seen: list[str]) -> list[str]:
    """Those that would read a whole table of people, by SQLite's own plan."""
    if world.people.database.engine != "sqlite":
        return []
    large = ("account", "entry", "name_block", "duplicate", "grant_of_role", "sign_in_code", "merged", "delegation")
    found = []
    for sql in dict.fromkeys(seen):
        if not any(f" {table}" in sql for table in large):
            continue
        with world.people.database.transaction(write=False) as tx:
            plan = tx.execute(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))
        found += [f"{sql}: {row[3]}" for row in plan if row[3].startswith("SCAN") and "USING" not in row[3]]
    return found
