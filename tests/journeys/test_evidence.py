"""The evidence beside the accessibility declaration says what the engines that run here do look at."""

from __future__ import annotations

from pathlib import Path

from tests.journeys import criteria


def test_the_list_of_criteria_is_the_installed_engines(built: Path) -> None:
    assert criteria.PAGE.read_text("utf-8") == criteria.page(), "run `python -m tests.journeys.criteria`"
