"""A message to one person: taken once by its key, one file of the spool, and nothing left of an erased person."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.notifications.api import create_api
from services.notifications.domain import sms
from services.notifications.domain.rendering import AddressRefused
from services.notifications.domain.templates import TEMPLATES, TemplateUnknown, ValuesDiffer
from services.notifications.policies import ErasurePolicies
from services.notifications.worker import NotificationsWorker
from services.shared import entrypoints, keys
from services.shared.contracts import identity
from services.shared.errors import Refusal
from services.shared.tokens import TokenSigner, TokenVerifier
from tests.notifications.conftest import KEEP_DAYS, Post, message

NOTHING: Any = None
PERSONAL = (b"exemple.fr", b"39980012", "Maëlle".encode(), b"4821", b"K7QP", b"Lavoir")
KINDS = ("email", "sms", "letter")


def test_an_email_is_one_file_that_mail_programs_read(post: Post) -> None:
    assert post.outbox.accept(message()) == "accepted"
    assert post.outbox.spool() == 1
    (path,) = post.files()
    assert (path.parent.name, path.suffix) == ("email", ".eml")
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert str(mail["To"]) == "maelle@exemple.fr" and str(mail["Subject"]) == "Votre code de connexion"
    assert mail["Message-ID"] and mail["Date"] and mail["Auto-Submitted"] == "auto-generated"
    assert "4821 7390" in mail.get_content() and "Bonjour Maëlle," in mail.get_content()
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_an_sms_says_its_number_encoding_and_parts(post: Post) -> None:
    post.outbox.accept(message(kind="sms"))
    post.outbox.spool()
    (path,) = post.files()
    assert (path.parent.name, path.suffix) == ("sms", ".txt")
    head, _, text = path.read_text("utf-8").partition("\n\n")
    assert head.splitlines()[:3] == ["To: +33639980012", "Encoding: GSM-7", "Parts: 1"]
    assert "4821 7390" in text and "Maelle" in text


def test_a_letter_is_a_sheet_with_the_address_and_nothing_that_runs(post: Post) -> None:
    post.outbox.accept(message(kind="letter", address="<script>x</script>\n7 rue du Lavoir"))
    post.outbox.spool()
    (path,) = post.files()
    assert (path.parent.name, path.suffix) == ("letters", ".html")
    source = path.read_text("utf-8")
    assert "K7QP-2MXD-9F3T" in source and "7 rue du Lavoir" in source and "<script" not in source


def test_the_same_key_twice_is_one_message_also_after_it_left(post: Post) -> None:
    assert post.outbox.accept(message()) == "accepted"
    assert post.outbox.accept(message()) == "known"
    assert post.outbox.spool() == 1
    assert post.outbox.accept(message()) == "known"
    assert post.outbox.spool() == 0
    assert post.outbox.accept(message(key="cd" * 16)) == "accepted"
    assert post.outbox.spool() == 1
    assert len(post.files()) == 2


def test_twenty_at_once_with_one_key_are_one_message(post: Post) -> None:
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: post.outbox.accept(message()), range(20)))
    assert sorted(said) == ["accepted"] + ["known"] * 19
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: post.outbox.spool(), range(8))) == 1
    assert len(post.files()) == 1


@pytest.mark.parametrize("step", ["written", "named"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_death_at_any_step_of_writing_leaves_one_file(post: Post, step: str, kind: str) -> None:
    post.outbox.accept(message(kind=kind))
    post.die_at = step
    with pytest.raises(KeyboardInterrupt):
        post.outbox.spool()
    seen = [path.read_bytes() for path in post.files() if not path.name.startswith(".")]
    assert post.outbox.spool() == 1
    (path,) = post.files()
    assert seen in ([], [path.read_bytes()]), "the file that was there has the same bytes"
    assert post.outbox.spool() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_personal_leaves_the_store_with_the_message(post: Post, kind: str) -> None:
    if post.store.database.engine == "postgres":
        pytest.skip("what stands in a file is looked at with SQLite")
    post.outbox.accept(message(kind=kind))
    where = Path(str(post.store.database.where))
    post.store.database.truncate_log()
    assert any(part in where.read_bytes() for part in PERSONAL)
    post.outbox.spool()
    post.store.database.truncate_log()
    for path in where.parent.glob(where.name + "*"):
        assert not any(part in path.read_bytes() for part in PERSONAL), path


@pytest.mark.parametrize(
    "changed, refused",
    [
        ({"template": "unheard"}, TemplateUnknown),
        ({"kind": "letter", "template": "sign_in_code"}, TemplateUnknown),
        ({"values": {"code": "1"}}, ValuesDiffer),
        ({"values": {"code": "1", "name": "", "minutes": "1", "more": ""}}, ValuesDiffer),
        ({"address": "nobody"}, AddressRefused),
        ({"address": "a@exemple.fr, b@exemple.fr"}, AddressRefused),
        ({"address": "a@exemple.fr\r\nBcc: b@exemple.fr"}, AddressRefused),
        ({"kind": "sms", "address": "0639980012"}, AddressRefused),
        ({"kind": "sms", "address": "+33639980012\nTo: x"}, AddressRefused),
        ({"kind": "letter", "address": "Maëlle"}, AddressRefused),
    ],
)
def test_what_cannot_be_written_is_refused_and_not_kept(
    post: Post, changed: dict[str, Any], refused: type[Refusal]
) -> None:
    with pytest.raises(refused):
        post.outbox.accept(message(**changed))
    assert post.outbox.spool() == 0 and post.files() == []


def test_an_erased_persons_messages_are_gone_and_none_is_taken_any_more(post: Post) -> None:
    for kind in KINDS:
        post.outbox.accept(message(key=f"{kind.encode().hex()}aaaaaaaa", kind=kind))
        post.outbox.accept(message(key=f"{kind.encode().hex()}bbbbbbbb", kind=kind, subject="s2"))
    post.outbox.spool()
    post.outbox.accept(message(key="dd" * 16))
    policies = ErasurePolicies(post.outbox)
    told = identity.encode(identity.PersonErased("s1"))
    for _ in range(2):  # a redelivery finds nothing more to do
        policies.process("PersonErased", 1, told)
    assert len(post.files()) == 3
    assert post.outbox.accept(message(key="ee" * 16)) == "accepted", "whoever asks is told no more"
    post.outbox.spool()
    assert len(post.files()) == 3
    with post.store.database.transaction(write=False) as tx:
        assert {subject for (subject,) in tx.execute("SELECT subject FROM outbox")} == {"s2"}


def test_a_death_while_erasing_is_finished_by_the_redelivery(post: Post) -> None:
    post.outbox.accept(message())
    post.die_at = "written"
    with pytest.raises(KeyboardInterrupt):
        post.outbox.spool()
    assert [path.name[0] for path in post.files()] == ["."], "a draft was left behind"
    assert post.outbox.forget("s1") == 1
    assert post.files() == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_carrier_sees_a_message_of_zeros(post: Post, kind: str) -> None:
    post.outbox.accept(message(kind=kind))
    post.outbox.spool()
    post.die_at = "zeroed"
    with pytest.raises(KeyboardInterrupt):
        post.outbox.forget("s1")
    assert [path.name[0] for path in post.files()] == ["."] and post.spool.newest(9) == []
    assert post.outbox.forget("s1") == 1
    assert post.files() == []


def test_erasing_and_sending_at_once_leave_nothing(post: Post) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(post.outbox.accept, message(key=f"{n:016x}")) for n in range(20)]
        erased = pool.submit(post.outbox.forget, "s1")
        sent += [pool.submit(post.outbox.accept, message(key=f"{n:016x}")) for n in range(20, 40)]
        for one in (*sent, erased):
            one.result()
    assert post.outbox.spool() == 0 and post.files() == []


def test_other_events_and_versions_are_passed_over(post: Post) -> None:
    post.outbox.accept(message())
    policies = ErasurePolicies(post.outbox)
    policies.process("PersonErased", 2, b"?")
    policies.process("IssuanceReady", 1, identity.encode(identity.IssuanceReady("p", "00")))
    assert post.outbox.spool() == 1


def test_old_messages_go_with_their_files(post: Post) -> None:
    post.outbox.accept(message())
    post.outbox.spool()
    post.go(days=KEEP_DAYS, seconds=-1)
    assert post.outbox.forget_old() == 0
    post.go(seconds=2)
    assert post.outbox.forget_old() == 1
    assert post.files() == []


def test_the_worker_hears_erasures_from_the_beginning() -> None:
    assert entrypoints.subscriptions(NotificationsWorker())[identity.TOPIC].since == "beginning"


# --- words for telephones ---


@pytest.mark.parametrize(
    "text, expected",
    [
        ("é" * 160, ("GSM-7", 160, 1)),
        ("é" * 161, ("GSM-7", 161, 2)),
        ("€" * 80, ("GSM-7", 160, 1)),
        ("ç" * 70, ("UCS-2", 70, 1)),
        ("ç" * 136, ("UCS-2", 136, 3)),
        ("😀", ("UCS-2", 2, 1)),
        ("", ("GSM-7", 0, 1)),
    ],
)
def test_parts_are_counted_as_telephones_do(text: str, expected: tuple[str, int, int]) -> None:
    counted = sms.count(text)
    assert (counted.encoding, counted.places, counted.parts) == expected


def test_what_looks_the_same_keeps_to_the_basic_alphabet() -> None:
    assert sms.plain("Maëlle n’a pas reçu l’œuvre – 5 €…") == "Maelle n'a pas recu l'oeuvre - 5 €..."


@pytest.mark.parametrize("key", [key for key, template in TEMPLATES.items() if "sms" in template.ways])
def test_every_sms_is_one_part_of_the_basic_alphabet(key: str) -> None:
    template = TEMPLATES[key]
    values = {"name": "Marie-Thérèse Anaëlle", "code": "4821 7390", "minutes": "10"}
    _, text = template.filled("sms", {name: values[name] for name in template.values})
    counted = sms.count(sms.plain(text))
    assert (counted.encoding, counted.parts) == ("GSM-7", 1), text


def test_no_template_leaves_a_value_out_or_asks_for_another() -> None:
    for template in TEMPLATES.values():
        values = {name: f"[{name}]" for name in template.values}
        for way in template.ways:
            _, text = template.filled(way, values)
            wanted = template.values - ({"minutes"} if way == "sms" else set())
            assert all(f"[{name}]" in text for name in wanted), (way, text)


# --- over HTTP ---


class Caller:
    def __init__(self, post: Post, folder: Path, *, shown: bool = False) -> None:
        for name in ("gateway", "identity"):
            keys.make_key_pair(folder / name / "token.key", folder / name / "token.pub")
        services = {"identity": folder / "identity" / "token.pub"}
        tokens = TokenVerifier(folder / "gateway" / "token.pub", "notifications", services=services)
        app = create_api(NOTHING, post.outbox, tokens, lambda: None, post.spool if shown else None)
        self.client = app.test_client()
        self.gateway = TokenSigner(folder / "gateway" / "token.key")
        self.identity = TokenSigner(folder / "identity" / "token.key", issuer="identity")

    def send(self, body: Any, token: str | None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.post("/outbox", data=json.dumps(body), content_type="application/json", headers=headers)


def test_only_identity_and_the_gateway_may_send(post: Post, tmp_path: Path) -> None:
    call = Caller(post, tmp_path / "keys")
    body = msgspec.to_builtins(message())
    assert call.send(body, None).status_code == 401
    assert call.send(body, call.identity.own("ballot")).status_code == 401
    for role in ("resident", "administrator", "agent"):
        assert call.send(body, call.gateway.token("someone", [role], "notifications")).status_code == 403
    assert call.send(body, call.identity.own("notifications")).get_json() == {"state": "accepted"}
    assert call.send(body, call.gateway.own("notifications")).get_json() == {"state": "known"}
    answer = call.send({**body, "key": "short"}, call.identity.own("notifications"))
    assert (answer.status_code, answer.get_json()["field"]) == (400, "key")
    assert call.send({**body, "more": 1}, call.identity.own("notifications")).status_code == 400


def test_the_spool_can_be_read_only_where_that_was_set_and_by_the_gateway(post: Post, tmp_path: Path) -> None:
    closed, shown = Caller(post, tmp_path / "a"), Caller(post, tmp_path / "b", shown=True)
    for number, kind in enumerate(KINDS):
        post.outbox.accept(message(key=f"{number:032x}", kind=kind))
    post.outbox.spool()
    bearer = {"Authorization": f"Bearer {closed.gateway.own('notifications')}"}
    assert closed.client.get("/spool", headers=bearer).status_code == 404
    bearer = {"Authorization": f"Bearer {shown.gateway.own('notifications')}"}
    told = {one["kind"]: one for one in shown.client.get("/spool", headers=bearer).get_json()["messages"]}
    assert set(told) == set(KINDS)
    assert told["email"]["to"] == "maelle@exemple.fr" and "4821 7390" in told["email"]["text"]
    assert told["sms"]["to"] == "+33639980012" and "4821 7390" in told["sms"]["text"]
    assert "7 rue du Lavoir" in told["letter"]["to"] and "K7QP-2MXD-9F3T" in told["letter"]["text"]
    for role in ("resident", "administrator"):
        person = {"Authorization": f"Bearer {shown.gateway.token('x', [role], 'notifications')}"}
        assert shown.client.get("/spool", headers=person).status_code == 403
