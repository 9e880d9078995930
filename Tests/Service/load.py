#!/usr/bin/env python3
"""64 clients polling a job's status while two jobs run and a 1 GB upload streams in, beside nginx serving a file
of the same size, on the same machine, with the same upload going on.

Needs wrk and nginx.

  usage: load.py BIN_FOLDER [SECONDS [CLIENTS]]
"""

import pathlib
import re
import socket
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
        time.sleep(0.5)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()


def wrk(url, seconds, clients, headers):
    arguments = ["wrk", "-t", "2", "-c", str(clients), "-d", f"{seconds}s", "--latency"]
    for name, value in headers.items():
        arguments += ["-H", f"{name}: {value}"]
    text = subprocess.run(arguments + [url], check=True, stdout=subprocess.PIPE, text=True).stdout
    figure = {name: re.search(rf"{name}%\s+(\S+)", text).group(1) for name in ("50", "99")}
    rate = float(re.search(r"Requests/sec:\s+(\S+)", text).group(1))
    errors = re.findall(r"(Socket errors:.*|Non-2xx.*)", text)
    return rate, figure["50"], figure["99"], errors


def upload(service, result):
    """Streams zeros behind a gzip header, as fast as the server takes them."""
    chunk = bytes(1 << 20)
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall(
            f"POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {service.token}\r\n"
            f"Content-Length: {UPLOAD_BYTES}\r\n\r\n".encode() + b"\x1f\x8b\x08")
        left = UPLOAD_BYTES - 3
        while left > 0:
            count = min(left, len(chunk))
            client.sendall(chunk[:count])
            left -= count
        status = client.recv(4096).split(b" ", 2)[1]
    result.append((status.decode(), UPLOAD_BYTES / (time.monotonic() - begun) / 1e6))


def measure(name, service, url, seconds, clients, headers):
    """One run of the polls with uploads one after another beside it."""
    uploads, stop, peak = [], threading.Event(), [0.0]

    def keep_uploading():
        while not stop.is_set():
            upload(service, uploads)

    def watch():
        while not stop.wait(0.1):
            peak[0] = max(peak[0], service.memory())

    threads = [threading.Thread(target=keep_uploading), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    rate, median, p99, errors = wrk(url, seconds, clients, headers)
    stop.set()
    for thread in threads:
        thread.join()
    speeds = ", ".join(f"{status} at {speed:.0f} MB/s" for status, speed in uploads)
    print(
        f"{name:6} {rate:9.0f} requests/s  median {median:>8}  p99 {p99:>8}  burnd RSS {peak[0]:.0f} MiB  "
        f"1 GiB uploads: {speeds} {' '.join(errors)}", flush=True)
    return not errors and all(status == "201" for status, _ in uploads)


def main():
    folder = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 64
    with Service(folder, job=ENDLESS_JOB, slots=2, log_level="warning") as service:
        jobs = [service.start_job() for _ in range(2)]
        while any(service.request("GET", f"/v1/jobs/{job}")[1]["state"] != "running" for job in jobs):
            time.sleep(0.1)
        path = f"/v1/jobs/{jobs[0]}"
        content = subprocess.run(
            ["curl", "-sS", "-H", f"Authorization: Bearer {service.token}",
             f"http://127.0.0.1:{service.port}{path}"], check=True, stdout=subprocess.PIPE).stdout
        print(f"{clients} clients, {seconds} s each, {len(content)} bytes an answer, two jobs running", flush=True)
        good = measure(
            "burnd", service, f"http://127.0.0.1:{service.port}{path}", seconds, clients, service.headers)
        nginx = Nginx(content)
        try:
            good &= measure(
                "nginx", service, f"http://127.0.0.1:{nginx.port}/status.json", seconds, clients, {})
        finally:
            nginx.stop()
        print(f"burnd: {service.threads()} threads, most memory {service.memory('VmHWM'):.0f} MiB")
    sys.exit(0 if good else 1)


main()
