"""The voting protocol: formats, hashes and signatures. Pure: bytes in, bytes or refusals out; no I/O, no framework.

docs/voting-protocol.md specifies all of it for the writer of a second verifier.
"""
