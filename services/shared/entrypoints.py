"""Workers on nameko: what reacts to events (`@consume`) and to time (`@every`). No other module imports nameko.

    class NotificationsWorker:
        name = "notifications"
        policies = Provide(NotificationPolicies)

        @consume(ballot.TOPIC, since="now")
        def on_ballot_events(self, tx: Tx, told: Told) -> None:
            self.policies.process(tx, told)

A handler is written for one message and is handed a batch: one nameko worker and one transaction for what a read
brought of a partition, partitions one after the other. Handlers run on nameko's single thread: while SQLite or
PostgreSQL answer, nothing else of the process turns. That is meant: a batch is milliseconds, and a native thread per
handler would need locks between handlers of one service. A failure that is no refusal ends the process with code 1.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # eventlet deprecates itself on import: an ADR answers that
    import eventlet
    from eventlet import wsgi
    from eventlet.event import Event
    from nameko.containers import ServiceContainer
    from nameko.extensions import (
        DependencyProvider,
        Entrypoint,
        ProviderCollector,
        SharedExtension,
        register_entrypoint,
    )

from prometheus_client import make_wsgi_app

from services.shared import metrics, stop
from services.shared.eventlog import open_feed
from services.shared.feed import Batch, Loop, Since, Subscription, Told
from services.shared.settings import Common
from services.shared.store import Database, Tx

W = TypeVar("W")
Method = Callable[[W, Tx, Told], None]
Provided = Mapping[Any, Any] | None  # class → its instance
_TICK: Final = 0.05
_ORDER: Final = "_parvis_subscription"
_log = logging.getLogger("parvis")


class Provide(DependencyProvider):  # type: ignore[misc]
    """An attribute of a worker class that holds the one instance of `cls` in this process: the one given to
    `run_worker(provided=…)`, else `cls(settings, database)`."""

    def __init__(self, cls: Callable[..., Any]) -> None:
        self._cls = cls

    def setup(self) -> None:
        self._instance = self.container.parvis.provided(self._cls)

    def get_dependency(self, worker_ctx: Any) -> Any:
        return self._instance


class _Host:
    """What the extensions of one container share: settings, store, instances, and the failure that ends the process."""

    def __init__(self, name: str, settings: Common, database: Database, given: Provided) -> None:
        self.settings = settings
        self.database = database
        self.heartbeat = metrics.heartbeat(settings.data, name, "worker")
        self.fed = False  # the feed's loop beats; without one, the main loop does
        self.failure: BaseException | None = None
        self._instances = dict(given or {})

    def provided(self, cls: Callable[..., Any]) -> Any:
        if cls not in self._instances:
            self._instances[cls] = cls(self.settings, self.database)
        return self._instances[cls]


class _EventFeed(SharedExtension, ProviderCollector):  # type: ignore[misc]
    """One member of the group for all the @consume handlers of a container."""

    def __init__(self) -> None:
        super().__init__()
        self._stopping = False
        self._thread: Any = None

    def start(self) -> None:
        if self._providers:
            self.container.parvis.fed = True
            self._thread = self.container.spawn_managed_thread(self._run)

    def stop(self) -> None:
        self._stopping = True
        if self._thread is not None:
            self._thread.wait()

    def _run(self) -> None:
        host = self.container.parvis
        entrypoints = {provider.topic: provider for provider in self._providers}
        try:
            if len(entrypoints) < len(self._providers):
                raise ValueError("two @consume methods for one topic: a message is tracked once")
            feed = open_feed(host.settings, self.container.service_name, sorted(entrypoints))
            try:
                self._turn(feed, host, entrypoints)
            finally:
                feed.close()  # leaves the group, so that others take over at once
        except Exception as e:  # noqa: BLE001 told once, by run_worker, which ends the process
            host.failure = e

    def _turn(self, feed: Any, host: _Host, entrypoints: Mapping[str, _Consume]) -> None:
        since = {topic: entrypoint.since for topic, entrypoint in entrypoints.items()}
        loop = Loop(feed, host.database, since, lambda b: entrypoints[b.stream[0]].handle(b), host.heartbeat)
        loop.start()
        while not self._stopping:
            loop.turn()
            eventlet.sleep(0)  # timers run between two batches even when the feed never waits


class _Consume(Entrypoint):  # type: ignore[misc]
    feed = _EventFeed()

    def __init__(self, topic: str, since: Since) -> None:
        super().__init__()
        self.topic = topic
        self.since = since

    def setup(self) -> None:
        self.feed.register_provider(self)

    def handle(self, batch: Batch) -> None:
        """Runs the batch in a nameko worker and waits for it. Raises what the handler raised."""
        done = Event()
        self.container.spawn_worker(self, (batch,), {}, handle_result=_reports(done))
        failure = done.wait()
        if failure is not None:
            raise failure

    def stop(self) -> None:
        self.feed.stop()


class _Every(Entrypoint):  # type: ignore[misc]
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self._stopping = False
        self._thread: Any = None

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run)

    def stop(self) -> None:
        self._stopping = True
        self._thread.wait()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping:
            if time.monotonic() < due:
                eventlet.sleep(min(_TICK, self.seconds))
                continue
            due = time.monotonic() + self.seconds
            done = Event()
            self.container.spawn_worker(self, (), {}, handle_result=_reports(done))
            failure = done.wait()
            if failure is not None:
                self.container.parvis.failure = failure
                return


def consume(topic: str, since: Since = "beginning") -> Callable[[Method[W]], Callable[[W, Batch], object]]:
    """The method is called with (tx, told) for each message of `topic`, in the transaction that tracks it.

    It may raise a Refusal: tried five times, then a dead letter. `since="now"`: what was told before this worker's
    first start is not handled. One method a topic.
    """

    def decorate(method: Method[W]) -> Callable[[W, Batch], object]:
        @wraps(method)
        def on_batch(self: W, batch: Batch) -> object:
            return _outcome(lambda: batch.run(lambda tx, told: method(self, tx, told)))

        register_entrypoint(on_batch, _Consume(topic, since))
        setattr(on_batch, _ORDER, (topic, method, since))
        return on_batch

    return decorate


def every(seconds: float) -> Callable[[Callable[[W], None]], Callable[[W], object]]:
    """The method is called at the start and then every `seconds`, later when it took longer: never beside itself."""

    def decorate(method: Callable[[W], None]) -> Callable[[W], object]:
        @wraps(method)
        def on_tick(self: W) -> object:
            return _outcome(lambda: method(self))

        register_entrypoint(on_tick, _Every(seconds))
        return on_tick

    return decorate


def subscriptions(worker: Any) -> dict[str, Subscription]:
    """The @consume handlers of a worker object, for the plain loop `feed.run` and for replaying dead letters."""
    found: dict[str, Subscription] = {}
    for name in dir(type(worker)):
        order = getattr(getattr(type(worker), name), _ORDER, None)
        if order:
            topic, method, since = order
            found[topic] = Subscription(method.__get__(worker), since)
    return found


def assemble(worker_class: type[W], settings: Common, database: Database, provided: Provided = None) -> W:
    """A worker object outside nameko, its provided attributes in place."""
    host, worker = _Host(worker_class.__name__, settings, database, provided), worker_class()
    for name in dir(worker_class):
        dependency = getattr(worker_class, name)
        if isinstance(dependency, Provide):
            setattr(worker, name, host.provided(dependency._cls))
    return worker


def run_worker(worker_class: type[Any], settings: Common, database: Database, *, provided: Provided = None) -> int:
    """Hosts the worker until SIGTERM or SIGINT, then stops within 5 seconds. Returns the exit code.

    Only one handler a topic. On a failure: one log line, code 1, and the supervisor starts it again.
    """
    eventlet.monkey_patch()  # before kafka is imported, by open_feed: else its consumer hangs
    for chatty in ("nameko", "kombu", "amqp"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)  # failures are told once, below
    stopping = stop.on_signals()
    host = _Host(worker_class.name, settings, database, provided)
    try:
        _serve_metrics()
        container = ServiceContainer(worker_class)
        container.parvis = host
        container.start()
        while not stopping() and host.failure is None:
            if not host.fed:
                host.heartbeat.beat()
            eventlet.sleep(_TICK)
        container.stop()
    except Exception as e:  # noqa: BLE001 whatever it is, the supervisor starts a new worker
        host.failure = host.failure or e
    if host.failure is None:
        return 0
    _log.critical("worker failed", extra={"code": type(host.failure).__name__, "reason": str(host.failure)})
    return 1


def _serve_metrics() -> None:
    """On nameko's own loop: a server of threads does not turn under it."""
    if number := metrics.port():
        listener = eventlet.listen(("0.0.0.0", number))
        eventlet.spawn_n(wsgi.server, listener, make_wsgi_app(), log_output=False)


def _outcome(run: Callable[[], None]) -> BaseException | None:
    """Failures travel as values, or nameko would log each before we do."""
    try:
        run()
    except Exception as e:  # noqa: BLE001 raised again where the loop waits for it
        return e
    return None


def _reports(done: Any) -> Callable[..., Any]:
    def handle_result(_context: Any, result: Any, exc_info: Any) -> Any:
        done.send(exc_info[1] if exc_info else result)
        return result, exc_info

    return handle_result
