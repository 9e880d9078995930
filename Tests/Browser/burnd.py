"""A burnd of the tests' own, with real workers, on one loopback port over restarts."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("BURN_BIN", ROOT / ".build/debug"))
ENDED = ("succeeded", "failed", "cancelled")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def scripted_worker(folder, script):
    """A program that does what the script says, whatever its task."""
    (folder / "script").write_text(script)
    worker = folder / "worker"
    worker.write_text(f"#!/bin/sh\nexec '{BIN}/ScriptedWorker' follow '{folder}/script'\n")
    worker.chmod(0o755)
    return worker


class Burnd:
    def __init__(self, worker=None, data=None, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="burn-browser-"))
        self.data = self.folder / "data"
        if data:
            shutil.copytree(data, self.data)
        self.port = free_port()
        self.worker = worker or BIN / "burn-worker"
        self.environment = {
            **os.environ, "BURND_DATA": str(self.data), "BURND_LIMITS_FREE_BYTES": "0",
            **{f"BURND_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.process = None
        self.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.log = open(self.folder / "log", "a+")
        self.process = subprocess.Popen(
            [BIN / "burnd", "serve", "--listen", f"127.0.0.1:{self.port}", "--worker", self.worker],
            env=self.environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        if not self.process.stdout.readline():
            raise RuntimeError("burnd did not start:\n" + (self.folder / "log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *arguments):
        """Standard output of another burnd on the same data."""
        return subprocess.run(
            [BIN / "burnd", *arguments], env=self.environment, check=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True).stdout.strip()

    def request(self, method, path, body=None, headers=None):
        """Status and JSON (or bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        is_json = "json" in reply.headers.get("Content-Type", "")
        return reply.status, json.loads(data) if is_json and data else data

    def get(self, path):
        status, value = self.request("GET", path)
        assert status == 200, (path, status, value)
        return value

    def post(self, path, value):
        return self.request("POST", path, json.dumps(value), {"Content-Type": "application/json"})

    def upload(self, collection, file, name):
        status, value = self.request(
            "POST", f"/v1/{collection}?name={name}", pathlib.Path(file).read_bytes(), {"Prefer": "wait=60"})
        assert status == 201, value
        return value["id"]

    def ended(self, job, seconds):
        """The job, once it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            shown = self.request("GET", f"/v1/jobs/{job}", headers={"Prefer": "wait=10"})[1]
            if shown["state"] in ENDED:
                return shown
        raise TimeoutError(f"job {job} has not ended: {shown['state']} {shown['phase']} {shown['progress']}")

    def events(self, job, *kinds):
        """The ids of a job's events of some kinds."""
        found, cursor = [], "0"
        while True:
            page = self.get(f"/v1/jobs/{job}/events?limit=1000&cursor={cursor}")
            found += [item for item in page["items"] if item["type"] in kinds]
            if len(page["items"]) < 1000:
                return found
            cursor = str(page["items"][-1]["id"])
