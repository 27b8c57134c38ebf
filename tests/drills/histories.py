"""Seeded histories over the real code: ballots accepted, sealed and closed with crashes; whole polls, replaced and
cancelled, with two stations and sealers that lose their lock; events told with losses.

Checks: no promise is broken in any history; each fault planted into the code is found, so the histories can see.
"""

from __future__ import annotations

from tests.ballot import simulation, simulation_life
from tests.shared import simulation_chain


def main(smoke: bool, seed: int) -> dict[str, object]:
    ballots, polls, chain = (400, 200, 2000) if smoke else (4000, 2000, 20_000)
    return {**of_ballots(ballots, seed), **of_polls(polls, seed, smoke), **of_the_chain(chain, seed)}


def of_ballots(histories: int, seed: int) -> dict[str, object]:
    promises, faults = simulation.run(histories, seed)
    assert not faults, faults
    assert promises > 2 * histories, "the histories must promise enough to break something"
    found = {}
    for bug in simulation.BUGS:
        _, shown = simulation.run(histories, seed, bug)
        assert shown, f"{bug} was not found in {histories} histories"
        found[bug] = min(min(numbers) for numbers in shown.values()) - seed + 1
    return {
        "histories of ballots": histories, "promises": promises, "promises broken": len(faults),
        "planted bugs of ballots found after histories": found,
    }  # fmt: skip


def of_polls(histories: int, seed: int, smoke: bool) -> dict[str, object]:
    told = simulation_life.run(histories, seed)
    assert not told.faults, told.faults
    assert told.promises > 10 * histories
    assert told.replaced > histories // 5
    found = {}
    for bug in simulation_life.BUGS:
        first = simulation_life.RARE.get(bug, seed) if smoke else seed
        shown = simulation_life.run(5 * histories, first, bug)
        assert shown.faults, f"{bug} was not found in {5 * histories} histories"
        found[bug] = shown.histories
    return {
        "histories of polls": histories, "ends": told.ends, "replaced before the opening": told.replaced,
        "promises in them": told.promises, "broken": len(told.faults),
        "planted bugs of polls found after histories": found,
    }  # fmt: skip


def of_the_chain(histories: int, seed: int) -> dict[str, object]:
    effects = repeats = 0
    for number in range(seed, seed + histories):
        world, fault, repeated = simulation_chain.history(number)
        assert fault is None, f"seed {number}: {fault}"
        effects += sum(map(len, world.applied.values()))
        repeats += repeated
    assert effects > 10 * histories
    assert repeats > histories // 40, "the histories must lose enough for repeats to be needed"
    found = {}
    for bug in simulation_chain.BUGS:
        first = simulation_chain.first_fault(histories, seed, bug)
        assert first is not None, f"{bug} was not found in {histories} histories"
        found[bug] = first[0] - seed + 1
    return {
        "histories of events": histories, "effects": effects, "faults": 0,
        "repaired by again-from": repeats, "planted bugs of events found after histories": found,
    }  # fmt: skip
