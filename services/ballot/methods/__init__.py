"""Voting methods: pure, in integers, one file each. A new one is a file here and a line in `registry`."""

from services.ballot.methods.registry import METHODS

__all__ = ["METHODS"]
