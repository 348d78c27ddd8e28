"""The page in a browser, with a model of text behind it; it asks by its own requests."""

from __future__ import annotations

import base64
import threading
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from export.serving.local_server import LocalServer
from tests.export.page.conftest import Page
from tests.exported import CHARACTERS, MAX_LENGTH
from tests.local_servers import running
from tests.served import PATIENCE, Http

TEXT = "aé語😀a\n\taé"  # The first line and the second are two parts.


def ask(server: LocalServer, signature: str, **inputs: list) -> dict[str, list]:
    """What the server says, asked without the page."""
    http = Http(server.rest_url)
    answer = http.predict({"signature_name": signature, "inputs": inputs}).json()["outputs"]
    http.close()
    return answer


def floats(value: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(value["b64"]), "<f4")


def test_texts_are_drawn_and_continued(text_page: Page, text_server: LocalServer) -> None:
    page = text_page
    page.set_range("#write-length", 9)
    page.set_range("#write-temperature", 0.5)
    page.run("document.getElementById('write-seed').value = 7")
    assert page.go("write") == "3 texts of 9 characters."
    asked = {"length": [9] * 3, "seed": [7, 8, 9], "temperature": [0.5] * 3}
    shown = [made.get_property("textContent") for made in page.all("#write-texts .made")]
    assert shown == ask(text_server, "generate", **asked)["text"]
    page.run("document.getElementById('write-prompt').value = 'é?'")
    assert "does not know “?”" in page.go("write")
    shown = [made.get_property("textContent") for made in page.all("#write-texts .made")]
    assert shown == ask(text_server, "complete", text=["é?"] * 3, **asked)["text"]
    page.set_range("#write-length", 5)
    page.run("document.getElementById('write-prompt').value = 'aaaaa'")
    assert "as long as the whole text" in page.go("write")
    assert page.find("#write .status").get_attribute("role") == "alert"
    assert not page.complaints()


def test_the_way_from_one_text_to_another(text_page: Page, text_server: LocalServer) -> None:
    page, ends = text_page, ["aé語😀", "語語aa\u0020aé"]
    page.tab("between")
    for name, text in zip(("first", "last"), ends, strict=True):
        page.run(f"document.getElementById('between-{name}').value = arguments[0]", text)
    page.go("between")
    noise = ask(text_server, "encode", text=ends)["noise_bytes"]
    expected = ask(text_server, "decode", noise_bytes=noise)["text"]
    way = [rung.get_property("textContent") for rung in page.all("#between-all button")]
    assert len(way) == 21 and [way[0], way[-1]] == expected
    slider = page.find("#between-place")
    slider.send_keys(Keys.END)
    assert page.text("#between-text") == expected[1]
    slider.send_keys(Keys.ARROW_LEFT)
    assert page.text("#between-text") == way[19]
    page.all("#between-all button")[0].click()
    assert slider.get_property("value") == "0" and page.text("#between-text") == expected[0]
    page.run("document.getElementById('between-first').value = ' '")
    assert page.go("between") == "Write a sentence first."
    assert not page.complaints()


def test_a_text_is_coloured_by_its_bits(text_page: Page, text_server: LocalServer) -> None:
    page = text_page
    page.tab("surprise")
    page.run("document.getElementById('surprise-text').value = arguments[0]", TEXT)
    said = page.go("surprise")
    first, _, last = TEXT.partition("\n")
    parts = ask(text_server, "score_steps", text=[first, last[1:]])["bits_bytes"]
    bits = np.concatenate([floats(part) for part in parts])
    assert said == f"{bits.mean():.2f} bits per character over {len(bits)} characters."
    buttons = page.all("#surprise-shown button")
    assert len(buttons) == len(TEXT)
    labels = [button.get_attribute("aria-label") for button in buttons]
    assert labels[0] == f"a, {bits[0]:.1f} bits"
    assert labels[5:7] == ["line break, not scored", "tab, not scored"]
    heats = [page.run("return arguments[0].style.getPropertyValue('--heat')", b) for b in buttons]
    expected = np.floor(100 * np.clip(bits / 8, 0, 1) + 0.5)
    found = [float(heat[:-1]) for heat in [*heats[:5], *heats[7:]]]
    np.testing.assert_allclose(found, expected, atol=1)
    buttons[0].send_keys(Keys.ARROW_RIGHT)
    assert page.text("#surprise-readout") == f"“é”: {bits[1]:.1f} bits"
    # Longer than the model reads: in parts, and a character that it does not know is said.
    page.run("document.getElementById('surprise-text').value = 'aé語 '.repeat(9) + '?'")
    assert "over 37 characters" not in (said := page.go("surprise")) and "“?”" in said
    assert len(page.all("#surprise-shown button")) == 37
    assert not page.complaints()


