"""The page in a real browser, as someone uses it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from export.serving.local_server import LocalServer
from tests.served import PATIENCE

__all__ = ["Page", "chromium", "opened"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--autoplay-policy=no-user-gesture-required", "--window-size=1400,1000"),
)


class Page:
    """The page in a browser, as someone uses it."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def open(self, url: str) -> None:
        self.browser.get(url)
        self.until(lambda: self.find("#main").is_displayed())

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).get_property("textContent")

    def run(self, script: str, *arguments: object) -> object:
        return self.browser.execute_script(script, *arguments)

    def until(self, holds: Callable[[], object]) -> object:
        """What first holds, asked again and again."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := holds():
                return found
            time.sleep(0.02)
        raise TimeoutError(self.run("return document.body.innerText"))

    def tab(self, panel: str) -> None:
        self.find(f"#tab-{panel}").click()

    def go(self, panel: str) -> str:
        """Presses the button of a panel; what the panel says once it is done."""
        self.find(f"#{panel} .go").click()
        return self.done(panel)

    def done(self, panel: str) -> str:
        self.until(lambda: not self.find(f"#{panel} .stop").is_displayed())
        return self.text(f"#{panel} .status")

    def downloaded(self, name: str) -> Path:
        """A file that the page has given, once it is whole: before, its name is reserved."""
        file = self.browser.downloads / name
        self.until(lambda: file.exists() and file.stat().st_size)
        return file

    def set_range(self, selector: str, value: float) -> None:
        self.run(
            "setRange(document.querySelector(arguments[0]), {value: arguments[1]})", selector, value
        )

    @contextmanager
    def screen(self, width: int) -> Iterator[None]:
        """A screen of this width, for a while."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        try:
            yield
        finally:
            self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def overflow(self) -> int:
        """By how much the page is wider than the screen."""
        return self.run("return document.documentElement.scrollWidth - innerWidth")

    def complaints(self) -> list[str]:
        """What the browser has to complain of, since it was asked last."""
        return [entry["message"] for entry in self.browser.get_log("browser")]


@contextmanager
def chromium(profile: Path, downloads: Path) -> Iterator[webdriver.Chrome]:
    """A browser with new folders of these paths.

    Raises:
      FileNotFoundError: It is not installed.
    """
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        raise FileNotFoundError("no Chromium with chromedriver: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    browser = webdriver.Chrome(options, Service(driver))
    browser.downloads = downloads
    try:
        yield browser
    finally:
        browser.quit()


def opened(browser: webdriver.Chrome, server: LocalServer) -> Page:
    page = Page(browser)
    page.complaints()
    page.open(server.page_url)
    return page
