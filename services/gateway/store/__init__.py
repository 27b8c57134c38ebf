"""The gateway's own store: who is signed in (`sessions`), drafts and receipts (`drafts`), what staff did
(`trail`), keys of the public API (`api_keys`), how far the worker has heard what other services tell.

No ballot data ever comes here: no choice, no tracker, no credential, no receipt of a vote, no code de vote; nor does
any page write to it while a person votes, so that no row tells when.
"""

from __future__ import annotations

from typing import Final

from services.gateway.store.api_keys import KEYS_STEP
from services.gateway.store.drafts import DRAFT_STEP
from services.gateway.store.sessions import FIRST_STEP, SEALED_STEP
from services.gateway.store.trail import TRAIL_STEP
from services.shared.tracking import TRACKING_STEPS

STEPS: Final = (FIRST_STEP, DRAFT_STEP, TRAIL_STEP, SEALED_STEP, KEYS_STEP, *TRACKING_STEPS)
