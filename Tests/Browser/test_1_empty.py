"""A service with nothing in it, and what is served at all."""

import os

import pytest

from axe import assert_accessible

new_service = pytest.mark.skipif("BURN_BROWSER_DATA" in os.environ, reason="the service is not empty")


@new_service
def test_an_empty_service_says_what_to_do(page):
    page.visit("/jobs")
    page.get_by_text("No jobs yet").wait_for()
    assert_accessible(page)
    page.visit("/inputs")
    page.get_by_text("No models yet").wait_for()
    page.get_by_text("No data sets yet").wait_for()
    page.visit("/compare")
    page.get_by_text("No jobs are chosen").wait_for()


def test_unknown_pages_and_jobs_are_told(page):
    page.visit("/nothing")
    page.get_by_role("heading", name="There is no such page").wait_for()
    page.watch.expect("404")
    page.visit("/jobs/job_unknown")
    page.get_by_role("alert").get_by_text("What to do").or_(page.get_by_role("alert")).first.wait_for()
    assert "job" in page.get_by_role("alert").inner_text().lower()
    page.visit("/jobs/..%2f..%2fetc")
    page.get_by_role("heading", name="There is no such page").wait_for()


def test_the_first_page_is_small_and_kept(page, service):
    sizes = {}

    def took(request):
        sizes[request.url] = sum(request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))

    page.on("requestfinished", took)
    page.visit("/jobs")
    total = sum(sizes.values())
    print(f"first page: {total / 1000:.1f} kB in {len(sizes)} requests")
    assert total < 200_000
    again = {}
    page.on("request", lambda request: again.setdefault(request.url, request))
    page.reload()
    page.wait_for_load_state("networkidle")
    scripts = [request for url, request in again.items() if "/assets/" in url]
    assert scripts and all(request.response().from_service_worker or request.sizes()["responseBodySize"] == 0
                           or request.response().status in (200, 304) for request in scripts)


def test_light_and_dark_are_chosen_and_remembered(page):
    page.visit("/jobs")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Change to dark colours").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    page.reload()
    page.get_by_role("button", name="Change to light colours").wait_for()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
