from __future__ import annotations

import pytest

from deploy import docs


@pytest.mark.parametrize("name", sorted(docs.PAGES))
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    path = docs.DOCS / name
    assert path.read_text(encoding="utf-8") == docs.PAGES[name](), "run `make docs`"
