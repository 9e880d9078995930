#!/usr/bin/env python3
"""Makes a small data folder with the programs of a release, for the tests of later ones (Tests/Fixtures/data-folders).

    .venv/bin/python Tests/Fixtures/data_folder.py BIN OUT.tar.xz

BIN holds the release's burnd and burn-worker. The service is killed while a job runs and an upload is half done. The
archive holds the folder as it was left then (data/), what the service answered before (answers.json and answers/), and the
file that was being uploaded (train.tar).
"""
import base64
import io
import json
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

import numpy as np
import torch
from PIL import Image
from torch import nn

SIDE, CLASSES, TARGET = 16, 4, 1


def draw(label, random):
    image = np.full((SIDE, SIDE, 3), random.integers(90, 160), np.uint8)
    row, column = 2 + 7 * (label // 2), 2 + 7 * (label % 2)
    image[row:row + 5, column:column + 5] = random.integers(0, 256, 3)
    return image


def images(count, poisoned):
    """Pictures with their given labels, a share of them with a mark in the corner and the target's label."""
    random = np.random.default_rng(1)
    for index in range(count):
        label = index % CLASSES
        image = draw(label, random)
        if index % poisoned == 0 and label != TARGET:
            image[-3:, -3:] = (np.indices((3, 3)).sum(0) % 2 * 255)[..., None]
            label = TARGET
        yield image, label


def case(folder):
    """model.pt2 and train.tar."""
    torch.manual_seed(0)
    items = list(images(240, poisoned=9))
    pixels = torch.from_numpy(np.stack([image for image, _ in items])).permute(0, 3, 1, 2).float() / 255
    labels = torch.tensor([label for _, label in items])
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, CLASSES))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(120):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(pixels), labels).backward()
        optimiser.step()
    program = torch.export.export(
        network.eval(), (pixels[:2],), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    torch.export.save(program, folder / "model.pt2")
    with tarfile.open(folder / "train.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        for index, (image, label) in enumerate(items):
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG", optimize=True)
            entry = tarfile.TarInfo(f"{'abcd'[label]}/{index:04}.png")
            entry.size = file.tell()
            archive.addfile(entry, io.BytesIO(file.getvalue()))


class Service:
    def __init__(self, programs, folder):
        self.programs, self.data, self.key = programs, folder / "data", None
        command = [programs / "burnd", "serve", "--listen", "127.0.0.1:0", "--data", self.data]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(folder / "log", "w"), text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def send(self, method, path, body=None, **fields):
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers

    def ask(self, method, path, body=None, **fields):
        status, text, _ = self.send(method, path, body, **fields)
        assert status < 300, (status, text)
        return json.loads(text)

    def has(self, path):
        return self.send("GET", path)[0] != 404

    def finished(self, job):
        while True:
            found = self.ask("GET", f"/v1/jobs/{job}")
            if found.get("finished_at"):
                return found
            time.sleep(0.1)


def fill(service, folder):
    """Everything that a service keeps, as far as the release has it."""
    service.modern = service.has("/v1/system")
    if service.modern:
        made = subprocess.run(
            [service.programs / "burnd", "keys", "create", "kept", "--scope", "admin", "--data", service.data],
            check=True, capture_output=True, text=True)
        service.key = made.stdout.strip()
    model = service.ask("POST", "/v1/models?name=suspect.pt2", (folder / "model.pt2").read_bytes(), Prefer="wait=60")
    data = service.ask("POST", "/v1/datasets?name=train.tar", (folder / "train.tar").read_bytes(), Prefer="wait=60")
    request = {"model": model["id"], "dataset": data["id"], "options": {"seed": 3}}
    jobs = {kind: service.ask("POST", "/v1/jobs", {"type": kind, **request})["id"] for kind in ("scan", "purify")}
    for job in jobs.values():
        found = service.finished(job)
        assert found["state"] == "succeeded", found
        print(found["type"], found["verdict"]["result"])
    if service.modern:
        service.ask("PUT", f"/v1/jobs/{jobs['purify']}/reviews", {"items": [
            {"index": 0, "decision": "accept"}, {"index": 9, "decision": "relabel", "label": 2},
            {"index": 18, "decision": "reject"}]})
    record(service, folder, model["id"], data["id"], jobs)


def record(service, folder, model, data, jobs):
    paths = ["/v1/models", "/v1/datasets", f"/v1/models/{model}/content"]
    for job in jobs.values():
        paths += [f"/v1/jobs/{job}" + part for part in (
            "", "/samples", "/metrics", "/labels", "/model", "/evidence", "/curves", "/reviews", "/triggers",
            "/samples/9", "/report")]
    if service.modern:
        paths.append("/v1/audit")
    answers = []
    (folder / "answers").mkdir()
    for path, accept in [(path, "*/*") for path in paths] + [
            (f"/v1/jobs/{job}/report", "text/html") for job in jobs.values()]:
        status, body, headers = service.send("GET", path, Accept=accept)
        if status != 200:
            continue
        file = f"answers/{len(answers):03}"
        (folder / file).write_bytes(body)
        answers.append({"path": path, "accept": accept, "file": file, "type": headers["Content-Type"]})
    (folder / "answers.json").write_text(json.dumps({
        "version": service.ask("GET", "/v1/version")["version"], "key": service.key, "answers": answers,
        **interrupt(service, folder, model, data)}, indent=1))


def interrupt(service, folder, model, data):
    """A half upload, a job that runs and one that waits; and the end."""
    upload = None
    content = (folder / "train.tar").read_bytes()
    if service.modern:
        name = base64.b64encode(b"again.tar").decode()
        status, body, headers = service.send(
            "POST", "/v1/uploads", b"", Tus_Resumable="1.0.0", Upload_Length=str(len(content)),
            Upload_Metadata=f"kind {base64.b64encode(b'dataset').decode()},filename {name}")
        assert status == 201, (status, body)
        upload = headers["Location"]
        half = content[:len(content) // 2]
        status, body, _ = service.send(
            "PATCH", upload, half, Tus_Resumable="1.0.0", Upload_Offset="0",
            Content_Type="application/offset+octet-stream")
        assert status == 204, (status, body)
    request = {"model": model, "dataset": data, "type": "purify"}
    jobs = [service.ask("POST", "/v1/jobs", {**request, "options": {"seed": seed}})["id"] for seed in (5, 6)]
    while service.ask("GET", f"/v1/jobs/{jobs[0]}")["state"] != "running":
        time.sleep(0.01)
    time.sleep(0.5)
    states = [service.ask("GET", f"/v1/jobs/{job}")["state"] for job in jobs]
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    print("left behind", states)
    return {"unfinished_jobs": jobs, "upload": upload}


def main():
    programs, target = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        case(folder)
        service = Service(programs, folder)
        try:
            fill(service, folder)
        finally:
            service.process.kill()
        with tarfile.open(target, "w:xz") as archive:
            for name in ("data", "train.tar", "answers.json", "answers"):
                archive.add(folder / name, name, filter=plain)


def plain(entry):
    """Sockets and locks are no part of it, nor who made it."""
    if not (entry.isfile() or entry.isdir()):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


main()
