"""A piano roll on the page, in pixels: what is given, and the names of its keys."""

from __future__ import annotations

import pytest

from tests.export.page.browser import Page

C5 = 72 - 21  # Alone in a roll: the row at the top is that of C6.
SHOW = """
const [steps, given, note, width] = arguments;
const place = element("div");
place.style.width = `${width}px`;
document.body.prepend(place);
window.view = new RollView(place, "Piano roll");
const roll = emptyRoll(steps);
for (let t = 0; t < steps; t++) roll.notes[t * NUM_NOTES + note] = 1;
view.show(roll, {given});
"""
COLOURS = """
const style = getComputedStyle(document.documentElement), scale = devicePixelRatio;
const hex = (bytes) => "#" + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const y = (view.high - arguments[0] + 0.5) * ROW_HEIGHT * scale, pen = view.canvas.getContext("2d");
const x = (step) => (step + 0.5) * view.stepWidth * scale;
const at = (step) => hex(pen.getImageData(x(step), y, 1, 1).data.slice(0, 3));
const names = {};
for (const name of ["--given", "--note"]) names[style.getPropertyValue(name)] = name;
return Array.from({length: view.roll.steps}, (_, step) => names[at(step)]);
"""
KEYS = """
const roll = view.scroller.getBoundingClientRect();
return [...view.keys.children].map((key) => {
  const {left, top, bottom} = key.getBoundingClientRect();
  return [key.textContent, left - roll.left, top - roll.top, roll.bottom - bottom];
});
"""
# How much of the roll is behind the names of the keys.
HIDDEN = """
const right = view.keys.getBoundingClientRect().right;
return right - view.canvas.getBoundingClientRect().left;
"""


@pytest.mark.parametrize("given", [0, 3, 8])
def test_a_note_that_is_held_over_has_both_colours(page_file: Page, given: int) -> None:
    page_file.run(SHOW, 8, given, C5, 400)
    assert page_file.run(COLOURS, C5) == ["--given"] * given + ["--note"] * (8 - given)


@pytest.mark.parametrize("note", [C5, C5 + 1, 0, 87])
def test_names_of_keys_are_whole_and_stay_in_sight(page_file: Page, note: int) -> None:
    page_file.run(SHOW, 200, 0, note, 300)
    before = page_file.run(KEYS)
    assert before and all(name.startswith("C") for name, *_ in before)
    assert all(min(places) >= 0 for _, *places in before)
    page_file.run("view.moveTo(150)")
    assert page_file.run("return view.scroller.scrollLeft") > 500
    assert page_file.run(KEYS) == before
    # The chosen step is not behind them.
    page_file.run("view.moveTo(20)")
    assert page_file.run(HIDDEN) <= page_file.run("return 20 * view.stepWidth")
