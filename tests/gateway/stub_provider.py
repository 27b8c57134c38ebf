"""A provider on a real socket that can lie in every field and sign with any key; its only page sends browsers back."""

from __future__ import annotations

import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT: Final = "parvis"
BORN: Final = "1987-05-24"  # everyone, for a provider


class Liar:
    """Honest as it is made; `id_claims` and `info_claims` change what it says, None leaves a claim out."""

    def __init__(self) -> None:
        self.issuer = ""
        self._own = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
        self.reset()

    def reset(self) -> None:
        """Honest again; the address stays, and the key, which a gateway remembers."""
        self.nonce = ""
        self.denies = False
        self.key = self._own
        self.id_key: Any = self.key
        self.info_key: Any = self.key
        self.kid = "k1"
        self.id_alg = self.info_alg = "ES256"
        self.id_claims: dict[str, Any] = {}
        self.info_claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.plain_info = False
        self.status: dict[str, int] = {}
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    def settings(self, folder: Path, name: str = "FRANCECONNECT") -> dict[str, str]:
        """What the gateway must be told of it under this name, the secret in a file."""
        secret = folder / "secret"
        secret.write_text("s3cret\n")
        secret.chmod(0o600)
        return {
            f"PARVIS_{name}_DISCOVERY": f"{self.issuer}/.well-known/openid-configuration",
            f"PARVIS_{name}_CLIENT_ID": CLIENT,
            f"PARVIS_{name}_SECRET_FILE": str(secret),
            "PARVIS_DESK_MAIL": "listes@ville.test",
        }

    def sends_back(self, asked: dict[str, str]) -> str:
        """Where a browser goes that came with these: who they are is said at once, or not at all."""
        if "post_logout_redirect_uri" in asked:
            return f"{asked['post_logout_redirect_uri']}?{urlencode({'state': asked['state']})}"
        self.nonce = asked["nonce"]
        said = {"error": "access_denied"} if self.denies else {"code": "c1", "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(said | {'state': asked['state']})}"

    def id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "pairwise-lilas", "iat": now, "exp": now + 60}
        claims |= {"nonce": self.nonce, "acr": "eidas1"}
        return _signed(self.id_alg, _without(claims | self.id_claims), self.id_key, self.kid)

    def info(self) -> str:
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "pairwise-lilas"}
        claims |= {"given_name": "Lilas", "family_name": "Moreau", "birthdate": BORN}
        told = _without(claims | self.info_claims)
        return json.dumps(told) if self.plain_info else _signed(self.info_alg, told, self.info_key, self.kid)

    def answer(self, path: str) -> bytes:
        if path == "/.well-known/openid-configuration":
            found = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/end",
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
            return json.dumps(_without(found | self.metadata)).encode()
        if path == "/jwks":
            return json.dumps({"keys": [self.key.as_dict(private=False)]}).encode()
        if path == "/token":
            return json.dumps({"access_token": "a1", "token_type": "Bearer", "id_token": self.id_token()}).encode()
        return self.info().encode()


def _without(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}


def _signed(alg: str, claims: dict[str, Any], key: Any, kid: str) -> str:
    header = {"alg": alg, "kid": kid}
    if alg == "none":
        return ".".join(_base64(json.dumps(part).encode()) for part in (header, claims)) + "."
    if alg == "HS256":
        text = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{_base64(hmac.digest(key, text.encode(), 'sha256'))}"
    return jwt.encode(header, claims, key, algorithms=[alg])


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def shared_secret(key: ECKey) -> bytes:
    """The public key used as a secret: the old trick against verifiers that believe the header."""
    return key.as_pem(private=False)


@contextmanager
def stub_provider(liar: Liar) -> Iterator[None]:

    class Door(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            path, query = urlsplit(self.path)[2:4]
            if path in ("/authorize", "/end"):
                self.send_back({name: values[0] for name, values in parse_qs(query).items()})
                return
            liar.asked.append((path, parse_qs(body)))
            content = liar.answer(path)
            self.send_response(liar.status.get(path, 200))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def send_back(self, query: dict[str, str]) -> None:
            self.send_response(303)
            self.send_header("Location", liar.sends_back(query))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815  the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    liar.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
