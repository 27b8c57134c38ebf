"""The export's lines: what is written is read, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.ballot.protocol import bundle
from services.ballot.protocol.bundle import BundleTruncated, LineTooLong, LineUnexpected
from services.shared.errors import BadInput
from tests.ballot.builder import election

MADE = election(12, epochs=1)
LINES = list(MADE.lines())


def test_every_line_is_read_as_it_was_written() -> None:
    read = list(bundle.read(LINES))
    assert [line.number for line in read] == list(range(1, len(LINES) + 1))
    assert read[0].value == MADE.manifest.poll
    assert read[1].value == MADE.manifest.canonical
    assert [line.value for line in read if line.kind == "station"] == [
        (name, len(log.leaves)) for name, log in MADE.logs.items()
    ]
    leaves = [leaf for log in MADE.logs.values() for leaf in log.leaves]
    assert [line.value for line in read if line.kind == "leaf"] == leaves
    assert [line.value for line in read if line.kind == "checkpoint"] == list(MADE.notes.items())
    assert [line.value for line in read if line.kind == "event"] == MADE.events
    assert read[-1].kind == "end"


def test_a_poll_that_is_not_open_yet_has_a_bundle_too() -> None:
    lines = [bundle.opening(MADE.manifest.poll), bundle.manifest(MADE.manifest), bundle.end(2)]
    assert [line.kind for line in bundle.read(lines)] == ["bundle", "manifest", "end"]


Change = Callable[[list[bytes]], object]
FIRST_CHECKPOINT = next(i for i, line in enumerate(LINES) if line.startswith(b'{"line":"checkpoint"'))


@pytest.mark.parametrize(
    "change, refusal",
    [
        (lambda lines: lines.clear(), BundleTruncated),
        (lambda lines: lines.pop(), BundleTruncated),
        (lambda lines: lines.append(b"{}\n"), LineUnexpected),
        (lambda lines: lines.append(b""), BundleTruncated),
        (lambda lines: lines.__setitem__(-1, lines[-1][:-1]), BundleTruncated),
        (lambda lines: lines.__setitem__(-1, b"x" * bundle.MAX_LINE), LineTooLong),
        (lambda lines: lines.pop(0), LineUnexpected),
        (lambda lines: lines.pop(1), LineUnexpected),
        (lambda lines: lines.pop(FIRST_CHECKPOINT), LineUnexpected),
        (lambda lines: lines.pop(FIRST_CHECKPOINT - 1), LineUnexpected),
        (lambda lines: lines.insert(FIRST_CHECKPOINT, lines[5]), LineUnexpected),
        (lambda lines: lines.insert(-1, lines[2]), LineUnexpected),
        (lambda lines: lines.__setitem__(0, bundle.opening("x")), BadInput),
        (lambda lines: lines.__setitem__(0, lines[0].replace(b'"version":1', b'"version":2')), BadInput),
        (lambda lines: lines.__setitem__(0, lines[0].replace(b":", b": ")), BadInput),
        (lambda lines: lines.__setitem__(-2, b'{"event":[],"line":"event"}\n'), BadInput),
        (lambda lines: lines.__setitem__(-2, b'{"event":{"n":1.5},"line":"event"}\n'), BadInput),
        (lambda lines: lines.__setitem__(-1, bundle.end(3)), BundleTruncated),
        (lambda lines: lines.__setitem__(-1, b"\n"), BadInput),
    ],
)
def test_what_is_no_bundle_is_refused(change: Change, refusal: type[BadInput]) -> None:
    lines = list(LINES)
    change(lines)
    with pytest.raises(refusal):
        list(bundle.read(lines))
