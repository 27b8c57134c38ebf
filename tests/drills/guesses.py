"""Guesses at sign-in codes over HTTP, against identity's and notifications' processes, from many sources at once.

At one account, at many accounts, at codes from the desk: how many guesses got past the limits, how many opened
anything, and the bound that follows from the length of a code. A right code hidden among guesses must be found. Then
known and unknown contacts ask in turn: bodies, statuses and headers are compared, and times by a rank test, which must
see a difference that is planted.
"""

from __future__ import annotations

import math
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from threading import local
from typing import Any, Final

import httpx

from services.identity.application.asks import SHARING
from services.shared.settings import Common
from services.shared.tokens import TokenSigner
from tests import doors
from tests.drills import _platform, _servers

AT_ONCE: Final = 8
CODES: Final = 10**8  # of eight digits
DESK_CODES: Final = 32**8
BOUND: Final = 0.001
UNLIKELY: Final = 1e-4  # of a rank test: once in ten thousand runs without any difference


@dataclass
class Identity:
    """Calls as the gateway does, each thread over a connection of its own."""

    common: Common

    def __post_init__(self) -> None:
        self._signer = TokenSigner(self.common.keys / "gateway" / "token.key")
        self._own = local()

    def post(self, path: str, body: dict[str, Any], by: str = "gateway", role: str = "gateway") -> httpx.Response:
        if not hasattr(self._own, "client"):
            self._own.client = httpx.Client(base_url=self.common.identity_url, timeout=30, trust_env=False)
        headers = {"Authorization": f"Bearer {self._signer.token(by, [role], 'identity')}"}
        answer: httpx.Response = self._own.client.post(path, json=body, headers=headers)
        assert answer.status_code < 500, answer.text
        return answer

    def ask(self, contact: str, source: str) -> str | None:
        answer = self.post("/sign-in/codes", {"contact": contact, "source": source})
        return str(answer.json()["request"]) if answer.status_code == 200 else None

    def use(self, request: str, code: str, source: str) -> str:
        """The refusal's code, or "opened"."""
        answer = self.post("/sign-in/codes/uses", {"request": request, "code": code, "source": source})
        return "opened" if answer.status_code == 200 else str(answer.json()["refusal"])

    def use_once(self, code: str, source: str) -> str:
        answer = self.post("/sign-in/one-time-codes", {"code": code, "source": source})
        return "opened" if answer.status_code == 200 else str(answer.json()["refusal"])


def main(smoke: bool, seed: int) -> dict[str, object]:
    guesses, people, asks = (300, 200, 180) if smoke else (10_000, 600, 400)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="parvis-guesses-") as name, ExitStack() as stack:
        folder = Path(name)
        stack.enter_context(_platform.environment({"PARVIS_CODES_IN_ALL": "1000000"}))
        common = stack.enter_context(_servers.settings("embedded", folder))
        addresses = _people(common, folder, people)
        for service in ("notifications", "identity"):
            stack.enter_context(_servers.door(common, service, "api", folder))
            words = [f"services.{service}", "worker"]
            stack.enter_context(doors.running(words, _platform.as_environment(common), folder, port=False))
        identity = Identity(common)
        found: dict[str, object] = {}
        found["at one account"] = _at_accounts(identity, addresses[:1], guesses, chance)
        found["at many accounts"] = _at_accounts(identity, addresses[1:-1], guesses, chance)
        found["at codes of the desk"] = _at_the_desk(identity, guesses, chance, common)
        found["a right code among the guesses"] = _planted(identity, common, addresses[-1], chance)
        found["known and unknown"] = _alike(identity, addresses[1:], asks, chance)
    return found


def _people(common: Common, folder: Path, count: int) -> list[str]:
    addresses = [f"p{number}@exemple.fr" for number in range(count)]
    rows = "".join(f"Martin;Camille{n};12/03/1980;{address}\n" for n, address in enumerate(addresses))
    (folder / "people.csv").write_text(f"nom;prénom;date de naissance;courriel\n{rows}")
    doors.run(["services.identity", "import", str(folder / "people.csv")], _platform.as_environment(common))
    return addresses


def _figures(said: Counter[str], space: int, targets: int = 1) -> str:
    """`targets`: how many codes one guess is held against at most."""
    sent, compared, opened = sum(said.values()), said["CodeUnknown"] + said["opened"], said["opened"]
    bound = compared * targets / space
    assert opened == 0, f"{opened} guesses opened an account"
    assert bound < BOUND and sent * targets / space < BOUND, (bound, sent)
    refused = sent - compared
    return f"{sent} sent, {compared} compared, {refused} stopped by limits, {opened} opened; bound {bound:.1e}"


