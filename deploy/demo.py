"""The demo region: a made-up town that votes, once per data folder. `make run` starts it behind the platform.

Some polls are open, one closes within minutes, five are counted, each by a method of its own. Everything goes over the
services' public HTTP APIs; only the people are brought in by identity's own command. Progress and sign-in codes are
printed in French: a visitor of the demo reads them. A demo that was interrupted cancels what it left half-made and
begins anew.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.demo_cases import make_cases
from deploy.demo_client import Client, Refused, Voter
from deploy.demo_polls import POLLS, TOWN, DemoPoll
from deploy.processes import ROOT
from services.ballot.protocol.fields import written
from services.shared.settings import Common

PEOPLE: Final = 600
_SHOWN: Final = 3  # residents whose codes are shown: they have not voted
_OPENS_IN: Final = 4
_PATIENCE: Final = 120
_AT_ONCE: Final = 4
Json = dict[str, Any]


def main() -> int:
    settings = Common.from_env()
    with Client(settings) as client:
        try:
            Demo(settings, client).run()
        except (Refused, httpx.HTTPError, TimeoutError) as e:
            print(f"Démonstration interrompue ({e}). Elle reprendra au prochain démarrage.", flush=True)
            return 1
    return 0


class Memory:
    """What the demo knows from one run to the next: DATA/demo.json, for its owner's eyes, since it holds codes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known: Json = json.loads(path.read_text()) if path.exists() else {"done": False, "polls": {}}

    def save(self, **news: Any) -> None:
        self.known |= news
        draft = self._path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.known, file)
        draft.replace(self._path)


class Demo:
    def __init__(self, settings: Common, client: Client) -> None:
        self._client = client
        self._memory = Memory(settings.data / "demo.json")
        self._chance = random.Random(1789)  # noqa: S311 the same opinions each time; keys are not drawn from here

    def run(self) -> None:
        if self._memory.known["done"]:
            self._tell_codes()
            return
        people = self._people()
        if people is None:
            return
        self._tell_codes()
        officers = [one["subject"] for one in people["officers"]]
        self._give_up_half_made(officers)
        polls = {poll.name: self._publish(poll, officers) for poll in POLLS}
        voters = [one["subject"] for one in people["residents"][_SHOWN:]]
        for poll in POLLS:
            self._vote(poll, polls[poll.name], voters)
        if not self._memory.known.get("cases"):
            make_cases(self._client, people, next(polls[poll.name] for poll in POLLS if not poll.ends))
            self._memory.save(cases=True)
            say("  Des dossiers attendent les agents : corrections, doublon probable, recours, liste à confirmer.")
        for poll in POLLS:
            if poll.ends:
                self._count(poll, polls[poll.name], officers)
        shown = {"officers": people["officers"], "residents": people["residents"][:_SHOWN]}
        self._memory.save(done=True, people=shown)
        say("Démonstration prête : des scrutins ouverts, un qui ferme dans quelques minutes, cinq dépouillés.")

    def _people(self) -> Json | None:
        """Officers and residents with their codes; None when the folder's people are not the demo's."""
        if "people" not in self._memory.known:
            words = [sys.executable, "-m", "services.identity", "demo", "--people", str(PEOPLE)]
            told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            region = json.loads(told.strip().splitlines()[-1])
            if not region["made"]:
                say("Ce dossier contient déjà des habitants : pas de démonstration.")
                return None
            self._memory.save(people=region)
            say(f"Démonstration : {PEOPLE} habitants de {TOWN} sont inscrits.")
        people: Json = self._memory.known["people"]
        return people

    def _give_up_half_made(self, officers: Sequence[str]) -> None:
        for poll in self._memory.known["polls"].values():
            for officer in officers:
                try:
                    reason = {"reason": "Démonstration interrompue avant la fin."}
                    self._client.officer(officer, "ballot", f"/polls/{poll}/cancellation", reason)
                except Refused:
                    break  # it has ended already
        self._memory.save(polls={})

    def _publish(self, poll: DemoPoll, officers: Sequence[str]) -> str:
        """Draft, frozen roll, frozen manifest, two confirmations: the poll's id. It opens a few seconds later."""
        opens = datetime.now(UTC) + timedelta(seconds=_OPENS_IN)
        opens_at, closes_at = written(opens), written(opens + timedelta(seconds=poll.open_for))
        first, second = officers[:2]
        made = str(self._client.officer(first, "ballot", "/polls", poll.draft(opens_at, closes_at))["poll"])
        self._memory.save(polls={**self._memory.known["polls"], poll.name: made})
        dates = {"opens_at": opens_at, "closes_at": closes_at}
        strata = {"strata": [stratum["id"] for stratum in poll.strata]}
        roll = self._client.officer(first, "identity", f"/polls/{made}/issuance", strata | dates)
        seen = self._client.officer(first, "ballot", f"/polls/{made}/publication", roll)
        for officer in (first, second):
            self._client.officer(officer, "ballot", f"/polls/{made}/opening-confirmations", seen)
        return made

    def _vote(self, poll: DemoPoll, made: str, subjects: Sequence[str]) -> None:
        self._wait_for(made, "open", "closing", "closed")
        manifest = self._client.manifest(made)
        drawn = self._chance.sample(list(subjects), poll.ballots)
        opinions = [poll.opinion(self._chance) for _ in drawn]
        again = set(drawn[: poll.second_thoughts])

        def one(subject: str, answer: Json) -> bool:
            try:
                voter = Voter(self._client, manifest, subject)
                if subject in again:
                    voter.vote([{"blank": True}])
                voter.vote([answer])
            except Refused as refused:
                if refused.code in ("PollNotOpen", "IssuanceNotOpen"):
                    return False  # a slow machine: the poll closed meanwhile
                raise
            return True

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            cast = sum(pool.map(one, drawn, opinions))
        say(f"  « {poll.title} » : {cast} habitants ont voté.")

    def _count(self, poll: DemoPoll, made: str, officers: Sequence[str]) -> None:
        seen = {"checkpoints_hash": self._wait_for(made, "closed")["checkpoints_hash"]}
        for officer in officers[:2]:
            self._client.officer(officer, "ballot", f"/polls/{made}/count-confirmations", seen)
        result = self._wait_for(made, "tallied")["tally"]["questions"][0]["result"]
        labels = {option["id"]: option["label"] for option in poll.question["options"]}
        winners = result["winners"] if "winners" in result else [result["winner"]]
        said = ", ".join(labels[one] for one in winners if one) or "égalité"
        say(f"  « {poll.title} » : dépouillé, {said}.")

    def _wait_for(self, poll: str, *states: str) -> Json:
        """The poll once it is in one of these states."""
        until = time.monotonic() + _PATIENCE
        while (found := self._client.poll(poll))["state"] not in states:
            if time.monotonic() > until:
                raise TimeoutError(f"scrutin {poll} : {found['state']} depuis {_PATIENCE} s")
            time.sleep(0.2)
        return found

    def _tell_codes(self) -> None:
        people = self._memory.known["people"]
        say("Codes de connexion de la démonstration :")
        for one in people["residents"][:_SHOWN]:
            say(f"  {one['code']}   {one['name']} (habite {TOWN}){_reached(one)}")
        for one in people["officers"]:
            say(f"  {one['code']}   {one['name']} (responsable de scrutin){_reached(one)}")


def _reached(one: Json) -> str:
    """Where a code can be asked for; a folder of an older release knows none."""
    found = [one[name] for name in ("email", "phone") if one.get(name)]
    return f"   {', '.join(found)}" if found else ""


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
