"""Probable duplicates: found by what is near, shown, decided by people, never merged alone; one person has one mark."""

from __future__ import annotations

from typing import Any

import pytest

from services.identity.application.dossier import OwnCase
from services.identity.application.duplicates import AnotherKept, PairUnknown
from services.identity.application.nearness import nearness
from services.identity.domain import (
    AnotherCredentialMarked,
    CodeUnknown,
    NotOnRoll,
    Person,
    SecondPersonNeeded,
    written,
)
from services.identity.store.duplicates import DuplicateStore
from services.shared.contracts import identity
from services.shared.errors import BadInput
from services.shared.store import StoreFailed
from tests.identity.conftest import POLL, World
from tests.identity.test_imports import count, recorded, scans

HEAD = "nom;prénom;date de naissance;code de connexion\n"
CREDENTIALS = tuple((bytes([n]) * 32, b"\x22" * 32) for n in (1, 2))


def settle(world: World, *lines: str) -> list[str]:
    return list(world.importing.run((HEAD + "\n".join(lines) + "\n").encode(), by="test").subjects)


def look(world: World) -> None:
    while world.duplicates.look():
        continue


def two(world: World) -> list[str]:
    made = settle(world, "Lefèvre;Maëlle;04/05/1987;AAAA-AAAA-1", "Lefebvre;Maelle;04/05/1987;BBBB-BBBB-2")
    look(world)
    return made


@pytest.mark.parametrize(
    "other, why",
    [
        (("Lefebvre", "Maelle", "1987-05-04"), "near_names"),
        (("Le Fèvre", "Maëlle", "1987-05-04"), "near_names"),
        (("de Lefèvre", "MAELLE", "1987-05-04"), "near_names"),
        (("Maëlle", "Lefèvre", "1987-05-04"), "near_names"),
        (("Lefèvre", "Marie-Maëlle", "1987-05-04"), "near_names"),
        (("Lefèvre-Martin", "Maëlle", "1987-05-04"), "near_names"),
        (("Lefèvre", "Maëlle", "1987-04-05"), "day_month_swapped"),
        (("LEFEVRE", "Maelle", "1987-04-05"), "day_month_swapped"),
        (("Lefèvre", "Hugo", "1987-05-04"), None),
        (("Martin", "Maëlle", "1987-05-04"), None),
        (("Lefèvre", "Maëlle", "1987-05-05"), None),
        (("Lefebvre", "Maël", "1987-04-05"), None),
    ],
)
def test_who_may_be_one_person(world: World, other: tuple[str, str, str], why: str | None) -> None:
    assert nearness(Person("a", "Lefèvre", "Maëlle", "1987-05-04"), Person("b", *other)) == why
    one, second = settle(world, "Lefèvre;Maëlle;04/05/1987;", ";".join([*other, ""]))
    look(world)
    found = world.duplicates.waiting(1)
    assert [pair.why for pair, _, _ in found] == ([why] if why else [])
    if why:
        assert {found[0][1].subject, found[0][2].subject} == {one, second}


def test_a_pair_is_found_when_a_correction_brings_two_together(world: World) -> None:
    one, _ = settle(world, "Lefèvre;Maëlle;04/05/1987;", "Lefèvre;Maëlle;06/05/1987;")
    look(world)
    assert world.duplicates.waiting(1) == []
    entry = world.corrections.correct(one, "birth_date", "05/06/1987", "certificate", "agent-1")
    world.corrections.confirm(entry.id, "agent-2")
    look(world)
    assert [pair.why for pair, _, _ in world.duplicates.waiting(1)] == ["day_month_swapped"]


def test_two_people_are_never_shown_again(world: World) -> None:
    one, other = two(world)
    world.duplicates.two_people(other, one, "twins, both seen", "agent-1")
    assert world.duplicates.waiting(1) == []
    world.corrections.correct(one, "address", "4 quai", "moved", "agent-1")
    look(world)
    assert world.duplicates.waiting(1) == []
    with pytest.raises(PairUnknown):
        world.duplicates.one_person(one, other, one, "after all", "agent-2")
    told = world.personal.access(one)["entries"]
    assert ("duplicate", "two_people") in {(entry["kind"], entry["state"]) for entry in told}
    assert other not in repr(told)


