"""The only SQL of notifications, and its files: the inbox; the outbox of messages to one person; the spool."""

from services.notifications.store.inbox import PAGE as PAGE
from services.notifications.store.inbox import STEPS as STEPS
from services.notifications.store.inbox import InboxStore as InboxStore
