"""Codes that are asked for: the same answer for known and unknown, one message whatever dies, one use, few tries."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from services.identity.application.asks import LETTER_DAYS, TRIES, AddressMissing, AskOver
from services.identity.application.contacts import ContactRefused
from services.identity.domain import CodeUnknown, PersonUnknown, TooManyTries
from services.shared.errors import Refusal, TooOften
from services.shared.outbox import Message, NotSent
from services.shared.store import StoreFailed
from tests.identity.conftest import World

EMAIL, PHONE = "maelle@exemple.fr", "+33639980012"
FILE = (
    "nom;prénom;date de naissance;courriel;téléphone;adresse\n"
    f"Quéguiner;Maëlle;24/05/1987;{EMAIL};06 39 98 00 12;7 rue du Lavoir, Vère-le-Château\n"
    "Abadie;Hugo;02/11/1991;famille@exemple.fr;;\n"
    "Abadie;Rosa;02/11/1992;Famille@exemple.fr;;\n"
).encode()


@dataclass
class Outbox:
    """Notifications as identity sees it: one message a key. `fails`: how many calls end without an answer, and
    `lost`: whether those were taken all the same."""

    taken: dict[str, Message] = field(default_factory=dict)
    calls: int = 0
    fails: int = 0
    lost: bool = False
    refused: bool = False

    def send(self, message: Message) -> None:
        self.calls += 1
        if self.fails:
            self.fails -= 1
            if self.lost:
                self.taken.setdefault(message.key, message)
            raise NotSent("no answer", refused=self.refused)
        assert self.taken.setdefault(message.key, message) == message, "one key, two messages"

    @property
    def messages(self) -> list[Message]:
        return list(self.taken.values())

    def code(self, subject: str = "") -> str:
        (found,) = [m for m in self.messages if subject in ("", m.subject)]
        return found.values["code"]


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def people(world: World) -> tuple[str, ...]:
    return world.importing.run(FILE, by="test").subjects


def guess(world: World, request: str, code: str, source: str = "here") -> str:
    try:
        return world.codes.sign_in(request, code, source).subject
    except Refusal as refusal:
        return refusal.code


# --- asking and using ---


@pytest.mark.parametrize("contact, method", [(EMAIL, "email"), (PHONE, "sms"), (" MAELLE@Exemple.fr", "email")])
def test_a_code_sent_to_a_known_contact_opens_its_account_once(
    world: World, people: tuple[str, ...], outbox: Outbox, contact: str, method: str
) -> None:
    request = world.codes.ask(contact, "here")
    assert world.codes.send(outbox) == 1
    (message,) = outbox.messages
    assert (message.kind, message.subject) == (method, people[0])
    assert message.address == (EMAIL if method == "email" else PHONE)
    found = world.codes.sign_in(request, outbox.code(), "here")
    assert (found.subject, found.method, found.level, found.shared) == (people[0], method, "low", False)
    assert found.roles == ("resident",) and found.name == "Maëlle Quéguiner"
    assert guess(world, request, outbox.code()) == "AskOver"


def test_a_code_is_eight_digits_and_spaces_do_not_matter(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    request = world.codes.ask(EMAIL, "here")
    world.codes.send(outbox)
    assert re.fullmatch(r"\d{4} \d{4}", outbox.code())
    assert guess(world, request, f" {outbox.code().replace(' ', '-')} ") == people[0]


def test_an_unknown_contact_writes_the_same_row_and_gets_no_message(
    world: World, people: tuple[str, ...], outbox: Outbox
) -> None:
    def row(request: str) -> tuple[object, ...]:
        with world.people.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT id, kind, hash, at, tries, sent FROM code_ask")
        (found,) = rows
        world.clock.go(minutes=11)
        world.codes.forget_old()
        assert len(request) == 32
        return (len(found[0]), found[1], len(found[2]), *found[4:])

    assert row(world.codes.ask(EMAIL, "here")) == row(world.codes.ask("nobody@exemple.fr", "here"))
    request = world.codes.ask("nobody@exemple.fr", "here")
    assert world.codes.send(outbox) == 0
    assert [guess(world, request, f"{n:08}") for n in range(TRIES + 1)] == ["CodeUnknown"] * TRIES + ["TooManyTries"]


def test_a_code_opens_only_with_its_own_request(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    world.codes.ask(EMAIL, "here")
    world.codes.send(outbox)
    other = world.codes.ask(EMAIL, "elsewhere")
    assert guess(world, other, outbox.code()) == "CodeUnknown"
    assert guess(world, "ab" * 16, outbox.code()) == "AskOver"


def test_a_code_lives_ten_minutes(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    request = world.codes.ask(EMAIL, "here")
    world.codes.send(outbox)
    world.clock.go(minutes=10)
    assert guess(world, request, outbox.code()) == "AskOver"
    world.codes.forget_old()
    with world.people.database.transaction(write=False) as tx:
        assert tx.execute("SELECT COUNT(*) FROM code_ask")[0][0] == 0
        assert tx.execute("SELECT COUNT(*) FROM code_for")[0][0] == 0


def test_after_five_wrong_codes_the_right_one_opens_nothing(
    world: World, people: tuple[str, ...], outbox: Outbox
) -> None:
    request = world.codes.ask(EMAIL, "here")
    world.codes.send(outbox)
    wrong = "0000 0000" if outbox.code() != "0000 0000" else "1111 1111"
    assert [guess(world, request, wrong, f"s{n}") for n in range(TRIES)] == ["CodeUnknown"] * TRIES
    assert guess(world, request, outbox.code(), "s9") == "TooManyTries"


def test_forty_guesses_at_once_get_five_tries(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    request = world.codes.ask(EMAIL, "here")
    world.codes.send(outbox)
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda n: guess(world, request, f"{n:08}", f"s{n}"), range(40)))
    assert (said.count("CodeUnknown"), said.count("TooManyTries")) == (TRIES, 40 - TRIES)


def test_a_source_that_guesses_is_stopped_whatever_it_asks_for(world: World, people: tuple[str, ...]) -> None:
    requests = [world.codes.ask(f"p{n}@exemple.fr", "here") for n in range(3)]
    said = [guess(world, requests[n % 3], "00000000") for n in range(8)]
    assert said == ["CodeUnknown"] * 5 + ["TooManyTries"] * 3


def test_people_who_share_an_address_get_a_code_each_with_their_name(
    world: World, people: tuple[str, ...], outbox: Outbox
) -> None:
    request = world.codes.ask("famille@exemple.fr", "here")
    assert world.codes.send(outbox) == 2
    assert {m.values["name"] for m in outbox.messages} == {"Hugo", "Rosa"}
    assert guess(world, request, outbox.code(people[2])) == people[2]
    assert guess(world, request, outbox.code(people[1])) == "AskOver", "one use, whoever's"


def test_a_lock_out_of_one_way_leaves_the_others(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    code = world.sign_in.new_code(people[0])
    for n in range(9):
        world.codes.ask(EMAIL, f"s{n}")
    with pytest.raises(TooOften):
        world.codes.ask(EMAIL, "owner")
    assert world.sign_in.sign_in(code, "owner").subject == people[0]
    request = world.codes.ask(PHONE, "owner")
    world.codes.send(outbox)
    (sms,) = [m for m in outbox.messages if m.kind == "sms"]
    assert guess(world, request, sms.values["code"], "owner") == people[0]


def refusals(world: World, contact: str, sources: list[str]) -> list[int]:
    """After how many seconds it may be asked again; 0: a request was made."""
    said = []
    for source in sources:
        try:
            world.codes.ask(contact, source)
            said.append(0)
        except TooOften as e:
            said.append(e.seconds)
    return said


@pytest.mark.parametrize("contact", [EMAIL, "nobody@exemple.fr"])
def test_how_often_may_be_asked_is_the_same_for_known_and_unknown(
    world: World, people: tuple[str, ...], contact: str
) -> None:
    assert refusals(world, contact, ["here"] * 4) == [0, 0, 0, 600]
    assert refusals(world, contact, [f"s{n}" for n in range(7)]) == [0] * 6 + [600]
    world.clock.go(minutes=4)
    assert refusals(world, contact, ["late"]) == [360]
    world.clock.go(minutes=6)
    assert refusals(world, contact, ["here"]) == [0]
    for _ in range(30):
        world.clock.go(minutes=10)
        last = refusals(world, contact, ["here"])
    assert last[0] > 3600, "thirty a day"


def test_one_source_cannot_use_up_what_all_have(world: World) -> None:
    said = [refusals(world, f"p{n}@exemple.fr", ["here"])[0] for n in range(300)]
    assert said.count(0) == 20
    assert refusals(world, "someone@exemple.fr", ["elsewhere"]) == [0]
    many = [refusals(world, f"q{n}@exemple.fr", [f"s{n}"])[0] for n in range(200)]
    assert many.count(0) == 200 - 21


def test_what_is_no_contact_is_refused_before_anything_is_counted(world: World) -> None:
    for typed in ("nobody", "12", "01 99 00 12 34", "@"):
        with pytest.raises(ContactRefused):
            world.codes.ask(typed, "here")
    with world.people.database.transaction(write=False) as tx:
        assert tx.execute("SELECT COUNT(*) FROM counted")[0][0] == 0


def test_the_store_keeps_keyed_hashes_alone(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    request = world.codes.ask(EMAIL, "192.0.2.7")
    world.codes.send(outbox)
    tables = ("contact", "code_ask", "code_for", "counted", "sign_in_try", "one_time_code")
    with world.people.database.transaction(write=False) as tx:
        kept = repr([tx.execute(f"SELECT * FROM {table}") for table in tables])
    code = outbox.code().replace(" ", "")
    for secret in (EMAIL, "192.0.2.7", request, bytes.fromhex(request).hex(), code):
        assert secret not in kept
    assert repr(bytes.fromhex(request))[2:-1] not in kept


def test_an_erased_person_gets_no_code_and_opens_nothing(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    request = world.codes.ask(EMAIL, "here")
    world.codes.send(outbox)
    waiting = world.codes.ask(PHONE, "here")
    world.personal.erase(people[0], "agent-1")
    world.personal.erase(people[0], "agent-2")
    assert world.codes.send(outbox) == 0
    assert guess(world, request, outbox.code()) == "CodeUnknown"
    assert guess(world, waiting, "00000000") == "CodeUnknown"


# --- whatever dies ---


@pytest.mark.parametrize("step", ["waiting", "addressees", "sent"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_around_any_step_sends_one_message_with_one_code(
    world: World, people: tuple[str, ...], outbox: Outbox, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    request = world.codes.ask(EMAIL, "here")
    codes = world.codes
    whole = getattr(codes._store, step)

    def dying(*given: object) -> object:
        if when == "after":
            whole(*given)
        raise StoreFailed("the machine died here")

    monkeypatch.setattr(codes._store, step, dying)
    with pytest.raises(StoreFailed):
        codes.send(outbox)
    for _ in range(3):
        world.codes.send(outbox)
    assert len(outbox.taken) == 1
    assert guess(world, request, outbox.code()) == people[0]


@pytest.mark.parametrize("lost", [False, True])
def test_an_outbox_that_does_not_answer_is_asked_again_with_the_same_key(
    world: World, people: tuple[str, ...], outbox: Outbox, lost: bool
) -> None:
    request = world.codes.ask(EMAIL, "here")
    outbox.fails, outbox.lost = 3, lost
    for _ in range(5):
        world.codes.send(outbox)
    assert (len(outbox.taken), outbox.calls) == (1, 4)
    assert guess(world, request, outbox.code()) == people[0]


def test_a_message_that_is_refused_holds_up_no_other(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    world.codes.ask(EMAIL, "here")
    world.clock.go(seconds=1)
    world.codes.ask(PHONE, "here")
    outbox.fails, outbox.refused = 1, True
    world.codes.send(outbox)
    world.codes.send(outbox)
    assert [m.kind for m in outbox.messages] == ["sms"]
    assert outbox.calls == 2


def test_a_request_that_waited_too_long_is_not_sent(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    world.codes.ask(EMAIL, "here")
    world.clock.go(minutes=10)
    assert world.codes.send(outbox) == 0


# --- letters ---


def letter(world: World, source: str = "here") -> None:
    world.codes.ask_letter("queguiner", "MAËLLE", "1987-05-24", source)


def test_a_letter_goes_to_the_address_on_the_roll_and_its_code_opens_once(
    world: World, people: tuple[str, ...], outbox: Outbox
) -> None:
    letter(world)
    assert world.codes.send(outbox) == 1
    (message,) = outbox.messages
    assert message.address.splitlines() == ["Maëlle Quéguiner", "7 rue du Lavoir", "Vère-le-Château"]
    assert re.fullmatch(r"(?:[0-9A-Z]{4}-){2}[0-9A-Z]{4}", outbox.code())
    world.clock.go(days=LETTER_DAYS, seconds=-60)
    world.codes.forget_old()
    found = world.codes.sign_in_once(outbox.code().lower().replace("-", " "), "here")
    assert (found.subject, found.method, found.shared) == (people[0], "letter", False)
    with pytest.raises(CodeUnknown):
        world.codes.sign_in_once(outbox.code(), "here")


def test_a_letters_code_is_over_after_thirty_days(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    letter(world)
    world.codes.send(outbox)
    world.clock.go(days=LETTER_DAYS)
    with pytest.raises(CodeUnknown):
        world.codes.sign_in_once(outbox.code(), "here")
    world.codes.forget_old()
    with world.people.database.transaction(write=False) as tx:
        assert tx.execute("SELECT COUNT(*) FROM one_time_code")[0][0] == 0


def test_a_new_letter_replaces_the_former_and_one_a_day_is_sent(
    world: World, people: tuple[str, ...], outbox: Outbox
) -> None:
    letter(world)
    world.codes.send(outbox)
    with pytest.raises(TooOften):
        letter(world, "elsewhere")
    world.clock.go(days=1)
    letter(world)
    world.codes.send(outbox)
    first, second = (m.values["code"] for m in outbox.messages)
    with pytest.raises(CodeUnknown):
        world.codes.sign_in_once(first, "here")
    assert world.codes.sign_in_once(second, "here").subject == people[0]


def test_nobody_known_gets_the_same_answer_and_no_letter(world: World, people: tuple[str, ...], outbox: Outbox) -> None:
    world.codes.ask_letter("Personne", "Aucune", "1987-05-24", "here")
    world.codes.ask_letter("Abadie", "Hugo", "1991-11-02", "here")  # known, without an address
    assert world.codes.send(outbox) == 0
    with pytest.raises(TooOften):
        world.codes.ask_letter("Personne", "Aucune", "1987-05-24", "here")


def test_an_agent_orders_a_letter_and_is_told_what_is_missing(
    world: World, people: tuple[str, ...], outbox: Outbox
) -> None:
    world.desk.order_letter(people[0], "agent-1")
    assert world.codes.send(outbox) == 1
    assert world.codes.sign_in_once(outbox.code(), "here").subject == people[0]
    with pytest.raises(AddressMissing):
        world.desk.order_letter(people[1], "agent-1")
    with pytest.raises(PersonUnknown):
        world.desk.order_letter("stranger", "agent-1")
    acts, _ = world.desk.acts(1)
    assert [(act.act, act.by, name) for act, _, name in acts] == [("letter", "agent-1", "Maëlle Quéguiner")]


def test_a_letter_waits_for_an_outbox_that_is_down_for_days(
    world: World, people: tuple[str, ...], outbox: Outbox
) -> None:
    letter(world)
    outbox.fails = 1
    world.codes.send(outbox)
    world.clock.go(days=3)
    world.codes.forget_old()
    assert world.codes.send(outbox) == 1
    assert world.codes.sign_in_once(outbox.code(), "here").subject == people[0]


def test_wrong_one_time_codes_are_counted_with_the_others(world: World, people: tuple[str, ...]) -> None:
    said = []
    for _ in range(6):
        with pytest.raises((CodeUnknown, TooManyTries)) as refused:
            world.codes.sign_in_once("AAAA-AAAA", "here")
        said.append(refused.value.code)
    assert said == ["CodeUnknown"] * 5 + ["TooManyTries"]
    code = world.sign_in.new_code(people[0])
    with pytest.raises(TooManyTries):
        world.sign_in.sign_in(code, "here")
    assert world.sign_in.sign_in(code, "elsewhere").subject == people[0]
    with pytest.raises(AskOver):
        world.codes.sign_in("ab" * 16, "1", "elsewhere")