def test_a_merge_takes_two_agents_who_say_the_same(world: World) -> None:
    one, other = two(world)
    assert world.duplicates.one_person(one, other, one, "same papers", "agent-1").state == "asked"
    with pytest.raises(SecondPersonNeeded):
        world.duplicates.one_person(one, other, one, "same papers", "agent-1")
    with pytest.raises(AnotherKept):
        world.duplicates.one_person(one, other, other, "same papers", "agent-2")
    for by in (one, other):
        with pytest.raises(OwnCase):
            world.duplicates.one_person(one, other, one, "same papers", by)
    assert world.people.person(other) is not None
    assert world.duplicates.one_person(one, other, one, "same papers", "agent-2").state == "merged"
    assert world.people.person(other) is None and world.people.same(other) == world.people.same(one) == [one, other]
    assert world.duplicates.waiting(1) == []
    assert world.events() == [identity.PersonErased(other)], "who keeps sessions or messages of it lets them go"


def test_one_agent_may_say_two_people_after_another_asked_to_merge(world: World) -> None:
    one, other = two(world)
    world.duplicates.one_person(one, other, one, "same papers", "agent-1")
    world.duplicates.two_people(one, other, "no: both came", "agent-2")
    assert world.duplicates.waiting(1) == [] and world.people.person(other) is not None


def merge(world: World, gone: str, kept: str) -> None:
    for agent in ("agent-1", "agent-2"):
        world.duplicates.one_person(gone, kept, kept, "same papers", agent)


def test_what_was_written_down_and_the_roles_go_to_the_account_that_is_kept(world: World) -> None:
    one, other = two(world)
    world.roles.grant(other, "auditor", "admin")
    world.dossier.appeal(other, POLL, "je ne peux pas voter")
    merge(world, other, one)
    told = world.personal.access(one)
    assert {role["role"] for role in told["roles"]} == {"auditor", "resident"}
    assert [e["words"]["text"] for e in told["entries"] if e["kind"] == "appeal"] == ["je ne peux pas voter"]
    assert world.sign_in.sign_in("AAAA-AAAA-1", "here").subject == one
    with pytest.raises(CodeUnknown):
        world.sign_in.sign_in("BBBB-BBBB-2", "here")
    assert world.people.subjects(["habitants"])["habitants"] == [one], "one entry on the next roll"


@pytest.mark.parametrize("marked", ["the kept one", "the other one", "nobody"])
def test_a_person_who_was_on_the_roll_twice_has_one_mark(world: World, marked: str) -> None:
    one, other = two(world)
    world.publish()
    first = {"the kept one": one, "the other one": other}.get(marked)
    if first:
        world.issuance.mark(POLL, first, *CREDENTIALS[0])
    merge(world, other, one)
    for subject in (one, other):  # the other by a session that was open
        if first:
            assert world.standings.of(POLL, subject).reason == "took_credential"
        world.issuance.mark(POLL, subject, *CREDENTIALS[0])
        with pytest.raises(AnotherCredentialMarked):
            world.issuance.mark(POLL, subject, *CREDENTIALS[1])
    assert world.rolls.totals(POLL) == {"habitants": (1, 0)}


def test_a_person_of_whom_only_the_account_that_goes_was_on_the_roll_keeps_their_vote(world: World) -> None:
    (other,) = settle(world, "Lefebvre;Maelle;04/05/1987;")
    world.publish()
    (one,) = settle(world, "Lefèvre;Maëlle;04/05/1987;")
    look(world)
    with pytest.raises(NotOnRoll):
        world.issuance.mark(POLL, one, *CREDENTIALS[0])
    merge(world, other, one)
    assert world.standings.of(POLL, one).reason == "may_vote"
    assert world.issuance.mark(POLL, one, *CREDENTIALS[0]).stratum == "habitants"


def test_accounts_merged_one_after_the_other_stay_one_person(world: World) -> None:
    made = settle(world, "Lefèvre;Maëlle;04/05/1987;", "Lefebvre;Maelle;04/05/1987;", "Le Fèvre;Maëlle;04/05/1987;")
    look(world)
    merge(world, made[0], made[1])
    merge(world, made[1], made[2])
    assert world.people.same(made[0]) == [made[2], *sorted(made[:2])]


@pytest.mark.parametrize("dies_at", ["save_erasure", "merge"])
def test_a_merge_that_died_half_way_is_finished(world: World, monkeypatch: pytest.MonkeyPatch, dies_at: str) -> None:
    one, other = two(world)
    world.duplicates.one_person(one, other, one, "same papers", "agent-1")
    kind: Any = type(world.rolls) if dies_at == "save_erasure" else type(world.people.vault)
    with monkeypatch.context() as broken:
        name = "save_erasure" if dies_at == "save_erasure" else "destroy"
        broken.setattr(kind, name, lambda *_: (_ for _ in ()).throw(StoreFailed("the machine died here")))
        with pytest.raises(StoreFailed):
            world.duplicates.one_person(one, other, one, "same papers", "agent-2")
    world.duplicates.finish()
    world.duplicates.finish()
    assert world.people.person(other) is None and world.people.same(other) == [one, other]
    assert world.events() == [identity.PersonErased(other)]
    assert count(world.people.vault.database, "person_key") == 1


