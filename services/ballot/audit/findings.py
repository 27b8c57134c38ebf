"""What an audit says: findings (differences, each named), notes, and what it cannot exclude."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from services.shared.errors import Refusal

MOST_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `event` says where: line of the bundle, station, leaf index and hash, or type of event."""

    finding: str
    event: dict[str, Any]
    field: str | None
    cause: str

    def as_json(self) -> dict[str, Any]:
        return {"finding": self.finding, "event": self.event, "field": self.field, "cause": self.cause}


@dataclass
class Report:
    """The verdict is "passed" only without any finding and with every expected ballot checked."""

    manifest_hash: str | None = None
    checkpoints_hash: str | None = None
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0
    notes: list[dict[str, Any]] = field(default_factory=list)
    cannot_exclude: list[str] = field(default_factory=list)
    stations: list[dict[str, Any]] = field(default_factory=list)
    result: dict[str, Any] | None = None
    checked: int = 0
    checked_before: int = 0
    expected: int | None = None

    @property
    def passed(self) -> bool:
        return not self.findings

    def add(self, finding: str, event: dict[str, Any], field_: str | None, cause: str) -> None:
        """A report stays readable, and small, whatever a bundle does: past a hundred, findings are only counted."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(finding, event, field_, cause))
        else:
            self.more_findings += 1

    def refused(self, refusal: Refusal, event: dict[str, Any]) -> None:
        self.add(refusal.code, event, refusal.field, refusal.reason)

    def count_line(self) -> str:
        expected = "an unknown number" if self.expected is None else str(self.expected)
        return f"{self.checked} ballots checked of {expected} expected"

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": "passed" if self.passed else "failed",
            "manifest_hash": self.manifest_hash,
            "checkpoints_hash": self.checkpoints_hash,
            "checked": self.checked,
            "checked_before": self.checked_before,
            "expected": self.expected,
            "findings": [finding.as_json() for finding in self.findings],
            "more_findings": self.more_findings,
            "notes": self.notes,
            "cannot_exclude": self.cannot_exclude,
            "stations": self.stations,
            "result": self.result,
        }
