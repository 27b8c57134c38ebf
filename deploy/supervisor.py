"""Starts doors, watches them, starts again the one that ends, stops all. One thread; knows nothing of Parvis.

If the supervisor dies by kill -9, two things end its children: the kernel on Linux (deploy/child.py), and on any
system the keeper (deploy/keeper.py), which notices the end of its pipe and kills what lingers.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deploy.child import Child, Command
from deploy.log_file import LogFile, error_in

STOP_WITHIN: Final = 4.9
_STEADY: Final = 20.0
_SLOWEST_RESTART: Final = 5.0
_EARLY_DEATHS: Final = 4
_LINE_EVERY: Final = 10.0
_FROM_OUTSIDE: Final = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class StartFailed(Exception):
    """A door cannot start. The sentence says which, and shows its last words."""


class Post:
    """A place in the supervisor's list: a command, the child that holds it now if any, and how it has fared."""

    def __init__(self, command: Command, log: LogFile) -> None:
        self.command = command
        self.log = log
        self.child: Child | None = None
        self.ready = False  # it has shown that it can run: one that has not, and ends, stops the platform
        self.start_at: float | None = None
        self.ends = 0
        self.failures = 0
        self.failed_with: int | None = None
        self._said_at: dict[str, float] = {}
        self._unsaid = 0

    @property
    def label(self) -> str:
        return self.command.label

    def lived(self) -> float:
        """Seconds that its present child has run; 0 while there is none."""
        return time.monotonic() - self.child.started_at if self.child else 0.0

    def seldom(self, kind: str, text: str) -> str | None:
        """The text, if no line of this kind was said in the last ten seconds."""
        now = time.monotonic()
        if now - self._said_at.get(kind, -_LINE_EVERY) < _LINE_EVERY:
            self._unsaid += 1
            return None
        more = f" ({self._unsaid} autres lignes : {self.log.path})" if self._unsaid else ""
        self._said_at[kind], self._unsaid = now, 0
        return text + more

    def last_words(self, code: int) -> str:
        words = "\n".join(f"    {line[:400]}" for line in list(self.log.last)[-6:] if line.strip())
        return f"{self.label} ne démarre pas (code {code}). Journal : {self.log.path}\n{words}".rstrip()