def test_who_is_on_a_roll_is_not_merged_into_an_account_that_is_on_none(world: World) -> None:
    subject, _ = world.roles.first_administrator("Lefèvre", "Maëlle", "1987-05-04")
    (one,) = settle(world, "Lefebvre;Maelle;04/05/1987;")
    look(world)
    with pytest.raises(BadInput) as refused:
        world.duplicates.one_person(one, subject, subject, "same papers", "agent-1")
    assert refused.value.field == "kept"
    merge(world, subject, one)
    assert world.people.roles(one, written(world.clock())) == ("administrator", "resident")


def test_erasing_a_person_removes_what_likens_them_to_others(world: World) -> None:
    one, other = two(world)
    world.duplicates.two_people(one, other, "twins", "agent-1")
    for agent in ("agent-1", "agent-2"):
        world.personal.erase(one, agent)
    for table in ("duplicate", "merged"):
        assert count(world.people.database, table) == 0
    with world.people.database.transaction(write=False) as tx:
        for table in ("entry", "name_block"):
            assert tx.execute(f"SELECT 1 FROM {table} WHERE subject = ?", (one,)) == []


def test_looking_for_who_is_near_reads_few_rows_however_many_people_there_are(world: World) -> None:
    """Rows that are read of candidates do not grow with the people; no look-up reads a whole table."""
    seen: list[str] = []
    read: list[int] = []
    for size in (200, 1800):
        settle(world, *(f"Nom{n:05}x;Camille{n:05};{n % 28 + 1:02}/{n % 12 + 1:02}/19{n % 60 + 30};" for n in
                        range(sum(read_sizes(world)), sum(read_sizes(world)) + size)))  # fmt: skip
        look(world)
        settle(world, f"Lefèvre;Maëlle{size};04/05/1987;")
        with recorded(world, seen):
            store = DuplicateStore(world.people)
            with store.transaction():
                (subject,) = store.unlooked(10)
            near = _neighbours(world, subject)
        read.append(near)
        look(world)
    assert read[1] <= read[0] + 3, read
    assert scans(world, seen) == []


def read_sizes(world: World) -> list[int]:
    return [count(world.people.database, "account")]


def _neighbours(world: World, subject: str) -> int:
    from services.identity.application.nearness import blocks
    from tests.identity.conftest import CODE_KEY

    person = world.people.person(subject)
    assert person is not None
    return len(DuplicateStore(world.people).neighbours({subject: blocks(CODE_KEY, person)}, 200)[subject])


def test_nothing_that_leads_to_the_account_that_goes_outlives_a_merge(world: World) -> None:
    """Codes on their way to it open nothing, nobody is found by its address, and its person is still told that the way
    to reach them was changed."""
    one, other = two(world)
    for subject, email in ((one, "un@exemple.fr"), (other, "deux@exemple.fr")):
        change = world.desk.ask_change(subject, email, "", "passport", "agent-1")
        world.desk.confirm_change(change, "agent-2")
    change = world.desk.ask_change(other, "trois@exemple.fr", "", "passport", "agent-1")
    world.desk.confirm_change(change, "agent-2")
    world.desk.ask_change(other, "quatre@exemple.fr", "", "passport", "agent-1")
    world.desk.open(other, "passport", "agent-1")
    asked = world.codes.ask("trois@exemple.fr", "visitor")
    world.codes.send(Outbox())
    tables = ("contact", "code_for", "one_time_code", "contact_change", "notice")
    assert [rows_of(world, table, other) for table in tables] == [1] * 5, asked
    world.duplicates.one_person(one, other, one, "same papers", "agent-1")
    world.duplicates.one_person(one, other, one, "same papers", "agent-2")
    DuplicateStore(world.people).merge(other, one)
    assert [rows_of(world, table, other) for table in tables] == [0] * 5 and rows_of(world, "contact", one) == 1
    assert [(s, told["address"]) for _, s, told in world.desk_store.notices()] == [(one, "deux@exemple.fr")]


def rows_of(world: World, table: str, subject: str) -> int:
    with world.people.database.transaction(write=False) as tx:
        return int(tx.execute(f"SELECT COUNT(*) FROM {table} WHERE subject = ?", (subject,))[0][0])


class Outbox:
    def send(self, message: Any) -> None:
        pass
