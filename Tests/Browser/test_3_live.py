"""A running job, followed live, also over a restart of the service."""

import pytest

from axe import assert_accessible
from conftest import PATIENCE

TOLD = ("state", "phase", "preliminary", "verdict", "metrics")


def test_a_running_job_is_followed_over_a_restart(page, service, state, screenshot):
    if state.job is None:
        pytest.skip("no job was started: run the whole folder")
    for text in ("ERR_", "503", "502"):
        page.watch.expect(text)
    page.visit(f"/jobs/{state.job}/progress")
    link = page.locator(".link-state")
    link.get_by_text("Live").wait_for()
    phases = page.get_by_role("list", name="Phases")
    # The verdict comes while the page is open.
    page.get_by_role("log").get_by_text("Boundary analysis finished").wait_for(timeout=PATIENCE * 1000)
    page.get_by_role("log").get_by_text("Verdict so far: backdoored, into ship").wait_for(timeout=PATIENCE * 1000)
    page.get_by_role("log").get_by_text("Detection finished").wait_for(timeout=PATIENCE * 1000)
    assert "Not needed" not in phases.inner_text()
    whole = page.get_by_role("progressbar", name="The whole job")
    before = float(whole.get_attribute("aria-valuenow"))

    service.stop()
    link.get_by_text("Reconnecting").wait_for()
    service.start()
    link.get_by_text("Live").wait_for()
    # It goes on after the last finished phase, and curves of the training come in live.
    page.get_by_role("log").get_by_text("attempt 2").first.wait_for()
    page.get_by_role("img", name="Loss").wait_for(timeout=PATIENCE * 1000)
    assert_accessible(page)
    screenshot("progress")
    page.get_by_text("Job succeeded").wait_for(timeout=PATIENCE * 1000)
    link.get_by_text("Finished").wait_for()
    assert float(whole.get_attribute("aria-valuenow")) == 100 > before

    # Nothing is missing, and nothing came twice.
    shown = page.locator(".log li").evaluate_all("rows => rows.map((row) => Number(row.dataset.event))")
    assert len(set(shown)) == len(shown)
    stored = [event["id"] for event in service.events(state.job, *TOLD)]
    assert set(stored) <= set(shown)


def test_the_list_follows_too(page, service, job, screenshot):
    page.visit("/jobs")
    row = page.locator("tr", has_text=job["id"])
    assert "Succeeded" in row.inner_text() and "Backdoored" in row.inner_text() and "into ship" in row.inner_text()
    assert_accessible(page)
    screenshot("jobs")
    page.get_by_label("Verdict").select_option("clean")
    page.get_by_text("No job matches the filter").wait_for()
    page.get_by_label("Verdict").select_option("backdoored")
    row.wait_for()
    page.get_by_label("Find").fill("no such model")
    page.get_by_text("No job matches the filter").wait_for()
    page.get_by_label("Find").fill(job["id"][-8:])
    row.wait_for()
    # The filter is kept in the address.
    page.reload()
    row.wait_for()
    assert page.get_by_label("Verdict").input_value() == "backdoored"
    # A new job appears by itself.
    page.visit("/jobs")
    # A scan of these few images can end before the button is clicked; a purification takes several times as long.
    status, other = service.post("/v1/jobs", {"type": "purify", "model": job["model"], "dataset": job["dataset"]})
    assert status == 202
    page.locator("tr", has_text=other["id"]).wait_for()
    page.visit(f"/jobs/{other['id']}/progress")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    page.get_by_text("Job cancelled").wait_for(timeout=PATIENCE * 1000)
    # What the page has not been told yet is not asked for once the job is gone.
    held = []
    page.route("**/curves", lambda route: held.append(route))
    page.reload()
    page.get_by_text("Training curves").wait_for()
    while not held:
        page.wait_for_timeout(50)

    def remove(route):
        answer = route.fetch()
        for request in held:
            request.continue_()
        page.wait_for_timeout(500)
        route.fulfill(response=answer)

    page.route(f"**/v1/jobs/{other['id']}", lambda route: remove(route) if route.request.method == "DELETE"
               else route.continue_())
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_role("heading", name="Jobs", exact=True).wait_for()
    assert service.request("GET", f"/v1/jobs/{other['id']}")[0] == 410