def test_noise_is_dragged_and_put_back(text_page: Page, text_server: LocalServer) -> None:
    page, text = text_page, "aé語😀aé語😀"
    strip = "[...document.querySelectorAll('#noise-characters button')]"  # It is made anew.
    page.tab("noise")
    page.run("document.getElementById('noise-text').value = arguments[0]", text)
    page.go("noise")
    (noise,) = ask(text_server, "encode", text=[text])["noise_bytes"]

    def shown() -> str:
        return "".join(page.run(f"return {strip}.map((button) => button.textContent)"))

    def decoded(eps: np.ndarray) -> str:
        value = {"b64": base64.b64encode(eps.astype("<f4").tobytes()).decode()}
        (text,) = ask(text_server, "decode", noise_bytes=[value])["text"]
        return text.replace("\t", "⇥").replace("\n", "↵")

    eps = floats(noise).copy()
    before = decoded(eps)
    assert shown() == before
    size = len(eps) // len(text)
    page.all("#noise-characters button")[0].send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.text("#noise-step-number") == "3"
    slider = page.find("#noise-slider-0")
    slider.send_keys(Keys.HOME)  # The keyboard drags too.
    eps[2 * size] = float(slider.get_property("value"))
    assert eps[2 * size] == -3
    after = page.until(lambda: shown() != before and shown())
    assert page.until(lambda: decoded(eps) == shown())
    assert after[:2] == before[:2]
    changed = [i for i, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1]
    marked = f"{strip}.flatMap((b, i) => b.classList.contains('changed') ? [i] : [])"
    assert page.run(f"return {marked}") == changed
    assert f"{len(changed)} of 8 steps have changed" in page.done("noise")
    page.find("#noise-back").click()
    page.until(lambda: shown() == before)
    page.find("#noise-fresh").click()
    page.until(lambda: len(page.all("#noise-characters button")) == MAX_LENGTH)
    assert not page.complaints()


def test_tabs_by_the_keyboard_and_names_of_all_that_can_be_used(text_page: Page) -> None:
    page = text_page
    page.find("#tab-write").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.find("#surprise").is_displayed() and not page.find("#write").is_displayed()
    page.browser.switch_to.active_element.send_keys(Keys.HOME)
    assert page.find("#write").is_displayed()
    for control in page.all("input, textarea, button, canvas, [role=tabpanel]"):
        assert control.accessible_name or not control.is_displayed(), control.get_attribute("id")
    unnamed = """return [...document.querySelectorAll("input, textarea")].filter((field) =>
        !field.labels?.length && !field.getAttribute("aria-label")).map((field) => field.id)"""
    assert page.run(unnamed) == []


CONTRAST = """
const style = getComputedStyle(document.documentElement);
const light = (name) => {
  const hex = style.getPropertyValue(name).trim().slice(1).match(/../g);
  const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = hex.map((digits) => linear(parseInt(digits, 16) / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
return arguments[0].map(([a, b]) => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
});
"""
READ_ON = [
    *(("--text", ground) for ground in ("--ground", "--surface", "--hot")),
    *(("--quiet", ground) for ground in ("--ground", "--surface")),
    *(("--error", ground) for ground in ("--ground", "--surface")),
    ("--on-accent", "--accent"),
    ("--mark", "--mark-ground"),
]
SEEN_ON = [(name, "--surface") for name in ("--accent", "--note", "--given", "--mark")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(text_page: Page, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    command = "Emulation.setEmulatedMedia"
    text_page.browser.execute_cdp_cmd(command, {"features": features})
    try:
        assert min(text_page.run(CONTRAST, READ_ON)) >= 4.5  # WCAG 2.2, 1.4.3.
        assert min(text_page.run(CONTRAST, SEEN_ON)) >= 3  # 1.4.11.
    finally:
        text_page.browser.execute_cdp_cmd(command, {"features": []})


@pytest.mark.parametrize("width", [400, 1400])
def test_no_panel_is_wider_than_the_screen(text_page: Page, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    text_page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for panel in ("write", "between", "surprise", "noise"):
            text_page.tab(panel)
            text_page.go(panel)
            wide = "return document.documentElement.scrollWidth - innerWidth"
            assert text_page.run(wide) <= 0, panel
            low = """return [...document.querySelectorAll("main button")].filter((b) =>
                b.offsetParent && b.offsetHeight < 24).map((b) => b.outerHTML)"""
            assert text_page.run(low) == [], panel  # WCAG 2.2, 2.5.8.
    finally:
        text_page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


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


def test_the_characters_of_the_model_are_known(text_page: Page) -> None:
    assert text_page.run("return [...model.characters].sort().join('')") == "".join(
        sorted(CHARACTERS)
    )
