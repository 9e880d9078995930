"""How fast the samples page is: time to the first grid, and of the frames while it is scrolled.

    python measure_samples.py http://127.0.0.1:8080 JOB

measures a job of a service that runs (without a key). Frames are counted by requestAnimationFrame: 60 a second are
one each 16.7 ms; headless Chromium draws in software.
"""

import json
import shutil
import sys

# Scrolls for five seconds, as fast as a wheel that is turned without a pause, then jumps to the end.
SCROLL = """async (box) => {
    const frames = [];
    const begun = performance.now();
    let last = begun;
    await new Promise((resolve) => {
        const step = (now) => {
            frames.push(now - last);
            last = now;
            box.scrollTop += 40;
            if (now - begun < 5000) requestAnimationFrame(step); else resolve();
        };
        requestAnimationFrame(step);
    });
    return frames.slice(2);
}"""
FIRST = """() => new Promise((resolve) => {
    const begun = performance.now();
    location.hash = location.hash.replace('/progress', '/samples');
    const look = () => {
        const tiles = [...document.querySelectorAll('.tile:not(.blank)')].filter((tile) => tile.textContent.length > 3);
        if (tiles.length < 20) { requestAnimationFrame(look); return; }
        const grid = performance.now() - begun;
        const pictures = () => {
            const view = document.querySelector('.grid-view').getBoundingClientRect();
            const open = [...document.querySelectorAll('.tile:not(.blank)')].filter((tile) => {
                const box = tile.getBoundingClientRect();
                return box.top < view.bottom && box.bottom > view.top && !tile.querySelector('img').complete;
            });
            const none = document.querySelector('.tile:not(.blank) img:not([src])');
            if (open.length || none) { requestAnimationFrame(pictures); return; }
            resolve([grid, performance.now() - begun]);
        };
        pictures();
    };
    look();
})"""


def measure(page, address, job):
    page.goto(f"{address}/#/jobs/{job}/progress")
    page.locator("main h1").first.wait_for()
    page.wait_for_timeout(1000)
    grid_ms, pictures_ms = page.evaluate(FIRST)
    box = page.get_by_role("listbox", name="Samples")
    frames = sorted(box.evaluate(SCROLL))
    box.evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
    last = page.locator(".tile:not(.blank)", has_not_text="…").last
    page.wait_for_timeout(500)
    last.wait_for(timeout=120_000)
    samples = int(last.get_attribute("aria-setsize"))
    return {
        "samples": samples, "first_grid_ms": round(grid_ms), "first_pictures_ms": round(pictures_ms),
        "frames": len(frames), "frames_per_second": round(1000 * len(frames) / sum(frames), 1),
        "median_frame_ms": round(frames[len(frames) // 2], 1),
        "p95_frame_ms": round(frames[int(len(frames) * 0.95)], 1), "longest_frame_ms": round(frames[-1], 1),
        "elements": page.evaluate("document.querySelectorAll('*').length"),
    }


def main():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        print(json.dumps(measure(page, sys.argv[1], sys.argv[2]), indent=2))
        browser.close()


if __name__ == "__main__":
    main()
