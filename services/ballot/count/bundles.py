"""A poll's export as a ballot file: its winning ballots, question by question, by the very code of the tally.

What the audit is for is not done here: no signature, root or chain is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.ballot.count.lines import FileRefused
from services.ballot.methods import METHODS
from services.ballot.protocol import bundle, leaves
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.ballots import Ballot
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.profile import Answers, Winners, per_question
from services.ballot.protocol.questions import Question
from services.shared.errors import Refusal


def read(lines: Iterable[bytes], wanted: str | None) -> tuple[Question, Answers]:
    """The question of that id, or the only one, with its profile. Raises FileRefused."""
    number = 0
    manifest: Manifest | None = None
    station, winners = "", Winners()

    def numbered() -> Iterator[bytes]:
        nonlocal number
        for line in lines:
            number += 1
            yield line

    try:
        for line in bundle.read(numbered()):
            if line.kind == "manifest":
                manifest = manifests.parse(line.value, METHODS)
            elif line.kind == "station":
                station = line.value[0]
            elif line.kind == "leaf" and manifest is not None:
                leaf = leaves.parse(line.value, manifest, station, verify=False)
                if isinstance(leaf, Ballot):
                    winners.add(leaf.credential, leaf.seq, leaf.answers)
    except Refusal as refused:
        field = f"{refused.field}: " if refused.field else ""
        raise FileRefused(number, f"{field}{refused.reason}") from None
    if manifest is None:
        raise FileRefused(number, "the export holds no manifest")
    place = _place(manifest, wanted)
    return manifest.questions[place], per_question(manifest, winners.profile())[place]


def _place(manifest: Manifest, wanted: str | None) -> int:
    ids = [question.id for question in manifest.questions]
    if wanted is None and len(ids) == 1:
        return 0
    if wanted not in ids:
        raise FileRefused(0, f"say which question with --question: {', '.join(ids)}")
    return ids.index(wanted)
