"""`python -m services.ballot.audit BUNDLE --manifest-hash H`: recounts a poll. How to: docs/audit.md.

Exit codes: 0 everything agrees; 1 a difference, each printed as one JSON line; 2 the command itself is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from tqdm import tqdm

from services.ballot.audit.anchors import Held
from services.ballot.audit.auditor import Options, audit
from services.ballot.audit.findings import Report
from services.ballot.audit.resume import State, default_folder

_SMALL: Final = 1 << 20  # below, starting processes takes longer than checking
_MAX_HELD: Final = 1 << 16


class _Unusable(Exception):
    """The command cannot start; the sentence says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        with _opened(options.bundle) as (stream, size):
            report = _run(options, stream, size)
    except _Unusable as unusable:
        print(f"audit: {unusable}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("audit: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenProcessPool:
        print("audit: a worker process was killed (out of memory?); try again with --jobs 1", file=sys.stderr)
        return 2
    _print_json(report) if options.json else _print_text(report)
    return 0 if report.passed else 1


def _run(options: argparse.Namespace, stream: BinaryIO, size: int | None) -> Report:
    jobs = options.jobs or (1 if size is not None and size < _SMALL else _cores())
    checkpoints = [_held(path) for path in options.checkpoint]
    promises = [_held(path) for path in options.promise]
    folder: Path | None = options.state_folder or default_folder()

    def state(manifest_hash: bytes) -> State | None:
        if not options.resume or size is None or folder is None:
            return None
        return State(Path(options.bundle), manifest_hash, folder)

    with tqdm(total=size, unit="B", unit_scale=True, desc="audit", file=sys.stderr, disable=options.quiet) as bar:
        ballots = 0

        def tick(end: int, checked: int) -> None:
            nonlocal ballots
            ballots += checked
            bar.set_postfix(leaves=ballots, refresh=False)
            bar.update(end - bar.n)

        return audit(
            stream,
            Options(
                manifest_hash=options.manifest_hash,
                checkpoints=checkpoints,
                promises=promises,
                jobs=jobs,
                may_be_open=options.open,
                same_code=options.same_code,
                state=state,
                tick=tick,
            ),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="audit", description="Recounts a poll from its export (a bundle).")
    add = parser.add_argument
    add("bundle", metavar="BUNDLE", help="the exported file, or - for standard input")
    anchor = parser.add_mutually_exclusive_group(required=True)
    anchor.add_argument("--manifest-hash", type=_hash, metavar="H", help="from the poll page or the press notice")
    anchor.add_argument("--unanchored", action="store_true", help="without: a bundle made up whole would pass")
    add("--checkpoint", action="append", default=[], type=Path, metavar="FILE", help="a checkpoint seen earlier")
    add("--promise", action="append", default=[], type=Path, metavar="FILE", help="a promise that a voter was given")
    add("--open", action="store_true", help="the poll is not over: expect neither closing leaves nor a tally")
    add("--same-code", action="store_true", help="fail too if the tally was computed by another version of the code")
    add(
        "--jobs",
        type=_jobs,
        default=0,
        metavar="N",
        help="processes that check signatures (default: one per core, at most 8)",
    )
    add("--resume", action=argparse.BooleanOptionalAction, default=True, help="go on where a stopped audit was")
    add("--state-folder", type=Path, metavar="DIR", help="where that is kept (default: the user's state folder)")
    add("--json", action="store_true", help="print the whole report as one JSON object")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


def _print_json(report: Report) -> None:
    print(json.dumps(report.as_json(), indent=2))


def _print_text(report: Report) -> None:
    _print_logs(report)
    for question in report.result["questions"] if report.result else []:
        result = {name: value for name, value in question["result"].items() if name != "steps"}
        print(f"question {question['id']}: {json.dumps(result)}")
    if report.result:
        names = ("counted", "superseded", "turnout", "issued", "reissued", "roll")
        print(", ".join(f"{name} {report.result[name]}" for name in names))
    if report.checked_before:
        print(f"the signatures of {report.checked_before} ballots were checked by an earlier run that was stopped")
    for note in report.notes:
        print(f"note: {json.dumps(note)}")
    print(report.count_line())
    for finding in report.findings:
        print(json.dumps(finding.as_json()))
    if report.more_findings:
        print(f"and {report.more_findings} more findings")
    print("PASSED" if report.passed else "FAILED")
    for text in report.cannot_exclude:
        print(f"cannot exclude, {text}")


def _print_logs(report: Report) -> None:
    if report.manifest_hash:
        print(f"manifest {report.manifest_hash}")
    for station in report.stations:
        print("station {station}: {leaves} leaves, {ballots} ballots, {epochs} epochs, root {root}".format(**station))
    if report.checkpoints_hash:
        print(f"checkpoints {report.checkpoints_hash}")


@contextmanager
def _opened(bundle: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The bundle's stream, and its size where it is a file."""
    if bundle == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(bundle)
    try:
        stream = path.open("rb")
    except OSError as e:
        raise _Unusable(f"cannot read {bundle}: {e.strerror}") from None
    with stream:
        yield stream, path.stat().st_size if path.is_file() else None


def _held(path: Path) -> Held:
    try:
        data = path.read_bytes()
    except OSError as e:
        raise _Unusable(f"cannot read {path}: {e.strerror}") from None
    if len(data) > _MAX_HELD:
        raise _Unusable(f"{path} is no checkpoint and no promise: it is too long")
    return Held(path.name, data)


def _hash(text: str) -> bytes:
    digits = text.strip().lower()
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise argparse.ArgumentTypeError("must be 64 hexadecimal digits")
    return value


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError("must be a number from 1 to 256")
    return int(text)


def _cores() -> int:
    """Processes worth starting: beyond eight, memory grows and the one that keeps the order is the bottleneck."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 8)


def _end_quietly(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_quietly)
    sys.exit(main())
