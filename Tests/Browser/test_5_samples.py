"""The grid of samples: order, filters, a close look, judgements by hand, export."""

import csv
import io

import pytest

from axe import assert_accessible


def grid(page):
    return page.get_by_role("listbox", name="Samples")


def open_samples(page, job, query=""):
    page.visit(f"/jobs/{job['id']}/samples{query}")
    grid(page).get_by_role("option").first.wait_for()


def test_pictures_come_and_the_order_is_the_services(page, job, service, screenshot):
    open_samples(page, job)
    wanted = service.get(f"/v1/jobs/{job['id']}/samples?sort=-score&limit=5")["items"]
    for place, sample in enumerate(wanted):
        label = grid(page).get_by_role("option").nth(place).get_attribute("aria-label")
        assert sample["name"] in label and ("flagged" in label) == sample["flagged"]
    picture = grid(page).locator(".tile img[src^='blob:']").first
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    page.get_by_label("Order").select_option("boundary_distance")
    nearest = service.get(f"/v1/jobs/{job['id']}/samples?sort=boundary_distance&limit=1")["items"][0]
    grid(page).get_by_role("option", name=nearest["name"]).wait_for()
    page.get_by_label("Show").select_option("true")
    flagged = service.get(f"/v1/jobs/{job['id']}/samples?flagged=true&limit=1000")["items"]
    page.get_by_text(f"{len(flagged)} samples", exact=True).wait_for()
    assert "flagged=true" in page.url and "sort=boundary_distance" in page.url


def test_a_sample_is_looked_at_closely_and_judged(page, job, service, screenshot):
    open_samples(page, job, "?flagged=true&sort=-score")
    options = grid(page).get_by_role("option")
    grid(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    panel = page.get_by_role("complementary", name="The chosen sample")
    sample = service.get(f"/v1/jobs/{job['id']}/samples?flagged=true&sort=-score&limit=2")["items"][1]
    panel.get_by_role("heading", name=f"Sample {sample['index']}").wait_for()
    for name in ("Original", "Change", "Changed"):
        image = panel.get_by_role("img", name=f"{name}.")
        image.wait_for(timeout=120_000)
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    panel.get_by_text("Amplified").wait_for()
    assert_accessible(page)

    def stored(index):
        return service.get(f"/v1/jobs/{job['id']}/samples/{index}")["review"]

    page.keyboard.press("c")
    options.nth(1).get_by_text("clean").wait_for()
    assert stored(sample["index"])["decision"] == "reject"
    panel.get_by_label("Poisoned; its true class is").select_option("2")
    panel.get_by_role("button", name="Relabel").click()
    panel.get_by_text("Judged as relabelled: bird").wait_for()
    assert stored(sample["index"]) == {"decision": "relabel", "label": 2}
    screenshot("samples")
    panel.get_by_role("button", name="Relabel").click()
    panel.get_by_text("Not judged yet").wait_for()
    assert stored(sample["index"]) is None


def test_a_selection_is_judged_exported_and_purified_with(page, job, service):
    open_samples(page, job, "?flagged=true&sort=-score")
    options = grid(page).get_by_role("option")
    options.nth(0).click()
    options.nth(3).click(modifiers=["Shift"])
    page.get_by_text("4 selected").wait_for()
    options.nth(2).click(modifiers=["Control"])
    page.get_by_text("3 selected").wait_for()
    bar = page.get_by_role("region", name="Selection and reviews")
    bar.get_by_role("button", name="Poisoned").click()
    bar.get_by_text("3 samples reviewed by hand").wait_for()
    with page.expect_download() as download:
        bar.get_by_role("button", name="Export as CSV").click()
    rows = list(csv.DictReader(io.StringIO(open(download.value.path(), newline="").read())))
    wanted = service.get(f"/v1/jobs/{job['id']}/samples?flagged=true&sort=-score&limit=4")["items"]
    assert [int(row["index"]) for row in rows] == [wanted[place]["index"] for place in (0, 1, 3)]
    assert all(row["review"] == "accept" and row["given_name"] == "ship" for row in rows)

    page.get_by_label("Reviewed", exact=True).select_option("true")
    page.get_by_text("3 samples", exact=True).wait_for()
    bar.get_by_role("link", name="Purify with these reviews").click()
    page.get_by_text("follows the reviews by hand of job").wait_for()
    page.get_by_text("308,394 parameters").wait_for()
    page.get_by_role("button", name="Start the job").click()
    page.wait_for_url(lambda url: url.endswith("/progress"))
    other = page.url.split("/")[-2]
    assert service.get(f"/v1/jobs/{other}")["reviews_of"] == job["id"]
    service.request("POST", f"/v1/jobs/{other}/cancel")
    service.ended(other, 300)


@pytest.mark.parametrize("query", ["?class=8&flagged=false", "?predicted=3", "?restored=8", "?reviewed=false"])
def test_filters_are_the_services(page, job, service, query):
    open_samples(page, job, query)
    first = service.get(f"/v1/jobs/{job['id']}/samples{query}&sort=-score&limit=1")["items"][0]
    grid(page).get_by_role("option", name=first["name"]).wait_for()
