"""Connections that break, services that are killed, and files that are not what they should be."""

import os
import pathlib
import threading
import time

import pytest
from conftest import Case, Service

from burn_client import BurnError, Client, InputRejected, ServiceError, Unreachable
from burn_client import _upload


def big_archive(folder: pathlib.Path) -> pathlib.Path:
    """A tar of two classes, beside them a large file that is no image and is passed over."""
    import tarfile

    from PIL import Image

    path = folder / "big.tar"
    blob = folder / "blob.bin"
    blob.write_bytes(os.urandom(32 << 20))
    with tarfile.open(path, "w") as tar:
        tar.add(blob, "notes.bin")
        for label in ("a", "b"):
            for index in range(3):
                image = folder / f"{label}{index}.png"
                Image.new("RGB", (24, 24), (index * 60, 90, 0 if label == "a" else 200)).save(image)
                tar.add(image, f"{label}/{index}.png")
    return path


def test_an_upload_survives_the_service(make_service, tmp_path: pathlib.Path):
    service = make_service()
    offsets: list[float] = []
    killed = threading.Event()

    def progress(label: str, fraction: float) -> None:
        if label.startswith("sending"):
            offsets.append(fraction)
            if fraction > 0.3 and not killed.is_set():
                killed.set()
                service.kill()
                threading.Timer(0.7, service.start).start()

    with Client(service.url, service.key, progress=progress) as client:
        found = client.push_dataset(big_archive(tmp_path))
    assert killed.is_set() and found.state == "ready"
    assert found.sha256 == _upload.file_digest(tmp_path / "big.tar")
    assert offsets == sorted(offsets)


def test_an_upload_goes_on_when_it_is_called_again(service: Service, tmp_path: pathlib.Path):
    path = big_archive(tmp_path)
    offsets: list[float] = []

    class Interrupted(Exception):
        pass

    def progress(label: str, fraction: float) -> None:
        if label.startswith("sending"):
            offsets.append(fraction)
            if len(offsets) == 4:
                raise Interrupted

    with Client(service.url, service.key, progress=progress) as client:
        with pytest.raises(Interrupted):
            client.push_dataset(path)
        client.push_dataset(path)
    assert offsets[3] > 0 and offsets[4] >= offsets[3]


def test_watching_survives_a_restart(make_service, case: Case):
    service = make_service()
    with Client(service.url, service.key, progress=False) as client:
        job = client.submit("scan", case.model, case.packed.path, classes=case.packed.classes)
        events = []
        for event in client.watch(job):
            events.append(event)
            if event.type == "progress" and service.process.poll() is None and len(events) < 40 and not any(
                    item.type == "restart" for item in events):
                events.append(type(event)(None, "restart", None))
                service.kill()
                service.start()
        ids = [int(event.id) for event in events if event.id is not None]
        assert ids == sorted(set(ids))
        assert any(event.type == "restart" for event in events)
        assert events[-1].type == "state" and events[-1].data["state"] == "succeeded"
        assert client.result(job).verdict.result == "backdoored"


def test_what_the_service_refuses_says_why(service: Service, tmp_path: pathlib.Path):
    text = tmp_path / "model.pt2"
    text.write_text("this is no model")
    with Client(service.url, service.key, progress=False) as client:
        with pytest.raises((InputRejected, ServiceError)) as refusal:
            client.push_model(text)
        assert refusal.value.title and refusal.value.code
        with pytest.raises(ServiceError) as unknown:
            client.job("job_none")
        assert unknown.value.status == 404
        (tmp_path / "empty.tar").touch()
        with pytest.raises(BurnError, match="is empty"):
            client.push_dataset(tmp_path / "empty.tar")
        with pytest.raises(BurnError, match="can't be read"):
            client.push_model(tmp_path / "none.pt2")
        with pytest.raises(ServiceError, match="preset"):
            client._transport.post("/v1/jobs", {
                "type": "scan", "model": "m", "dataset": "d", "options": {"input": {"preset": "none"}}})


def test_a_wrong_key_is_refused(service: Service):
    with Client(service.url, "burn_wrong", progress=False) as client, pytest.raises(ServiceError) as refusal:
        client.version()
    assert refusal.value.status == 401


def test_where_nothing_listens():
    start = time.monotonic()
    with Client("http://127.0.0.1:1", progress=False, tries=1) as client, pytest.raises(Unreachable, match="127.0.0.1:1"):
        client.version()
    assert time.monotonic() - start < 20


def test_the_login_of_the_command_line_is_found(service: Service, tmp_path: pathlib.Path, monkeypatch):
    for name in ("BURN_URL", "BURN_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(BurnError, match="No service is known"):
        Client()
    service.environment["XDG_CONFIG_HOME"] = str(tmp_path)
    service.environment["BURN_KEY"] = service.key
    try:
        service.run("client", "login", service.url)
    finally:
        del service.environment["BURN_KEY"], service.environment["XDG_CONFIG_HOME"]
    with Client(progress=False) as client:
        assert client.url == service.url and client.version()["name"] == "burnd"
    # The stored key is not sent to another address.
    with Client(service.url.replace("127.0.0.1", "localhost"), progress=False) as client, pytest.raises(ServiceError):
        client.version()
    (tmp_path / "burn/credentials.json").chmod(0o644)
    with pytest.raises(BurnError, match="read by others"):
        Client()


def test_a_key_is_not_sent_unencrypted():
    with pytest.raises(BurnError, match="show the key"):
        Client("http://burn.example.org", "key")
    with pytest.raises(BurnError, match="no address"):
        Client("burn.example.org", "key")
    Client("http://burn.example.org", "key", allow_plain_http=True).close()
