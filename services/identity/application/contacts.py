"""Where a person can be reached: e-mail addresses and telephone numbers, in one form each, and how they lead to one.

Nothing here is sent anywhere, and no domain is asked whether it takes mail.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final, Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from services.identity.domain import Person
from services.shared.errors import BadInput

Way = Literal["email", "sms"]
_REGIONS: Final = ("FR", "RE", "GP", "MQ", "GF", "YT", "PM", "NC", "PF", "WF")
"""A number without its country is looked for here, in this order: France, then overseas by their own national form."""
_FICTIONAL: Final = "+3363998"
"""What the regulator (ARCEP) keeps for films and demonstrations; no such telephone rings."""
_MOBILE: Final = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


class ContactRefused(BadInput):
    reason = "neither an e-mail address nor a telephone number"


@dataclass(frozen=True, slots=True)
class Contact:
    way: Way
    value: str


def contact_of(text: str) -> Contact:
    """What somebody typed to be reached by. Raises ContactRefused."""
    if "@" in text:
        return Contact("email", email_of(text))
    phone = phone_of(text)
    if not takes_sms(phone):
        raise ContactRefused("no SMS reaches this number", field="contact")
    return Contact("sms", phone)


def email_of(text: str) -> str:
    """The address as it is kept; "" for "". Raises ContactRefused."""
    if not text.strip():
        return ""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        raise ContactRefused("not an e-mail address", field="email") from None


def phone_of(text: str) -> str:
    """The number as it is kept, like +33639980012; "" for "". Raises ContactRefused."""
    if not text.strip():
        return ""
    for region in _REGIONS:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            break
        written: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        fictional = written.startswith(_FICTIONAL) and len(written) == len("+33639980000")
        if fictional or phonenumbers.is_valid_number(number):
            return written
    raise ContactRefused("not a telephone number", field="phone")


def takes_sms(phone: str) -> bool:
    """`phone`: as `phone_of` gives it."""
    return phone.startswith(_FICTIONAL) or phonenumbers.number_type(phonenumbers.parse(phone)) in _MOBILE


def contact_hash(key: bytes, contact: Contact) -> bytes:
    """Case does not matter in an address: no two people share one but for it."""
    return hmac.digest(key, f"contact\n{contact.way}\n{contact.value.casefold()}".encode(), "sha256")


def contacts(person: Person) -> list[Contact]:
    found = [Contact("email", person.email)] if person.email else []
    if person.phone and takes_sms(person.phone):
        found.append(Contact("sms", person.phone))
    return found
