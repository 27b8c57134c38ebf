"""The one place where voting methods are registered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.ballot.methods.method import Method
from services.ballot.methods.yes_no import YesNo

METHODS: Final[Mapping[str, Method]] = MappingProxyType({method.name: method for method in (YesNo(),)})
