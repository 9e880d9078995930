#!/usr/bin/env python3
"""A thousand slow clients at once, and how /healthz answers meanwhile.

  none     nobody: what the machine and the probe take by themselves
  header   a byte of the header section a second, never ending (slowloris)
  body     an upload of 1 MB of which a byte comes a second
  read     a large download that is never read, with a small receive window

The clients are a process of their own, and so is the probe, so that neither waits for the other. For each attack: the
times of /healthz on a fresh connection twenty times a second, the server's threads, and how long its threads waited
for a processor all together (on a loaded machine that is where the time goes).
Ends with 1 when a /healthz took 100 ms or failed, or the server needed more threads.

  usage: slow_clients.py BIN_FOLDER [CONNECTIONS [SECONDS]]
"""

import gc
import multiprocessing
import os
import socket
import sys
import time

from service import ROOT, Service, percentile, raise_descriptor_limit

HOST = "127.0.0.1"
# Connections opened in a second, as slowhttptest does it.
RATE = 200
LIMIT_MS = 100


class Attack:
    def __init__(self, name, opening, drip, small_window=False):
        self.name, self.opening, self.drip, self.small_window = name, opening, drip, small_window

    def connect(self, port):
        client = socket.socket()
        if self.small_window:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((HOST, port))
        client.setblocking(False)
        client.send(self.opening)
        return client

    def run(self, port, count, stop, alive):
        """Opens the connections at their rate and feeds each that is open once a second, spread over the second."""
        clients, turn, begun = [], 0, time.monotonic()
        opened = fed = 0
        while not stop.wait(0.005):
            now = time.monotonic() - begun
            while opened < min(count, int(now * RATE)):
                try:
                    clients.append(self.connect(port))
                except OSError:
                    pass
                opened += 1
            due = int(now * count) - fed
            fed += due
            for _ in range(min(due, len(clients))):
                turn = (turn + 1) % len(clients)
                client = clients[turn]
                if client is None:
                    continue
                try:
                    if self.drip:
                        client.send(self.drip)
                except BlockingIOError:
                    pass
                except OSError:
                    client.close()
                    clients[turn] = None
            alive.value = sum(client is not None for client in clients)


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


def waited(process):
    """Seconds that the threads of a process have been ready to run without a processor."""
    total = 0
    for task in os.listdir(f"/proc/{process}/task"):
        try:
            total += int(open(f"/proc/{process}/task/{task}/schedstat").read().split()[1])
        except OSError:
            pass
    return total / 1e9


def run(attack, service, count, seconds):
    before = service.threads()
    stop, alive = multiprocessing.Event(), multiprocessing.Value("i", 0)
    attacker = None
    if attack.opening:
        attacker = multiprocessing.Process(target=attack.run, args=(service.port, count, stop, alive))
        attacker.start()
    times, end, waiting = [], time.monotonic() + seconds, waited(service.process.pid)
    own = waited(os.getpid())
    gc.disable()
    while time.monotonic() < end:
        times.append(probe(service.port))
        time.sleep(0.05)
    gc.enable()
    threads, memory = service.threads(), service.memory()
    waiting, own = waited(service.process.pid) - waiting, waited(os.getpid()) - own
    left = alive.value
    stop.set()
    if attacker:
        attacker.join(10)
    answered = [value for value in times if value is not None]
    worst = max(answered, default=float("inf")) * 1000
    failed = len(times) - len(answered)
    print(
        f"{attack.name:7} {left:5} {len(times):7} {percentile(answered, 0.5) * 1000:8.1f} "
        f"{percentile(answered, 0.99) * 1000:8.1f} {worst:8.1f} {failed:7} {before:4} -> {threads:<3} {memory:6.0f} "
        f"{waiting:9.2f} {own:8.2f}", flush=True)
    # Dispatch may bring a thread or two of its own for whatever else goes on.
    return worst < LIMIT_MS and failed == 0 and threads <= before + 8


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
            Attack("none", b"", b""),
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
        print(
            f"{count} connections, {seconds:.0f} s each; /healthz in milliseconds\n"
            "attack   left  probes   median      p99    worst  failed  threads      MiB  waited s  probe s", flush=True)
        for attack in attacks:
            good &= run(attack, service, count, seconds)
    print("all under 100 ms" if good else "NOT all under 100 ms, or a probe failed, or threads grew")
    sys.exit(0 if good else 1)


main()
