"""50,000 samples. The findings go through the real protocol and store, from a worker that follows a script; their
pictures are one picture, answered by the test. `measure_samples.py` measures a real job."""

import base64
import json

import pytest

from burnd import ROOT, Burnd, scripted_worker
from conftest import new_page
from measure_samples import measure

SAMPLES = 50_000
SCRIPT = f"""[probe]
model-summary 8
finished
[import]
dataset-summary 8 {SAMPLES}
finished
[job]
phase boundary_analysis
samples {SAMPLES}
verdict
phase detection
finished
"""
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGNwaD+CBzGMSmNDAEA5h+F5K2lXAAAAAElFTkSuQmCC")


@pytest.fixture
def crowded(tmp_path):
    service = Burnd(worker=scripted_worker(tmp_path, SCRIPT))
    yield service
    service.remove()


def test_the_grid_holds_fifty_thousand(browser, crowded, tmp_path):
    archive = tmp_path / "train.tar.gz"
    archive.write_bytes(b"\x1f\x8b\x08" + bytes(500))
    model = crowded.upload("models", ROOT / "architectures/small_cnn.pt2", "small.pt2")
    dataset = crowded.upload("datasets", archive, "train.tar.gz")
    status, job = crowded.post("/v1/jobs", {"type": "scan", "model": model, "dataset": dataset})
    assert status == 202, job
    assert crowded.ended(job["id"], 300)["state"] == "succeeded"
    page = new_page(browser, crowded.address)
    page.route("**/thumbnail", lambda route: route.fulfill(body=PICTURE, content_type="image/png"))
    figures = measure(page, crowded.address, job["id"])
    print(json.dumps(figures))
    assert figures["samples"] == SAMPLES
    # A machine that other tests share is no place for tight bounds.
    assert figures["first_grid_ms"] < 5000
    assert figures["elements"] < 3000, "only what is in view exists"
    page.watch.check()
    page.context.close()
