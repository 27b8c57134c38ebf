from __future__ import annotations

import pytest

from tests.ballot import simulation


def test_no_history_breaks_a_promise_whatever_dies_between_two_transactions() -> None:
    promises, faults = simulation.run(300, seed=20261123)
    assert faults == {}
    assert promises > 600


@pytest.mark.parametrize("bug", simulation.BUGS)
def test_the_simulation_finds_a_planted_fault_within_200_histories(bug: str) -> None:
    _, faults = simulation.run(200, seed=1, bug=bug)
    assert faults
