"""What happens elsewhere while a person walks a journey: a code arrives, a list is frozen, time passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from services.ballot.domain import Poll
from tests.gateway.stub_services import World

Noted = dict[str, str]
Happening = Callable[[Noted], None]
_PEOPLE = 60


def happenings(world: World) -> Mapping[str, Happening]:
    """By name, what a journey's `Happens` may name; each gets what was noted, and may note more."""

    def poll() -> Poll:
        [line] = world.ballot.town.views.page(1, drafts=False)[0]
        return world.ballot.town.application.poll(line.poll)

    def settled(_: Noted) -> None:
        world.identity.populate(_PEOPLE)
        world.ballot.town.clock.now = datetime.now(UTC)

    def frozen(noted: Noted) -> None:
        noted["poll"] = str(poll().id)
        world.ballot.town.accept_manifest(str(poll().id))

    def opened(_: Noted) -> None:
        world.ballot.town.clock.now = poll().opens_at + timedelta(minutes=1)
        world.ballot.town.sealer.look()

    def closed(_: Noted) -> None:
        town, found = world.ballot.town, poll()
        town.clock.now = found.closes_at + timedelta(minutes=1)
        town.sealer.look()
        for stratum in town.application.manifest(str(found.id)).strata:
            town.application.record_issuance(str(found.id), stratum.id, 0, 0)
        town.sealer.look()

    def counted(_: Noted) -> None:
        world.ballot.town.sealer.look()
        for thread in world.ballot.town.sealer._counting.values():
            thread.join()

    return {
        "a code arrives": lambda noted: noted.update(code=world.code()),
        "people settle": settled,
        "the lists are frozen": frozen,
        "the poll opens": opened,
        "the poll closes": closed,
        "the ballots are counted": counted,
    }