def _at_accounts(identity: Identity, addresses: Sequence[str], guesses: int, chance: random.Random) -> str:
    """Five at each request for a code, from a new source each, as many requests as the limits give out."""
    work = [
        (addresses[n % len(addresses)], f"{chance.getrandbits(64):x}", chance.getrandbits(32))
        for n in range(guesses // 5)
    ]

    def five(one: tuple[str, str, int]) -> Counter[str]:
        address, source, seed = one
        request, guess = identity.ask(address, source), random.Random(seed)
        if request is None:
            return Counter({"not asked": 5})
        return Counter(identity.use(request, f"{guess.randrange(CODES):08}", source) for _ in range(5))

    return _figures(_together(five, work), CODES, SHARING)


def _at_the_desk(identity: Identity, guesses: int, chance: random.Random, common: Common) -> str:
    subjects = _platform_subjects(identity, 20)
    opened = [
        identity.post("/desk/sign-ins", {"subject": s, "proof": "passport"}, "agent-1", "agent") for s in subjects
    ]
    assert all(answer.status_code == 200 for answer in opened)
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    work = ["".join(chance.choices(alphabet, k=8)) for _ in range(guesses)]

    def one(guess: str) -> Counter[str]:
        return Counter([identity.use_once(guess, guess[:6])])

    said = _figures(_together(one, work), DESK_CODES, len(subjects))
    assert identity.use_once(opened[0].json()["code"], "terminal") == "opened", "the codes were good all the while"
    return said


def _platform_subjects(identity: Identity, count: int) -> list[str]:
    found = []
    for number in range(count):
        body = {"family_name": "Martin", "given_name": f"Camille{number}", "birth_date": "1980-03-12"}
        found.append(identity.post("/people/search", body, "agent-1", "agent").json()["people"][0]["subject"])
    return found


def _planted(identity: Identity, common: Common, address: str, chance: random.Random) -> str:
    """The third guess is the code that was sent, at an address for which no code was ever asked before."""
    request = identity.ask(address, "planted")
    assert request is not None
    right = _sent(common, address)
    guesses = [f"{chance.randrange(CODES):08}" for _ in range(2)]
    said = [identity.use(request, guess, "planted") for guess in (*guesses, right)]
    assert said == ["CodeUnknown", "CodeUnknown", "opened"], said
    return "found"


def _sent(common: Common, address: str) -> str:
    """The one code in the spool for this address; the codes of all who asked before it may be sent first."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        paths = list((common.data / "spool" / "email").glob("[!.]*"))
        mails = [message_from_bytes(path.read_bytes(), policy=default) for path in paths]
        ours = [mail.get_content() for mail in mails if str(mail["To"]) == address]
        assert len(ours) < 2, f"{len(ours)} codes came to {address}"
        if ours:
            return re.findall(r"\b\d{4} \d{4}\b", ours[0])[0].replace(" ", "")
        time.sleep(0.2)
    raise AssertionError(f"no code came to {address}")


def _alike(identity: Identity, known: Sequence[str], count: int, chance: random.Random) -> dict[str, str]:
    unknown = [address.replace("p", "q", 1) for address in known]
    turns = [(True, known[n % len(known)]) for n in range(count)] + [
        (False, unknown[n % len(known)]) for n in range(count)
    ]
    chance.shuffle(turns)
    seen: dict[bool, list[httpx.Response]] = {True: [], False: []}
    asked: dict[bool, list[float]] = {True: [], False: []}
    used: dict[bool, list[float]] = {True: [], False: []}
    for is_known, address in turns:
        source = f"{chance.getrandbits(64):x}"
        began = time.perf_counter()
        answer = identity.post("/sign-in/codes", {"contact": address, "source": source})
        asked[is_known].append(time.perf_counter() - began)
        seen[is_known].append(answer)
        request = answer.json().get("request", "ab" * 16)
        time.sleep(chance.uniform(0, 0.02))  # the worker's own rhythm falls on both alike
        began = time.perf_counter()
        refused = identity.post("/sign-in/codes/uses", {"request": request, "code": "00000000", "source": source})
        used[is_known].append(time.perf_counter() - began)
        seen[is_known].append(refused)
    shapes = [Counter(_shape(answer) for answer in seen[side]) for side in (True, False)]
    assert shapes[0] == shapes[1], shapes
    told = {"answers": f"{count} each, of {len(shapes[0])} kinds, the same"}
    told["smallest planted difference that is seen"] = _least_seen(asked[True], asked[False])
    for what, times in (("asking", asked), ("a wrong code", used)):
        auc, p = _rank_test(times[True], times[False])
        assert p > UNLIKELY, f"{what}: known and unknown differ in time, AUC {auc:.3f}, p {p:.1e}"
        median = sorted(times[True])[count // 2] * 1000
        told[what] = f"AUC {auc:.3f}, p {p:.2f}, median {median:.1f} ms"
    return told


def _least_seen(first: Sequence[float], second: Sequence[float]) -> str:
    """How fine the test is on this machine at this hour: the busier, the coarser."""
    for percent in (5, 10, 15, 20, 30, 50, 100):
        if _rank_test([seconds * (1 + percent / 100) for seconds in first], second)[1] < UNLIKELY:
            return f"{percent} %"
    raise AssertionError("twice as long is not seen: the machine is too busy to measure anything")


def _shape(answer: httpx.Response) -> tuple[object, ...]:
    """All that can be told apart but what is random in every answer."""
    body = {name: len(value) if name == "request" else value for name, value in answer.json().items()}
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, str(body), str(sorted(headers.items()))


def _rank_test(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """(AUC, two-sided p) of Mann and Whitney, by the normal approximation; equal times share their rank."""
    values = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, at = 0.0, 0
    while at < len(values):
        end = at
        while end < len(values) and values[end][0] == values[at][0]:
            end += 1
        ranks += (at + 1 + end) / 2 * sum(1 for value in values[at:end] if value[1] == 0)
        at = end
    n, m = len(first), len(second)
    auc = (ranks - n * (n + 1) / 2) / (n * m)
    z = (auc - 0.5) / math.sqrt((n + m + 1) / (12 * n * m))
    return auc, math.erfc(abs(z) / math.sqrt(2))


def _together(call: Callable[[Any], Counter[str]], work: Sequence[Any]) -> Counter[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(call, work), Counter[str]())
