"""What can go wrong. Every message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._text import plain


class BurnError(Exception):
    """The base of all errors of this package."""


class PackingError(BurnError):
    """A data set or model that can't be made into a file for the service."""


class UnsafeModelError(BurnError):
    """A model file that would run code where it is loaded; it was not loaded."""


class Unreachable(BurnError):
    """The service can't be reached, or not for long enough."""


class IncompatibleService(BurnError):
    """A service that this package is not made for: an older one, or one of another interface."""


class ServiceError(BurnError):
    """The service refused a request: a problem document (RFC 9457)."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(document.get("code", "service-answer"))
        self.title = str(document.get("title", f"The service answered {status}"))
        self.detail = _text(document, "detail")
        self.location = _text(document, "location")
        self.fix = _text(document, "fix")
        place = f" [{plain(self.location)}]" if self.location else ""
        advice = f"\n  {plain(self.fix)}" if self.fix else ""
        super().__init__(f"{plain(self.title)}: {plain(self.detail or 'no detail')}{place}{advice}")


class InputRejected(ServiceError):
    """An uploaded model or data set that can't be used."""


class JobFailed(ServiceError):
    """A job that failed or was cancelled."""


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None
