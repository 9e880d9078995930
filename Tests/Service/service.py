"""A burnd of a script's own, on a free loopback port, with workers that follow a script."""

import http.client
import json
import os
import pathlib
import resource
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the workers do: accept whatever was uploaded, and take a while over a job.
SCRIPT = """[probe]
model-summary 32
finished
[import]
dataset-summary 32
finished
[render]
pictures
finished
[job]
phase boundary_analysis
samples 2500
progress 0.5
{job}
"""
QUICK_JOB = "\n".join([
    "verdict", "triggers", "phase detection", "metrics", "curves", "evaluation", "artifact model.pt2 PURIFIED",
    "phase refinement", "assessment", "finished",
])
ENDLESS_JOB = "wait"


class Service:
    """Starts the service in a folder of its own; a context manager that stops it and removes the folder."""

    def __init__(self, bin_folder, job=QUICK_JOB, scope="submit", **settings):
        self.bin = pathlib.Path(bin_folder).resolve()
        self.folder = tempfile.TemporaryDirectory(prefix="burn-service-")
        folder = pathlib.Path(self.folder.name)
        self.data = folder / "data"
        (folder / "script").write_text(SCRIPT.format(job=job))
        worker = folder / "worker"
        worker.write_text(f"#!/bin/sh\nexec '{self.bin}/ScriptedWorker' follow '{folder}/script'\n")
        worker.chmod(0o755)
        self.environment = {**os.environ, "BURND_DATA": str(self.data)}
        self.environment |= {f"BURND_{name.upper()}": str(value) for name, value in settings.items()}
        self.token = subprocess.run(
            [self.bin / "burnd", "keys", "create", "script", "--scope", scope],
            env=self.environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ).stdout.strip()
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [self.bin / "burnd", "serve", "--listen", "127.0.0.1:0", "--worker", worker],
            env=self.environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise SystemExit("burnd did not start:\n" + self.log.read())
        self.port = int(line.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()

    @property
    def headers(self):
        return {"Authorization": "Bearer " + self.token}

    def request(self, method, path, body=None, headers=None):
        """One request on a connection of its own: status and JSON (or None)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, {**self.headers, **(headers or {})})
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        is_json = "json" in reply.headers.get("Content-Type", "")
        return reply.status, json.loads(data) if is_json and data else None

    def upload(self, collection, body):
        status, value = self.request("POST", f"/v1/{collection}", body, {"Prefer": "wait=30"})
        assert status == 201, (status, value)
        return value["id"]

    def start_job(self, kind="scan"):
        model = self.upload("models", (ROOT / "architectures/small_cnn.pt2").read_bytes())
        dataset = self.upload("datasets", b"\x1f\x8b\x08" + bytes(500))
        status, job = self.request(
            "POST", "/v1/jobs", json.dumps({"type": kind, "model": model, "dataset": dataset}),
            {"Content-Type": "application/json"})
        assert status == 202, (status, job)
        return job["id"]

    def memory(self, field="VmRSS"):
        """MiB of the server process."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(field)

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


def raise_descriptor_limit():
    """Thousands of sockets need more descriptors than the usual 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
