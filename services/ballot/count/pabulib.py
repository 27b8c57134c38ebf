"""Pabulib (.pb), the format of participatory budgets: three sections of fields separated by semicolons.

Source: the .pb format of Pabulib (Faliszewski et al., *Participatory budgeting: data, tools, and analysis*, 2023).
Money is exact: decimal texts become fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from services.ballot.count.files import MAX_CANDIDATES, FileRefused, Lines, rows, short, whole
from services.ballot.count.pabulib_rules import Rules, integer, money, rules
from services.ballot.count.source import Ballot, Kind, Mark, Source

_KINDS: Final[Mapping[str, Kind]] = {
    "approval": "approvals",
    "choose-1": "approvals",
    "cumulative": "numbers",
    "scoring": "numbers",
    "ordinal": "ranking",
}
_POINTED: Final = ("cumulative", "scoring")
_OWN_BUDGETS: Final = ("budget_per_category", "budget_per_neighborhood", "budget_per_neighbourhood")


def read(lines: Lines) -> Source:
    found = rows(lines, ";", strict=False)
    meta = _meta(found)
    kind = meta.get("vote_type", "").lower()
    if kind not in _KINDS:
        raise FileRefused(f"vote_type must be one of {', '.join(_KINDS)}, not {short(kind)}")
    ids, names, costs, categories = _projects(found)
    if "num_projects" in meta and whole(meta["num_projects"], "num_projects") != len(ids):
        raise FileRefused(f"num_projects says {meta['num_projects']}, the file holds {len(ids)} projects")
    source = Source(_KINDS[kind], names, costs=costs, currency=meta.get("currency", ""))
    _tell(meta, kind, source)
    votes = _Votes(lines, found, meta, kind)
    source.ballots = votes.ballots(ids, rules(meta, kind, costs, categories))
    return source


def _meta(found: Iterator[list[str]]) -> dict[str, str]:
    if not _is_section(next(found, []), "META"):
        raise FileRefused("must begin with a line META")
    if [field.strip().lower() for field in next(found, [])[:2]] != ["key", "value"]:
        raise FileRefused("META must be followed by a line key;value")
    meta: dict[str, str] = {}
    for row in found:
        if _is_section(row, "PROJECTS"):
            return meta
        key = row[0].strip().lower()
        if len(row) < 2:
            raise FileRefused(f"has no value for {short(key)}")
        if key in meta:
            raise FileRefused(f"{short(key)} stands twice")
        value = ";".join(row[1:]).strip()
        if value:
            meta[key] = value
    raise FileRefused("the section PROJECTS is missing")


def _projects(found: Iterator[list[str]]) -> tuple[dict[str, int], list[str], list[Fraction], list[frozenset[str]]]:
    """Number by id; names, costs and categories in the file's order."""
    columns = _columns(next(found, []), ("project_id", "cost"))
    ids: dict[str, int] = {}
    names: list[str] = []
    costs: list[Fraction] = []
    categories: list[frozenset[str]] = []
    for row in found:
        if _is_section(row, "VOTES"):
            if not ids:
                raise FileRefused("the file holds no project")
            return ids, names, costs, categories
        project = _field(row, columns, "project_id")
        if not project or project in ids:
            raise FileRefused(f"the project {short(project)} stands twice" if project else "a project has no id")
        ids[project] = len(ids) + 1
        if len(ids) > MAX_CANDIDATES:
            raise FileRefused(f"holds more than {MAX_CANDIDATES} projects")
        names.append(_field(row, columns, "name") or project)
        costs.append(money(_field(row, columns, "cost"), "a cost"))
        given = _field(row, columns, "category").split(",")
        categories.append(frozenset(one.strip().casefold() for one in given if one.strip()))
    raise FileRefused("the section VOTES is missing")


