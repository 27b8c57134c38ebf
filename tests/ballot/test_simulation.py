from __future__ import annotations

import pytest

from tests.ballot import simulation, simulation_life


def test_no_history_breaks_a_promise_whatever_dies_between_two_transactions() -> None:
    promises, faults = simulation.run(300, seed=20261123)
    assert faults == {}
    assert promises > 600


@pytest.mark.parametrize("bug", simulation.BUGS)
def test_the_simulation_finds_a_planted_fault_within_200_histories(bug: str) -> None:
    _, faults = simulation.run(200, seed=1, bug=bug)
    assert faults


def test_no_history_of_a_whole_poll_breaks_a_promise_with_replacements_two_stations_and_lost_locks() -> None:
    told = simulation_life.run(60, seed=20261125)
    assert told.faults == {}
    assert told.promises > 600
    assert told.replaced > 10
    assert told.ends["tallied"] > 30


@pytest.mark.parametrize("bug", simulation_life.BUGS)
def test_the_simulation_of_whole_polls_finds_a_planted_fault_within_100_histories(bug: str) -> None:
    assert simulation_life.run(100, seed=simulation_life.RARE.get(bug, 1), bug=bug).faults
