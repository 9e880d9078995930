"""axe-core on a page."""

from axe_playwright_python.sync_playwright import Axe

# What axe calls serious or critical must not be there; WCAG 2.2 at level AA.
OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def assert_accessible(page):
    results = Axe().run(page, options=OPTIONS).response
    found = [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['failureSummary']}"
        for rule in results["violations"] if rule["impact"] in ("serious", "critical", "moderate")
        for node in rule["nodes"][:3]
    ]
    assert not found, "\n".join(found)
    assert len(results["passes"]) > 10
