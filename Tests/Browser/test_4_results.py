"""The results of a finished purification."""

import hashlib

from axe import assert_accessible


def test_the_verdict_comes_first_and_in_words(page, job, screenshot):
    page.visit(f"/jobs/{job['id']}")
    page.get_by_role("heading", name="This model carries a backdoor.").wait_for()
    text = page.locator("main").inner_text()
    assert "make it answer “ship”" in text and f"{job['verdict']['poisoned_samples']} of 1,000" in text
    assert "What could not have been found" in text and "95 % interval" in text
    for figure in ("Coherence", "Does the estimated trigger work", "ship: boundary distances", "Labels restored",
                   "Where samples tend to"):
        page.get_by_role("img", name=figure).first.wait_for()
    assert_accessible(page)
    screenshot("verdict")
    page.get_by_text("Show the numbers").first.click()
    assert page.get_by_role("cell").count() > 10
    page.get_by_text("All numbers of each class").click()
    assert_accessible(page)


def test_the_report_is_saved(page, job):
    page.visit(f"/jobs/{job['id']}/verdict")
    for kind in ("HTML", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Report ({kind})").click()
        assert download.value.suggested_filename.endswith(kind.lower())


def test_the_estimated_trigger_is_shown(page, job, screenshot):
    page.visit(f"/jobs/{job['id']}/trigger")
    panel = page.get_by_role("region", name="Into “ship”")
    for picture in ("Trigger alone", "A clean image", "With the trigger"):
        image = panel.get_by_role("img", name=picture)
        image.wait_for()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    assert "a random pattern of the same strength" in panel.inner_text()
    assert_accessible(page)
    screenshot("trigger")


def test_before_and_after_with_downloads(page, job, service, screenshot):
    page.visit(f"/jobs/{job['id']}/outcome")
    page.get_by_role("heading", name="The model was purified.").wait_for()
    before, after = job["metrics"]["before"], job["metrics"]["after"]
    table = page.get_by_role("table", name="On the evaluation sets you gave").inner_text()
    for value in (before["acc"], after["acc"], before["asr"], after["asr"], before["ra"], after["ra"]):
        assert f"{value * 100:.1f}" in table or f"{value * 100:.2f}" in table, (value, table)
    for figure in ("Accuracy of each class", "Confusion before", "Confusion after"):
        page.get_by_role("img", name=figure).wait_for()
    assert_accessible(page)
    screenshot("outcome")
    model = service.request("GET", f"/v1/jobs/{job['id']}/model")[1]
    digest = hashlib.sha256(model).hexdigest()
    row = page.get_by_role("row", name="Model The purified model")
    assert digest in row.inner_text()
    with page.expect_download() as download:
        row.get_by_role("button", name="Download").click()
    assert hashlib.sha256(open(download.value.path(), "rb").read()).hexdigest() == digest
    row.get_by_text("SHA-256 verified").wait_for()
    assert download.value.suggested_filename == "model-purified.pt2"


def test_jobs_are_compared(page, job, service, screenshot):
    status, other = service.post("/v1/jobs", {
        "type": "scan", "model": job["model"], "dataset": job["dataset"], "options": {"seed": 11}})
    assert status == 202
    service.request("POST", f"/v1/jobs/{other['id']}/cancel")
    service.ended(other["id"], 300)
    page.visit(f"/compare?jobs={job['id']}")
    page.get_by_role("rowheader", name="Seed").wait_for()
    page.get_by_label("Add a job").select_option(other["id"])
    row = page.get_by_role("row", name="Seed (differs)")
    row.wait_for()
    assert row.get_by_role("cell").all_inner_texts() == [str(job["options"]["seed"]), "11"]
    assert_accessible(page)
    screenshot("compare")
    page.get_by_role("button", name=f"Take {other['id']} out").click()
    row.wait_for(state="hidden")
    service.request("DELETE", f"/v1/jobs/{other['id']}")


def test_models_and_data_sets_show_their_lineage(page, job, service, screenshot):
    page.visit("/inputs")
    assert_accessible(page)
    screenshot("inputs")
    page.get_by_role("region", name="Models", exact=True).locator(f'a[href="#/models/{job["model"]}"]').click()
    lineage = page.get_by_role("region", name="Lineage")
    lineage.get_by_text("Purified by").first.wait_for()
    digest = hashlib.sha256(service.request("GET", f"/v1/jobs/{job['id']}/model")[1]).hexdigest()
    assert digest in lineage.inner_text()
    assert_accessible(page)
    page.get_by_role("region", name="Jobs").get_by_role("link", name=job["id"]).click()
    page.get_by_role("heading", name="This model carries a backdoor.").wait_for()
    page.visit(f"/datasets/{job['dataset']}")
    assert "1,000" in page.get_by_role("region", name="What it is").inner_text()


def test_the_system_page(page, service, screenshot):
    page.visit("/system")
    page.get_by_role("heading", name="The service takes work.").wait_for()
    for panel in ("Disk", "Queue", "Workers", "Devices", "Confinement of workers", "API keys"):
        page.get_by_role("region", name=panel, exact=True).wait_for()
    assert "free of" in page.get_by_role("region", name="Disk").inner_text()
    assert_accessible(page)
    screenshot("system")
