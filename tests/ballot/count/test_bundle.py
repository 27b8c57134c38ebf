"""The export of a poll, counted by the command: the same as the published tally."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.ballot.builder import STRATA, Election, Log, Voter, election, key, make_manifest
from tests.ballot.count.runner import run

OPTIONS = [{"id": name, "label": name.title()} for name in ("anne", "bob", "chloe", "david")]


def question(
    name: str, method: str, settings: dict[str, Any] | None, tie_break: str = "lot:place-2026"
) -> dict[str, Any]:
    asked = {"id": name, "text": "Qui ?", "method": method, "options": OPTIONS, "blank": True, "tie_break": tie_break}
    return asked if settings is None else asked | {"settings": settings}


QUESTIONS = [
    question("maire", "irv", None),
    question("conseil", "stv_scottish", {"seats": 2}),
    question("fete", "approval", {"seats": 1}),
    question("argent", "budget_equal_shares", {
        "budget": 100, "costs": {"anne": 40, "bob": 50, "chloe": 60, "david": 10}, "completion": "none",
        "utility": "cost",
        "ballot": {"kind": "points", "points": 5, "most": 3},
    }),
    question("note", "majority_judgment", {
        "grades": [{"id": "bien", "label": "Bien"}, {"id": "moyen", "label": "Moyen"}, {"id": "non", "label": "Non"}],
        "seats": 1,
    }),
]  # fmt: skip


def answers(random: Random) -> list[Any]:
    names = [option["id"] for option in OPTIONS]
    if random.random() < 0.1:
        return [{"blank": True}] * len(QUESTIONS)
    ranking = [[name] for name in random.sample(names, random.randint(1, 4))]
    chosen = [name for name in names if random.random() < 0.5]
    return [
        {"ranking": ranking},
        {"ranking": ranking[::-1]},
        {"choices": chosen},
        {"points": {random.choice(names): random.randint(1, 3)}},
        {"grades": {name: random.choice(["bien", "moyen", "non"]) for name in names[:2]}},
    ]


@pytest.fixture(scope="module")
def made() -> Election:
    random, manifest = Random(5), make_manifest(questions=QUESTIONS)
    voters, logs = [], {station.id: Log(manifest, station.id) for station in manifest.stations}
    for stratum, station in STRATA.items():
        log = logs[station]
        log.open()
        own = [Voter(manifest, stratum, f"{stratum}/{n}", key("parvis/issuer")) for n in range(20)]
        for _ in range(2):  # everybody votes twice: the first ballot must not count
            log.epoch([voter.cast(answers(random)) for voter in own])
        log.close(issued=len(own))
        voters += own
    return Election(manifest, voters, logs).publish()


@pytest.fixture(scope="module")
def file(made: Election, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("count") / "poll.ndjson"
    path.write_bytes(made.bundle())
    return path


def test_each_question_comes_to_its_published_tally(made: Election, file: Path) -> None:
    for published in made.tally["questions"]:
        result = run("poll", file, "--question", published["id"]).result
        ids = [option["id"] for option in OPTIONS]
        assert result["method"] == published["method"]
        assert result["candidates"] == ["Anne", "Bob", "Chloe", "David"]
        assert [ids[number - 1] for number in result["winners"]] == published["result"]["winners"]
        for name in published["result"].keys() - {"winners"}:
            assert result[name] == published["result"][name], name
        assert run(published["method"], file, "--question", published["id"]).result == result


def test_another_method_counts_the_same_marks(file: Path) -> None:
    ranked = run("schulze", file, "--question", "maire").result
    assert ranked["steps"][0]["duels"].keys() == {"anne", "bob", "chloe", "david"}
    assert ranked["tie_break"] == "order"
    for method, asked in (("borda", "conseil"), ("single_choice", "maire"), ("supports", "fete"), ("score", "note")):
        assert run(method, file, "--question", asked).code == 0
    assert run("greedy", file, "--question", "argent").result["budget"] == 100
    misfit = run("irv", file, "--question", "fete")
    assert misfit.code == 2
    assert "irv cannot be counted from this file: it holds approvals" in misfit.err


def test_the_commands_settings_win_over_the_manifests(file: Path) -> None:
    assert len(run("poll", file, "--question", "conseil", "--seats", "3").winners) == 3
    drawn = run("poll", file, "--question", "conseil", "--tie-break", "order").result
    assert drawn["tie_break"] == "order"


def test_the_command_says_that_it_checks_no_signature(file: Path) -> None:
    assert "services.ballot.audit" in run("poll", file, "--question", "fete").err


def test_a_question_must_be_named_where_there_are_several(file: Path) -> None:
    for options in ((), ("--question", "rien")):
        done = run("poll", file, *options)
        assert done.code == 2
        assert "maire, conseil, fete, argent, note" in done.err


def test_yes_or_no_is_counted_from_an_export(tmp_path: Path) -> None:
    made = election(60)
    path = tmp_path / "poll.jsonl"
    path.write_bytes(made.bundle())
    result = run("poll", path, "--question", "place").result
    published = made.tally["questions"][0]["result"]
    assert (result["counts"], result["blank"], result["steps"]) == tuple(
        published[name] for name in ("counts", "blank", "steps")
    )
    assert result["winners"] == [["oui", "non"].index(published["winner"]) + 1]


def test_a_broken_export_is_refused_with_its_line(made: Election, tmp_path: Path) -> None:
    path = tmp_path / "poll.ndjson"
    lines = made.bundle().split(b"\n")
    path.write_bytes(b"\n".join(lines[:9]) + b"\n")
    done = run("poll", path, "--question", "fete")
    assert (done.code, done.out) == (2, "")
    assert f"{path}:10: line: the bundle stops before its end" in done.err
    place = next(place for place, line in enumerate(lines) if b'"choices":' in line)
    lines[place] = lines[place].replace(b'"choices":[', b'"choices":["zoe",', 1)
    path.write_bytes(b"\n".join(lines))
    assert f"{path}:{place + 1}: " in run("poll", path, "--question", "fete").err


def test_an_empty_export_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "poll.ndjson"
    path.write_bytes(b"")
    done = run("poll", path)
    assert done.code == 2
    assert "stops before its end" in done.err
