from __future__ import annotations

from pathlib import Path

from deploy.drills import keep


def test_a_drill_replaces_its_own_section_and_no_other(tmp_path: Path) -> None:
    page = tmp_path / "drills.md"
    keep(page, "kills", "## kills\n\nold")
    keep(page, "brokers", "## brokers\n\n| lost | 0 |\n")
    keep(page, "kills", "## kills\n\nnew")
    text = page.read_text()
    assert text.count("## ") == 2
    assert "old" not in text
    assert text.index("## brokers") < text.index("## kills")
    assert "| lost | 0 |" in text
    assert text.endswith("new\n")
