"""By keyboard, on a phone, in the dark."""

import pytest

from axe import assert_accessible
from conftest import new_page

PAGES = ["/jobs", "/start", "/jobs/{id}/progress", "/jobs/{id}/verdict", "/jobs/{id}/samples", "/jobs/{id}/trigger",
         "/jobs/{id}/outcome", "/compare?jobs={id}", "/inputs", "/models/{model}", "/datasets/{dataset}", "/system"]

# Everything that takes part in the order of the Tab key.
REACHABLE = """() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')].filter(
    (element) => !element.disabled && element.checkVisibility({ visibilityProperty: true })
      && !(element.type === 'radio' && !element.checked)).length"""
FOCUSED = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    window.seen ??= new Map();
    if (!window.seen.has(element)) window.seen.set(element, window.seen.size);
    const style = getComputedStyle(element);
    const inside = element.closest('.grid-view');
    return { number: window.seen.get(element), tag: element.tagName, text: element.textContent.slice(0, 40),
      visible: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, inside: Boolean(inside) };
}"""


@pytest.mark.parametrize("path", PAGES)
def test_every_control_is_reached_by_tab_and_shows_it(page, job, path):
    page.visit(path.format(**job))
    page.wait_for_timeout(300)
    wanted = page.evaluate(REACHABLE)
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(wanted + 10):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        if focused["number"] in reached:
            break
        reached.add(focused["number"])
        assert focused["visible"], focused
    assert len(reached) >= wanted, f"{len(reached)} of {wanted}"


def test_the_skip_link_leads_to_the_content(page):
    page.visit("/jobs")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url.endswith("#/jobs")


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_in_the_dark(browser, service, job, path):
    page = new_page(browser, service.address, viewport={"width": 375, "height": 700}, color_scheme="dark")
    page.visit(path.format(**job))
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    wide = page.evaluate("""() => [...document.querySelectorAll('main *')].filter((element) => !element.closest(
        '.scroll-x, .tabs, .grid-view, .hidden-text, svg, thead') && element.getBoundingClientRect().right > 376)
        .map((element) => element.outerHTML.slice(0, 100))""")
    assert wide == []
    assert_accessible(page)
    page.watch.check()
    page.context.close()
