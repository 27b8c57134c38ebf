"""Files that the operator writes for the gateway: read once, at its start; a wrong field is named with its reason."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from services.shared.settings import SettingRefused

S = TypeVar("S", bound=msgspec.Struct)
_AT: Final = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_NAMED: Final = re.compile(r"field `([^`]*)`")


def load(setting: str, path: Path, kind: type[S]) -> S:
    """What this JSON or TOML file says, as `kind`. Raises SettingRefused."""
    try:
        text = path.read_text("utf-8")
        return msgspec.convert(json.loads(text) if path.suffix == ".json" else tomllib.loads(text), kind)
    except OSError as e:
        raise SettingRefused(f"{setting}={str(path)!r} cannot be read: {e.strerror}") from None
    except msgspec.ValidationError as e:
        raise refused(setting, path, *_field_and_reason(str(e))) from None
    except ValueError as e:
        raise SettingRefused(f"{setting}={str(path)!r} is neither JSON nor TOML: {e}") from None


def refused(setting: str, path: Path, field: str, reason: str) -> SettingRefused:
    return SettingRefused(f"{setting}={str(path)!r}, field {field}: {reason}")


def _field_and_reason(message: str) -> tuple[str, str]:
    found = _AT.fullmatch(message)
    reason, path = (found["reason"], found["path"] or "") if found else (message, "")
    named = _NAMED.search(reason)
    return ".".join(filter(None, (path, named[1] if named else ""))) or "(the whole)", reason
