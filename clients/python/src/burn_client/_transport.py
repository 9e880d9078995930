"""Requests that are tried again where that is safe, and files that are fetched whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import os
import pathlib
import stat
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

from ._errors import BurnError, IncompatibleService, ServiceError, Unreachable
from ._text import plain
from ._version import __version__

#: Statuses that may be better in a moment.
PASSING = frozenset({429, 502, 503, 504})
#: The interface that this package speaks, and the first version of the service that has all of it. Later ones keep it.
API, OLDEST_SERVICE = "v1", (0, 2, 0)


def credentials(url: str | None, key: str | None) -> tuple[str, str | None]:
    """The service and the key: what is given, else BURN_URL and BURN_KEY, else the login of `burnd client login`."""
    stored: Mapping[str, Any] = {}
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    path = pathlib.Path(base, "burn", "credentials.json")
    if path.exists():
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise BurnError(f"{path} can be read by others.\n  chmod 600 {path}, and make a new key.")
        try:
            stored = json.loads(path.read_text())
        except ValueError as error:
            raise BurnError(f"{path} is damaged: {error}\n  Log in again: burnd client login URL") from error
    url = url or os.environ.get("BURN_URL") or stored.get("url")
    if not url:
        raise BurnError("No service is known.\n  Pass a URL, set BURN_URL, or run: burnd client login URL")
    url = url.rstrip("/")
    # The stored key is for the stored address alone.
    key = key or os.environ.get("BURN_KEY") or (stored.get("key") if stored.get("url") == url else None)
    return url, key or None


def check_address(url: str, key: str | None, allow_plain_http: bool) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BurnError(f"{url!r} is no address of a service.\n  Such as https://burn.example.org")
    if parts.scheme == "http" and key and not is_loopback(parts.hostname) and not allow_plain_http:
        raise BurnError(
            f"{parts.hostname} is another machine, and http:// would show the key to everyone on the way.\n"
            "  Use https://, or allow_plain_http=True where the network itself is safe.")


def is_loopback(host: str) -> bool:
    """Exactly `localhost`, or an address that is one: what else begins with "127." is a name, which leads anywhere."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address == ipaddress.IPv6Address("::1") or (address.version == 4 and address.is_loopback)


