"""A job is started in the browser: uploads, wrong files, options."""

import base64
import pathlib
import re

from axe import assert_accessible


def panel(page, name):
    return page.get_by_role("region", name=name, exact=True)


def test_a_wrong_file_is_refused_with_what_to_do(page, tmp_path):
    page.visit("/start")
    page.watch.expect("415")
    page.watch.expect("422")
    page.watch.expect("400")
    wrong = tmp_path / "<img src=x onerror=alert(1)>.pt2"
    wrong.write_bytes(b"this is no model" * 10)
    panel(page, "Model").get_by_label("Drop a file here, or choose one").set_input_files(wrong)
    alert = panel(page, "Model").get_by_role("alert")
    alert.wait_for()
    assert "What to do:" in alert.inner_text()
    # The name is text, whatever it looks like.
    assert panel(page, "Model").get_by_text("<img src=x").count() == 1
    assert panel(page, "Model").locator("img").count() == 0
    page.get_by_role("button", name="Start the job").click()
    page.get_by_text("No model is chosen").wait_for()


def test_test_images_are_added(page, case):
    page.visit("/inputs")
    field = panel(page, "Add a data set").get_by_label("Drop a file here, or choose one")
    for file in (case.clean, case.triggered):
        field.set_input_files(file)
        added = panel(page, "Add a data set")
        added.locator("p", has_text=file.name).wait_for()
        added.get_by_text("verified in this browser").wait_for()
        assert file.name in added.inner_text()
        page.get_by_role("link", name=file.name).first.wait_for()


def test_a_purification_is_started(page, case, service, state, screenshot):
    page.visit("/start?type=purify")
    pieces = []
    page.on("request", lambda request: pieces.append(request.url) if request.method == "PATCH" else None)
    panel(page, "Model").get_by_label("Drop a file here, or choose one").set_input_files(case.model)
    panel(page, "Model").get_by_text("308,394 parameters").wait_for()
    drop(page, panel(page, "Training data").locator(".drop"), case.training)
    panel(page, "Training data").get_by_text("1,000 images").wait_for()
    assert "verified in this browser" in panel(page, "Training data").inner_text()
    assert len(pieces) >= 3, "the archive goes up in pieces"
    page.get_by_text("Test images and trusted images").click()
    page.get_by_label("Clean test images").select_option(label=case.clean.name)
    page.get_by_label("Test images with the trigger").select_option(label=case.triggered.name)
    page.get_by_label("Target class").fill("8")
    page.get_by_label("Trusted images").select_option(label=case.clean.name)
    page.get_by_text("More options").click()
    page.get_by_label("Refinement rounds").fill("99")
    page.get_by_role("button", name="Start the job").click()
    page.get_by_text("It is a whole number from 0 to 20.").wait_for()
    page.get_by_label("Refinement rounds").fill("1")
    page.get_by_label("Seed").fill("3")
    assert_accessible(page)
    screenshot("start")
    page.get_by_role("button", name="Start the job").click()
    page.wait_for_url(re.compile(r"#/jobs/job_\w+/progress$"))
    state.job = page.url.split("/")[-2]
    job = service.get(f"/v1/jobs/{state.job}")
    assert job["options"]["rounds"] == 1 and job["options"]["seed"] == 3 and job["evaluation"]["target_class"] == 8
    assert job["options"]["trusted"] == job["evaluation"]["clean"]


def drop(page, target, file):
    """Drops a file as a mouse does."""
    data = page.evaluate_handle("() => new DataTransfer()")
    content = pathlib.Path(file).read_bytes()
    # Long strings are slow to pass: the trailing zeros are made in the page.
    body = content.rstrip(b"\0")
    page.evaluate(
        """([data, text, zeros, name]) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            data.items.add(new File([bytes, new Uint8Array(zeros)], name));
        }""",
        [data, base64.b64encode(body).decode(), len(content) - len(body), pathlib.Path(file).name])
    target.dispatch_event("dragover", {"dataTransfer": data})
    target.dispatch_event("drop", {"dataTransfer": data})
