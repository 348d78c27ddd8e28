"""A browser, and the page of a small model in it, sent by the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from export.page.document import page_for
from export.serving.local_server import LocalServer
from tests.export.page.browser import Page, chromium, opened
from tests.export.page.small_model import write_small_model
from tests.exported import CHARACTERS, MAX_LENGTH, export_tiny
from tests.local_servers import running
from tests.made_once import MadeOnce
from tests.models import LEAST_FIELDS

# What follows a step depends on it.
TEXT = {**LEAST_FIELDS, "time": "af"}
MUSIC = {**TEXT, "emission": "bernoulli", "vocab_size": 88}


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    folders = (tmp_path_factory.mktemp(name) for name in ("profile", "downloads"))
    try:
        with chromium(*folders) as browser:
            yield browser
    except FileNotFoundError as error:
        pytest.skip(str(error))


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
