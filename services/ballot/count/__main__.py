"""`python -m services.ballot.count METHOD FILE`: counts a ballot file. How to: docs/count.md.

Exit codes: 0 counted; 2 the command or the file is wrong, told in one line as `FILE:LINE: reason`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final

from tqdm import tqdm

from services.ballot.count import blt, bundles, pabulib, preflib, tables, text
from services.ballot.count.convert import STRICT, Ballots, CannotCount, Wanted, ballots
from services.ballot.count.convert import Question as Asked
from services.ballot.count.election import Election, Kind
from services.ballot.count.lines import FileRefused, Lines
from services.ballot.count.listing import ALIASES, listing
from services.ballot.methods import METHODS
from services.ballot.methods.method import Method
from services.ballot.protocol.questions import Question
from services.shared.errors import BadInput

FORMATS: Final = ("blt", "soc", "soi", "toc", "toi", "cat", "pb", "csv", "tsv", "ndjson")
Json = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.list:
        return _print("\n".join(listing()))
    if given.method is None or given.file is None:
        parser.error("METHOD and FILE are needed, or --list")
    try:
        result, names = _count(given)
    except FileRefused as refused:
        print(f"{given.file}:{refused.line or ''}{':' if refused.line else ''} {refused.reason}", file=sys.stderr)
        return 2
    except (CannotCount, OSError) as e:
        print(f"count: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("count: stopped", file=sys.stderr)
        return 130
    if given.text:
        return _print("\n".join(text.lines(result, names)))
    return _print(json.dumps(result, ensure_ascii=False, indent=None if given.compact else 1))


def _print(said: str) -> int:
    try:
        print(said, flush=True)
    except BrokenPipeError:  # the reader had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _count(given: argparse.Namespace) -> tuple[Json, dict[str, str]]:
    path = Path(given.file)
    form = _format(path, given.format)
    size = path.stat().st_size if path.is_file() else None
    quiet = given.quiet or not sys.stderr.isatty()
    with (
        path.open("rb") as stream,
        tqdm(total=size, unit="B", unit_scale=True, desc="count", file=sys.stderr, disable=quiet) as bar,
    ):
        if form == "ndjson":
            return _count_bundle(given, stream, bar.update)
        method = _method(given.method)
        election = _read(form, Lines(stream, bar.update), given, strict=method.name in STRICT)
    if given.seats is not None:
        election.seats = given.seats
    wanted = Wanted(given.seats, given.budget, given.tie_break, given.completion, given.utility, given.threshold)
    profile = ballots(method, election, wanted)
    counted = method.count(profile.question, profile)
    names = {option.id: option.label for option in profile.question.options}
    return _told(method, election, profile, counted), names


def _read(form: str, lines: Lines, given: argparse.Namespace, *, strict: bool) -> Election:
    if form == "blt":
        return blt.read(lines, strict=strict)
    if form == "pb":
        return pabulib.read(lines)
    if form in ("csv", "tsv"):
        ranks = given.cells == "ranks"
        return tables.read(lines, ranks=ranks, stop_after_skips=given.stop_after_skips, strict=strict)
    return preflib.read(lines, form, strict=strict)


def _told(method: Method, election: Election, profile: Ballots, counted: Json) -> Json:
    invalid = election.invalid + profile.invalid
    winners = counted.pop("winners", None)
    if winners is None:
        winners = [counted["winner"]] if counted["winner"] else []
    expressed = counted.pop("expressed", None)
    return {
        "method": method.name,
        "candidates": election.candidates,
        "winners": [int(option) for option in winners],
        "expressed": sum(counted["counts"].values()) if expressed is None else expressed,
        "blank": counted.pop("blank"),
        "invalid": invalid.total(),
        "invalid_reasons": dict(sorted(invalid.items())),
        "withdrawn": sorted(election.withdrawn),
        "tie_break": profile.question.tie_break,
        "settings": {n: v for n, v in profile.question.settings.items() if n not in ("costs", "grades")},
        **({"unit": f"1/{profile.unit}"} if profile.unit != 1 else {}),
        "notes": election.notes,
        **{name: value for name, value in counted.items() if name != "steps"},
        "steps": counted["steps"],
    }


def _count_bundle(
    given: argparse.Namespace, stream: BinaryIO, tick: Callable[[int], object]
) -> tuple[Json, dict[str, str]]:
    def ticking() -> Any:
        while line := stream.readline(1 << 22):
            tick(len(line))
            yield line

    question, answers = bundles.read(ticking(), given.question)
    method: Method = METHODS[question.method] if given.method in ("poll", question.method) else _method(given.method)
    asked = _asked(question, method, given)
    print("count: signatures and chains are not looked at here, that is the audit's part", file=sys.stderr)
    try:
        for answer, _ in answers:
            method.check(asked, answer)
    except BadInput as refused:
        raise CannotCount(f"{method.name} cannot be counted from these answers: {refused.reason}") from None
    election = Election(Kind.RANKINGS, [option.label for option in question.options])
    counted = method.count(asked, answers)
    places = {option.id: str(place) for place, option in enumerate(question.options, start=1)}
    if "winners" in counted:
        counted["winners"] = [places[option] for option in counted["winners"]]
    elif counted["winner"]:
        counted["winner"] = places[counted["winner"]]
    profile = Ballots(asked, {}, dict, lambda *_: None)
    return _told(method, election, profile, counted), {option.id: option.label for option in question.options}


def _asked(question: Question, method: Method, given: argparse.Namespace) -> Asked:
    settings: Json = dict(question.settings)
    if method.name != question.method:
        usual: Json = {"seats": 1, "least": 1, "most": len(question.options), "threshold": 1}
        usual |= {"completion": given.completion, "utility": given.utility}
        settings = {name: settings.get(name, usual.get(name)) for name in method.settings}
    if given.seats is not None and "seats" in settings:
        settings["seats"] = given.seats
    if given.budget is not None and "budget" in settings:
        settings["budget"] = int(given.budget)
    missing = [name for name, value in settings.items() if value is None]
    if missing:
        raise CannotCount(f"{method.name} needs {', '.join(missing)}, which this poll does not say")
    tie_break = given.tie_break if given.tie_break_given else question.tie_break
    return Asked(list(question.options), settings, tie_break, question.blank)  # type: ignore[arg-type]


def _method(name: str) -> Method:
    known = name.strip().lower().replace("-", "_").replace(" ", "_")
    found = METHODS.get(ALIASES.get(known, known))
    if found is None:
        raise CannotCount(f"no method {name[:40]!r}; --list prints them all: {', '.join(METHODS)}")
    return found


def _format(path: Path, said: str | None) -> str:
    form = said or path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise CannotCount(f"the name does not tell the format of {path.name}: say --format {'|'.join(FORMATS)}")
    return form


class _TieBreak(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        namespace.tie_break, namespace.tie_break_given = values, True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="count", description="Counts a ballot file: BLT, PrefLib, Pabulib, CSV, or the export of a poll."
    )
    add = parser.add_argument
    add("method", nargs="?", metavar="METHOD", help="one that --list prints; for a poll's export also `poll`")
    add("file", nargs="?", metavar="FILE")
    add("--list", action="store_true", help="print the methods, what they are counted from and their options")
    add("--seats", type=_positive, metavar="N", help="how many are elected (default: the file's word, else 1)")
    add("--budget", type=_money, metavar="N", help="the money of a participatory budget (default: the file's)")
    add("--tie-break", type=_tie, default="order", action=_TieBreak, metavar="order|lot:SEED", help="default: order")
    add("--format", choices=FORMATS, help="when the name does not tell")
    add("--completion", choices=("none", "utilitarian", "add1", "add1_utilitarian"), default="none")
    add("--utility", choices=("cost", "count"), default="cost", help="what a project is worth in equal shares")
    add("--threshold", type=_positive, metavar="N", help="supports: how many retain a proposal (default 1)")
    add("--cells", choices=("numbers", "ranks"), default="numbers", help="what a wide CSV's cells hold")
    add("--stop-after-skips", type=int, default=0, metavar="N", help="ranked CSV: N skipped ranks end the ballot")
    add("--question", metavar="ID", help="which question of a poll's export")
    add("--text", action="store_true", help="print it for people")
    add("--compact", action="store_true", help="JSON on one line")
    add("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(tie_break_given=False)
    return parser


def _positive(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 10**15:
        raise argparse.ArgumentTypeError("must be a number, at least 1")
    return int(word)


def _money(word: str) -> Fraction:
    try:
        value = Fraction(word)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError("must be an amount") from None
    if not 0 < value < 2**52:
        raise argparse.ArgumentTypeError("must be an amount above 0")
    return value


def _tie(word: str) -> str:
    if word != "order" and (not word.startswith("lot:") or len(word) < 5):
        raise argparse.ArgumentTypeError("must be order, or lot:SEED")
    return word


if __name__ == "__main__":
    sys.exit(main())
