"""A browser, and the page of a small model in it, sent by the real server."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from export.page.document import page_for
from export.serving.local_server import LocalServer
from tests.export.page.small_model import write_small_model
from tests.exported import CHARACTERS, MAX_LENGTH, export_tiny
from tests.local_servers import running
from tests.made_once import MadeOnce
from tests.models import LEAST_FIELDS
from tests.served import PATIENCE

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--autoplay-policy=no-user-gesture-required", "--window-size=1400,1000"),
)
# What follows a step depends on it.
TEXT = {**LEAST_FIELDS, "time": "af"}
MUSIC = {**TEXT, "emission": "bernoulli", "vocab_size": 88}


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


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("there is no Chromium with chromedriver: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    downloads = {"download.default_directory": str(tmp_path_factory.mktemp("downloads"))}
    options.add_experimental_option("prefs", downloads)
    browser = webdriver.Chrome(options, Service(driver))
    browser.downloads = Path(downloads["download.default_directory"])
    yield browser
    browser.quit()


@pytest.fixture(
    scope="package", params=["small", pytest.param("exported", marks=pytest.mark.nightly)]
)
def text_model(
    browser: webdriver.Chrome, request: pytest.FixtureRequest, made_once: MadeOnce
) -> Path:
    """One that is quick to write; at night one that was exported."""
    if request.param == "small":
        return made_once("small/text", lambda base: write_small_model(base, CHARACTERS, MAX_LENGTH))
    return made_once("exported/text", lambda base: export_tiny(base, "af-only", **TEXT))


@pytest.fixture
def page_file(browser: webdriver.Chrome, tmp_path: Path) -> Page:
    """The page as a file, which knows no model."""
    file = tmp_path / "page.html"
    file.write_bytes(page_for("").html)
    page = Page(browser)
    page.browser.get("about:blank")
    page.browser.get(file.as_uri())
    page.complaints()
    return page


@pytest.fixture(scope="package")
def text_server(text_model: Path) -> Iterator[LocalServer]:
    with running(text_model) as server:
        yield server


@pytest.fixture(scope="module")
def open_server(text_model: Path) -> Iterator[LocalServer]:
    """One that any page may ask."""
    with running(text_model, cors_origins=["*"]) as server:
        yield server


@pytest.fixture(scope="module")
def music_server(
    browser: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalServer]:
    base = tmp_path_factory.mktemp("models") / "music"
    with running(export_tiny(base, "af-only", **MUSIC).parent) as server:
        yield server


@pytest.fixture
def text_page(browser: webdriver.Chrome, text_server: LocalServer) -> Page:
    return opened(browser, text_server)


@pytest.fixture
def music_page(browser: webdriver.Chrome, music_server: LocalServer) -> Page:
    return opened(browser, music_server)


def opened(browser: webdriver.Chrome, server: LocalServer) -> Page:
    page = Page(browser)
    page.complaints()
    page.open(server.page_url)
    return page
