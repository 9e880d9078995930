#!/usr/bin/env python3
"""64 clients polling a job's status while two jobs run and 1 GiB uploads stream in, beside nginx serving a file of
the same size, on the same machine, with the same jobs and uploads going on. Three turns of each, one after the other;
the table has every turn and the median.

  burnd    GET /v1/jobs/{id} of a running job, with an API key, over kept-alive connections
  healthz  GET /healthz, the same way
  nginx    GET of a file with the bytes of the job's status, two processes, no access log

Needs wrk and nginx. Ends with 1 when an answer was not 200 or an upload not 201.

  usage: load.py BIN_FOLDER [SECONDS [CLIENTS [TURNS]]]
"""

import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from service import ENDLESS_JOB, Service

UPLOAD_BYTES = 1 << 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """nginx with two processes that serves one file, without a log of accesses."""

    def __init__(self, content):
        self.folder = tempfile.TemporaryDirectory(prefix="burn-nginx-")
        folder = pathlib.Path(self.folder.name)
        (folder / "status.json").write_bytes(content)
        folder.chmod(0o755)
        self.port = free_port()
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 2;\n"
            "events { worker_connections 1024; }\n"
            "http { access_log off; sendfile on; keepalive_requests 1000000000;\n"
            "  types { application/json json; }\n"
            f"  server {{ listen 127.0.0.1:{self.port}; root {folder}; }} }}\n")
        self.process = subprocess.Popen(
            ["nginx", "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("nginx did not start:\n" + (folder / "error.log").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(url, seconds, clients, headers):
    """Requests per second, median and p99 in milliseconds, errors."""
    arguments = ["wrk", "-t", "2", "-c", str(clients), "-d", f"{seconds}s", "--latency", "--timeout", "10s"]
    for name, value in headers.items():
        arguments += ["-H", f"{name}: {value}"]
    text = subprocess.run(arguments + [url], check=True, stdout=subprocess.PIPE, text=True).stdout
    median, p99 = (milliseconds(re.search(rf"\s{share}%\s+(\S+)", text).group(1)) for share in ("50", "99"))
    rate = float(re.search(r"Requests/sec:\s+(\S+)", text).group(1))
    return rate, median, p99, re.findall(r"(Socket errors:.*|Non-2xx.*)", text)


def upload(service):
    """Streams zeros behind a gzip header, as fast as the server takes them: the data set's id, and MB/s."""
    chunk = bytes(1 << 20)
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.port), timeout=300) as client:
        client.sendall(
            f"POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.token}\r\n"
            f"Connection: close\r\nContent-Length: {UPLOAD_BYTES}\r\n\r\n".encode() + b"\x1f\x8b\x08")
        left = UPLOAD_BYTES - 3
        while left > 0:
            count = min(left, len(chunk))
            client.sendall(memoryview(chunk)[:count])
            left -= count
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    rate = UPLOAD_BYTES / (time.monotonic() - begun) / 1e6
    found = re.search(rb'"id":"([^"]+)"', answer)
    return (found.group(1).decode() if answer.startswith(b"HTTP/1.1 201") and found else None), rate


class Background:
    """Uploads one after another and the server's most memory, until stopped. What was uploaded is removed again:
    the disk need not hold more than two."""

    def __init__(self, service):
        self.service, self.stop, self.rates, self.failed, self.peak = service, threading.Event(), [], 0, 0.0
        self.threads = [threading.Thread(target=self.upload), threading.Thread(target=self.watch)]
        for thread in self.threads:
            thread.start()

    def upload(self):
        while not self.stop.is_set():
            try:
                made, rate = upload(self.service)
            except OSError:
                made, rate = None, 0
            self.rates.append(rate)
            if made is None:
                self.failed += 1
                continue
            for _ in range(50):
                if self.service.request("DELETE", f"/v1/datasets/{made}")[0] != 409:
                    break
                time.sleep(0.2)

    def watch(self):
        while not self.stop.wait(0.1):
            self.peak = max(self.peak, self.service.memory())

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def main():
    folder = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 64
    turns = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < 5 * UPLOAD_BYTES:
        raise SystemExit(f"load: {tempfile.gettempdir()} has {free >> 20} MiB free; five uploads of 1 GiB need room")
    good = True
    with Service(folder, job=ENDLESS_JOB, slots=2, log_level="warning") as service:
        jobs = [service.start_job() for _ in range(2)]
        while any(service.request("GET", f"/v1/jobs/{job}")[1]["state"] != "running" for job in jobs):
            time.sleep(0.1)
        path = f"/v1/jobs/{jobs[0]}"
        content = subprocess.run(
            ["curl", "-sS", "-H", f"Authorization: Bearer {service.token}",
             f"http://127.0.0.1:{service.port}{path}"], check=True, stdout=subprocess.PIPE).stdout
        nginx = Nginx(content)
        own = f"http://127.0.0.1:{service.port}"
        subjects = [
            ("burnd", own + path, service.headers), ("healthz", own + "/healthz", service.headers),
            ("nginx", f"http://127.0.0.1:{nginx.port}/status.json", {}),
        ]
        print(
            f"{clients} clients, {seconds} s a turn, {len(content)} bytes a status, two jobs running, 1 GiB uploads "
            "beside all of it\nturn  subject   requests/s   median ms    p99 ms  upload MB/s  burnd MiB  errors",
            flush=True)
        table = {name: [] for name, _, _ in subjects}
        try:
            for turn in range(1, turns + 1):
                for name, url, headers in subjects:
                    beside = Background(service)
                    try:
                        rate, median, p99, errors = wrk(url, seconds, clients, headers)
                    finally:
                        beside.end()
                    if beside.failed:
                        errors.append(f"{beside.failed} uploads failed")
                    good &= not errors
                    row = (rate, median, p99, statistics.mean(beside.rates), beside.peak)
                    table[name].append(row)
                    print(f"{turn:4}  {name:8}" + COLUMNS.format(*row) + "  " + "; ".join(errors), flush=True)
        finally:
            nginx.stop()
        for name, rows in table.items():
            print(f"  of  {name:8}" + COLUMNS.format(*map(statistics.median, zip(*rows))))
        states = {service.request("GET", f"/v1/jobs/{job}")[1]["state"] for job in jobs}
        good &= states == {"running"}
        print(f"burnd: {service.threads()} threads, most memory {service.memory('VmHWM'):.0f} MiB, jobs {states}")
    sys.exit(0 if good else 1)


COLUMNS = "{:13.0f}{:12.2f}{:10.2f}{:13.0f}{:11.0f}"

main()
