"""A message to one person as the bytes of a file, the same each time: e-mail (RFC 5322), SMS, letter (HTML, A4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Final

from services.notifications.domain import sms
from services.notifications.domain.templates import filled
from services.shared.errors import BadInput

ENDINGS: Final = {"email": ".eml", "sms": ".txt", "letter": ".html"}
_TELEPHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SHEET: Final = """<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<style>@page {{ size: A4; margin: 20mm }} body {{ font: 12pt/1.5 sans-serif; max-width: 170mm; margin: auto }}
address {{ margin: 25mm 0 20mm 90mm; font-style: normal; white-space: pre-line }}</style></head>
<body><address>{address}</address><p>{date}</p><h1>{title}</h1>{paragraphs}</body></html>
"""


class AddressRefused(BadInput):
    """Nothing can be sent to this address by this way."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent to one person. `id`: 32 hex digits, by which its file is named; `at`: when it was accepted."""

    id: str
    kind: str
    subject: str
    at: datetime
    address: str
    template: str
    values: Mapping[str, str]

    @property
    def file(self) -> str:
        return self.id + ENDINGS[self.kind]

    def rendered(self, sender: str) -> bytes:
        """`sender`: the address that e-mails come from. Raises AddressRefused, TemplateUnknown or ValuesDiffer."""
        title, text = filled(self.template, self.kind, self.values)
        if self.kind == "email":
            return self._email(sender, title, text)
        return self._sms(text) if self.kind == "sms" else self._letter(title, text)

    def _email(self, sender: str, title: str, text: str) -> bytes:
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = Address("Parvis", addr_spec=sender)
            message["To"] = Address(addr_spec=self.address)
        except (ValueError, IndexError):
            raise AddressRefused("no e-mail address", field="address") from None
        message["Subject"] = title
        message["Date"] = self.at
        message["Message-ID"] = f"<{self.id}@{sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text + "\n", cte="quoted-printable")
        return message.as_bytes()

    def _sms(self, text: str) -> bytes:
        if not _TELEPHONE.fullmatch(self.address):
            raise AddressRefused("no telephone number like +33639980012", field="address")
        words = sms.plain(text)
        counted = sms.count(words)
        head = f"To: {self.address}\nEncoding: {counted.encoding}\nParts: {counted.parts}\nPlaces: {counted.places}\n"
        return f"{head}\n{words}\n".encode()

    def _letter(self, title: str, text: str) -> bytes:
        lines = [line.strip() for line in self.address.splitlines() if line.strip()]
        if len(lines) < 2:
            raise AddressRefused("a letter needs a name and an address, on lines of their own", field="address")
        paragraphs = "".join(f"<p>{escape(part)}</p>\n" for part in text.split("\n\n"))
        address, date = escape("\n".join(lines)), self.at.strftime("%d/%m/%Y")
        return _SHEET.format(title=escape(title), address=address, date=date, paragraphs=paragraphs).encode()
