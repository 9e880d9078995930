"""A job is started with an address that is told of its end."""

import io
import re
import struct
import tarfile
import zlib

import pytest

from axe import assert_accessible
from burnd import ROOT, Burnd
from conftest import new_page

HOST = "http://127.0.0.1:9"


def png(level, side=32):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = (b"\0" + bytes([level]) * 3 * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def serve(tmp_path):
    """Starts a service of some settings, with a model and a data set: its start page."""
    archive = tmp_path / "set.tar"
    with tarfile.open(archive, "w") as tar:
        for index in range(10):
            entry = tarfile.TarInfo(f"{index}/0.png")
            content = png(20 * index)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    started = []

    def serve(**settings):
        service = Burnd(**settings)
        started.append(service)
        model = service.upload("models", ROOT / "architectures/small_cnn.pt2", "small_cnn.pt2")
        dataset = service.upload("datasets", archive, "set.tar")
        return service, f"/start?model={model}&dataset={dataset}"

    yield serve
    for service in started:
        service.remove()


def test_a_service_without_hosts_says_so_before_and_beside_the_field(browser, serve):
    service, path = serve()
    page = new_page(browser, service.address)
    page.watch.expect("422")
    page.visit(path)
    page.get_by_text("More options").click()
    page.get_by_text("This service sends none: no hosts are configured").wait_for()
    page.get_by_label("Webhook").fill("https://hooks.example.org/burn")
    page.get_by_role("button", name="Start the job").click()
    field = page.locator(".field", has=page.get_by_label("Webhook"))
    field.get_by_role("alert").get_by_text("This service sends no webhooks").wait_for()
    assert page.get_by_role("alert").count() == 1
    page.get_by_label("Webhook").fill("")
    page.get_by_role("button", name="Start the job").click()
    page.wait_for_url(re.compile(r"#/jobs/job_\w+/progress$"))
    page.watch.check()
    page.context.close()


def test_a_refused_address_is_told_beside_the_field_and_a_right_one_is_taken(browser, serve, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=\n")
    secret.chmod(0o600)
    service, path = serve(webhooks_hosts=HOST, webhooks_secret_file=secret)
    page = new_page(browser, service.address)
    page.watch.expect("422")
    page.watch.expect("400")
    page.visit(path)
    page.get_by_text("More options").click()
    page.get_by_text(f"Hosts that may be: {HOST}.").wait_for()
    webhook = page.get_by_label("Webhook")
    field = page.locator(".field", has=webhook)
    for address, title in [
        ("https://elsewhere.example.org/x", "Webhooks are not sent to this host"),
        ("no address", "The webhook's address is not valid"),
    ]:
        webhook.fill(address)
        # Folded away, it opens for what is wrong in it.
        page.get_by_text("More options").click()
        page.get_by_role("button", name="Start the job").click()
        field.get_by_role("alert").get_by_text(title).wait_for()
        assert page.get_by_role("alert").count() == 1
        assert webhook.get_attribute("aria-invalid") == "true" and webhook.evaluate("one => one === document.activeElement")
        assert "What to do:" in field.inner_text()
        assert_accessible(page)
    webhook.fill(HOST + "/burn")
    assert page.get_by_role("alert").count() == 0 and webhook.get_attribute("aria-invalid") is None
    page.get_by_role("button", name="Start the job").click()
    page.wait_for_url(re.compile(r"#/jobs/job_\w+/progress$"))
    job = service.get(f"/v1/jobs/{page.url.split('/')[-2]}")
    assert job["webhook"]["host"] == HOST
    page.watch.check()
    page.context.close()


def test_what_the_page_itself_refuses_stands_beside_its_field(browser, serve):
    service, path = serve()
    page = new_page(browser, service.address)
    page.watch.expect("422")
    page.visit(path)
    page.get_by_text("More options").click()
    page.get_by_label("Refinement rounds").fill("99")
    page.get_by_role("button", name="Start the job").click()
    page.locator(".field", has=page.get_by_label("Refinement rounds")).get_by_role("alert").wait_for()
    page.get_by_label("Refinement rounds").fill("1")
    page.get_by_label("How the model sees pixels").select_option(label="MNIST")
    page.get_by_role("button", name="Start the job").click()
    # The mean of a preset has no field of its own.
    preset = page.locator(".field", has=page.get_by_label("How the model sees pixels"))
    preset.get_by_role("alert").get_by_text("/options/input/mean").wait_for()
    page.watch.check()
    page.context.close()
