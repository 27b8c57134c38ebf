"""Each format of ballot file: what is read from a good one, and by which line and reason a broken one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ballot.count.kit import counted, refused

BLT = """\
4 2

# a made-up ward
-2
3 1 3 4 0
4 2 4 0
(id1) 2 3 - 1 0
1 0
0
"Ada Lovelace"
Brigitte
"Chloé ""
""".replace('"Chloé ""', '"Chloé \\"C\\" Martin"') + 'Denis\n"Titre"\n'  # fmt: skip
EQUALS = "3 1\n2 1=2 3 0\n1 3 0\n0\nA\nB\nC\nTitre\n"
SOI = """\
# FILE NAME: x.soi
# DATA TYPE: soi
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 9
# NUMBER UNIQUE ORDERS: 3
# ALTERNATIVE NAME 1: Nord
# ALTERNATIVE NAME 2: Sud
# ALTERNATIVE NAME 3: Est
4: 1
3: 2,3,1
2: 3,2
"""
TOC = SOI.replace("soi", "toc").replace("4: 1\n", "4: 1,{2,3}\n").replace("2: 3,2\n", "2: {3,2},1\n")
CAT = """\
# DATA TYPE: cat
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 7
# NUMBER CATEGORIES: 3
# CATEGORY NAME 1: Bien
# CATEGORY NAME 2: Passable
# CATEGORY NAME 3: À rejeter
# ALTERNATIVE NAME 1: A
# ALTERNATIVE NAME 2: B
# ALTERNATIVE NAME 3: C
3: 1,{2,3},{}
2: {},{1},{2,3}
2: {2,3},1,{}
"""
PB = """\
META
key;value
budget;100
num_projects;3
num_votes;6
vote_type;approval
min_length;1
max_length;2
max_sum_cost;90
categories;vert,bleu
max_length_per_category;1
PROJECTS
project_id;cost;name;category
p1;60.5;"Parc; grand";vert
p2;30;École;bleu
p3;20;Vélo;vert
VOTES
voter_id;vote
1;p2,p3
2;p1
3;p1,p2,p3
4;p1,p2
5;p1,p3
6;
"""
RANKED = (
    "Bureau,rank1,rank2,rank3,weight\nA,Nord,Sud,Est,2\nB,undervote,undervote,Est,1\nC,overvote,Sud,Sud,3\nD,,,,1\n"
)
WIDE = "votant;Parc;École;Vélo;nombre\n1;3;2;0;2\n2;0;;5;3\n3;1;1;1;4\n"


def test_a_blt_file_is_read_with_its_withdrawn_candidates_blank_lines_and_bare_names(tmp_path: Path) -> None:
    found = counted(tmp_path, "ward.blt", BLT, "stv")
    assert found["candidates"] == ["Ada Lovelace", "Brigitte", 'Chloé "C" Martin', "Denis"]
    assert (found["method"], found["winners"]) == ("stv_scottish", [4, 1])
    assert (found["expressed"], found["blank"], found["invalid"], found["withdrawn"]) == (9, 1, 0, [2])
    assert found["steps"][0]["votes"] == {"1": 3, "3": 2, "4": 4}


def test_seats_of_the_command_win_over_the_file_and_may_be_more_than_there_are_candidates(tmp_path: Path) -> None:
    assert counted(tmp_path, "ward.blt", BLT, "stv", "--seats", "1")["winners"] == [1]
    assert sorted(counted(tmp_path, "ward.blt", BLT, "stv", "--seats", "9")["winners"]) == [1, 3, 4]


def test_equal_ranks_are_counted_by_condorcet_and_borda_and_refused_by_irv_and_stv(tmp_path: Path) -> None:
    assert counted(tmp_path, "e.blt", EQUALS, "schulze")["steps"][0]["duels"]["1"] == {"2": 0, "3": 2}
    assert counted(tmp_path, "e.blt", EQUALS, "borda")["counts"] == {"1": "7/2", "2": "7/2", "3": 2}
    for method in ("irv", "stv", "stv-wigm"):
        said = refused(tmp_path, "e.blt", EQUALS, method)
        assert said == "e.blt:2: has equal ranks, which this method does not take"


def test_first_choices_of_a_ranking_can_be_counted_and_a_shared_first_place_is_invalid(tmp_path: Path) -> None:
    found = counted(tmp_path, "e.blt", EQUALS, "plurality")
    assert (found["winners"], found["invalid"], found["invalid_reasons"]) == ([3], 2, {"Overvote": 2})


def test_preflib_rankings_are_read_short_or_with_equals(tmp_path: Path) -> None:
    assert counted(tmp_path, "x.soi", SOI, "irv")["winners"] == [2]
    found = counted(tmp_path, "x.toc", TOC, "schulze")
    assert (found["candidates"], found["expressed"]) == (["Nord", "Sud", "Est"], 9)
    assert found["steps"][0]["duels"]["2"] == {"1": 5, "3": 3}


def test_categories_are_grades_notes_approvals_or_a_weak_order(tmp_path: Path) -> None:
    judged = counted(tmp_path, "d.cat", CAT, "majority-judgment")
    assert judged["counts"] == {"1": [3, 4, 0], "2": [2, 3, 2], "3": [2, 3, 2]}
    assert judged["winners"] == [1]
    assert counted(tmp_path, "d.cat", CAT, "score")["counts"] == {"1": 10, "2": 7, "3": 7}
    assert counted(tmp_path, "d.cat", CAT, "approval")["counts"] == {"1": 3, "2": 2, "3": 2}
    assert counted(tmp_path, "d.cat", CAT, "schulze")["steps"][0]["duels"]["1"] == {"2": 5, "3": 5}


def test_pabulib_rules_of_lengths_costs_and_categories_make_ballots_invalid_by_reason(tmp_path: Path) -> None:
    found = counted(tmp_path, "t.pb", PB, "greedy")
    assert found["invalid_reasons"] == {"category_max_length": 1, "costs_too_much": 1, "too_many": 1}
    assert (found["expressed"], found["blank"], found["unit"]) == (2, 1, "1/2")
    assert found["candidates"] == ["Parc; grand", "École", "Vélo"]
    assert (found["winners"], found["left"]) == ([1, 2], 19)  # in half units: 200 - 121 - 60


def test_budget_of_the_command_wins_over_the_file(tmp_path: Path) -> None:
    found = counted(tmp_path, "t.pb", PB, "equal-shares", "--budget", "60", "--completion", "utilitarian")
    assert (found["winners"], found["left"]) == ([2, 3], 20)


def test_a_threshold_of_a_pabulib_file_leaves_out_what_does_not_reach_it(tmp_path: Path) -> None:
    content = PB.replace("vote_type;", "min_project_score_threshold;2\nvote_type;")
    found = counted(tmp_path, "t.pb", content, "greedy")
    assert (found["winners"], found["notes"]) == ([], ["below the threshold of 2: 1, 2, 3"])


def test_cumulative_points_and_their_limits_are_read(tmp_path: Path) -> None:
    content = (
        "META\nkey;value\nbudget;50\nvote_type;cumulative\nmax_points;3\nmax_sum_points;4\nPROJECTS\nproject_id;cost\n"
        "a;30\nb;30\nVOTES\nvoter_id;vote;points\n1;a,b;3,1\n2;b;3\n3;a,b;3,3\n4;a;4\n"
    )
    found = counted(tmp_path, "c.pb", content, "greedy")
    assert found["invalid_reasons"] == {"points_out_of_range": 1, "sum_of_points_out_of_range": 1}
    assert (found["counts"], found["winners"]) == ({"1": 3, "2": 4}, [2])


def test_a_ranked_csv_drops_overvotes_and_repeats_and_closes_gaps_or_stops_at_them(tmp_path: Path) -> None:
    found = counted(tmp_path, "r.csv", RANKED, "irv")
    assert found["candidates"] == ["Nord", "Sud", "Est"]
    assert (found["expressed"], found["blank"]) == (6, 1)
    assert found["steps"][0]["votes"] == {"1": 2, "2": 3, "3": 1}
    stopped = counted(tmp_path, "r.csv", RANKED, "irv", "--stop-after-skips", "2")
    assert (stopped["expressed"], stopped["blank"]) == (5, 2)


def test_a_wide_csv_holds_notes_points_or_ranks(tmp_path: Path) -> None:
    assert counted(tmp_path, "w.csv", WIDE, "score")["counts"] == {"1": 10, "2": 8, "3": 19}
    assert counted(tmp_path, "w.csv", WIDE, "cumulative")["winners"] == [3]
    ranks = counted(tmp_path, "w.csv", WIDE, "schulze", "--cells", "ranks")
    assert ranks["steps"][0]["duels"]["3"] == {"1": 2, "2": 5}


def test_approvals_of_a_wide_csv_are_zeros_and_ones(tmp_path: Path) -> None:
    found = counted(tmp_path, "a.csv", "A,B,C\n1,0,1\n0,1,1\n2,0,0\n0,0,0\n", "approval")
    assert (found["winners"], found["blank"], found["invalid_reasons"]) == ([3], 1, {"NotApproved": 1})


def test_a_tie_goes_by_order_or_by_a_lot_that_anyone_can_redo_and_stands_in_the_steps(tmp_path: Path) -> None:
    content = "3 1\n1 1 0\n1 2 0\n1 3 0\n0\nA\nB\nC\n"
    by_order = counted(tmp_path, "t.blt", content, "plurality")
    assert by_order["winners"] == [1]
    assert by_order["steps"][1] == {
        "step": "tie", "for": "seat", "between": ["1", "2", "3"], "chosen": ["1"], "by": "order",
    }  # fmt: skip
    winners = {
        counted(tmp_path, "t.blt", content, "plurality", "--tie-break", f"lot:{i}")["winners"][0] for i in "abcdefgh"
    }
    assert winners == {1, 2, 3}


BROKEN = [
    ("x.blt", "irv", "", "x.blt: must hold two numbers"),
    ("x.blt", "irv", "3\n", "x.blt:1: must hold two numbers"),
    ("x.blt", "irv", "0 1\n", "x.blt:1: the number of candidates must be from 1"),
    ("x.blt", "irv", "2 1\n1 3 0\n0\nA\nB\n", "x.blt:2: a candidate must be from 1 to 2, not 3"),
    ("x.blt", "irv", "2 1\n1 1 1 0\n0\nA\nB\n", "x.blt:2: names a candidate twice"),
    ("x.blt", "irv", "2 1\n1 1\n0\nA\nB\n", "x.blt:2: must be a ballot that ends with 0"),
    ("x.blt", "irv", "2 1\n1.5 1 0\n0\nA\nB\n", "x.blt:2: a ballot's weight must be an integer, not '1.5'"),
    ("x.blt", "irv", "2 1\n-3 0\n0\nA\nB\n", "x.blt:2: a withdrawn candidate must be from -2 to -1, not -3"),
    ("x.blt", "irv", "2 1\n1 1 0\n", "x.blt:2: is the last, and no line 0 ended the ballots"),
    ("x.blt", "irv", "2 1\n1 1 0\n0\nA\n", "x.blt:4: is the last, and only 1 of 2 candidates have a name"),
    ("x.blt", "irv", "1 1\n1 1 0\n0\nA\nT\nZ\n", "x.blt:6: is one name too many"),
    ("x.soi", "irv", SOI.replace("VOTERS: 9", "VOTERS: 8"), "x.soi:11: is the last: 9 counted, number voters says 8"),
    ("x.soi", "irv", SOI.replace("ORDERS: 3", "ORDERS: 4"), "x.soi:11: is the last: 3 counted, number unique orders"),
    ("x.soi", "irv", SOI.replace("2,3,1", "2,3,4"), "x.soi:10: an alternative must be from 1 to 3, not 4"),
    ("x.soi", "irv", SOI.replace("2,3,1", "2,2"), "x.soi:10: names an alternative twice"),
    ("x.soi", "irv", SOI.replace("2,3,1", "2,{3,1}"), "x.soi:10: has equal ranks, which a soi file cannot have"),
    ("x.soi", "irv", SOI.replace("3: 2,3,1", "deux,3"), "x.soi:10: must be a count, a colon and a preference"),
    ("x.soi", "irv", SOI.replace("2,3,1", "2,{3,1"), "x.soi:10: cannot be read from"),
    ("x.soc", "irv", SOI, "x.soc:2: says that this is a file of type soi, not soc"),
    ("x.soc", "irv", SOI.replace("soi", "soc"), "x.soc:9: leaves out alternatives, which a soc file cannot"),
    ("x.toc", "irv", TOC, "x.toc:9: has equal ranks, which this method does not take"),
    ("x.soi", "irv", SOI.replace("# NUMBER ALTERNATIVES: 3\n", ""), "x.soi:8: stands before any line #"),
    ("x.cat", "score", CAT.replace("{},{1},{2,3}", "{1},{2,3}"), "x.cat:12: has 2 categories, 3 are named"),
    ("x.pb", "greedy", "PROJETS\n", "x.pb:1: must be META"),
    ("x.pb", "greedy", "META\nkey;value\n", "x.pb:2: is the last, and there are no VOTES"),
    ("x.pb", "greedy", PB.replace("vote_type;approval", "vote_type;oracle"), "x.pb:17: vote_type must be one of"),
    ("x.pb", "greedy", PB.replace("num_votes;6", "num_votes;7"), "x.pb:24: is the last: 6 counted, num_votes says 7"),
    ("x.pb", "greedy", PB.replace("p2;30", "p1;30"), "x.pb:15: names project 'p1' a second time"),
    ("x.pb", "greedy", PB.replace("p2;30", "p2;beaucoup"), "x.pb:15: cost must be a number, not 'beaucoup'"),
    ("x.pb", "greedy", PB.replace("1;p2,p3", "1;p2;p3"), "x.pb:19: has 3 fields, its section has 2"),
    ("x.csv", "irv", "rank1,rank2\nA,B\nA\n", "x.csv:3: has 1 cells, the header 2"),
    ("x.csv", "irv", "rank1,weight\nA,beaucoup\n", "x.csv:2: how many must be an integer, not 'beaucoup'"),
    ("x.csv", "score", "A,B\n1,deux\n", "x.csv:2: B must be an integer, not 'deux'"),
    ("x.csv", "score", 'A,B\n1,"2\n', "x.csv:2: unexpected end of data"),
    ("x.csv", "irv", "A,B\n1,2\n", "count: irv cannot be counted from numbers"),
    ("x.pb", "irv", PB, "count: irv cannot be counted from approvals"),
    ("x.soi", "greedy", SOI, "count: budget_greedy cannot be counted from rankings"),
    ("x.txt", "irv", BLT, "count: the name does not tell the format of x.txt: say --format"),
    ("x.blt", "meek", BLT, "count: no method 'meek'"),
    ("x.csv", "budget_greedy", "A,B\n1,1\n", "count: a budget method needs each project's cost and a budget"),
]  # fmt: skip


@pytest.mark.parametrize("name, method, content, said", BROKEN)
def test_a_broken_file_is_refused_with_its_line_and_reason(
    tmp_path: Path, name: str, method: str, content: str, said: str
) -> None:
    assert refused(tmp_path, name, content, method).startswith(said)


@pytest.mark.parametrize(
    "content, said",
    [
        (b"2 1\n1 1 0\n\xff\n", "x.blt:3: is not UTF-8 text"),
        (b"2 1\n1 1\x00 0\n", "x.blt:2: holds a NUL: this is no text file"),
        (b"2 1\n" + b"1 " * 600_000, "x.blt:2: is longer than 1048576 bytes"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert refused(tmp_path, "x.blt", content, "irv") == said


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.blt").write_text(BLT)
    from tests.ballot.count.kit import run

    code, _, err = run("irv", str(tmp_path / "y.blt"))
    assert code == 2
    assert "No such file" in err
