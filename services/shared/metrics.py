"""Every metric that services share, named once, and the heartbeat by which a supervisor sees that a loop still turns.

No label holds a citizen, a poll or any other unbounded value: positions are summed over the sources of a partition.
Lag in positions = parvis_relay_position_sum (of the producer) - parvis_event_position_sum (of a consumer), per topic
and partition: it shows the loss of the last messages too, as a difference that does not shrink.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Final

from prometheus_client import Counter, Gauge, start_http_server

from services.shared import settings

EVENT_GAP: Final = Gauge(
    "parvis_event_gap_open", "1 while messages are missing from the partition's chain.", ("topic", "partition")
)
EVENT_STOPPED: Final = Gauge(
    "parvis_event_partition_stopped", "1 while a restored source waits for `accept-restore`.", ("topic", "partition")
)
EVENT_POSITIONS: Final = Gauge(
    "parvis_event_position_sum", "Positions applied, summed over the sources.", ("topic", "partition")
)
EVENTS_APPLIED: Final = Counter("parvis_events_applied", "Messages whose effects were committed.", ("topic",))
DEAD_LETTERS: Final = Counter("parvis_dead_letters", "Messages given up after five refusals.", ("topic",))
UNREADABLE: Final = Counter("parvis_event_unreadable", "Messages without the headers of our relays.", ("topic",))
RELAY_POSITIONS: Final = Gauge(
    "parvis_relay_position_sum", "Positions told, summed over the sources.", ("topic", "partition")
)
RELAY_SENT: Final = Counter("parvis_relay_sent", "Messages acknowledged by the event log.", ("topic",))
_BEAT_SECONDS: Final = 1.0


def port() -> int:
    """Where a door without HTTP of its own answers /metrics; 0 when it does not."""
    return settings.read(
        "PARVIS_METRICS_PORT",
        "0",
        "Port on which a worker or a relay shows its metrics; 0: none.",
        lambda text: int(settings.between(0, 65535)(text)),
    )


def serve() -> None:
    """Answers /metrics from a thread, when a port is set."""
    if number := port():
        start_http_server(number)


class Heartbeat:
    """A file whose time of change is at most a few seconds old while the loop turns."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._last = 0.0

    def beat(self) -> None:
        """To be called at every turn; touches the file once a second."""
        now = time.monotonic()
        if self._file is None or now - self._last < _BEAT_SECONDS:
            return
        self._last = now
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()
        except OSError as e:
            # A full disk must not stop a loop that writes nothing; a supervisor will judge by the file's age.
            logging.getLogger("parvis").warning("no heartbeat", extra={"reason": e.strerror})


def heartbeat(data: Path, service: str, door: str) -> Heartbeat:
    """The heartbeat of a door: DATA/run/<service>-<door>.alive."""
    return Heartbeat(data / "run" / f"{service}-{door}.alive")
