"""The chain of positions under seeded faults. More histories: python -m tests.shared.simulation_chain 20000."""

from __future__ import annotations

import pytest

from tests.shared.simulation_chain import BUGS, first_fault, history


def test_what_is_applied_is_always_a_prefix_and_ends_whole_in_2000_histories() -> None:
    effects = healed = 0
    for seed in range(2000):
        world, fault, repeated = history(seed)
        assert fault is None, f"seed {seed}: {fault}"
        effects += sum(map(len, world.applied.values()))
        healed += repeated
    assert effects > 20_000
    assert healed > 50, "the histories must lose enough for repeats to be needed"


@pytest.mark.parametrize("bug", BUGS)
def test_the_simulation_finds_the_planted_bug(bug: str) -> None:
    assert first_fault(200, bug=bug) is not None