class Transport:
    """HTTP with one service. Redirects are not followed: they could carry the key elsewhere."""

    def __init__(self, url: str, key: str | None, timeout: float, tries: int) -> None:
        headers = {"User-Agent": f"burn-client-python/{__version__}"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self.url = url
        self._tries = tries
        self._reached = False
        self._met = False
        self.http = httpx.Client(
            base_url=url, headers=headers, timeout=httpx.Timeout(timeout, connect=15), follow_redirects=False,
            event_hooks={"request": [self._meet]})

    def below(self, link: str) -> str:
        """The path of a link that the service gave, below its address: a proxy may serve it below a path."""
        base = self.http.base_url.path.rstrip("/")
        return link[len(base):] if base and link.startswith(base + "/") else link

    def close(self) -> None:
        self.http.close()

    def _meet(self, request: httpx.Request) -> None:
        """Before the first request: whether the service is one that this package is made for."""
        if self._met or request.url.path.endswith("/v1/version"):
            return
        answer = self.http.get("/v1/version")
        # The request itself will be told so, in the service's words.
        if answer.status_code in PASSING or answer.status_code in (401, 403):
            return
        check_service(self.url, checked(answer))
        self._met = True

    @property
    def tries(self) -> int:
        """Few until the service has answered at all: an address may be wrong."""
        return self._tries if self._reached else min(self._tries, 2)

    def delay(self, failures: int) -> float:
        return min(8.0, 0.25 * 2.0**failures)

    def retrying(self, action: Callable[[], httpx.Response]) -> httpx.Response:
        """The action's answer; tried again while the service can't be reached or is not available."""
        failures = 0
        while True:
            try:
                response = action()
                self._reached = True
                if response.status_code not in PASSING or failures >= self.tries:
                    return checked(response)
            except httpx.TransportError as error:
                if failures >= self.tries:
                    raise unreachable(self.url, error) from error
            time.sleep(self.delay(failures))
            failures += 1

    def once(self, action: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            return checked(action())
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error

    def get(self, path: str, params: Mapping[str, Any] | None = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.retrying(lambda: self.http.get(path, params=params, headers=named))
        return response.json()

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        action = lambda: self.http.post(path, json=body, headers=named)  # noqa: E731
        # Only with an Idempotency-Key can a request whose answer was lost be sent again.
        response = self.retrying(action) if "Idempotency-Key" in named else self.once(action)
        return response.json()

    def lines(self, path: str, params: Mapping[str, Any]) -> Iterator[str]:
        """The answer's lines as they come."""
        try:
            with self.http.stream("GET", path, params=params) as response:
                if response.status_code != 200:
                    response.read()
                    checked(response)
                yield from response.iter_lines()
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error

    def download(self, path: str, target: pathlib.Path, requires_digest: bool = True) -> str:
        """Fetches into a file, checked against Repr-Digest (RFC 9530). Returns its SHA-256 in hexadecimal."""
        failures = 0
        while True:
            try:
                return self._download(path, target, requires_digest)
            except (httpx.TransportError, Unreachable) as error:
                if failures >= self.tries:
                    raise unreachable(self.url, error) from error
            time.sleep(self.delay(failures))
            failures += 1

    def _download(self, path: str, target: pathlib.Path, requires_digest: bool) -> str:
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        hash = hashlib.sha256()
        try:
            with self.http.stream("GET", path) as response:
                if response.status_code != 200:
                    response.read()
                    checked(response)
                with open(part, "wb") as file:
                    for piece in response.iter_bytes(1 << 20):
                        hash.update(piece)
                        file.write(piece)
                wanted = digest_field(response.headers.get("Repr-Digest", ""))
            if wanted is None and requires_digest:
                raise BurnError(f"The service sent no Repr-Digest with {path}, so the file can't be checked.")
            if wanted not in (None, hash.hexdigest()):
                raise Unreachable(f"{path} came as {hash.hexdigest()}, the service has {wanted}.")
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        return hash.hexdigest()


def digest_field(text: str) -> str | None:
    """The sha-256 member of a digest field, in hexadecimal."""
    for member in text.split(","):
        name, _, value = member.strip().partition("=")
        if name.lower() == "sha-256" and len(value) > 2 and value[0] == value[-1] == ":":
            try:
                return base64.b64decode(value[1:-1], validate=True).hex()
            except ValueError:
                return None
    return None


def checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        where = response.headers.get("Location")
        detail = f"It names {where}." if where else "It sent no problem document."
        document = {
            "title": f"The service answered {response.status_code}", "detail": detail,
            "fix": "Check that the address is that of a BURN service."}
    raise ServiceError(response.status_code, document)


def check_service(url: str, answer: httpx.Response) -> None:
    """Raises IncompatibleService."""
    try:
        document = answer.json()
        name, version, api = str(document["name"]), str(document["version"]), str(document["api"])
        number = tuple(int(part) for part in version.split("-")[0].split("."))
    except (ValueError, KeyError, TypeError) as error:
        raise IncompatibleService(
            f"{url} does not say what it is.\n  Check that the address is that of a BURN service.") from error
    found = f"{url} is {plain(name)[:40]} {plain(version)[:40]} with the interface {plain(api)[:40]}"
    if api != API:
        raise IncompatibleService(f"{found}; burn-client {__version__} speaks {API}.\n  Install a burn-client of that version.")
    if number < OLDEST_SERVICE:
        oldest = ".".join(map(str, OLDEST_SERVICE))
        raise IncompatibleService(
            f"{found}; burn-client {__version__} needs {oldest} or newer.\n"
            f"  Upgrade the service, or install a burn-client of version {plain(version)[:40]}.")


def unreachable(url: str, error: Exception) -> Unreachable:
    return Unreachable(f"{url} can't be reached: {error or type(error).__name__}")
