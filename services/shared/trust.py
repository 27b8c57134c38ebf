"""Which certificates are trusted when a service is called by HTTPS."""

from __future__ import annotations

import ssl
from functools import lru_cache

import httpx


@lru_cache(1)
def certificates() -> ssl.SSLContext:
    """Read once a process: each reading takes some 15 ms. Safe to share between clients and threads."""
    return httpx.create_ssl_context(trust_env=False)
