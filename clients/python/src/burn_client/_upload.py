"""Resumable uploads by tus 1.0: an interruption costs at most one piece."""

from __future__ import annotations

import base64
import hashlib
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from ._errors import BurnError, InputRejected, ServiceError
from ._resources import Input
from ._transport import PASSING, Transport, checked, unreachable

PIECE = 4 << 20
TUS = {"Tus-Resumable": "1.0.0"}
#: Told of a step's name and how far it is, 0 to 1.
Progress = Callable[[str, float], None]
#: Refusals that another try, from where the service says, can mend.
_MENDABLE = frozenset({"upload-locked", "upload-offset-mismatch", "checksum-mismatch"})


def file_digest(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file: Any) -> str:
    hash = hashlib.sha256()
    while piece := file.read(1 << 20):
        hash.update(piece)
    return hash.hexdigest()


def push(
    transport: Transport, path: pathlib.Path, kind: str, name: str, progress: Progress,
    unfinished: dict[str, str], reading: Mapping[str, str] | None = None,
) -> Input:
    """Uploads a file and waits until the service has read it, by the import options `reading`.

    `unfinished` remembers, by kind and SHA-256, uploads that were begun; a later call goes on with them.
    """
    try:
        size = path.stat().st_size
        digest = file_digest(path)
    except OSError as error:
        raise BurnError(f"{path} can't be read: {error.strerror or error}") from error
    if size == 0:
        raise BurnError(f"{path} is empty.")
    options = {name: str(value) for name, value in (reading or {}).items()}
    mark = f"{kind} {digest} {sorted(options.items())}"
    upload = _found(transport, unfinished.get(mark))
    if upload is None:
        encoded = base64.b64encode(bytes.fromhex(digest)).decode()
        headers = {**TUS, "Upload-Length": str(size), "Repr-Digest": f"sha-256=:{encoded}:"}
        upload = transport.retrying(
            lambda: transport.http.post("/v1/uploads", params={"kind": kind, "name": name, **options}, headers=headers)).json()
        unfinished[mark] = upload["id"]
    _send(transport, path, size, upload, lambda done: progress(f"sending {name}", done / size))
    found = _settled(transport, upload["id"], kind, lambda: progress(f"checking {name}", 0))
    del unfinished[mark]
    if found.sha256 != digest:
        raise BurnError(f"The service has {found.sha256}, {path} is {digest}.\n  Was it changed in the meantime?")
    return found


def _found(transport: Transport, upload: str | None) -> Any:
    if upload is None:
        return None
    try:
        state = transport.get(f"/v1/uploads/{upload}")
    except ServiceError as error:
        if error.status in (403, 404, 410):
            return None
        raise
    return None if state["state"] == "rejected" else state


def _send(
    transport: Transport, path: pathlib.Path, size: int, upload: Any, progress: Callable[[int], None]
) -> None:
    offset, failures = upload["offset"], 0
    with open(path, "rb") as file:
        while offset < size:
            progress(offset)
            file.seek(offset)
            piece = file.read(PIECE)
            if not piece:
                raise BurnError(f"{path} was changed while it was sent: it ends at byte {offset} of {size}.")
            try:
                offset, failures = _sent(transport, piece, offset, upload["id"]), 0
            except (httpx.TransportError, ServiceError) as error:
                passing = isinstance(error, httpx.TransportError) or (
                    error.status in PASSING or error.code in _MENDABLE)
                if not passing:
                    raise
                if failures >= transport.tries:
                    raise unreachable(transport.url, error) from error
                time.sleep(transport.delay(failures))
                state = transport.get(f"/v1/uploads/{upload['id']}")
                if state.get("problem"):
                    raise InputRejected(422, state["problem"]) from error
                failures = 0 if state["offset"] > offset else failures + 1
                offset = state["offset"]
    progress(size)


def _sent(transport: Transport, piece: bytes, offset: int, upload: str) -> int:
    checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    response = checked(
        transport.http.patch(
            f"/v1/uploads/{upload}", content=piece,
            headers={
                **TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream",
                "Upload-Checksum": f"sha256 {checksum}"}))
    return int(response.headers["Upload-Offset"])


def _settled(transport: Transport, upload: str, kind: str, waiting: Callable[[], None]) -> Input:
    """Waits until the service has made a model or data set of the upload, and read it."""
    while True:
        waiting()
        state = transport.get(f"/v1/uploads/{upload}")
        if state.get("problem"):
            raise InputRejected(422, state["problem"])
        if "input" in state["links"]:
            break
        time.sleep(0.2)
    return settled(transport, transport.below(state["links"]["input"]), waiting)


def settled(transport: Transport, path: str, waiting: Callable[[], None]) -> Input:
    while True:
        waiting()
        found = Input.of(transport.get(path, Prefer="wait=20"))
        if found.state == "rejected":
            raise InputRejected(422, found.raw.get("problem") or {})
        if found.state == "ready":
            return found
