"""A dashboard below a path of its host."""

import pytest

from burnd import ROOT, Burnd
from conftest import new_page


@pytest.fixture(scope="module")
def below():
    service = Burnd(base_path="/tools/burn")
    yield service
    service.remove()


def test_all_that_it_loads_and_sends_is_below_the_path(browser, below):
    # The page's own watch takes every address that does not begin so for a foreign one.
    address = below.address + "/tools/burn"
    page = new_page(browser, address)
    page.goto(f"{address}/#/jobs")
    page.get_by_text("No jobs yet").wait_for()
    page.visit("/system")
    page.get_by_role("heading", name="System").wait_for()
    page.visit("/start")
    model = ROOT / "architectures/small_cnn.pt2"
    panel = page.get_by_role("region", name="Model", exact=True)
    panel.get_by_label("Drop a file here, or choose one").set_input_files(model)
    panel.get_by_text("verified in this browser").wait_for()
    listed = below.get("/v1/models")["items"]
    assert [entry["name"] for entry in listed] == [model.name]
    page.visit(f"/models/{listed[0]['id']}")
    page.get_by_role("heading", name=model.name).wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == model.name
    page.watch.check()
    page.context.close()
