"""A `burnd serve` of the benchmark's own, its REST interface, and the memory of its processes."""
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request


class Service:
    def __init__(self, program: pathlib.Path):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="burn-bench-"))
        self.log = self.folder / "burnd.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", "--listen", "127.0.0.1:0", "--data", self.folder / "data"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.base = self.wait_for_address()

    def wait_for_address(self) -> str:
        for _ in range(1000):
            found = re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text())
            if found:
                with contextlib.suppress(urllib.error.URLError):
                    if urllib.request.urlopen(found[0] + "/readyz").status == 200:
                        return found[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise SystemExit(f"burnd did not start. It wrote:\n{self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def call(self, method: str, path: str, body=None, headers=None):
        request = urllib.request.Request(self.base + path, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}")

    def upload(self, collection: str, file: pathlib.Path) -> str:
        """Streams the file, waits until the service has looked at it, and gives its id."""
        with file.open("rb") as body:
            made = self.call(
                "POST", f"/v1/{collection}?name={file.name}", body,
                {"Content-Length": str(file.stat().st_size), "Content-Type": "application/octet-stream"})
        while made["state"] == "importing":
            time.sleep(0.2)
            made = self.call("GET", f"/v1/{collection}/{made['id']}")
        if made["state"] != "ready":
            raise SystemExit(f"{file} was rejected: {made['problem']}")
        return made["id"]

    def run_job(self, body: dict):
        """Runs a job to its end: the job, and the seconds that it took."""
        started = time.perf_counter()
        job = self.call("POST", "/v1/jobs", json.dumps(body).encode(), {"Content-Type": "application/json"})
        while job["state"] in ("queued", "running"):
            time.sleep(0.2)
            job = self.call("GET", f"/v1/jobs/{job['id']}")
        if job["state"] != "succeeded":
            raise SystemExit(f"the job {job['state']}: {job['error']}")
        return job, time.perf_counter() - started


class MemoryWatch:
    """Peak resident memory of a process and of its children, in MiB, while the block runs.

    `anonymous` leaves out the pages of mapped files, which the kernel can drop at any time.
    """

    def __init__(self, pid: int):
        self.pid = pid
        self.own = {"resident": 0.0, "anonymous": 0.0}
        self.children = {"resident": 0.0, "anonymous": 0.0}
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.sample()
        self.stopped.set()
        self.thread.join()

    def watch(self):
        while not self.stopped.wait(0.05):
            self.sample()

    def sample(self):
        self.record(self.own, self.pid)
        for task in pathlib.Path(f"/proc/{self.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                for child in task.read_text().split():
                    self.record(self.children, int(child))

    @staticmethod
    def record(peak: dict, pid: int):
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f"/proc/{pid}/status").read_text()
            kib = {name: int(value) for name, value in re.findall(r"^(VmHWM|RssAnon):\s+(\d+) kB", lines, re.M)}
            peak["resident"] = max(peak["resident"], kib.get("VmHWM", 0) / 1024)
            peak["anonymous"] = max(peak["anonymous"], kib.get("RssAnon", 0) / 1024)
