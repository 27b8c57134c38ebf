"""Real Kafka and real PostgreSQL on loopback, for development and tests.

    python deploy/servers.py kafka|postgres run   --data DIR   in the foreground; Ctrl-C stops it
    python deploy/servers.py kafka|postgres start --data DIR   in the background, until `stop`
    python deploy/servers.py kafka|postgres stop  --data DIR

Nothing is installed: Java and PostgreSQL are the machine's, else those of wheels; Kafka's jars come by Maven. What
cannot be had raises Unavailable. Every process has a session of its own and is stopped by its pid.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deploy import server_programs as programs
from deploy.server_process import START_SECONDS, Process
from deploy.server_programs import Unavailable as Unavailable

_PROPERTIES: Final = """\
process.roles=broker,controller
node.id={node}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
offsets.topic.num.partitions=3
"""
_ALONE: Final = """\
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""
_OF_THREE: Final = """\
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
unclean.leader.election.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
"""


class _Server(ABC):
    """What both servers share: a folder, and use in a `with`."""

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self.processes: list[Process] = []

    @property
    @abstractmethod
    def setting(self) -> str:
        """The line of the environment by which services find it."""

    def runs(self) -> bool:
        return all(process.pid for process in self.processes)

    @abstractmethod
    def start(self) -> None:
        """Returns once it answers. Raises Unavailable."""

    @abstractmethod
    def join(self) -> None:
        """Takes up one that another process has started on this folder."""

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Kafka(_Server):
    """One broker, or three that hold every partition three times. `address` is what PARVIS_KAFKA takes."""

    def __init__(self, data: Path, brokers: int = 1, port: int = 0) -> None:
        """`port`: of the only broker, 0 for a free one. A folder that was used before keeps its ports and topics."""
        super().__init__(data)
        if brokers not in (1, 3):
            raise Unavailable("one broker or three")
        self.brokers = brokers
        self._wanted_port = port
        self._ports: list[list[int]] = []
        self.processes = [Process(self.data, f"broker-{n + 1}", stop_signal=signal.SIGTERM) for n in range(brokers)]

    @property
    def address(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port, _ in self._ports)

    @property
    def setting(self) -> str:
        return f"PARVIS_KAFKA={self.address}"

    def start(self) -> None:
        java, jars = programs.java(), programs.kafka_jars()
        self.data.mkdir(parents=True, exist_ok=True)
        ports = self.data / "ports.json"
        if not ports.exists():
            self._format(java, jars)
        self.join()
        for number in range(1, self.brokers + 1):
            self._launch(java, jars, number, wait=self.brokers == 1)
        for port, _ in self._ports:
            _wait(partial(programs.kafka_answers, port), f"no Kafka broker on port {port}")

    def join(self) -> None:
        self._ports = json.loads((self.data / "ports.json").read_text())

    def start_broker(self, number: int) -> None:
        """Starts one broker again (1, 2 or 3) and returns at once when there are three: it joins by itself."""
        self._launch(programs.java(), programs.kafka_jars(), number, wait=self.brokers == 1)

    def kill_broker(self, number: int) -> None:
        self.processes[number - 1].kill()

    def _launch(self, java: str, jars: Path, number: int, *, wait: bool) -> None:
        memory = ["-Xms192m", "-Xmx384m", "-XX:+UseG1GC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        command = [java, *memory, "-cp", f"{jars}/*", "kafka.Kafka", str(self._properties(number))]
        port = self._ports[number - 1][0]
        self.processes[number - 1].start(command, lambda: not wait or programs.kafka_answers(port))

    def _properties(self, number: int) -> Path:
        return self.data / f"broker-{number}.properties"

    def _format(self, java: str, jars: Path) -> None:
        ports = [[free_port(), free_port()] for _ in range(self.brokers)]
        if self._wanted_port:
            ports[0][0] = self._wanted_port
        voters = ",".join(f"{n}@127.0.0.1:{controller}" for n, (_, controller) in enumerate(ports, 1))
        cluster = programs.cluster_id()
        for number, (port, controller) in enumerate(ports, 1):
            form = _PROPERTIES + (_ALONE if self.brokers == 1 else _OF_THREE)
            folder = self.data / f"broker-{number}"
            text = form.format(node=number, port=port, controller=controller, data=folder, voters=voters)
            self._properties(number).write_text(text)
            tool = [java, "-cp", f"{jars}/*", "kafka.tools.StorageTool", "format", "-t", cluster]
            alone = ["--standalone"] if self.brokers == 1 else []
            programs.run([*tool, *alone, "-c", str(self._properties(number))])
        (self.data / "ports.json").write_text(json.dumps(ports))


class Postgres(_Server):
    """A server with fsync on, whose only user `parvis` needs no password on loopback. `url` is PARVIS_POSTGRES."""

    def __init__(self, data: Path, port: int = 0) -> None:
        super().__init__(data)
        self._port = port
        self._user = programs.unprivileged_user()
        # SIGINT is PostgreSQL's fast shutdown: sessions are ended, nothing is lost.
        self.process = Process(self.data, "postgres", stop_signal=signal.SIGINT)
        self.processes = [self.process]

    @property
    def url(self) -> str:
        return f"postgresql://parvis@127.0.0.1:{self._port}"

    @property
    def setting(self) -> str:
        return f"PARVIS_POSTGRES={self.url}"

    def start(self) -> None:
        programs_folder = programs.postgres_bin()
        self.data.mkdir(parents=True, exist_ok=True)
        cluster, port_file = self.data / "cluster", self.data / "port"
        if not cluster.exists():
            self._make(programs_folder, cluster)
            port_file.write_text(str(self._port or free_port()))
        self.join()
        usual = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on",
            "max_connections": "200",
        }
        options = [part for name, value in usual.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs_folder / "postgres"), "-D", str(cluster), "-p", str(self._port), *options]
        ready = [str(programs_folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port), "-U", "parvis"]
        self.process.start(command, lambda: subprocess.run(ready).returncode == 0, user=self._user)

    def join(self) -> None:
        self._port = int((self.data / "port").read_text())

    def _make(self, programs_folder: Path, cluster: Path) -> None:
        cluster.mkdir(mode=0o700)
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(cluster, account.pw_uid, account.pw_gid)
        form = ["-U", "parvis", "--auth=trust", "-E", "UTF8", "--locale=C"]
        try:
            programs.run([str(programs_folder / "initdb"), "-D", str(cluster), *form], user=self._user)
        except Unavailable:
            shutil.rmtree(cluster)
            raise


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait(ready: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > until:
            raise Unavailable(otherwise)
        time.sleep(0.05)


def _run(server: _Server) -> None:
    """In the foreground until SIGINT or SIGTERM. Raises Unavailable when the server ends by itself."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored for what it starts by `&`
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with server:
            print(f"{server.setting}\nCtrl-C stops it.", flush=True)
            while server.runs():
                time.sleep(0.3)
        raise Unavailable(f"a server process ended by itself; see the logs in {server.data}")
    except KeyboardInterrupt:
        return


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="deploy/servers.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("server", choices=["kafka", "postgres"])
    parser.add_argument("action", choices=["start", "stop", "run"])
    parser.add_argument("--data", type=Path, required=True, help="folder of its data, logs and pid files")
    parser.add_argument("--port", type=int, default=0, help="at the first start; 0: a free one")
    parser.add_argument("--brokers", type=int, default=1, choices=[1, 3], help="of Kafka")
    a = parser.parse_args()
    server = Kafka(a.data, a.brokers, a.port) if a.server == "kafka" else Postgres(a.data, a.port)
    try:
        if a.action == "stop":
            server.stop()
            return 0
        if a.action == "start":
            server.start()
            print(server.setting)
            return 0
        _run(server)
    except Unavailable as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
