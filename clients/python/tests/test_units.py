"""Parts that need no service."""

import http.server
import io
import json
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from conftest import ROOT
from torch import nn

from burn_client import BurnError, Client, IncompatibleService, PackingError, ServiceError, __version__, _transport
from burn_client._events import parse
from burn_client._modules import export, is_module, load
from burn_client._progress import ProgressLine
from burn_client._transport import digest_field


def test_the_types_hold():
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"], cwd=ROOT / "clients/python",
        capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (ROOT / "clients/python/src/burn_client/py.typed").exists()


def test_nothing_heavy_is_imported():
    code = "import sys, burn_client; print([m for m in ('torch', 'pandas', 'numpy', 'PIL') if m in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "clients/python/src", capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_version_is_the_repositorys():
    assert __version__ == (ROOT / "VERSION").read_text().strip()


@pytest.fixture
def answering():
    """A service that answers every GET with the same document; its address, by the document."""
    servers = []

    def start(document, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        servers.append(http.server.HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("version, api, complaint", [
    ("0.2.0", "v1", None), ("0.10.3", "v1", None), ("1.0.0-rc1", "v1", None), ("0.1.0", "v1", "needs 0.2.0 or newer"),
    ("2.0.0", "v2", "speaks v1"), ("new", "v1", "does not say what it is"),
])
def test_a_service_of_another_kind_is_refused_before_anything_is_asked(answering, version, api, complaint):
    client = Client(answering({"name": "burnd", "version": version, "api": api, "items": []}), tries=0)
    if complaint is None:
        assert list(client.jobs()) == []
    else:
        with pytest.raises(IncompatibleService, match=complaint):
            list(client.jobs())


def test_an_address_without_burn_says_so(answering):
    with pytest.raises(BurnError, match="that of a BURN service"):
        list(Client(answering([]), tries=0).jobs())
    with pytest.raises(ServiceError, match="that of a BURN service"):
        list(Client(answering([], 404), tries=0).jobs())


def test_events_of_a_stream():
    lines = [": ping", "", "id: 1", "event: state", "data: {", "data:  1}", "", "event: x", "", "data", "id: 2", ""]
    assert list(parse(lines)) == [("1", "state", "{\n 1}"), ("2", "message", "")]


def test_digest_fields():
    empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert digest_field(f"sha-512=:AA==:, sha-256=:{empty}:").startswith("e3b0c442")
    for wrong in ("", "sha-256=", f"sha-256={empty}", "sha-256=:*:", "md5=:AA==:"):
        assert digest_field(wrong) is None


def test_modules_are_recognised_and_exported_for_every_batch(tmp_path: pathlib.Path):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    assert is_module(module) and not is_module("model.pt2") and not is_module(np.zeros(3))
    export(module, (3, 8, 8), tmp_path / "m.pt2")
    loaded = load(tmp_path / "m.pt2")
    for count in (1, 2, 7):
        batch = torch.rand(count, 3, 8, 8)
        assert torch.allclose(loaded(batch), module(batch), atol=1e-6)


def test_what_can_not_be_exported_or_loaded_says_why(tmp_path: pathlib.Path):
    class Branching(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(PackingError, match="torch.export can't export"):
        export(Branching(), (3, 8, 8), tmp_path / "m.pt2")
    with pytest.raises(PackingError, match="channels, height and width"):
        export(nn.Identity(), (8, 8), tmp_path / "m.pt2")
    (tmp_path / "m.onnx").write_bytes(b"\x08\x07onnx")
    with pytest.raises(PackingError, match="no .pt2 file"):
        load(tmp_path / "m.onnx")


def test_arguments_are_checked_before_anything_is_sent(tmp_path: pathlib.Path):
    with Client("http://127.0.0.1:1", progress=False, tries=0) as client:
        with pytest.raises(BurnError, match="scan or purify"):
            client.submit("heal", "mdl_1", "dst_1")
        with pytest.raises(PackingError, match="is not there"):
            client.submit("scan", "mdl_1", tmp_path / "none")
        with pytest.raises(PackingError, match="an id, a path or an nn.Module"):
            client.submit("scan", 5, "dst_1")
        with pytest.raises(PackingError, match="input_shape"):
            client.submit("scan", nn.Linear(1, 1), "dst_1")


def test_the_progress_line():
    plain = io.StringIO()
    line = ProgressLine(plain)
    for step in range(101):
        line("sending a", step / 100)
    line("checking a", 0)
    line.finish()
    shown = plain.getvalue().splitlines()
    assert shown[0] == "sending a 0%" and shown[-1] == "checking a 0%" and len(shown) == 12

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    drawn = Terminal()
    line = ProgressLine(drawn)
    line("sending a", 0.5)
    line("sending a", 1)
    line.finish()
    assert drawn.getvalue().endswith("] 100%\n") and "\r" in drawn.getvalue()


@pytest.mark.parametrize("host, expected", [
    ("localhost", True), ("LOCALHOST", True), ("127.0.0.1", True), ("127.255.1.2", True), ("::1", True),
    ("127.evil.example", False), ("127.0.0.1.evil.example", False), ("127.1", False), ("0127.0.0.1", False),
    ("2130706433", False), ("128.0.0.1", False), ("localhost.evil.example", False), ("localhost.", False),
    ("::2", False), ("::ffff:10.0.0.1", False), ("", False),
])
def test_only_an_address_of_this_machine_is_loopback(host, expected):
    assert _transport.is_loopback(host) is expected
    if host and ":" not in host:
        if expected:
            _transport.check_address(f"http://{host}:8080", "key", False)
        else:
            with pytest.raises(BurnError):
                _transport.check_address(f"http://{host}:8080", "key", False)


def test_what_the_service_quotes_moves_no_cursor():
    document = {"title": "No", "detail": "a\n\x1b[2Kb\x9b31m", "location": "\u202ex", "fix": "\u2028do"}
    error = ServiceError(422, document)
    assert str(error) == "No: a\\n\\u{1B}[2Kb\\u{9B}31m [\\u{202E}x]\n  \\u{2028}do"
    assert error.detail == document["detail"]
    screen = io.StringIO()
    ProgressLine(screen)("phase\x1b[2J\n", 0.5)
    assert screen.getvalue() == "phase\\u{1B}[2J\\n 50%\n"
