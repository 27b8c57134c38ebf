"""What the life of a poll refuses; each names the broken rule."""

from __future__ import annotations

from services.shared.errors import BadInput, Conflict


class PollNotDraft(Conflict):
    reason = "the manifest is frozen: replace it, with a reason, as long as the poll is not open"


class PollNotPublished(Conflict):
    reason = "only a published poll that has not opened can do that"


class PollNotClosed(Conflict):
    reason = "the count is confirmed once every polling station is closed"


class PollOver(Conflict):
    reason = "its closing time is past"


class PollEnded(Conflict):
    reason = "the poll is counted or cancelled already"


class SecondPersonNeeded(Conflict):
    reason = "this person confirmed already: another one must"


class OpeningNotConfirmed(Conflict):
    reason = "two people must confirm the opening first"


class IssuanceNotReady(Conflict):
    reason = "identity has not accepted this manifest: its roll or its key are not those prepared there"


class AnotherManifest(Conflict):
    reason = "another manifest is in force: read that one, then confirm it"


class OtherCheckpoints(Conflict):
    reason = "the stations' checkpoints are others: look at those, then confirm them"


class AnotherReplacement(Conflict):
    reason = "another manifest took its place meanwhile: look at it, then replace that one"


class ReasonNeeded(BadInput):
    reason = "say why in at least ten characters"
