"""What people are told, and in which words: messages of the inbox, and what is sent to one person."""

from services.notifications.domain.inbox import Message as Message
from services.notifications.domain.inbox import poll_closed as poll_closed
