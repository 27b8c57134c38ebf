"""Whatever a file holds, the command counts it or refuses it in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ballot.builder import election
from tests.ballot.count import test_blt, test_csv, test_pabulib, test_preflib
from tests.ballot.count.runner import run

GOOD = {
    "blt": test_blt.GOOD.encode(),
    "toi": (test_preflib.header("toi", 5, 2) + "3: 1,{2,3}\n2: 2\n").encode(),
    "cat": (test_preflib.categories(5, "Oui", "Non") + "3: {1,2},3\n2: {},{1,2,3}\n").encode(),
    "pabulib": test_pabulib.pb(test_pabulib.POINTS, "max_sum_points;9", kind="cumulative").encode(),
    "csv": test_csv.WIDE.encode(),
    "bundle": election(12).bundle(),
}
METHODS = ("stv", "schulze", "approval", "score", "mj", "greedy", "mes", "fptp", "poll")
TOKENS = st.sampled_from([b"0", b"\n", b'"', b"-1", b"9" * 30, b",", b"{"])
CUTS = st.tuples(st.integers(0, 4000), st.integers(0, 40), st.binary(max_size=8) | TOKENS)


def spoiled(good: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, put in cuts:
        place = at % (len(good) + 1)
        good = good[:place] + put + good[place + length % 5 :]
    return good


def counted(path: Path, content: bytes, kind: str, method: str) -> None:
    path.write_bytes(content)
    done = run(method, path, "--format", kind, *(("--question", "place") if kind == "bundle" else ()))
    assert done.code in (0, 2)
    assert done.code == 0 or (done.err.strip() and not done.out)


@pytest.mark.parametrize("kind", GOOD)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), method=st.sampled_from(METHODS))
def test_any_bytes_at_all_are_counted_or_refused(tmp_path: Path, kind: str, content: bytes, method: str) -> None:
    counted(tmp_path / "any", content, kind, method)


@pytest.mark.parametrize("kind", GOOD)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(CUTS, min_size=1, max_size=4), method=st.sampled_from(METHODS))
def test_a_good_file_that_was_spoiled_is_counted_or_refused(
    tmp_path: Path, kind: str, cuts: list[tuple[int, int, bytes]], method: str
) -> None:
    counted(tmp_path / "any", spoiled(GOOD[kind], cuts), kind, method)
