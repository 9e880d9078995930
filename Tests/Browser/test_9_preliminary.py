"""A backdoor that is found before the rest is known. What is found comes from a worker that follows a script."""

import pytest

from axe import assert_accessible
from burnd import ROOT, Burnd, scripted_worker
from conftest import new_page

SCRIPT = """[probe]
model-summary 8
finished
[import]
dataset-summary 8 100
finished
[job]
phase boundary_analysis
preliminary
wait
"""


@pytest.fixture
def waiting(tmp_path):
    service = Burnd(worker=scripted_worker(tmp_path, SCRIPT))
    yield service
    service.remove()


def test_what_the_verdict_will_be_is_shown_while_the_job_runs(browser, waiting, tmp_path):
    archive = tmp_path / "data.gz"
    archive.write_bytes(b"\x1f\x8b\x08" + bytes(500))
    model = waiting.upload("models", ROOT / "architectures/small_cnn.pt2", "small_cnn.pt2")
    dataset = waiting.upload("datasets", archive, "data.gz")
    status, job = waiting.post("/v1/jobs", {"type": "scan", "model": model, "dataset": dataset})
    assert status == 202
    page = new_page(browser, waiting.address)
    page.visit(f"/jobs/{job['id']}/progress")
    page.get_by_text("Verdict so far: backdoored, into “a”.").wait_for()
    page.get_by_role("log").get_by_text("Verdict so far: backdoored, into a").wait_for()
    assert_accessible(page)
    # It is not drawn again while nothing changes: what is selected stays.
    page.locator(".note.warn").evaluate("note => { note.dataset.seen = 'yes'; }")
    page.wait_for_timeout(6000)
    assert page.locator(".note.warn").get_attribute("data-seen") == "yes"
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    page.get_by_text("The job ended before the rest was known").wait_for()
    page.watch.check()
    page.context.close()
