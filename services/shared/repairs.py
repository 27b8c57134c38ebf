"""What an operator does to a worker's store: dead letters, and going on after a source was restored.

python -m services.<name> worker dead-letters list | replay N | drop N
python -m services.<name> worker accept-restore
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.shared import tracking
from services.shared.errors import NotFound, Refusal
from services.shared.eventlog import Feed
from services.shared.feed import Handler, Subscription, Told
from services.shared.store import Database
from services.shared.tracking import DeadLetter

USAGE: Final = "worker dead-letters list | replay N | drop N;  worker accept-restore"


class NoSuchDeadLetter(NotFound):
    reason = "no dead letter has this number: it was replayed or dropped, or never was"


def dead_letters(database: Database) -> list[DeadLetter]:
    """Oldest first."""
    with database.transaction(write=False) as tx:
        return tracking.dead_letters(tx)


def replay(database: Database, number: int, handlers: Mapping[str, Handler]) -> None:
    """Runs the handler and deletes the letter in one transaction, so a second replay finds nothing to do.

    Raises NoSuchDeadLetter, or the refusal that the handler still answers; the letter then stays.
    """
    with database.transaction() as tx:
        message = _letter(tracking.dead_letters(tx, number, lock=True)).message
        handlers[message.topic](tx, Told.of(message))
        tracking.delete_dead_letter(tx, number)


def drop(database: Database, number: int) -> None:
    """Gives the letter up for good. Raises NoSuchDeadLetter."""
    with database.transaction() as tx:
        _letter(tracking.dead_letters(tx, number, lock=True))
        tracking.delete_dead_letter(tx, number)


def accept_restore(database: Database, feed: Feed) -> list[str]:
    """Goes over to the incarnations that wait, each from the last position that both tell the same.

    Returns sentences: per source and partition the new position, and every position above it whose effects stand here
    without an event in the restored store. Running workers go on by themselves.
    """
    with database.transaction() as tx:
        accepted = {where: (row, tracking.accept(tx, where, row)) for where, row in tracking.waiting(tx).items()}
    said = []
    for (topic, partition, shard), (row, position) in accepted.items():
        old = f"{shard}/{row.incarnation}"
        mine = (d.message for d in feed.scan(topic, partition) if d.message.source == old)
        alone = sorted({m.position for m in mine if position < m.position <= row.position})
        said.append(f"{topic}/{partition} {shard}: goes on after {position} as {row.offered}")
        if position < row.position:
            listed = ", ".join(map(str, alone)) or f"those in ({position}, {row.position}], no longer in the log"
            said.append(f"{topic}/{partition} {shard}: effects without an event: {listed}")
    return said


def command(
    arguments: Sequence[str],
    database: Database,
    subscriptions: Callable[[], Mapping[str, Subscription]],
    feed: Callable[[], Feed],
    say: Callable[[str], None] = print,
) -> int:
    """The operator's commands behind `worker …` of every service. Returns the exit code."""
    try:
        match list(arguments):
            case ["dead-letters", "list"]:
                for letter in dead_letters(database):
                    m = letter.message
                    said = f"{letter.id}  {letter.buried_at}  {m.type} v{m.version} at {m.position} of {m.source}"
                    say(f"{said}, {m.topic}/{m.partition}: {letter.code} ({letter.reason})")
            case ["dead-letters", "replay", number] if number.isdigit():
                replay(database, int(number), {t: s.handle for t, s in subscriptions().items()})
                say(f"{number}: replayed")
            case ["dead-letters", "drop", number] if number.isdigit():
                drop(database, int(number))
                say(f"{number}: dropped")
            case ["accept-restore"]:
                for sentence in accept_restore(database, feed()) or ["nothing waits"]:
                    say(sentence)
            case _:
                say(f"usage: {USAGE}")
                return 2
    except Refusal as refusal:
        say(f"{refusal.code}: {refusal.reason}")
        return 1
    return 0


def _letter(found: list[DeadLetter]) -> DeadLetter:
    if not found:
        raise NoSuchDeadLetter
    return found[0]
