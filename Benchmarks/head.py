#!/usr/bin/env python3
"""How a head with a long queue and many tasks on a cluster answers.

    Benchmarks/head.py [--burnd .build/release/burnd] [--queued 10000] [--running 300] [--clients 32] [--seconds 20]
                       [--out FILE.json]

burnd is the real one, with `executor: slurm`. Slurm's programs are stand-ins of a few lines, so that hundreds of tasks fit on
one machine: srun becomes a small process that speaks the worker's protocol, reports progress once a second and never ends;
squeue lists those processes. What is measured is the head: submitting, and then polls of a job's state by clients that each
ask ten times a second, with a page of the job list and the system page among them.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

SRUN = r"""#!/usr/bin/perl
# Stands in for srun: the worker, too.
use strict; use warnings; use IO::Select;
exit 0 if grep { $_ eq '--test-only' } @ARGV;
my ($name) = map { /^--job-name=(.*)/ ? $1 : () } @ARGV;
my $place = "FOLDER/tasks/$name";
open(my $file, '>', $place) or die; print {$file} $$; close $file;
$SIG{TERM} = sub { unlink $place; exit 143 };
sub frame { my $text = shift; syswrite(STDOUT, pack('N', length $text) . $text) }
my ($head, $task) = ('', '');
sysread(STDIN, $head, 4);
while (length $task < unpack('N', $head)) { sysread(STDIN, $task, 65536, length $task) or last }
if ($task =~ /"token":"([^"]+)"/) {
    (my $in = $1) =~ s{\\/}{/}g; $task =~ /"outputDirectory":"([^"]+)"/; (my $out = $1) =~ s{\\/}{/}g;
    open(my $from, '<', $in) or die; open(my $to, '>', "$out/token") or die; print {$to} (<$from>); close $to;
    frame('{"finished":{}}');
} elsif ($task =~ /"probeModel"/) { frame('MODEL'); frame('{"finished":{}}');
} elsif ($task =~ /"importDataset"/) { frame('DATASET'); frame('{"finished":{}}');
} else {
    my $ends = IO::Select->new(\*STDIN);
    for (my $step = 0; !$ends->can_read(1); $step++) {
        frame(sprintf '{"progress":{"_0":{"phase":"boundary_analysis","round":0,"fraction":%.4f}}}', $step % 1000 / 1000);
        frame('{"heartbeat":{}}');
    }
}
unlink $place;
"""
WORKER = r"""#!/usr/bin/perl
# Stands in for the worker that looks at an upload.
sysread(STDIN, my $head, 4); sysread(STDIN, my $task, 65536);
for my $text ('{"uploadChecked":{}}', '{"finished":{}}') { syswrite(STDOUT, pack('N', length $text) . $text) }
"""
SQUEUE = r"""#!/usr/bin/perl
# Stands in for squeue: every task runs.
my ($only) = map { /^--name=(.*)/ ? $1 : () } @ARGV;
exit 0 if grep { $_ eq '--states=PENDING' } @ARGV;
opendir(my $tasks, 'FOLDER/tasks');
for my $name (readdir $tasks) {
    next if $name =~ /^\./ || defined $only && $name ne $only;
    open(my $file, '<', "FOLDER/tasks/$name") or next;
    printf "%d|RUNNING|None|n1|%s\n", scalar(<$file>), $name;
}
"""
SCANCEL = """#!/bin/sh
shift
for job; do kill "$job" 2>/dev/null || rm -f $(grep -lx "$job" FOLDER/tasks/*); done
"""
SUMMARY = {
    "MODEL": {"modelProbed": {"_0": {
        "format": "pt2", "input_shape": [None, 3, 32, 32], "input_type": "float32", "classes": 2, "parameters": 10,
        "operators": {"aten.conv2d": 1}}}},
    "DATASET": {"datasetImported": {"_0": {
        "format": "image-folder/zip", "samples": 2, "height": 32, "width": 32, "channels": 3, "packed_bytes": 6144,
        "classes": [{"name": "a", "samples": 1}, {"name": "b", "samples": 1}], "skipped": [], "skipped_total": 0}}},
}


def install(folder):
    """The stand-ins, in a folder of their own."""
    (folder / "tasks").mkdir()
    programs = folder / "bin"
    programs.mkdir()
    stand_ins = {
        "srun": SRUN, "squeue": SQUEUE, "scancel": SCANCEL, "worker": WORKER, "sinfo": "#!/bin/sh\necho 'main|idle|9'\n"}
    for name, text in stand_ins.items():
        for word, value in SUMMARY.items():
            text = text.replace(f"frame('{word}')", f"frame('{json.dumps(value)}')")
        (programs / name).write_text(text.replace("FOLDER", str(folder)))
        (programs / name).chmod(0o755)
    return programs


class Service:
    def __init__(self, program, folder, running):
        settings = {
            "BURND_DATA": str(folder / "data"), "BURND_EXECUTOR": "slurm", "BURND_SLURM_PROGRAMS": str(install(folder)),
            "BURND_SLURM_TASKS": str(running), "BURND_LIMITS_QUEUED_JOBS": "1000000", "BURND_LOG_LEVEL": "warning",
            "PATH": os.environ["PATH"],
        }
        self.log = open(folder / "log", "w")
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--worker", str(folder / "bin/worker")], env=settings, text=True,
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        found = re.search(r":(\d+)\s*$", line)
        if not found:
            sys.exit((folder / "log").read_text())
        self.port = int(found.group(1))

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def memory(self):
        """Bytes of its own that it fills."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return sum(int(value) << 10 for value in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+)", text))

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(connection, method, path, body=None, **fields):
    connection.request(method, path, body=body, headers=fields)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        sys.exit(f"{method} {path}: {answer.status} {content[:500]!r}")
    return json.loads(content)


def submit(service, count):
    """Times of so many submissions, one after the other."""
    connection = service.connect()
    model = ask(connection, "POST", "/v1/models?name=m", (ROOT / "architectures/small_cnn.pt2").read_bytes(), Prefer="wait=20")
    # What begins like an archive; the stand-in does not look inside.
    data = ask(connection, "POST", "/v1/datasets?name=d", archive(), Prefer="wait=20")
    if (model["state"], data["state"]) != ("ready", "ready"):
        sys.exit(f"not imported: {model} {data}\n{(pathlib.Path(service.log.name)).read_text()[-3000:]}")
    body = json.dumps({"type": "scan", "model": model["id"], "dataset": data["id"]})
    times, jobs = [], []
    for _ in range(count):
        start = time.perf_counter()
        jobs.append(ask(connection, "POST", "/v1/jobs", body, **{"Content-Type": "application/json"})["id"])
        times.append(time.perf_counter() - start)
    return times, jobs


def archive():
    import io
    import tarfile
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("a/1.png")
        entry.size = 100
        tar.addfile(entry, io.BytesIO(bytes(100)))
    return buffer.getvalue()


def poll(service, jobs, seconds, times, pages):
    connection = service.connect()
    end = time.monotonic() + seconds
    step = 0
    while time.monotonic() < end:
        start = time.perf_counter()
        ask(connection, "GET", f"/v1/jobs/{jobs[step * 7919 % len(jobs)]}")
        times.append(time.perf_counter() - start)
        step += 1
        if step % 20 == 0:
            for path in ("/v1/jobs?limit=50", "/v1/system"):
                start = time.perf_counter()
                ask(connection, "GET", path)
                pages.append(time.perf_counter() - start)
        time.sleep(0.1)


def spread(times):
    ordered = sorted(times)
    return {
        "count": len(ordered), "median_ms": round(statistics.median(ordered) * 1e3, 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1e3, 2), "most_ms": round(ordered[-1] * 1e3, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--burnd", default=str(ROOT / ".build/release/burnd"))
    parser.add_argument("--queued", type=int, default=10_000)
    parser.add_argument("--running", type=int, default=300)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--out")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="burn-head-"))
    service = Service(options.burnd, folder, options.running)
    try:
        submissions, jobs = submit(service, options.queued + options.running)
        while len(list((folder / "tasks").iterdir())) < options.running:
            time.sleep(0.5)
        time.sleep(5)
        polls, pages = [], []
        before = service.processor_seconds()
        threads = [
            threading.Thread(target=poll, args=(service, jobs[start:] + jobs[:start], options.seconds, polls, pages))
            for start in range(options.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        report = {
            "queued": options.queued, "running": options.running, "clients": options.clients,
            "submit": spread(submissions), "poll": spread(polls), "pages": spread(pages),
            "polls_per_second": round(len(polls) / options.seconds),
            "processors_used": round((service.processor_seconds() - before) / options.seconds, 2),
            "memory_mib": service.memory() >> 20,
        }
        print(json.dumps(report, indent=2))
        if options.out:
            pathlib.Path(options.out).write_text(json.dumps(report, indent=2) + "\n")
    finally:
        service.process.terminate()
        service.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
