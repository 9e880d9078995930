#!/usr/bin/env python3
"""Schemathesis against /openapi.json of a running service: every operation, alone and in sequences that follow the
document's links. A 5xx, an undocumented status, or an answer that breaks its schema ends it with 1.

  usage: conformance.py BIN_FOLDER SCHEMATHESIS [EXAMPLES]
"""

import os
import pathlib
import subprocess
import sys

from service import Service

# tus answers 412 where its version is missing or another; the tool does not count that among refusals.
CONFIGURATION = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 428, 429]
"""
# The bytes of a resumable upload's piece are no JSON.
HOOKS = """
import schemathesis

@schemathesis.serializer("application/offset+octet-stream")
def piece(context, value):
    return value if isinstance(value, bytes) else str(value).encode()

@schemathesis.hook
def filter_case(context, case):
    # A header that a service does not know is to be ignored (RFC 9110, section 5.1), and not refused.
    return "x-schemathesis-unknown-property" not in {name.lower() for name in (case.headers or {})}
"""

CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
    "ignored_auth", "use_after_free", "ensure_resource_availability",
]


def main():
    folder, program = sys.argv[1:3]
    examples = sys.argv[3] if len(sys.argv) > 3 else "25"
    with Service(folder, scope="admin", log_level="warning", limits_queued_jobs=100000,
                 quotas_queued_jobs=100000) as service:
        # Something to find: a model, a data set, a finished job.
        service.request("GET", f"/v1/jobs/{service.start_job('purify')}", headers={"Prefer": "wait=30"})
        folder = pathlib.Path(service.folder.name)
        (folder / "schemathesis.toml").write_text(CONFIGURATION)
        (folder / "piece_hooks.py").write_text(HOOKS)
        result = subprocess.run(
            [program, "--config-file", folder / "schemathesis.toml", "run", f"http://127.0.0.1:{service.port}/openapi.json",
             "-H", f"Authorization: Bearer {service.token}", "--checks", ",".join(CHECKS),
             "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", examples, "--seed", "1",
             "--generation-deterministic", "--no-color", "--request-timeout", "90"],
            cwd=folder, check=False,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "piece_hooks", "PYTHONPATH": str(folder)})
        # It must still be the same process, and healthy.
        assert service.process.poll() is None, "burnd ended"
        assert service.request("GET", "/healthz")[0] == 200
        log = pathlib.Path(service.folder.name, "log").read_text()
        print(f"memory {service.memory():.0f} MiB, {log.count('request failed')} internal errors in the log")
    sys.exit(result.returncode)


main()
