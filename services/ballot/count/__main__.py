"""`python -m services.ballot.count METHOD FILE`: counts any ballot file by any method. How to: docs/count.md.

Exit codes: 0 counted, even if nobody is elected; 2 the file or the command is refused, `FILE:LINE: reason` on standard
error.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final

from tqdm import tqdm

from services.ballot.count import bundles, counting, formats, names, text
from services.ballot.count.answers import Unfit
from services.ballot.count.asked import Asked
from services.ballot.count.files import FileRefused, Lines, Tick
from services.ballot.methods.budget_equal_shares import COMPLETIONS, UTILITIES
from services.shared.errors import BadInput

_DECIMAL: Final = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_EPILOG: Final = """\
CSV: a header line, then a ballot a line; comma, semicolon or tab. Ranked: columns rank1, rank2, … (or choice, rang,
choix), cells hold names; empty, undervote, skipped: no one; overvote: the ballot is invalid. Wide: a column a
candidate, cells hold 0 or 1, scores, points, or with --cells ranks ranks. A column count, weight or nombre says how
many cast the ballot; columns id, ballot_id, voter_id are not read.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        print(names.listing())
        return 0
    if options.method is None or options.file is None:
        print("count: METHOD and FILE are needed; --list shows the methods", file=sys.stderr)
        return 2
    lines: list[Lines] = []
    try:
        result, ids = _counted(options, lines)
    except FileRefused as refused:
        at = refused.line or max(1, lines[0].number if lines else 1)
        print(f"{options.file}:{at}: {refused.reason}", file=sys.stderr)
        return 2
    except (BadInput, OSError) as refused:
        reason = refused.strerror if isinstance(refused, OSError) else refused.reason
        print(f"count: {options.file}: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("count: stopped", file=sys.stderr)
        return 130
    return _print(result, ids, as_text=options.text)


def _counted(options: argparse.Namespace, lines: list[Lines]) -> tuple[dict[str, Any], list[str]]:
    """The result, and how its steps call the candidates. `lines` is told where reading stands."""
    method = names.resolve(options.method)
    kind = formats.format_of(options.file, options.format)
    asked = Asked(**{name: getattr(options, name) for name in Asked.__dataclass_fields__})
    with _opened(options.file) as (stream, size), _bar(size, quiet=options.quiet) as tick:
        if kind == "bundle":
            return _poll(method, options.question, bundles.Poll(stream, tick), asked)
        if method == names.POLL or options.question:
            raise Unfit("poll and --question are for the export of a poll alone (--format bundle)")
        lines.append(Lines(stream, tick))
        source = formats.read(kind, lines[0], method, options.cells)
        result = counting.count(method, source, asked)
        return result, [source.id_of(number) for number in range(1, len(source.names) + 1)]


def _poll(method: str, wanted: str | None, poll: bundles.Poll, asked: Asked) -> tuple[dict[str, Any], list[str]]:
    print("count: signatures and logs are not checked here: python -m services.ballot.audit does", file=sys.stderr)
    question, answers = poll.question(wanted)
    ids = [option.id for option in question.options]
    if method in (names.POLL, question.method):
        return counting.recount(question.method, question, answers, asked), ids
    return counting.count(method, bundles.source(question, answers), asked), ids


def _print(result: dict[str, Any], ids: list[str], *, as_text: bool) -> int:
    try:
        if as_text:
            for line in text.lines(result, ids):
                print(line)
        else:
            print(json.dumps(result, indent=2, ensure_ascii=False))
        sys.stdout.flush()
    except BrokenPipeError:  # as `| head` does; what is left unsaid must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="count",
        description="Counts any ballot file by any voting method.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("method", metavar="METHOD", nargs="?", help="a method or alias of --list; poll: the poll's own")
    add("file", metavar="FILE", nargs="?", help="the ballots, or - for standard input")
    add("--list", action="store_true", help="the methods: what is marked, formats, settings, aliases")
    add("--format", choices=(*formats.FORMATS, "pb"), help="when the file's name does not tell")
    add("--text", action="store_true", help="print for people instead of JSON")
    add("--seats", type=_positive, metavar="N", help="how many are elected (default: the file's, else 1)")
    add("--tie-break", metavar="RULE", help="order (default) or lot:SEED, for what the method's own rules leave equal")
    add("--budget", type=_money, metavar="SUM", help="instead of the file's")
    add("--completion", choices=COMPLETIONS, help="of equal shares (default: none)")
    add("--utility", choices=UTILITIES, help="of equal shares (default: cost)")
    add("--threshold", type=_positive, metavar="N", help="of supports (default: 1)")
    add("--least", type=_integer, metavar="N", help="lowest score, or fewest choices")
    add("--most", type=_integer, metavar="N", help="highest score, most points on one, or most choices")
    add("--points", type=_positive, metavar="N", help="points that a ballot may share")
    add("--cells", choices=("approvals", "numbers", "ranks"), help="what a wide CSV holds")
    add("--question", metavar="ID", help="of a poll's export with several")
    add("--ignore-category-budgets", action="store_true", help="count although the file divides its budget")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The file's stream, and its size where it has one."""
    if name == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(name)
    with path.open("rb") as stream:
        yield stream, path.stat().st_size if path.is_file() else None


@contextmanager
def _bar(size: int | None, *, quiet: bool) -> Iterator[Tick]:
    off = quiet or not sys.stderr.isatty()
    with tqdm(total=size, unit="B", unit_scale=True, desc="count", file=sys.stderr, disable=off) as bar:
        yield bar.update


def _positive(word: str) -> int:
    if not word.isascii() or not word.isdecimal() or not 1 <= len(word.lstrip("0")) <= 9:
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 999999999")
    return int(word)


def _integer(word: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", word):
        raise argparse.ArgumentTypeError("must be an integer of at most 9 digits")
    return int(word)


def _money(word: str) -> Fraction:
    if not word.isascii() or not _DECIMAL.fullmatch(word):
        raise argparse.ArgumentTypeError("must be a sum as 250000 or 1234.50")
    return Fraction(word)


def _end_quietly(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_quietly)
    sys.exit(main())
