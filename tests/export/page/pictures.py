"""Takes the pictures in docs/PAGE.md anew: `python -m tests.export.page.pictures`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from export.saving.cached_export import cached_export
from tests.export.page.browser import Page, chromium, opened
from tests.local_servers import running
from tests.paths import ROOT
from tf_latentflow.pretrained.names import find_pretrained

__all__ = ["main"]

SURPRISING = (
    "The optional argument is a list of the names, which the interpreter looks up when the "
    "statement is executed.\nZebras quarrel with xylophones!"
)


def main() -> None:
    """Writes docs/pictures/page_noise.png, page_surprise.png and page_music.png."""
    with tempfile.TemporaryDirectory() as folder:
        folders = (Path(folder) / name for name in ("profile", "downloads"))
        with chromium(*folders) as browser:
            with page_of("python-reference", browser) as page:
                surprise(page)
                noise(page)
            with page_of("chorales", browser) as page:
                music(page)


@contextmanager
def page_of(name: str, browser: webdriver.Chrome) -> Iterator[Page]:
    """The page of a pretrained model."""
    with running(cached_export(find_pretrained(name), print)) as server:
        page = opened(browser, server)
        with page.screen(1100):
            yield page


def surprise(page: Page) -> None:
    page.tab("surprise")
    page.run("document.getElementById('surprise-text').value = arguments[0]", SURPRISING)
    page.go("surprise")
    save(page, "surprise")


def noise(page: Page) -> None:
    """The first number of step 5 is dragged."""
    page.tab("noise")
    page.go("noise")
    page.all("#noise-characters button")[0].send_keys(*[Keys.ARROW_RIGHT] * 4)
    page.set_range("#noise-slider-0", -2)
    page.until(lambda: "changed" in page.done("noise"))
    save(page, "noise")


def music(page: Page) -> None:
    """A sample of the model goes on for 24 steps after its first 48."""
    pieces = ROOT / "tf_latentflow/pretrained/models/chorales/samples"
    page.tab("file")
    page.find("#file-source-file").send_keys(str(pieces / "final-0.mid"))
    page.until(lambda: "notes" in page.text("#file-source"))
    page.set_range("#file-source-steps", 48)
    page.set_range("#file-more", 24)
    page.go("file")
    save(page, "music")


def save(page: Page, name: str) -> None:
    """Writes a picture of the whole page."""
    height = page.run("return Math.ceil(document.body.getBoundingClientRect().bottom) + 16")
    size = {"width": 1100, "height": height, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.browser.save_screenshot(str(ROOT / f"docs/pictures/page_{name}.png"))


if __name__ == "__main__":
    main()
