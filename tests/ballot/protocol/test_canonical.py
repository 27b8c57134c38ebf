"""Our canonical writer against the rfc8785 package, on values as our formats hold them."""

from __future__ import annotations

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from services.shared import strict

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
# Formats of ours have keys within the basic plane; beyond it UTF-16 and code points sort differently.
keys = st.text(st.characters(max_codepoint=0xD7FF, exclude_characters="\x00"))
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=30,
)


@given(values)
def test_the_same_bytes_as_rfc8785(value: object) -> None:
    assert strict.canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(values)
def test_reading_and_writing_again_changes_nothing(value: object) -> None:
    data = strict.canonical(value)
    assert strict.canonical(strict.parse(data)) == data
