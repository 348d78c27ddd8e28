"""Addresses that users give to the page as a file, and what it says of those that do not work."""

from __future__ import annotations

import pytest

from export.serving.local_server import LocalServer
from tests.export.page.browser import Page


def connect(page: Page, entered: str) -> str:
    """Gives an address; what the page says of it."""
    page.run("document.getElementById('url').value = arguments[0]", entered)
    page.find("#connect button").click()
    page.until(lambda: "Looking" not in page.text("#connection"))
    return page.text("#connection")


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("", "Give the address of a model"),
        ("foo", "“foo” is no address."),
        ("ftp://a/v1/models/b", "“ftp://a/v1/models/b” is no address."),
        ("http://[", "“http://[” is no address."),
        ("localhost:8501", "Its address is like http://localhost:8501/v1/models/NAME."),
        ("http://a:1/v1/models/", "Its address is like http://a:1/v1/models/NAME."),
    ],
)
def test_what_is_no_address_is_not_asked(page_file: Page, entered: str, said: str) -> None:
    assert said in connect(page_file, entered)
    assert page_file.find("#connect").is_displayed() and not page_file.complaints()


def test_why_a_server_cannot_be_asked_is_said(page_file: Page, text_server: LocalServer) -> None:
    url = text_server.rest_url
    said = connect(page_file, url)  # It lets no other page ask.
    assert (
        f"The server at {url} does not let this page ask." in said and "--cors-origin '*'" in said
    )
    grpc = f"http://{text_server.grpc_target}/v1/models/a"
    said = connect(page_file, grpc)
    assert f"{grpc} does not answer." in said and "REST" in said
    assert "“foo”" in connect(page_file, "foo")
    connect(page_file, "x" * 300)
    assert page_file.overflow() <= 0


def test_an_address_is_completed_and_kept(page_file: Page, open_server: LocalServer) -> None:
    url = open_server.rest_url
    said = connect(page_file, f"{url}x")
    assert said.startswith(f"{url}x: ") and "404" in said
    assert connect(page_file, url.removeprefix("http://") + "/") == ""
    assert page_file.find("#main").is_displayed()
    assert page_file.run("return location.hash") == f"#{url}"
