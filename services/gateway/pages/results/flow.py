"""A picture of rounds: each is a bar of all the ballots, ribbons lead where the ballots go. Computed in integers.

Rounds go down, so that the picture fits a narrow screen and a sheet of paper. Widths are shares of the ballots;
heights and texts are pixels, so that texts keep their size whatever the width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.pages.language import plural, said, strung
from services.gateway.pages.results.model import Box, Flow, Key, Labels, Path, Text
from services.gateway.pages.results.numbers import Number, exact, scale
from services.gateway.pages.words import number

_WIDTH: Final = 10_000
_ROUNDS: Final = 8
_OWN: Final = 10
_TOP: Final = 24  # the line of text above a bar
_BAR: Final = 28
_GAP: Final = 46
_NAMED: Final = 6  # of those chosen, in the picture's description
_OTHERS: Final = "\0others"
_EXHAUSTED: Final = "\0exhausted"
_NARROW: Final = 550  # a number of two digits fits on a screen of 320 pixels
Votes = dict[str, Number]
Moves = dict[tuple[str, str], Number]
Scale = Callable[[Number], int]


@dataclass(frozen=True, slots=True)
class _Node:
    x: int
    width: int


def draw(labels: Labels, rounds: Sequence[Mapping[str, Any]], order: Sequence[str], quota: int | None) -> Flow:
    """`order`: options as they are read, those elected first. Of many rounds the last ones, of many options the ones
    with most votes there; the others together."""
    last = list(rounds[-_ROUNDS:])
    votes = [{option: exact(value) for option, value in step["votes"].items()} for step in last]
    own = _own(votes, order)
    keys = {option: str(place) for place, option in enumerate(own, 1)} | {_OTHERS: "…", _EXHAUSTED: "∅"}
    bars = [_grouped(counted, own, step) for counted, step in zip(votes, last, strict=True)]
    at = scale(sum(bars[0].values(), 0), _WIDTH)
    places = [_places(bar, [*own, _OTHERS, _EXHAUSTED], at) for bar in bars]
    boxes: list[Box] = []
    texts: list[Text] = []
    ribbons: list[Path] = []
    lines: list[Box] = []
    won: set[str] = set()
    for row, (step, bar, nodes) in enumerate(zip(last, bars, places, strict=True)):
        y = row * (_TOP + _BAR + _GAP) + _TOP
        won.update(step["elected"])
        texts.append(Text(0, y - 8, _title(step, keys), "head"))
        for name, node in nodes.items():
            look = _look(name, step, won)
            boxes.append(Box(node.x, node.width, y, look))
            if node.width >= _NARROW:
                texts.append(Text((2 * node.x + node.width) // 20, y + 19, keys[name], f"in-{look}"))
            if quota and name in own and bar[name] > quota:
                lines.append(Box(node.x + at(quota), 0, y - 3, "quota"))
        if row + 1 < len(last):
            ribbons += _ribbons(_moves(step, bar, own), nodes, places[row + 1], at, y + _BAR)
    return Flow(
        _name(rounds, last),
        _description(labels, rounds, quota),
        len(last) * (_TOP + _BAR + _GAP) - _GAP + 4,
        boxes,
        ribbons,
        lines,
        texts,
        _legend(labels, keys, bars, quota),
    )


def _name(rounds: Sequence[Any], last: Sequence[Any]) -> str:
    if len(last) < len(rounds):
        return said(
            "Les voix de tour en tour : les %(some)s derniers des %(all)s tours", some=len(last), all=len(rounds)
        )
    return said("Les voix de tour en tour") if len(rounds) > 1 else said("Les voix du seul tour")


def _description(labels: Labels, rounds: Sequence[Mapping[str, Any]], quota: int | None) -> str:
    ended = [labels.plain(option) for step in rounds for option in step["elected"]]
    told = [
        said(
            "Une barre par tour, découpée selon les voix de chaque option ; des rubans mènent les voix transférées "
            "d’une barre à la suivante."
        )
    ]
    if len(ended) <= _NAMED:
        told.append(said("À la fin : %(options)s.", options=", ".join(ended)))
    else:
        told.append(said("À la fin : %(options)s et d’autres.", options=", ".join(ended[:_NAMED])))
    if quota:
        told.append(said("Un trait marque le quota de %(n)s voix dans chaque part qui le dépasse.", n=number(quota)))
    told.append(said("Les mêmes nombres sont dans la liste et le tableau qui suivent."))
    return strung(told)


def _own(votes: Sequence[Votes], order: Sequence[str]) -> list[str]:
    """The options that have a place of their own, in the order of reading."""

    def weight(option: str) -> list[Number]:
        return [-counted.get(option, 0) for counted in reversed(votes)]

    seen = [option for option in order if any(counted.get(option) for counted in votes)]
    if len(seen) <= _OWN:
        return seen
    kept = set(sorted(seen, key=weight)[:_OWN])
    return [option for option in seen if option in kept]


def _grouped(counted: Votes, own: Sequence[str], step: Mapping[str, Any]) -> Votes:
    votes = {option: counted.get(option, 0) for option in own}
    rest = sum((value for option, value in counted.items() if option not in votes), 0)
    return votes | {_OTHERS: rest, _EXHAUSTED: exact(step["exhausted"])}


def _places(bar: Votes, names: Sequence[str], at: Scale) -> dict[str, _Node]:
    found: dict[str, _Node] = {}
    before: Number = 0
    start = 0
    for name in names:
        before += bar[name]
        end = at(before)
        if end > start:
            found[name] = _Node(start, end - start)
        start = end
    return found


def _moves(step: Mapping[str, Any], bar: Votes, own: Sequence[str]) -> Moves:
    """How many votes go from which part to which part of the next bar; the others stay where they are."""
    moves: Moves = {}
    leave: Votes = {}

    def move(start: str, end: str, value: Number) -> None:
        if start != end and value:
            moves[start, end] = moves.get((start, end), 0) + value
            leave[start] = leave.get(start, 0) + value

    for transfer in step["transfers"]:
        start = transfer["from"] if transfer["from"] in own else _OTHERS
        for option, value in transfer["to"].items():
            move(start, option if option in own else _OTHERS, exact(value))
        move(start, _EXHAUSTED, exact(transfer["exhausted"]))
    stay = {(name, name): value - leave.get(name, 0) for name, value in bar.items() if value > leave.get(name, 0)}
    return moves | stay


def _ribbons(moves: Moves, above: Mapping[str, _Node], below: Mapping[str, _Node], at: Scale, y: int) -> list[Path]:
    """Out of a part and into a part in the order of the bar, so that ribbons cross as little as they can."""
    rank = {name: node.x for name, node in {**above, **below}.items()}
    out = {name: node.x for name, node in above.items()}
    into = {name: node.x for name, node in below.items()}
    starts: dict[tuple[str, str], tuple[int, int]] = {}
    for pair in sorted(moves, key=lambda p: (rank.get(p[0], 0), rank.get(p[1], 0))):
        start, width = out.get(pair[0]), at(moves[pair])
        if start is not None:
            starts[pair] = start, width
            out[pair[0]] = start + width
    paths = []
    for pair in sorted(starts, key=lambda p: (rank.get(p[1], 0), rank.get(p[0], 0))):
        start, width = starts[pair]
        end = into.get(pair[1])
        if width and end is not None:
            look = "stay" if pair[0] == pair[1] else "lost" if pair[1] == _EXHAUSTED else "move"
            paths.append(Path(_ribbon(start, end, width, y), look))
            into[pair[1]] = end + width
    return sorted(paths, key=lambda path: path.look != "stay")


def _ribbon(x: int, to: int, width: int, y: int) -> str:
    end, middle = y + _GAP + _TOP, y + (_GAP + _TOP) // 2
    return (
        f"M{x} {y}C{x} {middle} {to} {middle} {to} {end}h{width}"
        f"C{to + width} {middle} {x + width} {middle} {x + width} {y}z"
    )


def _look(name: str, step: Mapping[str, Any], won: Set[str]) -> str:
    if name == _EXHAUSTED:
        return "lost"
    if name in step["eliminated"]:
        return "out"
    return "won" if name in won else "in"


def _title(step: Mapping[str, Any], keys: Mapping[str, str]) -> str:
    told = [said("Tour %(n)s", n=step["round"])]
    won, out = _named(step["elected"], keys), _named(step["eliminated"], keys)
    if won:
        told.append(plural("élu : %(who)s", "élus : %(who)s", len(won), who=", ".join(won)))
    if out:
        told.append(plural("éliminé : %(who)s", "éliminés : %(who)s", len(out), who=", ".join(out)))
    return " · ".join(told)


def _named(options: Sequence[str], keys: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(keys.get(option, keys[_OTHERS]) for option in options))


def _legend(labels: Labels, keys: Mapping[str, str], bars: Sequence[Votes], quota: int | None) -> list[Key]:
    told = [Key(key, labels[option]) for option, key in keys.items() if option not in (_OTHERS, _EXHAUSTED)]
    if any(bar[_OTHERS] for bar in bars):
        told.append(Key("…", said("les autres options, ensemble")))
    if any(bar[_EXHAUSTED] for bar in bars):
        told.append(Key("∅", said("voix épuisées"), "lost"))
    if quota:
        over = said("quota : %(n)s voix ; ce qui dépasse est transféré", n=number(quota))
        told.append(Key("|", over, "quota"))
    return told
