"""Server-sent events of a job, over interruptions and restarts of the service."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator

import httpx

from ._errors import Unreachable
from ._resources import Event, Job
from ._transport import PASSING, Transport, checked, unreachable


def parse(lines: Iterable[str]) -> Iterator[tuple[str | None, str, str]]:
    """(id, type, data) of each event; the id is that of the last event with one (HTML, section 9.2)."""
    id: str | None = None
    kind = ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield id, kind or "message", "\n".join(data)
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id" and "\0" not in value:
            id = value
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)


def follow(transport: Transport, job: str, after: str | None) -> Iterator[Event]:
    """Each event once, in order, until the job has ended."""
    failures = 0
    while True:
        try:
            headers = {"Accept": "text/event-stream"}
            if after is not None:
                headers["Last-Event-ID"] = after
            with transport.http.stream("GET", f"/v1/jobs/{job}/events", headers=headers) as response:
                if response.status_code not in PASSING:
                    if response.status_code != 200:
                        response.read()
                        checked(response)
                    for id, kind, data in parse(response.iter_lines()):
                        failures = 0
                        after = id or after
                        yield Event(id, kind, json.loads(data))
                    # The service ends a stream after the final event, or because it stops itself.
                    if Job.of(checked(transport.http.get(f"/v1/jobs/{job}")).json()).is_over:
                        return
        except httpx.TransportError as error:
            if failures >= transport.tries:
                raise unreachable(transport.url, error) from error
        if failures >= transport.tries:
            raise Unreachable(f"{transport.url} ends the events of {job} although it has not ended.")
        time.sleep(transport.delay(failures))
        failures += 1
