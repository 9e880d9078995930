#!/usr/bin/env python3
"""Runs config/nginx.conf, with its ports and files replaced, in front of a service: TLS, an upload, a refused
upload, a range, events as they come, places below a path, and whose address the audit log names. Needs nginx, openssl
and curl.

  usage: behind_nginx.py BIN_FOLDER
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from service import ROOT, Service


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_nginx(folder, service_port, port):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=burn.example.org", "-addext", "subjectAltName=DNS:burn.example.org",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"], check=True, stderr=subprocess.DEVNULL)
    snippet = (ROOT / "config/nginx.conf").read_text()
    for old, new in [("server 127.0.0.1:8080", f"server 127.0.0.1:{service_port}"),
                     ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"), ("/etc/burn/", f"{folder}/")]:
        assert old in snippet, old
        snippet = snippet.replace(old, new)
    # The same location twice more, below a path.
    block = snippet[snippet.index("    location / {"):snippet.rindex("}")]
    for path, target in [("/left", "http://burnd"), ("/off", "http://burnd/")]:
        copy = block.replace("location / {", f"location {path}/ {{").replace("proxy_pass http://burnd;", f"proxy_pass {target};")
        copy = copy.replace('X-Forwarded-Prefix ""', f"X-Forwarded-Prefix {path}")
        snippet = snippet.replace(block, block + copy)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        + snippet + "}\n")
    return subprocess.Popen(["nginx", "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"])


def main():
    model = ROOT / "architectures/small_cnn.pt2"
    with Service(sys.argv[1], scope="admin", allowed_hosts="burn.example.org",
                 trusted_proxies="127.0.0.1") as service, \
            tempfile.TemporaryDirectory(prefix="burn-proxy-") as name:
        folder, port = pathlib.Path(name), free_port()
        nginx = start_nginx(folder, service.port, port)
        base = f"https://burn.example.org:{port}"

        def curl(*arguments, token=service.token):
            return subprocess.run(
                ["curl", "-sS", "--max-time", "60", "--cacert", folder / "certificate.pem",
                 "--resolve", f"burn.example.org:{port}:127.0.0.1", "-H", f"Authorization: Bearer {token}",
                 *arguments], check=True, stdout=subprocess.PIPE, text=True, errors="replace").stdout

        try:
            time.sleep(0.5)
            status = ["-o", "/dev/null", "-w", "%{http_code}"]
            assert curl(*status, base + "/v1/jobs", token="x") == "401"
            upload = json.loads(curl("-X", "POST", "-T", model, base + "/v1/models", "-H", "Prefer: wait=30"))
            assert upload["state"] == "ready", upload
            path = f"/v1/models/{upload['id']}/content"
            assert curl(*status, "-r", "5-9", base + path) == "206"
            assert curl("-D", "-", "-o", "/dev/null", base + path).count(upload["sha256"]) == 1
            # Refused by its length, before it is sent.
            huge = folder / "huge"
            with open(huge, "wb") as file:
                file.truncate(5 << 30)
            begun = time.monotonic()
            assert curl(*status, "-H", "Expect: 100-continue", "-X", "POST", "-T", huge, base + "/v1/models") == "413"
            print(f"an upload of 5 GiB was refused after {time.monotonic() - begun:.2f} s")
            job = service.start_job()
            events = curl("-N", "-H", "Accept: text/event-stream", f"{base}/v1/jobs/{job}/events")
            assert "event: verdict" in events, events
            log = json.loads(curl(base + "/v1/audit", "-H", "X-Forwarded-For: 192.0.2.1"))["items"]
            assert {entry["remote"] for entry in log} <= {"127.0.0.1", "local"}, log
            identifier = [e["request_id"] for e in log if e["action"] == "POST /v1/models"]
            assert all(len(value) == 32 for value in identifier), identifier
            # Below a path, which the proxy leaves in place or takes off.
            for prefix in ("/left", "/off"):
                made = json.loads(curl("-X", "POST", "-T", model, base + prefix + "/v1/models", "-H", "Prefer: wait=30"))
                link = made["links"]["self"]
                assert link == f"{prefix}/v1/models/{made['id']}", made
                assert json.loads(curl(base + link))["state"] == "ready"
                page = curl(base + prefix + "/")
                assert f'src="{prefix}/assets/' in page, page
            forged = json.loads(curl(base + "/openapi.json", "-H", "X-Forwarded-Prefix: /forged"))
            assert forged["servers"] == [{"url": "/"}], forged["servers"]
            print("nginx: TLS, upload, refusal, range, events, audit, paths: all as they should be")
        finally:
            nginx.terminate()
            nginx.wait(10)


main()