def _tell(meta: Mapping[str, str], kind: str, source: Source) -> None:
    """What META says to the methods."""
    if "budget" in meta:
        source.budget = money(meta["budget"], "budget")
    if kind in ("approval", "choose-1"):
        source.least = _given(meta, "min_length")
        source.most = 1 if kind == "choose-1" else _given(meta, "max_length")
    elif kind in _POINTED:
        source.least, source.most = _given(meta, "min_points"), _given(meta, "max_points")
        source.points = _given(meta, "max_sum_points")
    elif meta.get("scoring_fn", "").lower() == "borda":
        source.ranking_points = _given(meta, "max_length") or len(source.names)
        source.notes.append(
            f"scoring_fn Borda: the first of a ballot gets {source.ranking_points} points, the next 1 less"
        )
    if kind == "scoring":
        source.default_score = _given(meta, "default_score") or 0
    source.score_threshold = _given(meta, "min_project_score_threshold")
    source.own_budgets = [name for name in _OWN_BUDGETS if name in meta]


def _given(meta: Mapping[str, str], name: str) -> int | None:
    return integer(meta[name], name) if name in meta else None


class _Votes:
    """The section VOTES, a voter a line."""

    def __init__(self, lines: Lines, found: Iterator[list[str]], meta: Mapping[str, str], kind: str) -> None:
        self._lines, self._found, self._meta = lines, found, meta
        self._kind, self._pointed = kind, kind in _POINTED

    def ballots(self, ids: Mapping[str, int], rules_: Rules) -> Iterator[Ballot]:
        header = next(self._found, None)
        if header is None:
            raise FileRefused("the section VOTES has no line of columns")
        columns = _columns(header, ("voter_id", "vote", *(("points",) if self._pointed else ())))
        voters = 0
        for row in self._found:
            if any("\n" in field for field in row):
                raise FileRefused("a quote is not closed on its line")
            if len(row) > len(columns):
                raise FileRefused(f"has {len(row)} fields, the section's first line has {len(columns)}")
            voters += 1
            yield self._ballot(row, columns, ids, rules_)
        if "num_votes" in self._meta and whole(self._meta["num_votes"], "num_votes") != voters:
            raise FileRefused(f"num_votes says {self._meta['num_votes']}, the file holds {voters} votes")

    def _ballot(self, row: list[str], columns: Mapping[str, int], ids: Mapping[str, int], rules_: Rules) -> Ballot:
        line = self._lines.number
        named = _list(_field(row, columns, "vote"))
        points = [integer(one, "points") for one in _list(_field(row, columns, "points"))] if self._pointed else []
        if self._pointed and len(points) != len(named):
            raise FileRefused(f"gives {len(points)} points to {len(named)} projects")
        chosen = [ids.get(project, 0) for project in named]
        invalid = rules_.broken(chosen, points)
        if invalid or not chosen:
            return Ballot(line, 1, None, invalid)
        return Ballot(line, 1, self._mark(chosen, points))

    def _mark(self, chosen: list[int], points: list[int]) -> Mark:
        if self._pointed:
            return tuple(sorted(zip(chosen, points, strict=True)))
        return tuple((one,) for one in chosen) if self._kind == "ordinal" else tuple(sorted(chosen))


def _columns(row: list[str], needed: tuple[str, ...]) -> dict[str, int]:
    columns = {name.strip().lower(): place for place, name in enumerate(row)}
    for name in needed:
        if name not in columns:
            raise FileRefused(f"the line of columns has no {name}")
    if len(columns) != len(row):
        raise FileRefused("two columns have the same name")
    return columns


def _field(row: list[str], columns: Mapping[str, int], name: str) -> str:
    """Empty where the section has no such column; columns at the end that the format does not need may be left out."""
    place = columns.get(name)
    if place is None:
        return ""
    if place >= len(row):
        raise FileRefused(f"has {len(row)} fields, {name} should be the {place + 1}th")
    return row[place].strip()


def _list(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")] if text else []


def _is_section(row: list[str], name: str) -> bool:
    return bool(row) and row[0].strip().upper() == name and not any(field.strip() for field in row[1:])
