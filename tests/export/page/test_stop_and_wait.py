"""Work in the page that is stopped, a busy server that is waited for, and one that has gone."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

from selenium.webdriver.common.keys import Keys

from export.serving.local_server import LocalServer
from tests.export.page.asked import ask
from tests.export.page.browser import Page
from tests.local_servers import running
from tests.served import PATIENCE


class Gate:
    """Holds the requests of a server until it is opened."""

    def __init__(self, server: LocalServer) -> None:
        self.is_open, self.entered = threading.Event(), threading.Event()
        self.is_open.set()
        predict = server._servable.predict

        def held(*arguments: object) -> object:
            self.entered.set()
            assert self.is_open.wait(PATIENCE)
            return predict(*arguments)

        server._servable.predict = held

    def close(self) -> None:
        self.entered.clear()
        self.is_open.clear()


def test_work_is_stopped_a_busy_server_waited_for_and_a_gone_one_named(
    page_file: Page, text_model: Path
) -> None:
    # One that answers a single request at a time, and any page.
    with ExitStack() as stack:
        server = stack.enter_context(running(text_model, max_requests=1, cors_origins=["*"]))
        address = page_file.browser.current_url + "#" + server.rest_url
        page_file.find("#url").send_keys(server.rest_url, Keys.ENTER)
        page_file.until(lambda: page_file.find("#main").is_displayed())
        assert not page_file.complaints()
        check_stop_and_patience(page_file, server)
        stack.close()
        assert "does not answer" in page_file.go("write")
        assert page_file.find("#write .status").get_attribute("role") == "alert"
    page_file.browser.get("about:blank")
    page_file.browser.get(address)
    page_file.until(lambda: "does not answer" in page_file.text("#connection"))
    assert page_file.find("#connect").is_displayed()


def check_stop_and_patience(page: Page, server: LocalServer) -> None:
    gate = Gate(server)
    gate.close()
    page.find("#write .go").click()
    assert gate.entered.wait(PATIENCE)
    assert page.find("#write progress").is_displayed()
    assert page.find("#write .go").get_attribute("aria-disabled") == "true"
    page.find("#write .stop").click()
    page.until(lambda: page.text("#write .status") == "Stopped.")
    assert page.browser.switch_to.active_element == page.find("#write .go")
    page.until(lambda: server._workers._clients == 0)  # The server has noticed.

    gate.entered.clear()
    other = threading.Thread(target=ask, args=(server, "describe"), kwargs={"row": [0]})
    other.start()
    assert gate.entered.wait(PATIENCE)
    page.find("#write .go").click()
    page.until(lambda: "busy" in page.text("#write .status"))
    gate.is_open.set()
    other.join()
    assert page.done("write").startswith("3 texts of ")
    assert any("429" in line for line in page.complaints())
