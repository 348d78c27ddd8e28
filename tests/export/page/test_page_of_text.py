"""The page in a browser, with a model of text behind it; it asks by its own requests."""

from __future__ import annotations

import base64

import numpy as np
from selenium.webdriver.common.keys import Keys

from export.serving.local_server import LocalServer
from tests.export.page.asked import ask
from tests.export.page.browser import Page
from tests.export.serving.asked import numbers_of
from tests.exported import CHARACTERS, MAX_LENGTH
from tests.local_servers import http_of

TEXT = "aé語😀a\n\taé"  # The first line and the second are two parts.


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
    prompt = page.find("#write-prompt")
    page.run(
        "arguments[0].select(); document.execCommand('insertText', false, arguments[1])",
        prompt,
        "😀" * 13,
    )
    assert page.go("write") == (
        "The model writes at most 12 characters, and the beginning has 13. Shorten it."
    )
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
    page.run("document.getElementById('between-first').value = '?\\u200d'")
    assert " The model does not know “?”, “U+200D”, “space”." in page.go("between")
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
    # A word that is longer than a line, as text without spaces is.
    page.run("document.getElementById('surprise-text').value = '語'.repeat(90)")
    page.go("surprise")
    with page.screen(400):
        assert page.overflow() <= 0
        assert len({button.location["y"] for button in page.all("#surprise-shown button")}) > 2
    assert not page.complaints()


def test_short_lines_are_asked_for_together(text_page: Page, text_server: LocalServer) -> None:
    page, lines = text_page, 200
    name = 'latentflow_requests_total{protocol="REST",signature="score_steps",status="200"}'
    page.tab("surprise")
    page.run(
        "window.added = 0;"
        "new MutationObserver((changes) => changes.forEach((c) => (added += c.addedNodes.length)))"
        ".observe(document.getElementById('surprise-shown'), {childList: true, subtree: true});"
        "document.getElementById('surprise-text').value = 'a\\n'.repeat(arguments[0])",
        lines,
    )
    with http_of(text_server) as http:
        before = numbers_of(http).get(name, 0)
        page.go("surprise")
        assert numbers_of(http)[name] - before == -(-lines // (4 * MAX_LENGTH))
    assert len(page.all("#surprise-shown button")) == 2 * lines
    assert page.run("return added") == 2 * lines  # A word and a break for each, and once.
    assert len(page.all("#surprise-shown [tabindex='0']")) == 1
    # As many characters as there may be, of two units each.
    page.run("document.getElementById('surprise-text').value = '😀'.repeat(20001)")
    assert page.go("surprise") == "Please give at most 20000 characters."
    page.run("document.getElementById('surprise-text').value = '😀'.repeat(10001)")
    page.find("#surprise .go").click()
    assert "at most" not in page.text("#surprise .status")
    page.find("#surprise .stop").click()
    page.done("surprise")
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
    verb = "has" if len(changed) == 1 else "have"
    assert f"{len(changed)} of 8 steps {verb} changed" in page.done("noise")
    page.find("#noise-back").click()
    page.until(lambda: shown() == before)
    page.until(lambda: page.done("noise") == "The text has not changed.")
    page.find("#noise-fresh").click()
    page.until(lambda: len(page.all("#noise-characters button")) == MAX_LENGTH)
    page.run("document.getElementById('noise-text').value = 'a?'")
    assert page.go("noise").endswith(" The model does not know “?”.")
    assert not page.complaints()


def test_the_characters_of_the_model_are_known(text_page: Page) -> None:
    assert text_page.run("return [...model.characters].sort().join('')") == "".join(
        sorted(CHARACTERS)
    )
