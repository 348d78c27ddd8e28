"""The page by keyboard, in both colour schemes, and on small screens."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.export.page.browser import Page

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
    with text_page.screen(width):
        for panel in ("write", "between", "surprise", "noise"):
            text_page.tab(panel)
            text_page.go(panel)
            assert text_page.overflow() <= 0, panel
            low = """return [...document.querySelectorAll("main button")].filter((b) =>
                b.offsetParent && b.offsetHeight < 24).map((b) => b.outerHTML)"""
            assert text_page.run(low) == [], panel  # WCAG 2.2, 2.5.8.
