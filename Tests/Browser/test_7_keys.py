"""A service that asks for an API key."""

import pytest

from axe import assert_accessible
from conftest import new_page


@pytest.fixture(scope="module")
def token(service, job):
    return service.command("keys", "create", "browser", "--scope", "admin")


def test_a_key_is_asked_for_and_used_everywhere(browser, service, job, token):
    page = new_page(browser, service.address)
    page.watch.expect("401")
    page.goto(f"{service.address}/#/jobs/{job['id']}/verdict")
    dialog = page.get_by_role("dialog", name="This service asks for an API key")
    dialog.wait_for()
    assert_accessible(page)
    dialog.get_by_label("API key").fill("burn_wrong")
    dialog.get_by_role("button", name="Sign in").click()
    dialog.get_by_text("not one of BURN's").or_(dialog.get_by_text("oken")).first.wait_for()
    dialog.get_by_label("API key").fill(token)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="This model carries a backdoor.").wait_for()
    # Images and streams carry it too.
    page.goto(f"{service.address}/#/jobs/{job['id']}/samples")
    page.locator(".tile img[src^='blob:']").first.wait_for()
    status, running = service.request(
        "POST", "/v1/jobs", f'{{"type": "scan", "model": "{job["model"]}", "dataset": "{job["dataset"]}"}}',
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
    assert status == 202
    page.goto(f"{service.address}/#/jobs/{running['id']}/progress")
    page.locator(".link-state").get_by_text("Live").wait_for()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    page.goto(f"{service.address}/#/system")
    keys = page.get_by_role("region", name="API keys")
    keys.get_by_text("browser").first.wait_for()
    assert token not in page.content()
    # It is this tab's alone.
    assert page.evaluate("Object.values(localStorage).join()").count("burn") == 0
    page.get_by_role("button", name="Sign out").click()
    dialog.wait_for()
    page.watch.check()
    page.context.close()
