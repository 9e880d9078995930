"""What the tests of the dashboard share: one service, one browser, one job.

The files run in order: the job that one starts in the browser is the one that later ones look at.
  BURN_BIN           the folder of the built programs (default: .build/debug)
  BURN_PYTHON        a Python with numpy and pillow, BURN_SHARED the real cases
  BURN_CHROMIUM      the browser (default: chromium)
  BURN_SCREENSHOTS   the folder for pictures of every page (default: .cache/screenshots)
  BURN_BROWSER_DATA  a data folder with a finished purification, instead of a new one
"""

import os
import pathlib
import shutil

import pytest
from playwright.sync_api import sync_playwright

from burnd import ROOT, Burnd
from case import Case, shared_folder

# A job of seconds takes minutes on a machine that is shared with others.
PATIENCE = int(os.environ.get("BURN_BROWSER_PATIENCE", "900"))


@pytest.fixture(scope="session")
def case():
    shared = shared_folder()
    if shared is None:
        pytest.skip("no real cases: set BURN_SHARED, and BURN_PYTHON with numpy and pillow")
    return Case(shared)


@pytest.fixture(scope="session")
def service():
    service = Burnd(data=os.environ.get("BURN_BROWSER_DATA"))
    yield service
    service.remove()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        program = shutil.which(os.environ.get("BURN_CHROMIUM", "chromium"))
        # Root, as in containers, has no browser sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


class Watch:
    """What a page must not do: complain, or ask another host."""

    def __init__(self, page, address):
        self.complaints, self.foreign, self.expected = [], [], []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._request(request.url, address))

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, url, address):
        if not url.startswith((address + "/", f"blob:{address}/", "data:")):
            self.foreign.append(url)

    def expect(self, text):
        """A failed request that the test provokes is reported by the browser itself."""
        self.expected.append(text)

    def check(self):
        unexpected = [line for line in self.complaints if not any(text in line for text in self.expected)]
        assert not unexpected, unexpected
        assert not self.foreign, self.foreign


def new_page(browser, address, **options):
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", **options})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.watch = Watch(page, address)
    page.visit = lambda path: visit(page, address, path)
    return page


def visit(page, address, path):
    page.goto(f"{address}/#{path}")
    page.locator("main h1").first.wait_for()
    page.wait_for_load_state("networkidle") if "progress" not in path else page.wait_for_timeout(500)


@pytest.fixture
def page(browser, service):
    page = new_page(browser, service.address)
    yield page
    page.watch.check()
    page.context.close()


class State:
    job = None


@pytest.fixture(scope="session")
def state():
    return State()


@pytest.fixture(scope="session")
def job(service, state):
    """A purification that has succeeded."""
    if os.environ.get("BURN_BROWSER_DATA"):
        jobs = service.get("/v1/jobs?state=succeeded&type=purify")["items"]
        return next(job for job in jobs if job["model_changed"])
    if state.job is None:
        pytest.skip("no job was started: run the whole folder")
    job = service.ended(state.job, PATIENCE)
    assert job["state"] == "succeeded", job["error"]
    return job


@pytest.fixture
def screenshot(page):
    folder = pathlib.Path(os.environ.get("BURN_SCREENSHOTS", ROOT / ".cache/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)

    def take(name):
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=folder / f"dashboard-{name}.png")

    return take
