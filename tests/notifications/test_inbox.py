"""A poll that closes becomes one message of the inbox; hearing it twice changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.notifications.api import create_api
from services.notifications.policies import NotificationPolicies
from services.notifications.store import PAGE, InboxStore
from services.notifications.worker import NotificationsWorker
from services.shared import entrypoints, keys
from services.shared.contracts import ballot
from services.shared.errors import Refusal
from services.shared.tokens import TokenSigner, TokenVerifier

NOTHING: Any = None
POLL = "5f0c8a3e-1111-4222-8333-444455556666"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLOSED = ballot.PollClosed(POLL, "Un jardin partagé place de la Halle ?", "2026-11-23T11:59:00Z")


@pytest.fixture
def policies(inbox: InboxStore) -> NotificationPolicies:
    return NotificationPolicies(inbox, lambda: NOON)


def close(policies: NotificationPolicies, number: int = 1) -> None:
    policies.process(f"{POLL}.{number}", "PollClosed", 1, ballot.encode(CLOSED))


def test_a_closed_poll_becomes_a_message_with_its_title(inbox: InboxStore, policies: NotificationPolicies) -> None:
    close(policies)
    (message,), pages = inbox.page(1)
    assert message.subject == "Le vote est clos : Un jardin partagé place de la Halle ?"
    assert "« Un jardin partagé place de la Halle ? »" in message.body
    assert (message.id, message.at, message.poll, pages) == (f"{POLL}.1", "2026-11-23T12:00:00Z", POLL, 1)


def test_the_same_event_twice_is_one_message(inbox: InboxStore, policies: NotificationPolicies) -> None:
    close(policies)
    close(policies)
    assert len(inbox.page(1)[0]) == 1


def test_an_effect_that_is_rolled_back_leaves_no_message(inbox: InboxStore, policies: NotificationPolicies) -> None:
    def fail_afterwards() -> None:
        with inbox.database.transaction():
            close(policies)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_afterwards()
    assert inbox.page(1)[0] == []


def test_other_events_and_versions_are_passed_over(inbox: InboxStore, policies: NotificationPolicies) -> None:
    policies.process("1", "PollOpened", 1, ballot.encode(ballot.PollOpened(POLL)))
    policies.process("2", "PollClosed", 2, b"?")
    policies.process("3", "Unheard", 1, b"?")
    assert inbox.page(1) == ([], 1)


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b'{"poll":NaN}'])
def test_a_message_that_cannot_be_read_is_a_refusal_and_no_crash(policies: NotificationPolicies, value: bytes) -> None:
    with pytest.raises(Refusal):
        policies.process("1", "PollClosed", 1, value)


def test_the_inbox_shows_the_newest_first_page_by_page(
    inbox: InboxStore, policies: NotificationPolicies, tmp_path: Path
) -> None:
    for number in range(PAGE + 1):
        close(policies, number)
    keys.make_key_pair(tmp_path / "token.key", tmp_path / "token.pub")
    verifier = TokenVerifier(tmp_path / "token.pub", "notifications")
    client = create_api(inbox, NOTHING, verifier, lambda: None).test_client()
    token = TokenSigner(tmp_path / "token.key").token("9f3a", ["resident"], "notifications")
    headers = {"Authorization": f"Bearer {token}"}
    first = client.get("/inbox", headers=headers).get_json()
    assert [m["id"] for m in first["messages"]] == [f"{POLL}.{n}" for n in range(PAGE, 0, -1)]
    assert (first["page"], first["pages"]) == (1, 2)
    assert set(first["messages"][0]) == {"id", "at", "subject", "body", "poll"}
    assert len(client.get("/inbox?page=2", headers=headers).get_json()["messages"]) == 1
    assert client.get("/inbox?page=3", headers=headers).get_json()["messages"] == []
    assert client.get("/inbox").status_code == 401
    assert client.get("/inbox?page=x", headers=headers).get_json()["field"] == "page"


def test_the_worker_hears_polls_from_its_first_start_on() -> None:
    subscription = entrypoints.subscriptions(NotificationsWorker())[ballot.TOPIC]
    assert subscription.since == "now"
