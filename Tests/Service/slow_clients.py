#!/usr/bin/env python3
"""A thousand slow clients at once, and how /healthz answers meanwhile.

  header   a byte of the header section a second, never ending (slowloris)
  body     an upload of 1 MB of which a byte comes a second
  read     a large download that is never read, with a small receive window

For each attack: the times of /healthz on a fresh connection twenty times a second, and the server's threads.
Ends with 1 when a /healthz took 100 ms or failed, or the server needed more threads.

  usage: slow_clients.py BIN_FOLDER [CONNECTIONS [SECONDS]]
"""

import socket
import sys
import threading
import time

from service import ROOT, Service, percentile, raise_descriptor_limit

HOST = "127.0.0.1"
# Connections opened in a second, as slowhttptest does it.
RATE = 200


class Attack:
    def __init__(self, name, opening, drip, small_window=False):
        self.name, self.opening, self.drip, self.small_window = name, opening, drip, small_window

    def open(self, port, count, sockets):
        for _ in range(count):
            client = socket.socket()
            if self.small_window:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((HOST, port))
            client.setblocking(False)
            client.send(self.opening)
            sockets.append(client)
            time.sleep(1 / RATE)

    def feed(self, sockets):
        """One byte to each that is still open; how many are."""
        alive = 0
        for client in sockets:
            try:
                if self.drip:
                    client.send(self.drip)
                alive += 1
            except OSError:
                pass
        return alive


def probe(port):
    """Seconds of one /healthz, connection included; None when it failed."""
    begun = time.monotonic()
    try:
        with socket.create_connection((HOST, port), timeout=5) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := client.recv(4096):
                answer += chunk
    except OSError:
        return None
    return time.monotonic() - begun if answer.startswith(b"HTTP/1.1 200") else None


def run(attack, service, count, seconds):
    before = service.threads()
    sockets = []
    opener = threading.Thread(target=attack.open, args=(service.port, count, sockets))
    opener.start()
    stop = threading.Event()
    alive = [count]

    def drip():
        while not stop.wait(1):
            alive[0] = attack.feed(list(sockets))

    feeder = threading.Thread(target=drip)
    feeder.start()
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        times.append(probe(service.port))
        time.sleep(0.05)
    threads, memory = service.threads(), service.memory()
    stop.set()
    opener.join()
    feeder.join()
    for client in sockets:
        client.close()
    answered = [value for value in times if value is not None]
    worst = max(answered, default=float("inf")) * 1000
    failed = len(times) - len(answered)
    print(
        f"{attack.name:7} {count} connections, {alive[0]} left at the end; /healthz {len(times)} times: "
        f"median {percentile(answered, 0.5) * 1000:.1f} ms, p99 {percentile(answered, 0.99) * 1000:.1f} ms, "
        f"worst {worst:.1f} ms, failed {failed}; threads {before} -> {threads}; RSS {memory:.0f} MiB",
        flush=True)
    # Dispatch may bring a thread or two of its own for whatever else goes on.
    return worst < 100 and failed == 0 and threads <= before + 8


def main():
    folder = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 25
    raise_descriptor_limit()
    good = True
    with Service(folder, http_connections_per_address=0) as service:
        model = service.upload("models", (ROOT / "architectures/small_cnn.pt2").read_bytes())
        authorization = f"Authorization: Bearer {service.token}\r\n"
        attacks = [
            Attack("header", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", b"a"),
            Attack(
                "body",
                f"POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\n{authorization}"
                "Content-Length: 1000000\r\n\r\n\x1f\x8b\x08".encode("latin-1"), b"b"),
            Attack(
                "read",
                f"GET /v1/models/{model}/content HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n".encode(),
                b"", small_window=True),
        ]
        for attack in attacks:
            good &= run(attack, service, count, seconds)
    sys.exit(0 if good else 1)


main()