class Supervisor:
    """Use as a context manager: whatever happens inside, no child is left behind."""

    def __init__(self, folder: Path, logs: Path, say: Say, lock: int = -1) -> None:
        self.posts: dict[str, Post] = {}
        self.stopping = False
        self._folder = folder
        self._logs = logs
        self._say = say
        self._lock = lock
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Supervisor:
        reading, self._keeper_pipe = os.pipe()
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            pass_fds=[self._lock] if self._lock >= 0 else [],
            start_new_session=True,
        )
        os.close(reading)
        self._waker = os.pipe()
        for end in self._waker:
            os.set_blocking(end, False)
        self._selector.register(self._waker[0], selectors.EVENT_READ)
        signal.set_wakeup_fd(self._waker[1], warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, self._asked_to_stop) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._keeper_pipe)
        self._keeper.wait(10)
        self._selector.close()
        for end in self._waker:
            os.close(end)

    def _asked_to_stop(self, *_: object) -> None:
        self.stopping = True

    def start(self, command: Command) -> Post:
        """Starts it now. Its log is begun anew."""
        post = Post(command, LogFile(self._logs / f"{command.label}.log", kept=not command.shown))
        self.posts[command.label] = post
        self._spawn(post)
        return post

    def run_to_end(self, tasks: Sequence[Command], seconds: float = 120) -> None:
        """Runs tasks side by side. Raises StartFailed when one fails or is not done in time."""
        posts = [self.start(task) for task in tasks]
        until = time.monotonic() + seconds
        while any(post.child for post in posts) and not self.stopping:
            self.step(0.05)
            if time.monotonic() > until:
                raise StartFailed(f"{posts[0].label} n'a pas fini en {seconds:.0f} s : voir {self._logs}")
        for post in posts:
            if post.failed_with is not None:
                raise StartFailed(post.last_words(post.failed_with))
            if post.child is None:
                del self.posts[post.label]

    def step(self, wait: float) -> None:
        """Waits at most `wait` seconds for output or an end, and deals with it. Raises StartFailed."""
        for key, _ in self._selector.select(wait):
            if key.data is None:
                self._drain_waker()
            else:
                self._pump(key.data)
        for post in list(self.posts.values()):
            if post.child and post.child.code is not None:
                self._ended(post, post.child, post.child.code)
            due = post.start_at is not None and time.monotonic() >= post.start_at
            if due and not post.child and not self.stopping:
                self._spawn(post)

    def stop(self) -> None:
        """Asks every child to stop, and after STOP_WITHIN seconds kills the group of one that does not."""
        self.stopping = True
        for last in (False, True):
            self._stop([post for post in self.posts.values() if post.command.last is last])
        for post in self.posts.values():
            post.log.close()
        self.posts.clear()

    def _stop(self, posts: Sequence[Post]) -> None:
        for post in posts:
            if post.child:
                post.child.signal(signal.SIGTERM)
        until = time.monotonic() + STOP_WITHIN
        while any(post.child for post in posts) and time.monotonic() < until:
            self.step(0.05)
        for post in posts:
            if post.child:
                self._say(f"{post.label} ne s'arrête pas : il est interrompu.")
                post.child.kill()
                self._ended(post, post.child, -signal.SIGKILL)

    def _spawn(self, post: Post) -> None:
        post.start_at = None
        post.child = child = Child(post.command, self._folder, post.log)
        self._tell_keeper(f"+{child.group}\n")
        self._selector.register(child.output, selectors.EVENT_READ, post)

    def _tell_keeper(self, line: str) -> None:
        try:
            os.write(self._keeper_pipe, line.encode())
        except BrokenPipeError:
            pass  # the keeper was killed; the kernel's signal still ends our children

    def _pump(self, post: Post) -> None:
        if post.child is None:
            return
        lines = post.child.read()
        if lines is None:
            self._selector.unregister(post.child.output)
            return
        self._show(post, lines)

    def _show(self, post: Post, lines: list[str]) -> None:
        for line in lines:
            if post.command.shown:
                self._say(line)
            elif message := error_in(line):
                self._say_seldom(post, "error", f"{post.label} : {message}")
        if post.log.failed:
            self._say_seldom(post, "disk", f"Le journal {post.log.path} ne s'écrit plus ({post.log.failed}).")

    def _ended(self, post: Post, child: Child, code: int) -> None:
        self._show(post, child.rest())
        if child.output in self._selector.get_map():
            self._selector.unregister(child.output)
        os.close(child.output)
        child.signal(signal.SIGKILL)  # nothing of its group may outlive it
        self._tell_keeper(f"-{child.group}\n")
        post.child = None
        if self.stopping:
            return
        if post.command.task:
            post.failed_with = code or None
            if code and post.command.shown:
                self._say(f"{post.label} n'a pas abouti (code {code}).")
            return
        self._door_ended(post, code, time.monotonic() - child.started_at)

    def _door_ended(self, post: Post, code: int, lived: float) -> None:
        post.ready = post.ready or lived > _STEADY
        post.ends = 1 if lived > _STEADY else post.ends + 1
        post.failures += code not in _FROM_OUTSIDE
        if not post.ready and post.failures >= _EARLY_DEATHS:
            raise StartFailed(post.last_words(code))
        post.start_at = time.monotonic() + min(_SLOWEST_RESTART, 0.2 * 2 ** (post.ends - 1))
        how = f"signal {-code}" if code < 0 else f"code {code}"
        self._say_seldom(post, "end", f"{post.label} s'est arrêté ({how}) ; il redémarre. Journal : {post.log.path}")

    def _say_seldom(self, post: Post, kind: str, text: str) -> None:
        if said := post.seldom(kind, text):
            self._say(said)

    def _drain_waker(self) -> None:
        try:
            while os.read(self._waker[0], 512):
                pass
        except BlockingIOError:
            return
