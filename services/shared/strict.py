"""One strict JSON reader for every door, and the one canonical writer (RFC 8785 on the subset that we allow).

Plain `json` accepts NaN, duplicate keys and 20 MB bodies, and dies on deep nesting; here each is a refusal that names
the field and the reason. Floats are read (finite ones) but never written canonically: no stored format holds one.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from services.shared.errors import BadInput, TooLarge

MAX_BODY: Final = 64 * 1024
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_INTEGER_DIGITS: Final = 16
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class MalformedJson(BadInput):
    """The bytes are not JSON as we accept it."""


def parse(data: bytes, *, limit: int = MAX_BODY, depth: int = MAX_DEPTH) -> Any:
    """The value that `data` holds. Raises TooLarge or MalformedJson; never RecursionError, never MemoryError."""
    if len(data) > limit:
        raise TooLarge(f"at most {limit} bytes", field="body")
    if data.count(b"[") + data.count(b"{") > depth:
        _refuse_depth(data, depth)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise MalformedJson(f"not UTF-8 at byte {e.start}", field="body") from None
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as e:
        raise MalformedJson(f"{e.msg} at byte {e.pos}", field="body") from None
    if "\\u" in text:
        _refuse_hidden_characters(value)
    elif "\x00" in text:
        raise MalformedJson("a NUL character", field="body")
    return value


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a value made of str, int, bool, None, list and dict with ASCII-ordered str keys.

    On this subset (no floats, keys within the basic plane) the standard library's writer gives the same bytes as
    RFC 8785; a test compares both on random values.
    """
    return _encoder.encode(value).encode("utf-8")


def _refuse_depth(data: bytes, depth: int) -> None:
    level = 0
    for byte in _STRINGS.sub(b"", data).translate(None, _NO_BRACKETS):
        if byte in b"[{":
            level += 1
            if level > depth:
                raise MalformedJson(f"nested deeper than {depth}", field="body")
        elif byte in b"]}":
            level -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise MalformedJson("the key stands twice", field=key[:80].encode("utf-8", "replace").decode())
            seen.add(key)
    return found


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS + 1 or abs(int(digits)) > MAX_INTEGER:
        raise MalformedJson("an integer beyond ±(2^53-1)", field="body")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedJson("a number that is not finite", field="body")
    return number


def _constant(name: str) -> Any:
    raise MalformedJson(f"{name} is not JSON", field="body")


def _refuse_hidden_characters(value: Any) -> None:
    """Escapes can hide a NUL or half a surrogate pair; both break stores further on."""
    if isinstance(value, str):
        if "\x00" in value:
            raise MalformedJson("a NUL character", field="body")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise MalformedJson("half a surrogate pair", field="body") from None
    elif isinstance(value, list):
        for item in value:
            _refuse_hidden_characters(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_hidden_characters(key)
            _refuse_hidden_characters(item)


class _NoFloats(json.JSONEncoder):
    """Floats have no place in a stored format."""

    def iterencode(self, o: Any, _one_shot: bool = False) -> Any:
        _refuse_floats(o)
        return super().iterencode(o, _one_shot)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise MalformedJson("a number with a fraction has no canonical form here", field="body")
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
    elif isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_int=_integer, parse_constant=_constant
)
_encoder = _NoFloats(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
