"""What is installed to run the platform may be combined with AGPL-3.0-or-later (docs/adr/0006-licence.md)."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from deploy.processes import ROOT

ALLOWED = re.compile(r"\b(MIT|BSD|ISC|PSF|Python Software Foundation|Apache|MPL|LGPL|Unlicense|0BSD)", re.IGNORECASE)
LOCKED = sorted(set(re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE)))


@pytest.mark.parametrize("package", LOCKED)
def test_a_dependency_has_a_licence_that_fits_ours(package: str) -> None:
    try:
        found = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("locked for another system")
    classified = [c for c in found.get_all("Classifier") or [] if c.startswith("License")]
    told = [found.get("License-Expression") or "", (found.get("License") or "").split("\n")[0], *classified]
    assert any(ALLOWED.search(text) for text in told), f"{package}: {told}"


def test_our_own_licence_is_there_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text
    assert "END OF TERMS AND CONDITIONS" in text
